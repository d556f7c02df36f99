"""Walks between latents: linear, spherical, closed, and timed so that every frame changes the picture equally.

Shapes: K keyframes, T frames, D latent, S positions at which pictures were measured, H W C pictures.
Time along a walk is a position from 0 to 1; every stretch between two keyframes takes equally long.
"""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.core.errors import OptionError
from latentlab.core.spaces import FloatArray

Interpolation = Literal["linear", "spherical"]
INTERPOLATIONS: tuple[Interpolation, ...] = ("linear", "spherical")

# Below this share of its length, what tells two directions apart is rounding.
PARALLEL = 1e-7


def lerp(a: FloatArray, b: FloatArray, t: ArrayLike) -> FloatArray:
    """(D,) or (T, D): the straight line from `a` (t = 0) to `b` (t = 1); the way between encodings of a VAE."""
    t_T1 = np.asarray(t, np.float64)[..., None]
    return np.asarray(a * (1 - t_T1) + b * t_T1, np.float32)


def slerp(a: FloatArray, b: FloatArray, t: ArrayLike) -> FloatArray:
    """(D,) or (T, D): turns from the direction of `a` to that of `b` at even speed while the length changes evenly.

    For a normal prior: the straight line passes through the untypical middle (White 2016, arXiv:1609.04468). Exact
    at both ends; parallel latents and a latent at zero give the straight line, opposite ones a half circle through
    one fixed perpendicular.
    """
    start, end = np.asarray(a, np.float64), np.asarray(b, np.float64)
    length_a, length_b = np.linalg.norm(start), np.linalg.norm(end)
    if length_a == 0 or length_b == 0:
        return lerp(a, b, t)
    unit_a, unit_b = start / length_a, end / length_b
    cosine = float(unit_a @ unit_b)
    across = unit_b - cosine * unit_a
    sine = float(np.linalg.norm(across))
    if sine < PARALLEL:
        if cosine > 0 or len(unit_a) < 2:
            return lerp(a, b, t)
        across = np.zeros_like(unit_a)
        across[np.abs(unit_a).argmin()] = 1.0
        across -= (across @ unit_a) * unit_a
    across /= np.linalg.norm(across)
    t_T1 = np.asarray(t, np.float64)[..., None]
    angle = np.arctan2(sine, cosine) * t_T1
    along = (np.cos(angle) * unit_a + np.sin(angle) * across) * (length_a + (length_b - length_a) * t_T1)
    along = np.where(t_T1 == 0, start, np.where(t_T1 == 1, end, along))
    return along.astype(np.float32)


def at(
    keyframes_KD: FloatArray,
    positions: ArrayLike,
    interpolation: Interpolation = "linear",
    loop: bool = False,
) -> FloatArray:
    """(D,) for one position, (T, D) for several; positions outside [0, 1] are taken to its ends.

    Raises OptionError without a keyframe and for an unknown interpolation.
    """
    keyframes_KD = _checked(keyframes_KD, interpolation)
    if loop and len(keyframes_KD) > 1:
        keyframes_KD = np.concatenate([keyframes_KD, keyframes_KD[:1]])
    positions_T = np.clip(np.asarray(positions, np.float64), 0.0, 1.0)
    flat_T = np.atleast_1d(positions_T)
    stretches = len(keyframes_KD) - 1
    if stretches == 0:
        latents_TD = np.repeat(keyframes_KD, len(flat_T), axis=0)
    else:
        stretch_T = np.minimum((flat_T * stretches).astype(np.int64), stretches - 1)
        within_T = flat_T * stretches - stretch_T
        between = slerp if interpolation == "spherical" else lerp
        latents_TD = np.empty((len(flat_T), keyframes_KD.shape[1]), np.float32)
        for k in np.unique(stretch_T):
            here = stretch_T == k
            latents_TD[here] = between(keyframes_KD[k], keyframes_KD[k + 1], within_T[here])
    return latents_TD[0] if positions_T.ndim == 0 else latents_TD


def walk_latents(
    keyframes_KD: FloatArray,
    frames: int,
    interpolation: Interpolation = "linear",
    loop: bool = False,
) -> FloatArray:
    """(T, D) for `frames` pictures, first and last keyframe included; a loop ends one frame before it began."""
    return at(keyframes_KD, frame_positions(frames, loop), interpolation, loop)


def frame_count(seconds: float, fps: int) -> int:
    """How many pictures a walk of this length has. Raises OptionError for a length or rate that is not positive."""
    if not (np.isfinite(seconds) and seconds > 0 and fps > 0):
        raise OptionError(f"A walk of {seconds:g} s at {fps} pictures per second has no frames; both must be positive.")
    return max(1, round(seconds * fps))


def frame_positions(frames: int, loop: bool = False) -> NDArray[np.float64]:
    """(T,) positions of evenly timed frames."""
    if frames < 1:
        raise OptionError(f"A walk of {frames} frames is none; ask for 1 or more.")
    return np.linspace(0.0, 1.0, frames, endpoint=not loop)


def image_changes(images_SHWC: NDArray[np.uint8]) -> FloatArray:
    """(S - 1,) how much each picture differs from the one before: root mean square of intensities in [0, 1]."""
    changes = [
        np.sqrt(np.mean(np.square(after.astype(np.float32) - before.astype(np.float32)))) / 255.0
        for before, after in itertools.pairwise(images_SHWC)
    ]
    return np.array(changes, np.float32)


def _checked(keyframes_KD: FloatArray, interpolation: str) -> FloatArray:
    keyframes_KD = np.atleast_2d(np.asarray(keyframes_KD, np.float32))
    if keyframes_KD.ndim != 2 or keyframes_KD.size == 0:
        raise OptionError("A walk needs at least one keyframe; add the current picture.")
    if interpolation not in INTERPOLATIONS:
        raise OptionError(f"There is no interpolation '{interpolation}'; choose linear or spherical.")
    return keyframes_KD
