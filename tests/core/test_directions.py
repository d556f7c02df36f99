"""Applying directions: strengths add up, what is kept does not move."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latentlab.core.directions import Direction, DirectionSet, orthogonalised
from latentlab.core.errors import OptionError
from latentlab.core.spaces import FloatArray

numbers = st.floats(-10, 10, width=32, allow_subnormal=False).map(lambda number: round(number, 2))


@settings(derandomize=True, max_examples=80)
@given(arrays(np.float32, 5, elements=numbers), arrays(np.float32, (3, 5), elements=numbers))
def test_orthogonalised_leaves_nothing_along_the_kept(vector: FloatArray, kept_KD: FloatArray) -> None:
    rest = orthogonalised(vector, list(kept_KD))
    scale = max(1.0, float(np.abs(kept_KD).max()) * max(1.0, float(np.abs(vector).max())))
    np.testing.assert_allclose(kept_KD @ rest, 0, atol=1e-3 * scale)
    assert np.linalg.norm(rest) <= np.linalg.norm(vector) * (1 + 1e-5)


def test_orthogonalised_cases() -> None:
    x, y = np.eye(3, dtype=np.float32)[:2]
    assert orthogonalised(x, []) is x
    np.testing.assert_array_equal(orthogonalised(x, [np.zeros(3, np.float32)]), x)
    np.testing.assert_array_equal(orthogonalised(x, [2 * x]), 0)
    np.testing.assert_allclose(orthogonalised(x + y, [y, 3 * y, -y]), x, atol=1e-6)


def three() -> DirectionSet:
    return DirectionSet(
        [
            Direction("Eyeglasses", np.array([1, 1, 0], np.float32)),
            Direction("Smiling", np.array([0, 2, 0], np.float32)),
            Direction("Young", np.array([0, 0, 1], np.float32)),
        ]
    )


def test_apply() -> None:
    glasses = three()["Eyeglasses"]
    latents_ND = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(glasses.apply(latents_ND, 2), latents_ND + np.array([2, 2, 0]))
    np.testing.assert_array_equal(glasses.apply(latents_ND[0]), [1, 2, 2])
    assert glasses.apply(latents_ND, 1.5).dtype == np.float32
    kept = glasses.apply(latents_ND, 1, keep=["Smiling", "Eyeglasses"])
    np.testing.assert_allclose(kept, latents_ND + np.array([1, 0, 0]), atol=1e-6)


def test_apply_with_unknown_names() -> None:
    with pytest.raises(OptionError, match="Did you mean 'Smiling'"):
        three()["Eyeglasses"].apply(np.zeros(3, np.float32), keep=["Smilling"])
    with pytest.raises(OptionError, match="stands alone"):
        Direction("alone", np.ones(3, np.float32)).apply(np.zeros(3, np.float32), keep=["Smiling"])


def test_set_keeps_its_order_and_knows_its_members() -> None:
    directions = three()
    assert list(directions) == ["Eyeglasses", "Smiling", "Young"]
    assert directions["Young"].among is directions
    changed = directions.with_added(Direction("Smiling", np.ones(3, np.float32)))
    assert list(changed) == list(directions)
    np.testing.assert_array_equal(changed["Smiling"].vector, 1)
    np.testing.assert_array_equal(directions["Smiling"].vector, [0, 2, 0])
    assert list(changed.without("Eyeglasses")) == ["Smiling", "Young"]
    assert "Eyeglasses" in directions
    with pytest.raises(OptionError, match="no attribute 'eyeglasses'"):
        directions["eyeglasses"]


def test_set_travels_between_processes() -> None:
    again = pickle.loads(pickle.dumps(three()))
    assert list(again) == list(three())
    assert again["Young"].among is again
