"""DirectionSource: the base of every way of making directions; it is drawn under the "+" while it is chosen."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from latentlab.core.state import State
from latentlab.ui.direction_editing import DirectionEditing
from latentlab.ui.pictures import Pictures
from latentlab.ui.theme import GRID_PX, PADDING_PX
from latentlab.ui.workspace import Workspace


class DirectionSource(QWidget):
    """Subclasses add to `column`; directions are added with `self.editing.add`, which is one undo step each time."""

    over = Signal()  # there is nothing more to do here: the form is closed

    def __init__(
        self, workspace: Workspace, editing: DirectionEditing, pictures: Pictures, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.editing = editing
        self.pictures = pictures  # thumbnails by latent, kept by the panel
        self.sentence = QLabel()
        self.sentence.setProperty("role", "caption")
        self.sentence.setWordWrap(True)
        self.sentence.hide()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(PADDING_PX, 0, PADDING_PX, GRID_PX)
        self.column.setSpacing(GRID_PX)
        self.column.addWidget(self.sentence)

    def say(self, sentence: str) -> None:
        """In place of what cannot be had, or above what can; empty: nothing."""
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))

    def begin(self) -> None:
        """It was chosen: shows what there is, or says in one sentence why there is nothing."""

    def show_state(self, new: State) -> None:
        """The state changed while it is shown."""

    def redraw(self) -> None:
        """There are new pictures, or new colours."""
