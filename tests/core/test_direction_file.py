"""Directions as JSON: what is saved returns, and what is no direction of this model is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from latentlab.core.direction_file import load_directions, save_directions
from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.errors import DataError


def two() -> DirectionSet:
    vector = np.array([0.1, -2, 1e-7], np.float32)
    return DirectionSet(
        [
            Direction("Eyeglasses", vector, "w", "balanced means", 2565, 0.99, True, "ab" * 32),
            Direction("mine ä", -vector, "w", "two groups"),
        ]
    )


def test_round_trip(tmp_path: Path) -> None:
    save_directions(tmp_path / "d.json", two().values())
    again = load_directions(tmp_path / "d.json", dim=3, space="w")
    for before, after in zip(two().values(), again, strict=True):
        np.testing.assert_array_equal(before.vector, after.vector)
        assert after.vector.dtype == np.float32
        for name in ("name", "space", "method", "examples", "auc", "predicted", "checkpoint"):
            assert getattr(before, name) == getattr(after, name)


def test_public_keys(tmp_path: Path) -> None:
    save_directions(tmp_path / "d.json", two().values())
    saved = json.loads((tmp_path / "d.json").read_text())["directions"][0]
    assert {"name", "space", "vector", "method", "examples", "auc", "checkpoint"} <= set(saved)


@pytest.mark.parametrize("document", [[{"name": "a", "vector": [1, 2]}], {"name": "a", "vector": [1, 2]}])
def test_written_by_hand(tmp_path: Path, document: object) -> None:
    (tmp_path / "d.json").write_text(json.dumps(document))
    (found,) = load_directions(tmp_path / "d.json", dim=2)
    assert (found.name, found.space, found.auc) == ("a", "z", None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not JSON"),
        ("[" * 5000, "not JSON"),
        ("3", "does not hold directions"),
        ("{}", "does not hold directions"),
        ('{"kind": "latentlab session", "directions": []}', "does not hold directions"),
        ('[{"name": "a"}]', r"directions\.0\.vector"),
        ('[{"name": "a", "vector": []}]', r"directions\.0\.vector"),
        ('[{"name": "a", "vector": [1, NaN]}]', r"vector\.1"),
        ('[{"name": "", "vector": [1]}]', r"directions\.0\.name"),
        ('[{"name": "a", "vector": [1], "auc": 7}]', "auc"),
        ('[{"name": "a", "vector": [1, 2, 3]}]', "3 numbers, the open model 2"),
        ('[{"name": "a", "vector": [1, 2], "space": "w"}]', "space w"),
        ('{"version": 9, "directions": []}', "Update latentlab"),
    ],
)
def test_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "d.json").write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        load_directions(tmp_path / "d.json", dim=2, space="z")
    assert str(tmp_path / "d.json") in str(caught.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            load_directions(path)
