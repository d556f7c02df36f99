"""What was said in a run, alarms above all, as quiet cards that one can put away."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from latentlab.ui import theme
from latentlab.ui.icons import icon

SHOWN = 2  # at once, the newest


class RunNotes(QWidget):
    """`show_notes` takes all of them, in order; what was put away stays away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._away: set[str] = set()
        self._notes: list[tuple[str, bool]] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self.hide()

    @property
    def texts(self) -> list[str]:
        """Those that can be read now."""
        return [text for text, _ in self._shown()]

    def show_notes(self, notes: Sequence[str], failure: str = "") -> None:
        """`failure`: why the run ended, which comes last."""
        found = [(text, False) for text in notes] + ([(failure, True)] if failure else [])
        if found != self._notes:
            self._notes = found
            self._fill()

    def forget(self) -> None:
        """Another run."""
        self._away.clear()
        self.show_notes([])

    def put_away(self, text: str) -> None:
        self._away.add(text)
        self._fill()

    def _shown(self) -> list[tuple[str, bool]]:
        return [note for note in self._notes if note[0] not in self._away][-SHOWN:]

    def _fill(self) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if (card := item.widget()) is not None:
                card.hide()
                card.deleteLater()
        shown = self._shown()
        for text, bad in shown:
            self._column.addWidget(self._card(text, bad))
        self.setVisible(bool(shown))

    def _card(self, text: str, bad: bool) -> QWidget:
        card = QFrame()
        card.setProperty("role", "card")
        symbol = QLabel()
        name, colour = ("mdi6.alert-circle-outline", "danger") if bad else ("mdi6.alert-outline", "warning")
        symbol.setPixmap(icon(name, colour).pixmap(theme.ICON_PX, theme.ICON_PX))
        words = QLabel(text)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setWordWrap(True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QToolButton()
        close.setIcon(icon("mdi6.close", "secondary"))
        close.setIconSize(QSize(12, 12))
        close.setToolTip("Put away")
        close.setAccessibleName(f"Put away: {text}")
        close.clicked.connect(lambda: self.put_away(text))
        row = QHBoxLayout(card)
        row.setContentsMargins(theme.GRID_PX, 4, 4, 4)
        row.setSpacing(theme.GRID_PX)
        row.addWidget(symbol, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(words, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        return card
