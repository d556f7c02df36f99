"""`latentlab measure` and `latentlab.measure_model`."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentlab
from latentlab.core.errors import DataError, OptionError
from tests.cli.test_cli import refused, run


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    for index in range(40):
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)).save(tmp_path / "pictures" / f"{index}.png")
    return tmp_path / "pictures"


def test_measure_prints_a_table(vae: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "measure", vae, "--images", pictures, "--device", "cpu")
    assert status == 0
    assert out.startswith("tiny.safetensors\n")
    assert "Mean squared error ↓" in out
    assert "Active units" in out
    assert "principal components of the pixels of 20 pictures of 'pictures'" in out
    assert "Pictures: 20 pictures of 'pictures', " in out
    assert not vae.with_name("tiny.safetensors.figures.json").exists()


def test_measure_as_json_and_csv(vae: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "measure", vae, "--images", pictures, "--json", "--device", "cpu")
    assert status == 0
    document = json.loads(out)
    assert document["checkpoint"] == "tiny.safetensors"
    (found,) = document["measured"]
    assert found["figures"]["samples"]["real"] == 20
    status, out, _ = run(capsys, "measure", vae, "--csv", "--count", 32, "--device", "cpu")
    assert status == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert "continuity.change_per_unit" in {row["path"] for row in rows}
    assert all(np.isfinite(float(row["value"])) for row in rows)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--images absent", "does not exist"),
        ("--count 5", "choose 32 to 20,000"),
        ("--features fid", "no features 'fid'"),
        ("--crop 1,2", "not understood"),
        ("--json --csv", "not both"),
        ("--device abacus", "abacus"),
    ],
)
def test_what_measure_refuses(vae: Path, capsys: pytest.CaptureFixture[str], options: str, said: str) -> None:
    assert said in refused(capsys, "measure", vae, *options.split())


def test_a_model_is_measured_from_python(vae: Path, pictures: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    images = np.random.default_rng(0).integers(0, 255, (64, 16, 16, 3), np.uint8)
    found = latentlab.measure_model(model, images, labels=["a", "b"] * 32, count=32)
    assert found.figures["reconstruction"]["pictures"] == 32
    as_float = latentlab.measure_model(model, images / 255, count=32)
    assert as_float.figures["reconstruction"]["mse"] == found.figures["reconstruction"]["mse"]
    assert latentlab.measure_model(model, pictures, count=32).source == "20 pictures of 'pictures'"
    with pytest.raises(DataError, match="describe an array"):
        latentlab.measure_model(model, pictures, labels=[1, 2])


def test_what_was_measured_is_shown_shortly(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    found = latentlab.measure_model(model, model.decode(model.sample(40)), count=32)
    assert repr(found).startswith("<measured on 20 pictures given: reconstruction, ")
    assert len(repr(found)) < 200
    shown = str(found).splitlines()
    assert f"reconstruction.mse: {found.figures['reconstruction']['mse']}" in shown
    assert not any("[" in line for line in shown), "numbers per dimension are left out"
    with pytest.raises(OptionError, match="not a str"):
        latentlab.measure_model("faces-vae")  # type: ignore[arg-type]


def test_figures_that_are_kept_are_compared(
    vae: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [Path(shutil.copy(vae, tmp_path / name)) for name in ("one.safetensors", "two.safetensors")]
    for path in paths:
        status, _, err = run(capsys, "measure", path, "--images", pictures, "--count", 32, "--keep")
        assert (status, f"Kept as {path}.figures.json" in err) == (0, True)
    first, second = (latentlab.open_model(path, device="cpu") for path in paths)
    both = {pair.kind.path: pair for pair in latentlab.compare(first, second, count=2, path=0).figures}
    assert both["reconstruction.mse"].first == both["reconstruction.mse"].second
    status, out, _ = run(capsys, "compare", *paths)
    assert status == 0
    assert "Mean squared error ↓" in out
