"""Before and after: the attribute edits of the moment tried on many pictures at once.

Shapes: B pictures, D latent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from latentlab.core.spaces import FloatArray
from latentlab.core.state import NamedLatent, State
from latentlab.ui.pictures import Pictures
from latentlab.ui.theme import PADDING_PX
from latentlab.ui.thumbnail_strip import ThumbnailStrip

ROW_PX = 60


class BeforeAfter(QWidget):
    """Two rows that scroll together; `chosen` carries the latent that was clicked."""

    chosen = Signal(object)  # NamedLatent

    def __init__(self, pictures: Pictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.before = ThumbnailStrip(pictures, margin=2)
        self.after = ThumbnailStrip(pictures, margin=2)
        self.before.setAccessibleName("Before the edits")
        self.after.setAccessibleName("After the edits")
        column = QVBoxLayout(self)
        column.setContentsMargins(PADDING_PX - 2, 0, PADDING_PX - 2, PADDING_PX)
        column.setSpacing(2)
        for strip in (self.before, self.after):
            strip.setFixedHeight(ROW_PX)
            strip.chosen.connect(lambda index, strip=strip: self.chosen.emit(strip.items[index]))
            column.addWidget(strip)
        self.before.horizontalScrollBar().valueChanged.connect(self.after.horizontalScrollBar().setValue)
        self.after.horizontalScrollBar().valueChanged.connect(self.before.horizontalScrollBar().setValue)

    def show_latents(self, items: Sequence[NamedLatent], state: State) -> list[FloatArray]:
        """Draws the rows and returns every latent (D,) in them; the state's edit is added to the second."""
        edit = state.edit
        edited = [NamedLatent(np.asarray(item.latent + edit, np.float32), f"{item.name}, edited") for item in items]
        for strip, shown in ((self.before, items), (self.after, edited)):
            strip.checkpoint, strip.space = state.checkpoint, state.space
            strip.set_items(shown, condition=state.condition)
        return [item.latent for item in [*items, *edited]]

    def redraw(self) -> None:
        self.before.redraw()
        self.after.redraw()
