"""Errors say what to do next, and end the process with the status that was promised."""

from __future__ import annotations

import pickle
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from latentlab.core import errors
from latentlab.core.errors import did_you_mean, in_plain_words


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


class Numbers(BaseModel):
    count: int = Field(1, ge=1, le=9)
    share: float = Field(0.5, gt=0, lt=1)
    kind: Literal["a", "b"] = "a"
    several: tuple[int, ...] = ()
    on: bool = True
    name: str = ""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"count": 0}, "it must be at least 1"),
        ({"count": 10}, "it must be at most 9"),
        ({"count": "many"}, "it must be a whole number"),
        ({"count": 1.5}, "it must be a whole number"),
        ({"share": 0}, "it must be more than 0"),
        ({"share": 1}, "it must be less than 1"),
        ({"share": "half"}, "it must be a number"),
        ({"kind": "c"}, "it must be 'a' or 'b'"),
        ({"several": "1,2"}, "it must be a list"),
        ({"on": "perhaps"}, "it must be true or false"),
        ({"name": 3}, "it must be text"),
    ],
)
def test_what_pydantic_refuses_is_said_in_plain_words(value: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Numbers(**value)
    assert in_plain_words(caught.value.errors()[0]["msg"]) == said


def test_words_before_a_refusal_stay() -> None:
    before = "Invalid value for '--epochs': "
    refused = "Input should be a valid integer, unable to parse string as an integer"
    assert in_plain_words(before + refused) == f"{before}it must be a whole number"
    assert in_plain_words("Missing option '--out'.") == "Missing option '--out'"
