"""The rail of a slider: where a value lies on it, which value a position means, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from latentlab.ui.theme import Theme

RAIL_PX = 3
HANDLE_RADIUS_PX = 6
FINE = 0.1  # of the pointer's way, while Shift is held
DRAG_STARTS_PX = 3
SNAP_PX = 4  # this close to zero or home a drag lands exactly on it


@dataclass(frozen=True)
class Track:
    """A horizontal rail from `left` to `right` (pixels) for the values `low` to `high`."""

    left: float
    right: float
    low: float
    high: float

    def x_of(self, value: float) -> float:
        """The position of a value; values outside the range lie on its ends."""
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def value_at(self, x: float) -> float:
        """The value of a position, within the range."""
        width = self.right - self.left
        share = (x - self.left) / width if width else 0.5
        return self.low + min(max(share, 0.0), 1.0) * (self.high - self.low)

    def snapped(self, x: float, marks: tuple[float, ...]) -> float:
        """`value_at`, but exactly a mark where the position is within a few pixels of one."""
        for mark in marks:
            if self.low <= mark <= self.high and abs(self.x_of(mark) - x) <= SNAP_PX:
                return mark
        return self.value_at(x)


class Drag:
    """A handle under the pointer. Pressed beside it, it jumps to the pointer: `moved` is True from the start."""

    def __init__(self, row: int, track: Track, value: float, marks: tuple[float, ...], x: float) -> None:
        self.row = row
        self._track, self._marks, self._start_x = track, marks, x
        self.moved = abs(track.x_of(value) - x) > HANDLE_RADIUS_PX + 2
        self.start_value = track.snapped(x, marks) if self.moved else value

    def value_at(self, x: float, fine: bool) -> float | None:
        """The value for the pointer at `x`; None as long as it has hardly moved."""
        if not self.moved and abs(x - self._start_x) < DRAG_STARTS_PX:
            return None
        self.moved = True
        start = self._track.x_of(self.start_value)
        if fine:
            return self._track.value_at(start + (x - self._start_x) * FINE)
        return self._track.snapped(start + x - self._start_x, self._marks)


def paint_track(
    painter: QPainter,
    centre_y: float,
    track: Track,
    value: float,
    home: float,
    theme: Theme,
    *,
    stops: tuple[float, ...],
    locked: bool,
    hot: bool,
) -> None:
    """The rail with its tick at zero, the part between zero and the value, a mark at home, and the handle."""
    quiet = QColor(theme.secondary)
    # A slider at rest is quiet, so that those in use stand out.
    handle = theme.secondary if locked or (value == home == 0 and not hot) else theme.accent
    top = centre_y - RAIL_PX / 2
    painter.fillRect(QRectF(track.left, top, track.right - track.left, RAIL_PX), QColor(theme.line))
    for stop in stops or (0.0,):
        if track.low <= stop <= track.high:
            half = 4 if stops else 5
            painter.fillRect(QRectF(round(track.x_of(stop)), centre_y - half, 1, 2 * half), quiet)
    x_value, x_zero = track.x_of(value), track.x_of(0.0)
    painter.fillRect(QRectF(min(x_value, x_zero), top, abs(x_value - x_zero), RAIL_PX), QColor(handle))
    if home and abs(track.x_of(home) - x_value) > HANDLE_RADIUS_PX:
        painter.setBrush(QColor(theme.panel))
        painter.setPen(QPen(quiet, 1))
        painter.drawEllipse(QPointF(track.x_of(home), centre_y), 2.5, 2.5)
    radius = HANDLE_RADIUS_PX + (1 if hot and not locked else 0)
    sprite = _handle(handle, theme.panel, radius, painter.device().devicePixelRatioF())
    painter.drawImage(QPointF(x_value - radius - 1, centre_y - radius - 1), sprite)


@lru_cache(maxsize=32)
def _handle(colour: str, ground: str, radius: int, density: float) -> QImage:
    """Drawn once: a smooth circle for every row took half the time of painting a list."""
    side = 2 * (radius + 1)
    image = QImage(round(side * density), round(side * density), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(density)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for shade, size in ((ground, radius + 1.0), (colour, float(radius))):
        painter.setBrush(QColor(shade))
        painter.drawEllipse(QPointF(side / 2, side / 2), size, size)
    painter.end()
    return image
