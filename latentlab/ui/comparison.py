"""A picture from outside, its reconstruction and the error, side by side.

Shapes: H W C pictures, uint8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from latentlab.core.state import Original
from latentlab.ui import theme
from latentlab.ui.difference import difference
from latentlab.ui.image_view import ImageView

SIDE_PX = 96
ERROR_AMPLIFIED = 4


class Comparison(QWidget):
    """Hidden while there is no picture from outside."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._original: Original | None = None
        self.pictures = {name: ImageView() for name in ("original", "reconstruction", "error")}
        self.captions = {name: QLabel() for name in self.pictures}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID_PX)
        row.addStretch()
        for name, view in self.pictures.items():
            view.setFixedSize(SIDE_PX, SIDE_PX)
            view.setAccessibleName(name.capitalize())
            caption = self.captions[name]
            caption.setProperty("role", "caption")
            caption.setMaximumWidth(SIDE_PX)
            caption.setAccessibleName(f"Caption of the {name}")
            column = QVBoxLayout()
            column.setSpacing(2)
            column.addWidget(view)
            column.addWidget(caption)
            row.addLayout(column)
        row.addStretch()
        self.hide()

    def show_original(self, original: Original | None) -> None:
        self._original = original
        self.setVisible(original is not None)
        for name in ("reconstruction", "error"):
            self.pictures[name].show_picture(None)
        if original is None:
            return
        self.pictures["original"].show_picture(original.image)
        caption = self.captions["original"]
        caption.setText(caption.fontMetrics().elidedText(original.name, Qt.TextElideMode.ElideMiddle, SIDE_PX))
        caption.setToolTip(original.name)
        self.captions["reconstruction"].setText("inverted" if original.inverted else "encoded")
        self.captions["error"].setText(f"MSE {original.mse:.4f}")
        self.captions["error"].setToolTip(f"Mean squared error in [0, 1]; differences shown {ERROR_AMPLIFIED} times")

    def show_reconstruction(self, picture: NDArray[np.uint8]) -> None:
        self.pictures["reconstruction"].show_picture(picture)
        if self._original is not None and self._original.image.shape == picture.shape:
            error = difference(picture, self._original.image, "absolute", ERROR_AMPLIFIED)
            self.pictures["error"].show_picture(error)
