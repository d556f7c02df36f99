"""What colour a point has, and what the legend says of it."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.encodings import EncodingSet
from latentlab.ui.map.colours import (
    LEVELS,
    OTHER,
    REST,
    UNKNOWN,
    VIRIDIS,
    choices,
    chosen,
    colouring,
    gradient,
)
from latentlab.ui.map.splat import SHAPES
from latentlab.ui.theme import DARK, LIGHT


def encodings(count: int = 40, **parts: object) -> EncodingSet:
    latents = np.random.default_rng(0).standard_normal((count, 4)).astype(np.float32)
    return EncodingSet(latents, **parts)  # type: ignore[arg-type]


def test_viridis_is_viridis() -> None:
    import pyqtgraph

    wanted = pyqtgraph.colormap.get("viridis").map(np.linspace(0, 1, 64), mode="byte")[:, :3]
    ours = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in gradient(VIRIDIS, 64)]
    assert np.abs(np.array(ours) - wanted).max() <= 5


def test_each_class_has_a_colour_and_a_shape_and_counts_are_true() -> None:
    labels = np.repeat([0, 1, 2], [5, 10, 25])
    found = colouring(encodings(labels=labels, label_names=("cat", "dog")), "class", DARK)
    assert [(e.key, e.count) for e in found.entries] == [("cat", 5), ("dog", 10), ("2", 25)]
    assert [e.colour for e in found.entries] == list(DARK.classes[:3])
    assert [e.shape for e in found.entries] == list(SHAPES[:3])
    assert [found.keys[code] for code in found.codes[[0, 5, 20]]] == ["cat", "dog", "2"]


def test_beyond_ten_classes_the_rarest_are_grey_and_unlabelled_ones_unknown() -> None:
    labels = np.concatenate([np.repeat(np.arange(10_000), 1), np.repeat(np.arange(10), 50), [-1, -1]])
    found = colouring(encodings(len(labels), labels=labels), "class", LIGHT)
    assert len(found.entries) == 12
    assert [e.key for e in found.entries[:10]] == [str(k) for k in range(10)]
    other, unknown = found.entries[10:]
    assert (other.key, other.count, other.colour) == (OTHER, 9990, REST[False])
    assert (unknown.key, unknown.count) == (UNKNOWN, 2)


@pytest.mark.parametrize("no", [0.0, -1.0])
def test_an_attribute_that_one_has_or_has_not(no: float) -> None:
    values = np.array([[1.0], [no], [np.nan], [1.0]], np.float32)
    marked = encodings(4, attributes=values, attribute_names=("Hat",), predicted=frozenset({"Hat"}))
    found = colouring(marked, "Hat", DARK)
    assert found.title == "Hat (predicted)"
    assert [(e.key, e.count) for e in found.entries] == [("Hat", 2), ("not Hat", 1), (UNKNOWN, 1)]
    assert found.bar is None
    shown = found.shown(frozenset({"not Hat", UNKNOWN}))
    assert shown is not None
    assert shown.tolist() == [True, False, False, True]
    assert found.shown(frozenset({"of another colour"})) is None


def test_a_number_is_viridis_and_a_signed_one_diverges_from_zero() -> None:
    values = np.stack([np.linspace(5, 9, 40), np.linspace(-1, 3, 40)], axis=1).astype(np.float32)
    values[7, 0] = np.nan
    numbers = encodings(attributes=values, attribute_names=("age", "turn"))
    age = colouring(numbers, "age", DARK)
    assert age.bar is not None
    assert 5 <= age.bar.low < age.bar.high <= 9
    assert age.codes[7] == LEVELS
    assert age.keys[LEVELS] == UNKNOWN
    assert (np.diff(np.delete(age.codes, 7).astype(int)) >= 0).all()
    turn = colouring(numbers, "turn", LIGHT)
    assert turn.bar is not None
    assert turn.bar.low == -turn.bar.high
    assert turn.codes[10] in (LEVELS // 2 - 1, LEVELS // 2)


def test_a_colour_that_does_not_exist_falls_back_to_what_does() -> None:
    labelled = encodings(
        labels=np.zeros(40, np.int64), attributes=np.zeros((40, 1), np.float32), attribute_names=("Hat",)
    )
    only_attributes = encodings(attributes=np.zeros((40, 1), np.float32), attribute_names=("Hat",))
    assert chosen(labelled, "class") == "class"
    assert chosen(labelled, "Beard") == "class"
    assert chosen(only_attributes, "class") == "Hat"
    assert chosen(encodings(), "class") == "none"
    assert chosen(encodings(), "dimension 4") == "dimension 4"
    assert chosen(encodings(), "dimension 5") == "none"
    assert colouring(encodings(), "class", DARK).entries == ()


def test_choices_name_what_is_there() -> None:
    named = encodings(attributes=np.zeros((40, 1), np.float32), attribute_names=("Hat",), predicted=frozenset({"Hat"}))
    keys = [key for key, _ in choices(named)]
    assert keys[0] == "Hat"
    assert keys[-1] == "none"
    assert sum(key.startswith("dimension ") for key in keys) == 4
    assert dict(choices(named))["Hat"] == "Hat (predicted)"
    assert choices(None) == [("none", "One colour")]
