"""Every other option of a family, generated from what the trainer says of it, with a filter."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from latentlab.core.training_offer import TrainingOption
from latentlab.ui import theme
from latentlab.ui.icons import icon
from latentlab.ui.space_key import leave_space
from latentlab.ui.training.option_field import OptionField

FOLDED, UNFOLDED = "mdi6.chevron-right", "mdi6.chevron-down"


class MoreOptions(QWidget):
    """Folded until it is wanted. Fields are made when it is first unfolded."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields: dict[str, OptionField] = {}
        self._rows: list[tuple[TrainingOption, QLabel, OptionField, QLabel]] = []
        self._options: tuple[TrainingOption, ...] = ()
        self._settled: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self.button = QToolButton()
        self.button.setText("More options")
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setStyleSheet(
            "QToolButton { padding-left: 0; border-color: transparent; background: transparent; }"
        )
        self.button.setIcon(icon(FOLDED))
        self.button.toggled.connect(self._unfold)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Find an option")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Find an option")
        self.filter.textChanged.connect(self._filter)
        self._inside = QWidget()
        self._grid = QGridLayout(self._inside)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.GRID_PX)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID_PX)
        column.addWidget(self.button)
        column.addWidget(self.filter)
        column.addWidget(self._inside)
        self.filter.hide()
        self._inside.hide()

    def values(self) -> dict[str, str]:
        """By flag; what was typed for an option that this family has not is kept for one that has."""
        self._values |= {flag: field.value for flag, field in self.fields.items()}
        known = {option.flag for option in self._options}
        return {flag: value for flag, value in self._values.items() if value and flag in known}

    def offer(self, options: Sequence[TrainingOption]) -> None:
        """Those of another family."""
        if tuple(options) == self._options:
            return
        self.values()
        self._options = tuple(options)
        self._clear()
        if self.button.isChecked():
            self._make()

    def settle(self, settled: dict[str, str]) -> None:
        self._settled = settled
        for field in self.fields.values():
            field.settle(settled.get(field.option.name, field.option.default))

    def _unfold(self, unfolded: bool) -> None:
        self.button.setIcon(icon(UNFOLDED if unfolded else FOLDED))
        if unfolded and not self._rows:
            self._make()
        self.filter.setVisible(unfolded)
        self._inside.setVisible(unfolded)

    def _clear(self) -> None:
        for _, *widgets in self._rows:
            for widget in widgets:
                self._grid.removeWidget(widget)
                widget.hide()
                widget.deleteLater()
        self._rows, self.fields = [], {}

    def _make(self) -> None:
        for place, option in enumerate(self._options):
            title = QLabel(option.title)
            field = OptionField(option)
            field.set_value(self._values.get(option.flag, ""))
            field.settle(self._settled.get(option.name, option.default))
            field.changed.connect(self.changed)
            explained = QLabel(option.help)
            explained.setProperty("role", "caption")
            explained.setWordWrap(True)
            explained.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            explained.setContentsMargins(0, 0, 0, 6)
            title.setBuddy(field)
            self._grid.addWidget(title, 2 * place, 0)
            self._grid.addWidget(field, 2 * place, 1)
            self._grid.addWidget(explained, 2 * place + 1, 1)
            self._rows.append((option, title, field, explained))
            self.fields[option.flag] = field
        leave_space(self._inside)
        self._filter(self.filter.text())

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        for option, *widgets in self._rows:
            said = f"{option.title} {option.flag} {option.help}".lower()
            for widget in widgets:
                widget.setVisible(all(word in said for word in words))
