"""One row of a SliderList: what it says, where its parts lie, and how it is painted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from latentlab.ui.elided_label import fitting
from latentlab.ui.icons import icon
from latentlab.ui.names import readable
from latentlab.ui.sliders.track import HANDLE_RADIUS_PX, Track, paint_track
from latentlab.ui.theme import CAPTION_PX, CONTROL_PX, GRID_PX, PADDING_PX, Theme

SWITCH_PX = 16
LOCK_PX = 24


@dataclass(frozen=True)
class SliderRow:
    """What one row shows. `home` is where a double click leads."""

    title: str
    value: float
    low: float
    high: float
    home: float = 0.0
    locked: bool = False
    on: bool = False
    caption: str = ""
    badge: str = ""
    share: float | None = None  # 0 to 1: a bar under the title
    tip: Callable[[], str] = str  # asked for when it is shown
    unit: str = ""
    decimals: int = 2
    step: float = 0.0  # of a key or a notch; 0: a hundredth of the range
    stops: tuple[float, ...] = ()  # values that are marked on the rail and caught by a drag
    alone: bool = False  # outside a list, where a large tooltip covers no rows below

    @property
    def number(self) -> str:
        text = f"{self.value:.{self.decimals}f}"
        return text.lstrip("-") if float(text) == 0 else text

    @property
    def marks(self) -> tuple[float, ...]:
        return (0.0, self.home, *self.stops)

    @property
    def spoken(self) -> str:
        """For a screen reader."""
        said = f"{readable(self.title)}, {self.number}{' ' + self.unit if self.unit else ''}"
        return said + (", locked" if self.locked else "") + (f", {self.caption}" if self.caption else "")


@dataclass(frozen=True)
class RowGeometry:
    height: int
    title_width: int
    number_width: int
    lockable: bool
    switchable: bool

    def parts(self, rect: QRectF) -> dict[str, QRectF]:
        """Where the parts lie in the rectangle of a row; the first line of a taller row holds the controls."""
        line = QRectF(rect.left(), rect.top() + (2 if rect.height() > CONTROL_PX else 0), rect.width(), CONTROL_PX)
        left, right = line.left() + PADDING_PX, line.right() - PADDING_PX
        parts: dict[str, QRectF] = {}
        if self.switchable:
            parts["switch"] = QRectF(left - 4, line.top(), SWITCH_PX + 8, line.height())
            left += SWITCH_PX + GRID_PX
        # A narrow dock takes from the title first: the rail is what one drags.
        title = min(self.title_width, max(48.0, (right - left) * 0.36)) if self.title_width else 0
        parts["title"] = QRectF(left, line.top(), title, line.height())
        left += title + (GRID_PX if title else 0)
        if self.lockable:
            parts["lock"] = QRectF(right - LOCK_PX + 4, line.top(), LOCK_PX, line.height())
            right -= LOCK_PX
        parts["number"] = QRectF(right - self.number_width, line.top() + 3, self.number_width, line.height() - 6)
        right -= self.number_width + GRID_PX
        parts["rail"] = QRectF(left - 2, line.top(), max(24.0, right - left + 2), line.height())
        return parts

    def values(self, rect: QRect) -> QRect:
        """What shows the value in the rectangle of a row, or of several: rail and number."""
        parts = self.parts(QRectF(rect))
        left, right = floor(parts["rail"].left()) - 1, ceil(parts["number"].right())
        return QRect(left, rect.top(), right - left, rect.height())

    def track(self, rail: QRectF, row: SliderRow) -> Track:
        inset = HANDLE_RADIUS_PX + 1
        return Track(rail.left() + inset, rail.right() - inset, row.low, row.high)


def tip_of(row: SliderRow, part: str, switchable: bool) -> str:
    """The tooltip of a part of a row."""
    if part == "lock":
        return f"{'Free' if row.locked else 'Lock'} {row.title} (L)"
    if part == "switch":  # short: a large one would cover the rows below, which one is on the way to
        return f"{'Take off' if row.on else 'Put on'} {row.title} (Space)"
    if part == "title" and switchable:
        return f"{row.tip() or row.title}\n{'Take off' if row.on else 'Put on'} (Space)"
    if part == "rail":
        said = "Drag, with Shift for fine steps\nDouble-click resets (Backspace)\nArrow keys or Ctrl and the wheel step"
        return f"{row.tip()}\n{said}" if row.alone and row.tip() else said
    if part == "number":
        return "Type a number (Enter)"
    return row.tip() or row.title


def paint_row(
    painter: QPainter,
    geometry: RowGeometry,
    rect: QRectF,
    row: SliderRow,
    theme: Theme,
    font: QFont,
    *,
    hot: bool,
    focused: bool,
    dirty: QRectF,
) -> None:
    """`dirty`: what is to be painted anew; under a drag it is the rail and the number."""
    parts = geometry.parts(rect)
    if hot or focused:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.hover))
        painter.drawRoundedRect(rect.adjusted(4, 0, -4, 0), 5, 5)
    if focused:
        painter.setPen(QPen(QColor(theme.accent), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(4.5, 0.5, -4.5, -0.5), 5, 5)
    if geometry.switchable:
        _paint_switch(painter, parts["switch"], row.on, theme, hot)
    if dirty.intersects(parts["title"]):
        _paint_title(painter, parts["title"], row, theme, font)
    rail = parts["rail"]
    paint_track(
        painter,
        rail.center().y(),
        geometry.track(rail, row),
        row.value,
        row.home,
        theme,
        stops=row.stops,
        locked=row.locked,
        hot=hot,
    )
    _paint_number(painter, parts["number"], row, theme, font, boxed=hot or focused)
    if geometry.lockable and (row.locked or hot or focused) and dirty.intersects(parts["lock"]):
        name, colour = ("mdi6.lock", theme.text) if row.locked else ("mdi6.lock-open-variant-outline", theme.secondary)
        size = 14.0
        centre = parts["lock"].center()
        box = QRectF(centre.x() - size / 2, centre.y() - size / 2, size, size)
        icon(name, colour).paint(painter, box.toRect())
    if row.caption:
        _paint_caption(painter, rect, parts["title"].left(), row, theme, font)


def _paint_switch(painter: QPainter, rect: QRectF, on: bool, theme: Theme, hot: bool) -> None:
    centre = rect.center()
    box = QRectF(centre.x() - SWITCH_PX / 2, centre.y() - SWITCH_PX / 2, SWITCH_PX, SWITCH_PX)
    painter.setPen(QPen(QColor(theme.accent if on or hot else theme.secondary), 1.2))
    painter.setBrush(QColor(theme.accent) if on else QColor(theme.control))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setPen(
        QPen(
            QColor(theme.on_accent if on else theme.secondary),
            1.8 if on else 1.4,
            Qt.PenStyle.SolidLine,
            Qt.PenCapStyle.RoundCap,
        )
    )
    if on:
        painter.drawPolyline(
            [centre + QPointF(-3.8, 0.2), centre + QPointF(-1.0, 3.0), centre + QPointF(4.0, -3.0)],
        )
    else:
        painter.drawLine(centre + QPointF(-3, 0), centre + QPointF(3, 0))
        painter.drawLine(centre + QPointF(0, -3), centre + QPointF(0, 3))


def _paint_title(painter: QPainter, rect: QRectF, row: SliderRow, theme: Theme, font: QFont) -> None:
    if not rect.width():
        return
    painter.setFont(font)
    painter.setPen(QColor(theme.secondary if row.locked else theme.text))
    text = QFontMetricsF(font).elidedText(readable(row.title), Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
    if row.share is not None:
        painter.setPen(Qt.PenStyle.NoPen)
        bar = QColor(theme.secondary)
        bar.setAlphaF(0.45)  # seen, and no underlined link
        painter.setBrush(bar)
        painter.drawRect(QRectF(rect.left(), rect.bottom() - 3, max(1.0, rect.width() * min(row.share, 1.0)), 2))


def _paint_number(painter: QPainter, rect: QRectF, row: SliderRow, theme: Theme, font: QFont, *, boxed: bool) -> None:
    if boxed and not row.locked:
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.setBrush(QColor(theme.control))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setFont(font)
    painter.setPen(QColor(theme.text if row.value else theme.secondary))
    said = row.number.replace("-", "−") + (f" {row.unit}" if row.unit else "")
    painter.drawText(rect.adjusted(2, 0, -5, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, said)


def _paint_caption(painter: QPainter, rect: QRectF, left: float, row: SliderRow, theme: Theme, font: QFont) -> None:
    small = QFont(font)
    small.setPixelSize(CAPTION_PX)
    metrics = QFontMetricsF(small)
    area = QRectF(left, rect.top() + CONTROL_PX - 1, rect.right() - PADDING_PX - left, rect.height() - CONTROL_PX)
    painter.setFont(small)
    if row.badge:
        width = metrics.horizontalAdvance(row.badge) + 10
        box = QRectF(area.right() - width, area.top(), width, metrics.height() + 1)
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(theme.secondary))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, row.badge)
        area.setRight(box.left() - 6)
    painter.setPen(QColor(theme.secondary))
    text = fitting(row.caption, metrics, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, text)
