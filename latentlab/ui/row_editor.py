"""RowEditor: the one text field of a list that paints its rows, opened over whichever part is edited."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractScrollArea, QLineEdit

LARGEST = 1e6


class RowEditor(QLineEdit):
    """Enter and a click elsewhere take the text, Escape does not. Hidden while nothing is edited."""

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(area.viewport())
        self._area = area
        self._take: Callable[[str], None] | None = None
        self.setStyleSheet("min-height: 0; padding: 0 4px;")
        self.hide()
        self.editingFinished.connect(self._finish)

    def open(
        self,
        rect: QRect,
        text: str,
        name: str,
        take: Callable[[str], None],
        *,
        select: bool = True,
        right: bool = False,
    ) -> None:
        """Shows the field at `rect` of the viewport; `take` is called once with the text, without blanks around it."""
        self.dismiss()
        self.setGeometry(rect)
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft)
        self.setText(text)
        self._take = take
        self.show()
        self.setFocus()
        if select:
            self.selectAll()

    def dismiss(self) -> None:
        """Close without taking the text."""
        if self._take is not None:
            self._take = None
            focused = self.hasFocus()
            self.hide()
            if focused:
                self._area.setFocus()

    def _finish(self) -> None:
        take, said = self._take, self.text().strip()
        self.dismiss()
        if take is not None:
            take(said)

    def event(self, event: QEvent) -> bool:
        escape = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if escape and event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            self.dismiss()
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()  # a line edit passes Enter on, and the list would open its number field


def number_in(text: str) -> float | None:
    """A finite number as people write it, also with a decimal comma and a real minus; None where it is none."""
    try:
        value = float(text.replace(",", ".").replace("−", "-").split()[0])
    except (ValueError, IndexError):
        return None
    return value if math.isfinite(value) and abs(value) <= LARGEST else None
