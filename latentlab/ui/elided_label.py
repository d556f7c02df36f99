"""A label of one line that gives way: what does not fit ends in an ellipsis."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

SEPARATOR = " · "  # between the parts of a caption
SPARE_PX = 2  # a text is a fraction of a pixel wider than Qt says, and would be cut in exactly its own width


class ElidedLabel(QLabel):
    """Its text may change with every picture of a drag.

    A QLabel tells its layout of each new text, and Qt then lays out the whole window anew. This one keeps its text to
    itself and is only painted; how wide it would like to be is asked when something else lays it out.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None, *, whole: bool = False) -> None:
        """`whole`: nothing is painted where not all of it fits, as of a hint that its tooltip gives too."""
        super().__init__(parent)
        self._text = text
        self._whole = whole
        self.reserve_px = 0  # asked for beyond its text: so much what stands beside it gives way before this does
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setToolTip(text)

    def text(self) -> str:
        return self._text

    def setText(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.setAccessibleDescription(text)
            self.update()

    def sizeHint(self) -> QSize:
        metrics, margins = self.fontMetrics(), self.contentsMargins()
        wide = metrics.horizontalAdvance(self._text) + margins.left() + margins.right()
        return QSize(wide + SPARE_PX + self.reserve_px, metrics.height() + margins.top() + margins.bottom())

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        room = self.contentsRect()
        text = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, room.width())
        if self._whole and text != self._text:
            return
        painter.drawText(room, self.alignment(), text)


def fitting(caption: str, metrics: QFontMetricsF, room_px: float) -> str:
    """As many whole parts of a caption as there is room for; half a number says something else."""
    parts = caption.split(SEPARATOR)
    while len(parts) > 1 and metrics.horizontalAdvance(SEPARATOR.join(parts)) > room_px:
        parts.pop()
    return metrics.elidedText(SEPARATOR.join(parts), Qt.TextElideMode.ElideRight, room_px)
