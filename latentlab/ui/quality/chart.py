"""What each dimension says, as bars, most informative first. Shapes: D dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.core.figures import PerDimension, number
from latentlab.ui import theme

HEIGHT_PX = 116
CAPTION_PX = 20  # above the bars
BAR_GAP = 0.25  # of a bar's width
WIDEST_BAR_PX = 28.0
LEAST_BAR_PX = 1.0  # of height: a dimension that says nothing is still there


class DimensionChart(QWidget):
    """Hovering, or the arrow keys, point at a dimension; a click or Return asks for its slider."""

    chosen = Signal(int)  # the dimension, from 0

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: PerDimension | None = None
        self._order: NDArray[np.int64] = np.zeros(0, np.int64)
        self.pointed = -1  # place among the bars
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("What each dimension says")
        self.setToolTip("Click a bar, or press Return: its slider")
        self.setFont(theme.caption_font(self))

    def show_dimensions(self, shown: PerDimension | None) -> None:
        self._shown = shown
        self._order = np.zeros(0, np.int64) if shown is None else np.argsort(-shown.values_D, kind="stable")
        self._point(-1)

    def sizeHint(self) -> QSize:
        return QSize(240, HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, HEIGHT_PX)

    # --- where the bars are

    @property
    def bars(self) -> QRectF:
        return QRectF(0.5, CAPTION_PX, max(self.width() - 1, 1), HEIGHT_PX - CAPTION_PX - 4)

    def bar_px(self) -> float:
        """From one bar to the next."""
        return min(self.bars.width() / max(len(self._order), 1), WIDEST_BAR_PX)

    def place_at(self, x: float) -> int:
        place = int((x - self.bars.left()) / self.bar_px())
        return place if 0 <= place < len(self._order) else -1

    def dimension(self, place: int) -> int:
        return int(self._order[place])

    @property
    def text(self) -> str:
        """What is pointed at, or all dimensions together."""
        shown = self._shown
        if shown is None:
            return ""
        if self.pointed < 0:
            return f"{int(shown.active_D.sum()):,} of {len(shown.values_D):,} active"
        index = self.dimension(self.pointed)
        state = "active" if shown.active_D[index] else "not active"
        return f"dim {index + 1}: {number(float(shown.values_D[index]), shown.unit)}, {state}"

    # --- painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        shown = self._shown
        if shown is None:
            return
        colours, painter = theme.current(), QPainter(self)
        what = "KL per dimension, nats" if shown.unit else "Variance per dimension"
        caption = QRectF(0, 0, self.width(), CAPTION_PX)
        painter.setPen(QColor(colours.secondary))
        painter.drawText(caption, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, what)
        painter.setPen(QColor(colours.text if self.pointed >= 0 else colours.secondary))
        painter.drawText(caption, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.text)
        bars, highest = self.bars, max(float(shown.values_D.max()), 1e-12)
        painter.setPen(QColor(colours.line))
        painter.drawLine(QPointF(bars.left(), bars.bottom() + 1), QPointF(bars.right(), bars.bottom() + 1))
        painter.setPen(Qt.PenStyle.NoPen)
        self._paint_bars(painter, shown, highest)
        if self.hasFocus():
            painter.setPen(QColor(colours.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)

    def _paint_bars(self, painter: QPainter, shown: PerDimension, highest: float) -> None:
        """Of many dimensions one bar for each pixel: the bars fall from left to right, so the first is the highest."""
        colours, bars, step = theme.current(), self.bars, self.bar_px()
        wide = max(step * (1 - BAR_GAP), 1.0) if step >= 2 else max(step, 1.0)
        places = range(len(self._order)) if step >= 1 else np.unique((np.arange(int(bars.width())) / step).astype(int))
        for place in places:
            index = self.dimension(int(place))
            value = max(float(shown.values_D[index]), 0.0)
            high = max(bars.height() * value / highest, LEAST_BAR_PX)
            active = bool(shown.active_D[index])
            colour = colours.text if place == self.pointed else colours.accent if active else colours.disabled
            painter.setBrush(QColor(colour))
            painter.drawRect(QRectF(bars.left() + int(place) * step, bars.bottom() - high, wide, high))

    # --- pointer and keyboard

    def _point(self, place: int) -> None:
        self.pointed = place
        self.setAccessibleDescription(self.text)
        self.setCursor(Qt.CursorShape.PointingHandCursor if place >= 0 else Qt.CursorShape.ArrowCursor)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().x())
        if place != self.pointed:
            self._point(place)

    def leaveEvent(self, _event: object) -> None:
        self._point(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and place >= 0:
            self.chosen.emit(self.dimension(place))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._order) - 1
        ways = {
            Qt.Key.Key_Left: max(self.pointed - 1, 0),
            Qt.Key.Key_Right: min(self.pointed + 1, last),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        key = Qt.Key(event.key())
        if key in ways and last >= 0:
            self._point(ways[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.pointed >= 0:
            self.chosen.emit(self.dimension(self.pointed))
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point(-1)
