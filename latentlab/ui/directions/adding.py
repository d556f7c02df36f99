"""Direction adding: the "+" with its menu of sources, and the form of the one that was chosen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from latentlab.core.registry import DIRECTION_SOURCES
from latentlab.core.state import State
from latentlab.ui.direction_editing import DirectionEditing
from latentlab.ui.directions.source import DirectionSource
from latentlab.ui.icons import icon
from latentlab.ui.pictures import Pictures
from latentlab.ui.space_key import leave_space
from latentlab.ui.theme import GRID_PX, PADDING_PX
from latentlab.ui.workspace import Workspace


class DirectionAdding(QWidget):
    """`button` belongs in a tool bar, the widget itself below it; it is empty until a source is chosen."""

    def __init__(self, workspace: Workspace, editing: DirectionEditing, pictures: Pictures, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._editing = editing
        self._pictures = pictures
        self.sources: dict[str, DirectionSource] = {}  # those that were chosen once
        self.source: DirectionSource | None = None
        self.button = QPushButton("Add")
        self.button.setIcon(icon("mdi6.plus"))
        self.button.setToolTip("Add attributes: from a selection, a folder, components, the weights or a file")
        self.button.setAccessibleName("Add attributes")
        self.menu = QMenu(self.button)
        for key, entry in DIRECTION_SOURCES.items():
            self.menu.addAction(icon(entry.icon), entry.title, lambda key=key: self.choose(key))
        self.button.setMenu(self.menu)
        self.title = QLabel()
        self.title.setProperty("role", "caption")
        close = QToolButton()
        close.setIcon(icon("mdi6.close"))
        close.setAutoRaise(True)
        close.setToolTip("Close (Escape)")
        close.setAccessibleName("Close")
        close.clicked.connect(self.close_form)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.close_form)
        head = QHBoxLayout()
        head.setContentsMargins(PADDING_PX, 0, GRID_PX, 0)
        head.addWidget(self.title, 1)
        head.addWidget(close)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addLayout(head)
        self.hide()

    def choose(self, key: str) -> DirectionSource:
        """Shows a source's form and begins it."""
        entry = DIRECTION_SOURCES[key]
        if key not in self.sources:
            source: DirectionSource = entry.load()(self._workspace, self._editing, self._pictures, self)
            source.over.connect(self.close_form)
            self._column.addWidget(source)
            leave_space(source)
            self.sources[key] = source
        self.source = self.sources[key]
        for other in self.sources.values():
            other.setVisible(other is self.source)
        self.title.setText(entry.title.removesuffix("…"))
        self.show()
        self.source.begin()
        return self.source

    def close_form(self) -> None:
        self.source = None
        self.hide()

    def show_state(self, new: State) -> None:
        if self.source is not None:
            self.source.show_state(new)

    def redraw(self) -> None:
        if self.source is not None:
            self.source.redraw()
