"""ImageView: one picture, as large as it fits, crisp. Nothing around it.

Shapes: H W C pictures, uint8, C is 1 or 3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QMimeData, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QDrag, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from latentlab.ui import theme

NEAREST_ABOVE = 4.0  # enlarged more than this, a pixel is a thing worth seeing
DRAGGED_PX = 96

Picture = NDArray[np.uint8]  # (H, W, C)


def placed(picture: QSize, view: QSize, ratio: float, whole: bool) -> QRect:
    """Where a picture goes in a view (both in pixels of their own), centred; `whole` pixels enlarge by integers only.

    `ratio`: device pixels per pixel of the view.
    """
    if picture.isEmpty() or view.isEmpty():
        return QRect()
    scale = min(view.width() / picture.width(), view.height() / picture.height())
    if whole and scale * ratio >= 1:
        scale = int(scale * ratio) / ratio
    width, height = max(1, round(picture.width() * scale)), max(1, round(picture.height() * scale))
    return QRect((view.width() - width) // 2, (view.height() - height) // 2, width, height)


def as_image(picture: Picture) -> QImage:
    """A view of the array's bytes: the caller keeps the array as long as the image."""
    height, width, channels = picture.shape
    layout = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    # 61-pixel rows are 183 bytes here and 184 in Qt's own images: the length of a line must be said.
    return QImage(picture.data, width, height, channels * width, layout)


def as_array(image: QImage) -> Picture:
    """(H, W, 3), a copy."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return lines[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).copy()


class ImageView(QWidget):
    """`show_picture` what is to be seen; `frame_shown` carries the ticket of the reply once it has been painted."""

    frame_shown = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(96, 96)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Current picture")
        self.smooth = True
        self.ringed = False  # the keyboard works here
        self.hint = ""
        self.make_mime: Callable[[], QMimeData] | None = None  # what a drag out of the picture carries
        self._picture: Picture | None = None
        self._image = QImage()
        self._ticket = 0
        self._painted_ticket = 0
        self._pressed: QPoint | None = None

    @property
    def picture(self) -> Picture | None:
        return self._picture

    def show_picture(self, picture: Picture | None, ticket: int = 0) -> None:
        """`ticket` 0: not the reply to a request."""
        self._picture = None if picture is None else np.ascontiguousarray(picture)
        # Converted once: enlarging 24-bit pixels costs ten times as much at every paint.
        self._image = (
            QImage() if self._picture is None else as_image(self._picture).convertToFormat(QImage.Format.Format_RGB32)
        )
        self._ticket = ticket or self._ticket
        self.update()

    def set_ringed(self, ringed: bool) -> None:
        self.ringed = ringed
        self.update()

    def set_smooth(self, smooth: bool) -> None:
        self.smooth = smooth
        self.update()

    @property
    def place(self) -> QRect:
        """Of the picture within the view."""
        return placed(self._image.size(), self.size(), self.devicePixelRatioF(), not self._smoothed)

    @property
    def _smoothed(self) -> bool:
        if self._image.isNull():
            return False
        scale = min(self.width() / self._image.width(), self.height() / self._image.height())
        return self.smooth or scale * self.devicePixelRatioF() <= NEAREST_ABOVE

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = theme.current()
        place = self.place
        if place.isEmpty():
            painter.fillRect(self.rect(), QColor(colours.panel))
            painter.setPen(QColor(colours.secondary))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.hint)
        else:
            ground = QColor(colours.panel)
            for bare in (
                QRect(0, 0, self.width(), place.top()),
                QRect(0, place.bottom() + 1, self.width(), self.height() - place.bottom() - 1),
                QRect(0, place.top(), place.left(), place.height()),
                QRect(place.right() + 1, place.top(), self.width() - place.right() - 1, place.height()),
            ):
                painter.fillRect(bare, ground)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smoothed)
            painter.drawImage(place, self._image)
        if self.ringed:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
        if self._ticket != self._painted_ticket:
            self._painted_ticket = self._ticket
            self.frame_shown.emit(self._ticket)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.place.contains(event.position().toPoint()):
            self._pressed = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or self.make_mime is None:
            return
        if (event.position().toPoint() - self._pressed).manhattanLength() >= QApplication.startDragDistance():
            self._pressed = None
            drag = QDrag(self)
            drag.setMimeData(self.make_mime())
            small = self._image.scaled(DRAGGED_PX, DRAGGED_PX, Qt.AspectRatioMode.KeepAspectRatio)
            drag.setPixmap(QPixmap.fromImage(small))
            drag.exec(Qt.DropAction.CopyAction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
