"""Where a slider leads: the pictures at both of its ends, beside each other, with the name between them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from latentlab.ui.pictures import paint_picture
from latentlab.ui.theme import GRID_PX, PADDING_PX, caption_font, current

SIDE_PX = 64


class EndsPreview(QWidget):
    """A click on a picture goes to that end."""

    chosen = Signal(int)  # 0 the low end, 1 the high end

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self._ends = ("", "")
        self._pictures: tuple[QImage, QImage] | None = None
        self._hovered = -1
        self.setFixedHeight(SIDE_PX + 2 * GRID_PX)
        self.setMouseTracking(True)
        self.setAccessibleName("Where the slider leads")

    def show_title(self, title: str, low: str, high: str) -> None:
        """The row that is previewed; its pictures follow."""
        self._title, self._ends = title, (low, high)
        self.setAccessibleDescription(f"{title}, from {low} to {high}" if title else "")
        self.update()

    def show_pictures(self, low: QImage, high: QImage) -> None:
        self._pictures = (low, high)
        self.update()

    def clear(self) -> None:
        self._pictures = None
        self.show_title("", "", "")

    def picture_rect(self, end: int) -> QRectF:
        left = PADDING_PX if end == 0 else self.width() - PADDING_PX - SIDE_PX
        return QRectF(left, GRID_PX, SIDE_PX, SIDE_PX)

    def sizeHint(self) -> QSize:
        return QSize(280, SIDE_PX + 2 * GRID_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(theme.line))
        painter.drawLine(0, 0, self.width(), 0)
        small = caption_font(self)
        between = QRectF(SIDE_PX + PADDING_PX + GRID_PX, 0, self.width() - 2 * (SIDE_PX + PADDING_PX + GRID_PX), 0)
        between.setTop(GRID_PX)
        between.setBottom(self.height() - GRID_PX)
        if not self._title:
            painter.setFont(small)
            painter.setPen(QColor(theme.secondary))
            centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()), centred, "Point at a slider to see where it leads")
            return
        for end in (0, 1):
            paint_picture(
                painter,
                self.picture_rect(end),
                self._pictures[end] if self._pictures else None,
                theme,
                hot=self._hovered == end,
            )
        painter.setPen(QColor(theme.text))
        painter.drawText(between.adjusted(0, 0, 0, -between.height() / 2), Qt.AlignmentFlag.AlignCenter, self._title)
        painter.setFont(small)
        painter.setPen(QColor(theme.secondary))
        below = between.adjusted(0, between.height() / 2 - 6, 0, 0)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, f"← {self._ends[0]}")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"{self._ends[1]} →")

    def _end_at(self, event: QMouseEvent) -> int:
        return next((end for end in (0, 1) if self._title and self.picture_rect(end).contains(event.position())), -1)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        end = self._end_at(event)
        if end != self._hovered:
            self._hovered = end
            self.setCursor(Qt.CursorShape.PointingHandCursor if end >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        end = self._end_at(event)
        if end >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(end)
