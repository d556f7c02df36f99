"""A picture with a line below it: what each column of the comparison shows, and how it is clicked and dragged.

Shapes: H W C pictures, uint8.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from latentlab.ui import theme
from latentlab.ui.compare.current import Picture
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.image_view import ImageView


class PictureView(ImageView):
    """An ImageView that can be clicked, and reached with the keyboard, where `clickable`."""

    clicked = Signal()

    def __init__(self, name: str, clickable: bool = False) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMinimumSize(48, 48)
        self.clickable = clickable
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if clickable else Qt.FocusPolicy.NoFocus)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self.clickable and self.place.contains(event.position().toPoint())
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed = self._pressed is not None and self.place.contains(event.position().toPoint())
        super().mouseReleaseEvent(event)
        if pressed and self.clickable:
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.clickable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus() and self.picture is not None:
            painter = QPainter(self)
            painter.setPen(QPen(QColor(theme.current().accent), 2))
            painter.drawRect(self.place.intersected(QRect(1, 1, self.width() - 2, self.height() - 2)))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()


class PictureCell(QWidget):
    """A picture and its caption, centred below it."""

    def __init__(self, name: str, clickable: bool = False) -> None:
        super().__init__()
        self.view = PictureView(name, clickable)
        self.view.setMouseTracking(clickable)
        self.caption = ElidedLabel()
        self.caption.setProperty("role", "caption")
        self.caption.setFont(theme.caption_font(self.caption))
        self.caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.caption.setAccessibleName(f"Caption: {name}")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)  # columns of one width
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(4)
        self.column.addWidget(self.view, 1)
        self.column.addWidget(self.caption)

    def show_picture(self, picture: Picture | None, caption: str, tip: str = "") -> None:
        self.view.show_picture(picture)
        self.caption.setText(caption)
        self.caption.setToolTip(tip or caption)
        self.view.setToolTip(tip)
