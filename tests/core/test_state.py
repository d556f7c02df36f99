"""The shown latent is what base, edits and locks make of it, and a State never changes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.state import State, at, back_to_origin, with_strength

X, Y = np.array([2, 0, 0], np.float32), np.array([1, 1, 0], np.float32)


@pytest.fixture
def state() -> State:
    return State(
        origin=np.zeros(3, np.float32),
        base=np.array([0, 0, 5], np.float32),
        directions=DirectionSet([Direction("x", X), Direction("y", Y)]),
    )


def test_latent_is_base_and_edits(state: State) -> None:
    edited = with_strength(with_strength(state, "x", 1.5), "y", -2)
    np.testing.assert_allclose(edited.latent, [0, 0, 5] + 1.5 * X - 2 * Y)
    assert edited.latent.dtype == np.float32
    np.testing.assert_array_equal(state.latent, [0, 0, 5])


def test_lock_takes_the_locked_part_out_of_every_other_edit(state: State) -> None:
    edited = dataclasses.replace(with_strength(with_strength(state, "x", 1), "y", 1), locked=frozenset({"y"}))
    np.testing.assert_allclose(edited.effective(edited.directions["x"]), [1, -1, 0], atol=1e-6)
    np.testing.assert_allclose(edited.effective(edited.directions["y"]), Y)
    np.testing.assert_allclose(edited.edit, [2, 0, 0], atol=1e-6)


def test_edits_and_locks_of_directions_that_are_gone_do_nothing(state: State) -> None:
    edited = dataclasses.replace(with_strength(state, "gone", 3), locked=frozenset({"also gone"}))
    np.testing.assert_array_equal(edited.latent, state.latent)
    np.testing.assert_array_equal(edited.effective(edited.directions["x"]), X)


def test_strength_zero_removes_the_edit(state: State) -> None:
    edited = with_strength(with_strength(with_strength(state, "x", 1), "y", 2), "x", 0)
    assert dict(edited.strengths) == {"y": 2}


def test_at_begins_anew(state: State) -> None:
    edited = with_strength(state, "x", 1)
    latent = np.ones(3, np.float32)
    fresh = at(edited, latent, "#3")
    latent[:] = 9
    np.testing.assert_array_equal(fresh.latent, [1, 1, 1])
    np.testing.assert_array_equal(fresh.origin, [1, 1, 1])
    assert (fresh.name, dict(fresh.strengths), fresh.original) == ("#3", {}, None)
    assert fresh.directions is edited.directions


def test_back_to_origin(state: State) -> None:
    np.testing.assert_array_equal(back_to_origin(with_strength(state, "x", 1)).latent, state.origin)


def test_nothing_in_a_state_can_be_changed(state: State) -> None:
    edited = with_strength(state, "x", 1)
    for array in (edited.origin, edited.base, edited.latent):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        edited.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        edited.strengths["x"] = 2  # type: ignore[index]
