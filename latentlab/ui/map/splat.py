"""Coloured dots by the million: stamps written straight into a picture's pixels.

A dot is a small precomputed stamp (anti-aliased, one per shape, colour and half-pixel phase); all pixels of all dots go
into the picture with one indexed assignment. Its soft edge replaces what is underneath instead of blending with it,
which draws a fine seam around every dot: that is what keeps overlapping dots apart. Measured in benchmarks/map.py.

Shapes: N points, n drawn points, C colour codes, S shapes of dots, P sub-pixel phases, K pixels of a stamp,
H W the picture in device pixels, G cells of a density grid. Pixels are premultiplied ARGB in uint32.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from latentlab.core.spaces import FloatArray

Pixels = NDArray[np.uint32]  # (H, W), premultiplied ARGB
Codes = NDArray[np.uint8]  # (N,), index into a palette of colours

PHASES = 2  # sub-pixel positions per axis
SUPERSAMPLING = 8
SOLID_BELOW_PX = 1.3  # a dot of a smaller radius is a square block of pixels: no phase or shape could be seen
CHUNK = (
    40_000  # pixels written at once: larger intermediate arrays leave the cache and cost page faults, 4 times the time
)
SHAPES = ("circle", "square", "triangle", "diamond", "triangle down", "plus", "hexagon", "cross")


@dataclass(frozen=True, eq=False)
class Stamps:
    """`pixels` (C, P, K) and where each goes relative to the dot: `rows`, `columns` (C, P, K).

    Stamps of fewer than K pixels repeat their first one.
    """

    pixels: NDArray[np.uint32]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    phases: int  # per axis
    reach: int  # the farthest pixel from the dot's own, along an axis


def argb(colours: tuple[str, ...] | list[str], alpha: float = 1.0) -> NDArray[np.uint32]:
    """(C,) straight-alpha ARGB of "#rrggbb" strings."""
    rgb_C = np.array([int(colour.lstrip("#"), 16) for colour in colours], np.uint32)
    return rgb_C | np.uint32(round(alpha * 255) << 24)


def premultiplied(argb_C: NDArray[np.uint32], coverage: FloatArray) -> NDArray[np.uint32]:
    """Colours (…,) times coverage (…,) in [0, 1] as premultiplied ARGB."""
    alpha = (argb_C >> 24).astype(np.float32) / 255 * coverage
    out = np.round(alpha * 255).astype(np.uint32) << 24
    for shift in (16, 8, 0):
        channel = ((argb_C >> shift) & 255).astype(np.float32)
        out |= np.round(channel * alpha).astype(np.uint32) << shift
    return out.astype(np.uint32)


def _within(shape: str, x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
    """Whether places in a dot of radius 1 belong to it; the areas are about the same. y is downwards."""
    if shape == "square":
        return np.maximum(np.abs(x), np.abs(y)) <= 0.88
    if shape == "diamond":
        return np.abs(x) + np.abs(y) <= 1.2
    if shape in ("triangle", "triangle down"):
        up = y if shape == "triangle" else -y
        return (up <= 0.75) & (1.75 * np.abs(x) - up <= 1.2)
    if shape in ("plus", "cross"):
        if shape == "cross":
            x, y = (x + y) * np.float32(0.7071), (x - y) * np.float32(0.7071)
        return (np.minimum(np.abs(x), np.abs(y)) <= 0.36) & (np.maximum(np.abs(x), np.abs(y)) <= 1.15)
    if shape == "hexagon":
        return (np.abs(x) <= 0.93) & (np.abs(x) * 0.5 + np.abs(y) * 0.866 <= 0.93)
    if shape == "ring":
        return np.asarray(np.abs(np.hypot(x, y) - 0.86) <= 0.14)
    return np.asarray(x * x + y * y <= 1)


@lru_cache(maxsize=256)
def coverage(shape: str, radius_px: float, phase_x: int, phase_y: int) -> FloatArray:
    """(k, k) how much of each pixel a dot covers whose centre is in the middle pixel, at a sub-pixel phase."""
    reach = int(np.ceil(radius_px * 1.25)) + 1
    side = 2 * reach + 1
    fine = (np.arange(side * SUPERSAMPLING) + 0.5) / SUPERSAMPLING - reach
    offset_x, offset_y = (phase_x + 0.5) / PHASES, (phase_y + 0.5) / PHASES
    y, x = np.meshgrid((fine - offset_y) / radius_px, (fine - offset_x) / radius_px, indexing="ij")
    inside = _within(shape, x.astype(np.float32), y.astype(np.float32))
    shares = inside.reshape(side, SUPERSAMPLING, side, SUPERSAMPLING).mean(axis=(1, 3))
    return np.asarray(shares, np.float32)


def stamps(colours_C: NDArray[np.uint32], shapes: tuple[str, ...], radius_px: float) -> Stamps:
    """One stamp per colour (straight ARGB) and its shape, `radius_px` in device pixels."""
    if radius_px < SOLID_BELOW_PX:
        return _blocks(colours_C, max(1, round(radius_px * 1.8)))
    radius_px = round(radius_px * 4) / 4  # few distinct radii, so that the cache serves
    per_shape = {shape: _compact(shape, radius_px) for shape in dict.fromkeys(shapes)}
    longest = max(covers_PK.shape[1] for covers_PK, _, _ in per_shape.values())

    def padded(array_PK: NDArray[np.generic]) -> NDArray[np.generic]:
        missing = longest - array_PK.shape[1]
        return np.concatenate([array_PK, np.repeat(array_PK[:, :1], missing, axis=1)], axis=1) if missing else array_PK

    covers_CPK = np.stack([padded(per_shape[shape][0]) for shape in shapes]).astype(np.float32)
    rows_CPK = np.stack([padded(per_shape[shape][1]) for shape in shapes]).astype(np.int32)
    columns_CPK = np.stack([padded(per_shape[shape][2]) for shape in shapes]).astype(np.int32)
    pixels_CPK = premultiplied(np.broadcast_to(colours_C[:, None, None], covers_CPK.shape), covers_CPK)
    reach = int(max(np.abs(rows_CPK).max(), np.abs(columns_CPK).max()))
    return Stamps(pixels_CPK, rows_CPK, columns_CPK, PHASES, reach)


@lru_cache(maxsize=64)
def _compact(shape: str, radius_px: float) -> tuple[FloatArray, NDArray[np.int32], NDArray[np.int32]]:
    """Coverage, rows and columns (P, K) of the pixels a dot touches; shorter phases repeat their first pixel."""
    found = []
    for phase in range(PHASES * PHASES):
        cover = coverage(shape, radius_px, phase % PHASES, phase // PHASES)
        rows, columns = np.nonzero(cover > 1 / 255)
        middle = cover.shape[0] // 2
        found.append((cover[rows, columns], (rows - middle).astype(np.int32), (columns - middle).astype(np.int32)))
    longest = max(len(rows) for _, rows, _ in found)
    parts = [
        np.stack([np.concatenate([one[part], np.repeat(one[part][:1], longest - len(one[part]))]) for one in found])
        for part in range(3)
    ]
    return parts[0], parts[1], parts[2]


def _blocks(colours_C: NDArray[np.uint32], side: int) -> Stamps:
    rows_K, columns_K = (part.ravel().astype(np.int32) for part in np.indices((side, side)) - (side - 1) // 2)
    count = len(colours_C)
    solid_C = premultiplied(colours_C, np.ones(count, np.float32))
    return Stamps(
        np.repeat(solid_C[:, None, None], side * side, axis=2),
        np.broadcast_to(rows_K, (count, 1, side * side)),
        np.broadcast_to(columns_K, (count, 1, side * side)),
        1,
        side,
    )


def splat(
    width: int, height: int, x_N: FloatArray, y_N: FloatArray, codes_N: Codes, dots: Stamps
) -> tuple[Pixels, int]:
    """Dots at device pixels (x, y) in the order given: the last one is on top.

    Returns (pixels, margin): the picture (H + 2 margin, W + 2 margin), whose margin holds dots cut by the border, so
    that no dot needs clipping. Points outside and NaN are left out.
    """
    margin = 2 * dots.reach + 1
    stride = width + 2 * margin
    pixels = np.zeros((height + 2 * margin, stride), np.uint32)
    count = dots.pixels.shape[2]
    flat = pixels.reshape(-1)
    offsets_SK = (dots.rows * np.int64(stride) + dots.columns).reshape(-1, count)
    pixels_SK = dots.pixels.reshape(-1, count)
    at_once = max(512, CHUNK // count)
    for begin in range(0, len(x_N), at_once):
        part = slice(begin, begin + at_once)
        x_n, y_n, codes_n = x_N[part], y_N[part], codes_N[part]
        # A dot just outside still reaches into the view.
        keep_n = (x_n > -dots.reach) & (x_n < width + dots.reach)
        keep_n &= (y_n > -dots.reach) & (y_n < height + dots.reach)
        if not keep_n.all():
            x_n, y_n, codes_n = x_n[keep_n], y_n[keep_n], codes_n[keep_n]
        x_n, y_n = x_n + np.float32(margin), y_n + np.float32(margin)
        column_n, row_n = x_n.astype(np.int64), y_n.astype(np.int64)
        home_n = row_n * stride + column_n
        which_n = codes_n.astype(np.int64)
        if dots.phases > 1:
            which_n *= PHASES * PHASES
            which_n += ((x_n - column_n) * PHASES).astype(np.int64) + PHASES * ((y_n - row_n) * PHASES).astype(np.int64)
        if count == 1:
            flat[home_n] = pixels_SK[:, 0][which_n]
            continue
        index_nK = offsets_SK[which_n]
        index_nK += home_n[:, None]
        flat[index_nK.reshape(-1)] = pixels_SK[which_n].reshape(-1)
    return pixels, margin


def dot_radius_px(visible: int, width: int, height: int) -> float:
    """A radius, in logical pixels, at which `visible` points fill a pleasant share of the view."""
    spacing = np.sqrt(width * height / max(1, visible))
    return float(np.clip(0.33 * spacing, 0.5, 5.0))


def density(
    x_N: FloatArray, y_N: FloatArray, bounds: tuple[float, float, float, float], cells: int = 192
) -> FloatArray:
    """(G, G) how inhabited each place is, 0 (nobody near) to 1, top row first; smooth over about two cells in sixty.

    `bounds`: left, bottom, right, top.
    """
    left, bottom, right, top = bounds
    column_N = (x_N - left) * np.float32(cells / max(right - left, 1e-12))
    row_N = (top - y_N) * np.float32(cells / max(top - bottom, 1e-12))
    keep_N = (column_N >= 0) & (column_N < cells) & (row_N >= 0) & (row_N < cells)
    flat_n = row_N[keep_N].astype(np.int64) * cells + column_N[keep_N].astype(np.int64)
    grid_GG = np.bincount(flat_n, minlength=cells * cells).reshape(cells, cells).astype(np.float32)
    for _ in range(3):  # three boxes are close to a Gaussian
        grid_GG = _boxed(_boxed(grid_GG, cells // 48).T, cells // 48).T
    occupied = grid_GG[grid_GG > grid_GG.max(initial=0) * 1e-3]
    if not occupied.size:
        return grid_GG
    return np.asarray(1 - np.exp(-grid_GG / (0.8 * np.median(occupied) + 1e-12)), np.float32)


def _boxed(grid_GG: FloatArray, radius: int) -> FloatArray:
    """The mean over 2 radius + 1 rows; outside is empty."""
    padded = np.pad(grid_GG, ((radius + 1, radius), (0, 0)))
    sums = padded.cumsum(axis=0, dtype=np.float64)
    return np.asarray((sums[2 * radius + 1 :] - sums[: -2 * radius - 1]) / (2 * radius + 1), np.float32)
