"""`latentlab compare`: two models side by side on one sheet."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentlab
from latentlab import cli
from latentlab.command_line.compare import GAP_PX
from tests.cli.conftest import write_tiny


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """(status, standard error)"""
    status = cli.main([str(argument) for argument in arguments])
    return status, capsys.readouterr().err


def halves(path: Path, width: int) -> list[np.ndarray]:
    """What stands on the left and on the right."""
    with Image.open(path) as image:
        sheet = np.asarray(image)
    assert sheet.shape[1] == 2 * width + GAP_PX
    return [sheet[:, :width], sheet[:, width + GAP_PX :]]


def test_samples_of_one_seed_stand_side_by_side(
    vae: Path, gan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "both.png"
    status, err = run(capsys, "compare", vae, gan, "-o", out, "--count", 4, "--seed", 3, "--truncation", 0.5)
    assert status == 0, err
    for path, half in zip((vae, gan), halves(out, 32), strict=True):
        model = latentlab.open_model(path, device="cpu")
        images = model.decode(model.sample(4, seed=3, truncation=0.5))
        np.testing.assert_array_equal(half[:16, :16], images[0])
        np.testing.assert_array_equal(half[16:, 16:], images[3])


def test_a_picture_is_reconstructed_and_edited_by_both_and_their_errors_are_said(
    vae: Path, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    larger = write_tiny(tmp_path / "larger.safetensors", size=32)
    out = tmp_path / "both.png"
    status, err = run(capsys, "compare", vae, larger, "-o", out, "--image", face, "--attribute", "Smiling=1.5")
    assert status == 0, err
    left, right = halves(out, 32)
    assert left.shape == right.shape == (3 * 32, 32, 3), "the picture, its reconstruction, with the attribute"
    model = latentlab.open_model(larger, device="cpu")
    latent = model.encode(right[None, :32])
    np.testing.assert_array_equal(right[32:64], model.decode(latent)[0])
    np.testing.assert_array_equal(right[64:], model.decode(model.directions["Smiling"].apply(latent, 1.5))[0])
    np.testing.assert_array_equal(left[::2, ::2], left[1::2, 1::2], "the smaller pictures are enlarged")
    assert "tiny.safetensors: mean squared error 0." in err
    assert "larger.safetensors: mean squared error 0." in err


def test_without_a_sheet_the_figures_are_printed(
    vae: Path, gan: Path, face: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["compare", str(vae), str(vae)]) == 0
    shown = capsys.readouterr().out
    assert [line.split() for line in shown.splitlines() if "Family" in line] == [["Family", "vae", "vae"]]
    assert cli.main(["compare", str(vae), str(gan), "--image", str(face), "--steps", "2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    model = latentlab.open_model(vae, device="cpu")
    with Image.open(face) as image:
        both = latentlab.compare(model, model, image)
    found = both.first.reconstructed
    assert found is not None
    assert document["first"]["mse"] == pytest.approx(found.mse.tolist())
    assert len(document["second"]["path_changes"]) == 31


def test_the_figures_go_to_a_spreadsheet(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", "faces-vae", "faces-alpha-gan", "--csv"]) == 0
    rows = {row["path"]: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    names = "faces-vae.safetensors", "faces-alpha-gan.safetensors"
    model = latentlab.open_model("faces-vae", device="cpu")
    error = rows["reconstruction.mse"]
    assert float(error[names[0]]) == model.info.figures["held_out"]["mse"]
    assert error["better"] == min(names, key=lambda name: float(error[name]))
    assert model.encodings is not None
    assert model.encodings.kl_per_dimension is not None
    assert float(rows["latent.kl_nats"][names[0]]) == pytest.approx(float(model.encodings.kl_per_dimension.sum()))
    status, err = run(capsys, "compare", "faces-vae", "faces-alpha-gan", "--csv", "--json")
    assert (status, "not both" in err) == (2, True)


def test_a_class_that_only_one_of_them_knows(vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "both.png"
    status, err = run(capsys, "compare", vae, "digits-cgan", "-o", out, "--count", 2, "--class", 7)
    assert status == 0, err
    status, err = run(capsys, "compare", vae, vae, "-o", out, "--class", 7)
    assert (status, "takes no class" in err) == (2, True)


def test_a_mistake_is_one_line(vae: Path, gan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "both.png"
    for arguments, said in (
        (("--count", 1), "--count is 1"),
        (("--attribute", "Smilling=1"), "did you mean"),
        (("--truncation", -1), "--truncation"),
    ):
        status, err = run(capsys, "compare", vae, gan, "-o", out, *arguments)
        assert status == 2
        assert said in err.replace("Did", "did")
    assert not out.exists()
