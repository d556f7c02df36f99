"""A direction from two groups: which ones, and what it is called."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from latentlab.core.state import Group
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.theme import GRID_PX

REST = "everything else"


class GroupForm(QWidget):
    """`wanted` carries the name and the positions of the groups; the second is -1 for everything else."""

    wanted = Signal(str, int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QLineEdit()
        self.name.setPlaceholderText("Name of the attribute")
        self.name.setAccessibleName("Name of the new attribute")
        self.name.returnPressed.connect(self._want)
        self.having, self.lacking = ChoiceBox(), ChoiceBox()
        self.having.setAccessibleName("Group that has it")
        self.lacking.setAccessibleName("Group that has it not")
        self.having.setToolTip("The group that has the attribute")
        self.lacking.setToolTip("The group that has it not")
        self.add = QPushButton("Add")
        self.add.setProperty("primary", True)
        self.add.setToolTip("Fit the direction from the second group to the first (Enter)")
        self.add.clicked.connect(self._want)
        minus = QLabel("−")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID_PX)
        grid.addWidget(self.name, 0, 0, 1, 4)
        grid.addWidget(self.having, 1, 0)
        grid.addWidget(minus, 1, 1)
        grid.addWidget(self.lacking, 1, 2)
        grid.addWidget(self.add, 1, 3)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(2, 1)

    def show_groups(self, groups: Sequence[Group]) -> None:
        """The groups one can choose; the last two are suggested."""
        names = [f"{group.name} ({len(group.members):,})" for group in groups]
        for box, extra in ((self.having, []), (self.lacking, [REST])):
            with QSignalBlocker(box):
                kept = box.currentText()
                box.clear()
                box.addItems(names + extra)
                at = box.findText(kept)
                suggested = len(names) - 2 if box is self.having else len(names) - 1
                keep = at >= 0 and kept != REST
                box.setCurrentIndex(at if keep else max(0, suggested) if len(names) > 1 else box.count() - 1)

    def _want(self) -> None:
        rest = self.lacking.currentIndex() == self.lacking.count() - 1
        self.wanted.emit(
            self.name.text().strip(), self.having.currentIndex(), -1 if rest else self.lacking.currentIndex()
        )
