"""A field of the form of a new run, made from what the trainer says of an option. Empty: the trainer's default."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from latentlab.core.training_offer import TrainingOption
from latentlab.ui.choice_box import ChoiceBox

ON_OFF = (("true", "on"), ("false", "off"))


class OptionField(QWidget):
    """`value` is text as it would be typed; `settle` says what holds while it is empty."""

    changed = Signal()

    def __init__(self, option: TrainingOption, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.option = option
        self._settled = option.default
        self._choice: ChoiceBox | None = None
        self._line: QLineEdit | None = None
        words = ON_OFF if option.kind == "switch" else tuple((word, word) for word in option.choices)
        field: ChoiceBox | QLineEdit
        if words and option.kind != "several":
            field = self._choice = ChoiceBox()
            self._choice.addItem("", "")
            for value, text in words:
                self._choice.addItem(text, value)
            self._choice.activated.connect(lambda _: self.changed.emit())
        else:
            field = self._line = QLineEdit()
            self._line.textEdited.connect(lambda _: self.changed.emit())
        field.setAccessibleName(option.title)
        field.setToolTip(self.help_text())
        field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(field)
        self.setFocusProxy(field)
        self.settle(option.default)

    @property
    def value(self) -> str:
        if self._choice is not None:
            return str(self._choice.currentData() or "")
        assert self._line is not None
        return self._line.text().strip()

    def set_value(self, value: str) -> None:
        if self._choice is not None:
            with QSignalBlocker(self._choice):
                self._choice.setCurrentIndex(max(0, self._choice.findData(value)))
        elif self._line is not None:
            self._line.setText(value)

    def settle(self, value: str, otherwise: str = "") -> None:
        """What the trainer takes where nothing is said; `otherwise` in words where that is no value."""
        self._settled = value
        words = dict(ON_OFF).get(value, value) if self.option.kind == "switch" else value
        if self._choice is not None:
            self._choice.setItemText(0, words or otherwise or "default")
        elif self._line is not None:
            self._line.setPlaceholderText(words or otherwise)

    def help_text(self) -> str:
        """The trainer's own help, with the words it can be and the flag."""
        choices = f" {', '.join(self.option.choices)}." if self.option.choices else ""
        several = " With commas between." if self.option.kind == "several" else ""
        return f"{self.option.help}{choices}{several}\n{self.option.flag}"
