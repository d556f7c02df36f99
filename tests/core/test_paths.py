"""Walks: exact at their keyframes, even in time, and spherical where the prior is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latentlab.core import paths
from latentlab.core.errors import OptionError
from latentlab.core.spaces import FloatArray

latents = arrays(np.float32, 6, elements=st.floats(-10, 10, width=32, allow_subnormal=False))
shares = st.floats(0, 1)


def angle(a: FloatArray, b: FloatArray) -> float:
    return float(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))


@settings(derandomize=True, max_examples=60)
@given(latents, latents, shares)
def test_slerp_stays_between_the_lengths_and_meets_the_ends(a: FloatArray, b: FloatArray, t: float) -> None:
    np.testing.assert_allclose(paths.slerp(a, b, 0.0), a, atol=1e-5)
    np.testing.assert_allclose(paths.slerp(a, b, 1.0), b, atol=1e-5)
    between = paths.slerp(a, b, t)
    assert np.isfinite(between).all()
    lengths = sorted((float(np.linalg.norm(a)), float(np.linalg.norm(b))))
    assert float(np.linalg.norm(between)) <= lengths[1] + 1e-3


def test_slerp_is_the_textbook_formula_at_equal_lengths() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 8))
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    omega, t = angle(a, b), 0.3
    expected = (np.sin((1 - t) * omega) * a + np.sin(t * omega) * b) / np.sin(omega)
    np.testing.assert_allclose(paths.slerp(a.astype(np.float32), b.astype(np.float32), t), expected, atol=1e-5)


def test_slerp_turns_evenly_and_keeps_the_length() -> None:
    a, b = np.array([2, 0, 0], np.float32), np.array([0, 2, 0], np.float32)
    walk = paths.slerp(a, b, np.linspace(0, 1, 7))
    np.testing.assert_allclose(np.linalg.norm(walk, axis=1), 2, rtol=1e-6)
    np.testing.assert_allclose([angle(p, q) for p, q in itertools.pairwise(walk)], np.pi / 12, atol=1e-5)


def test_slerp_between_opposites_keeps_off_zero() -> None:
    a = np.array([1, 2, 3], np.float32)
    walk = paths.slerp(a, -a, np.linspace(0, 1, 9))
    np.testing.assert_allclose(np.linalg.norm(walk, axis=1), np.linalg.norm(a), rtol=1e-5)
    np.testing.assert_allclose(walk[-1], -a)
    assert abs(float(walk[4] @ a)) < 1e-5


def test_slerp_of_parallel_and_zero_is_the_straight_line() -> None:
    a = np.array([1, 2, 3], np.float32)
    np.testing.assert_allclose(paths.slerp(a, 3 * a, 0.5), 2 * a, rtol=1e-6)
    np.testing.assert_allclose(paths.slerp(np.zeros(3, np.float32), a, 0.5), a / 2, rtol=1e-6)
    np.testing.assert_allclose(paths.slerp(np.ones(1, np.float32), -np.ones(1, np.float32), 0.5), [0])


@settings(derandomize=True, max_examples=40)
@given(st.integers(1, 5), st.integers(1, 40), st.sampled_from(paths.INTERPOLATIONS), st.booleans())
def test_walk_has_its_frames_and_begins_at_its_first_keyframe(
    count: int, frames: int, interpolation: paths.Interpolation, loop: bool
) -> None:
    keyframes_KD = np.random.default_rng(count).standard_normal((count, 4)).astype(np.float32)
    walk = paths.walk_latents(keyframes_KD, frames, interpolation, loop)
    assert walk.shape == (frames, 4)
    assert walk.dtype == np.float32
    np.testing.assert_allclose(walk[0], keyframes_KD[0], atol=1e-6)
    if not loop and frames > 1:
        np.testing.assert_allclose(walk[-1], keyframes_KD[-1], atol=1e-6)


def test_keyframes_are_met_at_equal_times() -> None:
    keyframes_KD = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    np.testing.assert_allclose(paths.at(keyframes_KD, np.arange(4) / 3, "spherical"), keyframes_KD, atol=1e-6)
    np.testing.assert_allclose(paths.at(keyframes_KD, [0, 0.25, 0.5, 0.75, 1], loop=True)[:4], keyframes_KD, atol=1e-6)
    np.testing.assert_allclose(paths.at(keyframes_KD, 1.0, loop=True), keyframes_KD[0], atol=1e-6)
    assert paths.at(keyframes_KD, 0.4).shape == (5,)
    np.testing.assert_array_equal(paths.at(keyframes_KD, -3.0), paths.at(keyframes_KD, 0.0))


def test_loop_does_not_show_its_first_frame_twice() -> None:
    keyframes_KD = np.eye(3, dtype=np.float32)
    loop = paths.walk_latents(keyframes_KD, 30, "linear", loop=True)
    steps = np.linalg.norm(np.diff(np.concatenate([loop, loop[:1]]), axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-5)


def test_frame_count() -> None:
    assert paths.frame_count(2.5, 30) == 75
    assert paths.frame_count(0.001, 1) == 1
    for seconds, fps in ((0, 30), (-1, 30), (float("nan"), 30), (1, 0)):
        with pytest.raises(OptionError, match="must be positive"):
            paths.frame_count(seconds, fps)


def test_what_is_no_walk_is_refused() -> None:
    with pytest.raises(OptionError, match="at least one keyframe"):
        paths.at(np.zeros((0, 3), np.float32), 0.5)
    with pytest.raises(OptionError, match="'cubic'"):
        paths.at(np.zeros((2, 3), np.float32), 0.5, "cubic")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="0 frames"):
        paths.walk_latents(np.zeros((2, 3), np.float32), 0)
