"""What is shown of figures: from honest headers, from hostile ones, and from what was measured since."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentlab.core.encodings import EncodingSet
from latentlab.core.figure_kinds import KINDS
from latentlab.core.figure_text import as_csv, as_json, as_text
from latentlab.core.figures import FigureTable, number, per_dimension, table_of
from latentlab.core.latent_model import ImageShape, ModelInfo
from latentlab.core.measurement import ENDING, Measurement, evaluation, keep, kept
from latentlab.core.spaces import LatentSpace

HEADER = {
    "train": {"loss": 142.07, "mse": 0.0372},
    "held_out": {"loss": 143.6, "kl": 6.44, "mse": 0.0379},
    "active_units": 2,
    "samples": {
        "drawn": 2000, "feature_space": "128 features of a classifier", "precision": 0.7465,
        "frechet_distance": 10.8946, "frechet_distance_of_training_data": 0.965286,
    },
}  # fmt: skip


def info_of(figures: dict[str, Any], path: str = "", **parts: Any) -> ModelInfo:
    spaces = (LatentSpace("z", (2,)),)
    values: dict[str, Any] = {"sha256": "ab" * 32, "training": {"data": "mnist", "epochs": 15}, **parts}
    return ModelInfo(path, "native", "vae", ImageShape(8, 8, 1), spaces, True, figures=figures, **values)


def measurement(**parts: Any) -> Measurement:
    figures = {"reconstruction": {"mse": 0.03, "pictures": 10}, "samples": {"completeness": 0.9, "precision": 0.9}}
    values: dict[str, Any] = {"kind": "encodings", "source": "10 thumbnails", "figures": figures, **parts}
    return Measurement(**values)


def shown(table: FigureTable) -> dict[str, dict[str, float]]:
    """path -> column -> value"""
    return {
        row.kind.path: {key: cell.value for key, cell in row.cells.items()}
        for group in table.groups
        for row in group.rows
    }


def test_what_the_trainer_stored_stands_under_its_name() -> None:
    table = table_of(info_of(HEADER))
    assert [column.title for column in table.columns] == ["Stored"]
    assert "15 epochs" in table.columns[0].source
    assert "mnist" in table.columns[0].source
    found = shown(table)
    assert found["reconstruction.mse"] == {"stored": 0.0379}
    assert found["latent.kl_nats"] == {"stored": 6.44}
    assert found["latent.active_units"] == {"stored": 2}
    assert found["losses.loss"] == {"train": 142.07, "held_out": 143.6}
    draws = next(group for group in table.groups if group.title == "Draws from the prior")
    assert draws.spaces == {"stored": "128 features of a classifier"}
    distance = next(row for row in draws.rows if row.kind.path == "samples.frechet_distance")
    assert distance.cells["stored"].beside == "real pictures: 0.965"


def test_what_was_measured_stands_beside_it() -> None:
    table = table_of(info_of(HEADER), None, [measurement(), measurement(kind="pictures", source="a folder")])
    assert [column.title for column in table.columns] == ["Stored", "Encodings", "Pictures"]
    found = shown(table)
    assert found["reconstruction.mse"] == {"stored": 0.0379, "encodings": 0.03, "pictures": 0.03}
    assert found["samples.precision"] == {"stored": 0.7465, "encodings": 0.9, "pictures": 0.9}
    assert "samples.completeness" not in found  # the same by definition
    assert "reconstruction.pictures" not in found


def test_a_column_of_draws_alone_is_called_so() -> None:
    alone = measurement(figures={"samples": {"drawn": 100, "sharpness": 0.2}, "continuity": {"steepest": 1.8}})
    assert [column.title for column in table_of(info_of({}), None, [alone]).columns] == ["Draws"]


def test_every_kind_says_what_it_means() -> None:
    for kind in KINDS.values():
        assert kind.meaning.endswith("."), kind
        assert kind.title[0].isupper(), kind
        assert "FID" not in kind.title + kind.meaning


def test_what_has_no_name_is_shown_all_the_same() -> None:
    table = table_of(info_of({"novelty": {"of_things": 3.5}}))
    (group,) = table.groups
    assert group.title == "Other figures"
    assert [row.kind.title for row in group.rows] == ["Novelty: of things"]


@pytest.mark.parametrize(
    "figures",
    [
        {"a": float("nan"), "b": float("inf"), "c": 10**400, "d": "text", "e": None, "f": True, "g": [1, 2]},
        {"samples": [1], "train": "x", "held_out": {"kl": {"deep": {"deeper": {"deepest": 1}}}}},
        {str(i): {str(j): {"x": "y"} for j in range(50)} for i in range(50)},
    ],
)
def test_a_hostile_header_shows_nothing_and_breaks_nothing(figures: dict[str, Any]) -> None:
    info = info_of(figures, training={"data": ["list"], "epochs": True})
    assert shown(table_of(info)) == {}
    assert as_text(table_of(info), info)


def test_a_header_of_many_numbers_is_cut() -> None:
    assert len(shown(table_of(info_of({str(i): i for i in range(5000)})))) == 150


def test_dimensions_say_kl_or_variance_and_which_are_active() -> None:
    rng = np.random.default_rng(0)
    latents = (rng.standard_normal((500, 3)) * np.array([1, 0.05, 0.2])).astype(np.float32)
    found = per_dimension(EncodingSet(latents))
    assert found is not None
    assert (found.unit, found.what) == ("", "variance")
    np.testing.assert_allclose(found.values_D, latents.var(axis=0), rtol=1e-5)
    assert found.active_D.tolist() == [True, False, True]
    kl = np.array([2, 0, 0.5], np.float32)
    found = per_dimension(EncodingSet(latents, kl_per_dimension=kl))
    assert found is not None
    assert (found.unit, found.what, found.values_D.tolist()) == ("nats", "KL", [2, 0, 0.5])
    assert shown(table_of(info_of({}), found))["latent.kl_nats"] == {"stored": 2.5}
    assert table_of(info_of({}), found).columns[0].source == "of the 500 encodings"
    # Of draws every dimension says what the prior is, whatever the generator makes of it.
    assert per_dimension(EncodingSet(latents, samples=True)) is None
    assert per_dimension(EncodingSet(latents[:1])) is None
    assert per_dimension(None) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.00416, "0.00416"), (25.123, "25.1"), (128.0, "128"), (1284.4, "1,284"), (-23179.5, "−23,180"), (0.0, "0"),
        (1.0, "1"), (0.9, "0.900"), (3.2e-7, "3.20e−07"), (4.5e11, "4.5e+11"), (99.96, "100"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_that_count(value: float, said: str) -> None:
    assert number(value) == said
    assert number(value, "dB") == f"{said} dB"


def test_text_csv_and_json_say_the_same() -> None:
    info = info_of(HEADER, "/somewhere/digits.safetensors")
    table = table_of(info, None, [measurement(notes=("A note.",))])
    text = as_text(table, info)
    assert text.startswith("digits.safetensors\n")
    assert "Mean squared error ↓  0.0379     0.0300" in text
    assert "in 128 features of a classifier" in text
    assert "A note." in text
    rows = list(csv.DictReader(io.StringIO(as_csv(table))))
    assert {(row["path"], row["from"]): float(row["value"]) for row in rows}["reconstruction.mse", "Encodings"] == 0.03
    document = json.loads(as_json(info, [measurement()]))
    assert document["stored"] == HEADER
    assert document["measured"][0]["figures"]["reconstruction"]["mse"] == 0.03


# --- kept ------------------------------------------------------------------------------------------------------


@pytest.fixture
def info(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelInfo:
    monkeypatch.setenv("LATENTLAB_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "faces.pth").write_bytes(b"weights")
    return info_of({}, str(tmp_path / "faces.pth"), reading={"range": "tanh"})


def test_measurements_are_kept_one_of_each_kind(info: ModelInfo, tmp_path: Path) -> None:
    assert kept(info) == ()
    assert keep(info, measurement()) == tmp_path / f"faces.pth{ENDING}"
    keep(info, measurement(kind="pictures"))
    newer = measurement(source="20 thumbnails", notes=("One.",))
    keep(info, newer)
    assert {one.kind: one.source for one in kept(info)} == {"pictures": "10 thumbnails", "encodings": "20 thumbnails"}
    assert newer in kept(info)


def test_what_is_of_another_file_or_reading_or_damaged_is_not_used(info: ModelInfo, tmp_path: Path) -> None:
    path = keep(info, measurement())
    assert kept(info_of({}, info.path, reading={"range": "sigmoid"})) == ()
    assert kept(info_of({}, info.path, reading={"range": "tanh"}, sha256="cd")) == ()
    for damage in (b"", b"{", b'{"checkpoint": 3}', path.read_bytes()[:-20], b"[" * 100_000):
        path.write_bytes(damage)
        assert kept(info) == ()
        assert keep(info, measurement()) == path
        assert len(kept(info)) == 1
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps({**document, "version": 99}))
    assert kept(info) == ()


def test_an_evaluation_of_this_very_checkpoint_is_read(info: ModelInfo, tmp_path: Path) -> None:
    assert evaluation(info) == {}
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps({"sha256": info.sha256, "continuity": {"steepest": 1.5}, "held_out": 100}))
    found = evaluation(info)
    table = table_of(info, evaluated=found)
    assert shown(table) == {"continuity.steepest": {"stored": 1.5}}
    assert "latentlab-train evaluate" in table.columns[0].source
    for other in ({"sha256": "of another"}, ["list"], {}):
        path.write_text(json.dumps(other))
        assert evaluation(info) == {}
    path.write_bytes(b"\xff\xfe")
    assert evaluation(info) == {}
