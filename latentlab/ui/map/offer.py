"""What the map offers where there are no encodings: a folder of pictures to encode, or samples to draw."""

from __future__ import annotations

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from latentlab.core.latent_model import ModelInfo
from latentlab.ui import theme
from latentlab.ui.icons import icon

BELOW_PX = 34  # the middle of the map, where the hint is written


class MapOffer(QWidget):
    """Two buttons below the hint; `wanted` is emitted with the name of the command."""

    def __init__(self, canvas: QWidget, wanted: SignalInstance) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.encode_button = _button("mdi6.folder-image", "Encode a folder…", "Its pictures become points of the map")
        self.encode_button.clicked.connect(lambda _=False: wanted.emit("encode_folder"))
        self.draw_button = _button("mdi6.dice-multiple-outline", "Draw samples", "Draws from the prior become points")
        self.draw_button.clicked.connect(lambda _=False: wanted.emit("draw_map"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID_PX)
        row.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row.addWidget(self.encode_button)
        row.addWidget(self.draw_button)
        self.hide()

    def show_model(self, info: ModelInfo, mapped: bool) -> None:
        """Hidden where there is a map, or no file that anything could be kept beside."""
        drawable = info.spaces[0].drawable
        self.setVisible(not mapped and bool(info.path) and (info.encoder or drawable))
        self.encode_button.setVisible(info.encoder)
        self.draw_button.setVisible(drawable)
        self.adjustSize()
        self.place()

    def place(self) -> None:
        """Below the hint, in the middle of the canvas."""
        self.move((self._canvas.width() - self.width()) // 2, self._canvas.height() // 2 + BELOW_PX)


def _button(symbol: str, text: str, tip: str) -> QPushButton:
    button = QPushButton(icon(symbol), text)
    button.setToolTip(tip)
    return button
