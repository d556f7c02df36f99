"""How large a latent is, asked where a file leaves it open: a graph of any size, a program that does not say."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from latentlab.core.atomic import displayed
from latentlab.core.readings import ENDING
from latentlab.ui import theme

SIZE = r"[1-9][0-9]{0,5}(x[1-9][0-9]{0,5}){0,2}"
WIDTH_PX = 420


class LatentSizeForm(QDialog):
    """`chosen` carries "64" or "4x16x16"; closing it otherwise leaves the file unopened."""

    chosen = Signal(str)

    def __init__(self, path: Path, message: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("The size of a latent")
        name = displayed(path.name)
        heading = QLabel(f"How large is one latent of {name}?")
        heading.setProperty("role", "title")
        why = QLabel(message.replace(displayed(path), name).partition(" Say it: ")[0])
        why.setWordWrap(True)
        why.setMinimumWidth(WIDTH_PX)
        self.field = QLineEdit()
        self.field.setValidator(QRegularExpressionValidator(QRegularExpression(SIZE), self.field))
        self.field.setPlaceholderText("64, or for maps 4x16x16")
        self.field.setAccessibleName("Size of a latent")
        self.field.textChanged.connect(self._check)
        kept = QLabel(f"The answer is kept beside the file, as {name}{ENDING}, and not asked again.")
        kept.setProperty("role", "caption")
        kept.setWordWrap(True)
        box = QDialogButtonBox()
        self.refuse_button = box.addButton("Do not open", QDialogButtonBox.ButtonRole.RejectRole)
        self.open_button = box.addButton("Open", QDialogButtonBox.ButtonRole.AcceptRole)
        self.open_button.setProperty("primary", True)
        self.open_button.setDefault(True)
        self.open_button.setEnabled(False)
        self.refuse_button.setAutoDefault(False)
        box.accepted.connect(self._choose)
        box.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * theme.GRID_PX] * 4)
        column.setSpacing(theme.PADDING_PX)
        for widget in (heading, why, self.field, kept, box):
            column.addWidget(widget)

    def _check(self) -> None:
        self.open_button.setEnabled(self.field.hasAcceptableInput())

    def _choose(self) -> None:
        self.accept()
        self.chosen.emit(self.field.text())
