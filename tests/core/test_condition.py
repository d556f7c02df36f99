"""What a conditional model can be asked, and what it is asked where nothing is said."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.condition import Condition, completed, condition_of_encoding, default_condition, each_completed
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import OptionError


def test_what_is_not_said_is_the_first_class_and_unknown_attributes() -> None:
    assert completed(None, 3, 2) == default_condition(3, 2) == Condition(0, (0.5, 0.5))
    assert completed(2, 3, 2) == Condition(2, (0.5, 0.5))
    assert completed(Condition(None, (1.0, 0.0)), 3, 2) == Condition(None, (1.0, 0.0))
    assert default_condition(0, 0) is None
    assert default_condition(0, 1) == Condition(None, (0.5,))


def test_one_for_all_or_one_for_each() -> None:
    assert each_completed(1, 2, "abc", ()) == [Condition(1), Condition(1)]
    assert each_completed([2, Condition(0)], 2, "abc", ()) == [Condition(2), Condition(0)]
    assert each_completed(np.array([2, 0]), 2, "abc", ()) == [Condition(2), Condition(0)]
    with pytest.raises(OptionError, match="3 conditions for 2 pictures"):
        each_completed([0, 1, 2], 2, "abc", ())


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (3, "no class 3; this model has 3, counted from 0"),
        (-1, "no class -1"),
        (Condition(0, (1.0,)), "names 1 attributes; this model takes 2"),
        (Condition(0, (1.0, 1.5)), "1.5"),
        (Condition(0, (1.0, float("nan"))), "nan"),
    ],
)
def test_the_impossible_is_refused(asked: Condition | int, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        completed(asked, 3, 2)


def test_a_model_that_takes_nothing_is_asked_nothing() -> None:
    assert completed(None, 0, 0) == Condition()
    with pytest.raises(OptionError, match="takes no class"):
        completed(0, 0, 0)


def test_an_encoding_is_drawn_with_what_is_known_of_it() -> None:
    known = EncodingSet(
        np.zeros((3, 2), np.float32),
        labels=np.array([1, -1, 7]),
        label_names=("cat", "dog"),
        attributes=np.array([[1, 0.2], [np.nan, 0], [0, 3]], np.float32),
        attribute_names=("Smiling", "Hat"),
    )
    of = [condition_of_encoding(known, index, ("cat", "dog"), ("Hat", "Smiling", "Young")) for index in range(3)]
    assert of[0] == Condition(1, (pytest.approx(0.2), 1.0, 0.5))
    assert of[1] == Condition(None, (0.0, 0.5, 0.5))
    assert of[2] == Condition(None, (1.0, 0.0, 0.5))
    assert condition_of_encoding(known, 0, (), ()) is None


def test_classes_and_attributes_are_asked_for_by_name() -> None:
    classes, attributes = ("cat", "dog"), ("Smiling", "Young")
    assert each_completed("dog", 2, classes, attributes) == [Condition(1, (0.5, 0.5))] * 2
    assert each_completed({"Young": 1}, 1, (), attributes) == [Condition(None, (0.5, 1.0))]
    mixed = each_completed(["dog", 0, {"Smiling": 0}], 3, classes, attributes)
    assert mixed == [Condition(1, (0.5, 0.5)), Condition(0, (0.5, 0.5)), Condition(0, (0.0, 0.5))]
    for asked, said in (("dgo", "mean 'dog'"), ({"Smilling": 1}, "mean 'Smiling'"), ({"Young": 2}, "is 2")):
        with pytest.raises(OptionError, match=said):
            each_completed(asked, 1, classes, attributes)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="takes no class"):
        each_completed("dog", 1, (), ())
