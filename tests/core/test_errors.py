"""Errors say what to do next, and end the process with the status that was promised."""

from __future__ import annotations

import pickle

import pytest

from latentlab.core import errors
from latentlab.core.errors import did_you_mean


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.CheckpointError, 2),
        (errors.DataError, 2),
        (errors.OptionError, 2),
        (errors.SaveError, 1),
        (errors.DeviceError, 1),
        (errors.Interrupted, 130),
    ],
)
def test_exit_status(kind: type[errors.LatentlabError], status: int) -> None:
    assert kind("why").exit_status == status
    assert str(pickle.loads(pickle.dumps(kind("why")))) == "why"


def test_expression_error_carries_its_place() -> None:
    error = errors.ExpressionError("why", 3, 4)
    assert (error.column, error.length, error.exit_status) == (3, 4, 2)


def test_did_you_mean() -> None:
    assert did_you_mean("Eyglasses", ["Smiling", "Eyeglasses"]) == " Did you mean 'Eyeglasses'?"
    assert did_you_mean("SMILING", ["Smiling"]) == " Did you mean 'Smiling'?"
    assert did_you_mean("qqq", ["b", "a"]) == " Known: a, b."
    assert did_you_mean("qqq", []) == ""
    assert did_you_mean("qqq", [f"n{number:02}" for number in range(20)]).endswith("n11, …")
