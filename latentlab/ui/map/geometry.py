"""Where a place of the map is on the screen, and back; what is near a pointer; what lies in a lasso. Functions first.

Shapes: N encodings. World: the map's own units, y upwards. Screen: logical pixels, y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from latentlab.core.spaces import FloatArray

FIT_MARGIN = 0.06  # of the view, left free on each side
TAIL = 0.002  # of the encodings at each end may lie outside of a fitted view, so that one outlier does not shrink all
ISOTROPIC_UP_TO = 2.5  # a layout longer than this is stretched to fill the view, axis by axis
ZOOM_LIMITS = (0.2, 2000.0)  # relative to the fitted scale
PICK_RADIUS_PX = 8.0


@dataclass(frozen=True)
class Camera:
    """What part of the world is seen: its centre, pixels per unit along each axis, and the size of the view."""

    centre_x: float = 0.0
    centre_y: float = 0.0
    scale_x: float = 100.0
    scale_y: float = 100.0
    width: int = 400
    height: int = 400

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        return (
            (x - self.centre_x) * self.scale_x + self.width / 2,
            (self.centre_y - y) * self.scale_y + self.height / 2,
        )

    def to_world(self, screen_x: float, screen_y: float) -> tuple[float, float]:
        return (
            (screen_x - self.width / 2) / self.scale_x + self.centre_x,
            self.centre_y - (screen_y - self.height / 2) / self.scale_y,
        )

    def all_to_screen(self, x_N: FloatArray, y_N: FloatArray, ratio: float = 1.0) -> tuple[FloatArray, FloatArray]:
        """Screen coordinates times `ratio` (device pixels per logical pixel)."""
        kx, ky = self.scale_x * ratio, self.scale_y * ratio
        screen_x_N = x_N * np.float32(kx)
        screen_x_N += np.float32(self.width / 2 * ratio - self.centre_x * kx)
        screen_y_N = y_N * np.float32(-ky)
        screen_y_N += np.float32(self.height / 2 * ratio + self.centre_y * ky)
        return screen_x_N, screen_y_N

    @property
    def visible(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in world units."""
        left, top = self.to_world(0, 0)
        right, bottom = self.to_world(self.width, self.height)
        return left, bottom, right, top

    def panned(self, dx_px: float, dy_px: float) -> Camera:
        """The content moved by so many pixels."""
        return replace(
            self, centre_x=self.centre_x - dx_px / self.scale_x, centre_y=self.centre_y + dy_px / self.scale_y
        )

    def zoomed(self, factor: float, screen_x: float, screen_y: float) -> Camera:
        """Scaled by `factor`; the place under (screen_x, screen_y) stays where it is."""
        x, y = self.to_world(screen_x, screen_y)
        scale_x, scale_y = self.scale_x * factor, self.scale_y * factor
        return replace(
            self,
            scale_x=scale_x,
            scale_y=scale_y,
            centre_x=x - (screen_x - self.width / 2) / scale_x,
            centre_y=y + (screen_y - self.height / 2) / scale_y,
        )

    def resized(self, width: int, height: int) -> Camera:
        """Another size of the view: the same part of the world, as far as the shorter side allows."""
        factor = min(width, height) / max(1, min(self.width, self.height))
        return replace(
            self,
            width=width,
            height=height,
            scale_x=self.scale_x * factor,
            scale_y=self.scale_y * factor,
        )


def fitted(
    bounds: tuple[float, float, float, float], width: int, height: int, beside: int = 0, below: int = 0
) -> Camera:
    """The camera that shows `bounds` (left, bottom, right, top), with so many pixels free on the right and below."""
    left, bottom, right, top = bounds
    span_x, span_y = right - left, top - bottom
    largest = max(span_x, span_y)
    if largest <= 0:
        largest = 1.0
    span_x, span_y = max(span_x, largest * 1e-3), max(span_y, largest * 1e-3)
    free = 1 - 2 * FIT_MARGIN
    scale_x, scale_y = (width - beside) * free / span_x, (height - below) * free / span_y
    if max(scale_x / scale_y, scale_y / scale_x) <= ISOTROPIC_UP_TO:
        scale_x = scale_y = min(scale_x, scale_y)
    centre_x, centre_y = (left + right) / 2, (bottom + top) / 2
    return Camera(centre_x + beside / 2 / scale_x, centre_y - below / 2 / scale_y, scale_x, scale_y, width, height)


def bounds_of(x_N: FloatArray, y_N: FloatArray) -> tuple[float, float, float, float]:
    """Left, bottom, right, top around all but the farthest few of the finite points; a unit square without any."""
    finite_N = np.isfinite(x_N) & np.isfinite(y_N)
    if not finite_N.any():
        return -1.0, -1.0, 1.0, 1.0
    x_N, y_N = x_N[finite_N], y_N[finite_N]
    step = max(1, len(x_N) // 50_000)  # a sample says enough
    tails = [TAIL, 1 - TAIL] if len(x_N) > 500 else [0.0, 1.0]
    left, right = (float(v) for v in np.quantile(x_N[::step], tails))
    bottom, top = (float(v) for v in np.quantile(y_N[::step], tails))
    if right - left <= 0 and top - bottom <= 0:
        return left - 1, bottom - 1, right + 1, top + 1
    return left, bottom, right, top


class PointIndex:
    """Finds the point nearest to a place within a radius: sorted along x once, so that a query looks at few."""

    def __init__(self, x_N: FloatArray, y_N: FloatArray) -> None:
        self._order_N = np.argsort(x_N, kind="stable")  # NaN goes last and is never within a radius
        self._x_N = x_N[self._order_N]
        self._y_N = y_N[self._order_N]

    def nearest(
        self,
        camera: Camera,
        screen_x: float,
        screen_y: float,
        radius_px: float = PICK_RADIUS_PX,
        shown_N: NDArray[np.bool_] | None = None,
    ) -> int | None:
        """The index of the nearest shown point within `radius_px`; None where there is none."""
        x, y = camera.to_world(screen_x, screen_y)
        reach = radius_px / camera.scale_x
        first, last = np.searchsorted(self._x_N, [x - reach, x + reach], side="left")
        near = slice(int(first), int(last) + 1)
        distance2_n = ((self._x_N[near] - x) * camera.scale_x) ** 2 + ((self._y_N[near] - y) * camera.scale_y) ** 2
        if shown_N is not None:
            distance2_n = np.where(shown_N[self._order_N[near]], distance2_n, np.inf)
        distance2_n = np.where(np.isnan(distance2_n), np.inf, distance2_n)
        if not len(distance2_n):
            return None
        best = int(distance2_n.argmin())
        return int(self._order_N[int(first) + best]) if distance2_n[best] <= radius_px**2 else None


def inside_polygon(x_N: FloatArray, y_N: FloatArray, polygon_V2: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of the points within a closed polygon (V, 2) in the same units; even-odd rule, so a loop excludes."""
    if len(polygon_V2) < 3:
        return np.zeros(0, np.int64)
    (left, bottom), (right, top) = polygon_V2.min(axis=0), polygon_V2.max(axis=0)
    near_n = np.flatnonzero((x_N >= left) & (x_N <= right) & (y_N >= bottom) & (y_N <= top))
    x_n, y_n = x_N[near_n], y_N[near_n]
    odd_n = np.zeros(len(near_n), bool)
    for (x0, y0), (x1, y1) in zip(polygon_V2, np.roll(polygon_V2, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses_n = (y_n >= min(y0, y1)) & (y_n < max(y0, y1))
        odd_n ^= crosses_n & (x_n < x0 + (y_n - y0) * ((x1 - x0) / (y1 - y0)))
    return near_n[odd_n].astype(np.int64)


def simplified(polygon_V2: NDArray[np.float64], limit: int = 128) -> NDArray[np.float64]:
    """At most `limit` vertices of a hand-drawn outline, evenly taken along its length."""
    if len(polygon_V2) <= limit:
        return polygon_V2
    return np.asarray(polygon_V2[np.linspace(0, len(polygon_V2) - 1, limit).round().astype(int)])


def spacing_on_screen(visible: int, camera: Camera) -> float:
    """How far apart the visible points are, in logical pixels, if they were spread evenly."""
    return float(np.sqrt(camera.width * camera.height / max(1, visible)))
