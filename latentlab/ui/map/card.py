"""The card of the encoding under the pointer: its thumbnail, name, class and attributes."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from latentlab.core.encodings import EncodingSet
from latentlab.ui import theme
from latentlab.ui.names import readable

PICTURE_PX = 96
GAP_PX = 14
MOST_ATTRIBUTES = 8


class HoverCard(QFrame):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setObjectName("hover-card")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 8, 8, 8)
        row.setSpacing(8)
        self._picture = QLabel(self)
        self._text = QLabel(self)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._picture)
        row.addWidget(self._text)
        self.show_theme()
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def show_theme(self) -> None:
        colours = theme.current()
        self.setStyleSheet(
            f"#hover-card {{ background: {colours.window}; border: 1px solid {colours.line}; border-radius: 6px; }}"
        )

    def show_encoding(self, encodings: EncodingSet, index: int, picture: QImage | None, pointer: QPointF) -> None:
        """Beside the pointer, on the side where the map has room."""
        self._text.setText("\n".join(described(encodings, index)))
        self._picture.setVisible(picture is not None)
        if picture is not None:
            ratio = self.devicePixelRatioF()
            smooth = max(picture.width(), picture.height()) * 4 > PICTURE_PX
            mode = Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
            side = round(PICTURE_PX * ratio)
            pixmap = QPixmap.fromImage(picture.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, mode))
            pixmap.setDevicePixelRatio(ratio)
            self._picture.setPixmap(pixmap)
        self.adjustSize()
        parent = self.parentWidget()
        assert parent is not None
        x, y = int(pointer.x()) + GAP_PX, int(pointer.y()) + GAP_PX
        if x + self.width() > parent.width():
            x = max(0, int(pointer.x()) - GAP_PX - self.width())
        if y + self.height() > parent.height():
            y = max(0, int(pointer.y()) - GAP_PX - self.height())
        self.move(x, y)
        self.show()
        self.raise_()


def described(encodings: EncodingSet, index: int) -> list[str]:
    """The lines of the card: name, class, then the attributes it has and the numbers it carries."""
    lines = [encodings.name_of(index)]
    label = encodings.label_of(index)
    if label:
        lines.append(label + (" (predicted)" if "class" in encodings.predicted else ""))
    if encodings.attributes is None:
        return lines
    found = []
    for name, value in zip(encodings.attribute_names, encodings.attributes[index].tolist(), strict=True):
        if value == 1:
            found.append(readable(name))
        elif not np.isnan(value) and value not in (0, -1):
            found.append(f"{readable(name)} {value:.3g}")
    lines += found[:MOST_ATTRIBUTES]
    if len(found) > MOST_ATTRIBUTES:
        lines.append(f"and {len(found) - MOST_ATTRIBUTES} more")
    return lines
