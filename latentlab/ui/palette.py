"""The command palette: type a few letters of a command, press Return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from latentlab.ui import theme

WIDTH_PX = 480
ROWS = 10
HINT_ROLE = Qt.ItemDataRole.UserRole
ABOUT_LETTERS = 2  # from so many on, what a command is about is searched too
ABOUT_COSTS = 1.5  # a name that begins so goes before


@dataclass(frozen=True)
class Command:
    text: str
    run: Callable[[], object]
    hint: str = ""  # its shortcut
    icon: QIcon | None = None
    about: str = ""  # words it is found by that its name does not have: "GIF" finds the export of a walk


def match(query: str, text: str) -> float | None:
    """How well a few letters fit a command, more is better; None when they do not occur in their order.

    Letters at the beginnings of words count most, then those that follow each other.
    """
    letters = [letter for letter in query.lower() if not letter.isspace()]
    lower = text.lower()

    @cache
    def best(letter: int, after: int) -> float | None:
        """The best score of the letters from this one on, placed behind position `after`."""
        if letter == len(letters):
            return 0.0
        found = None
        place = lower.find(letters[letter], after + 1)
        while place >= 0:
            rest = best(letter + 1, place)
            if rest is None:
                break  # further right the rest fits even less
            begins = place == 0 or not lower[place - 1].isalnum()
            gain = 3.0 if begins else 2.0 if letter and place == after + 1 else 0.5
            found = max(found or 0.0, gain + rest)
            place = lower.find(letters[letter], place + 1)
        return found

    score = best(0, -1)
    if score is None or not letters:
        return score
    return score - 0.01 * len(text)


def fit(query: str, command: Command) -> float | None:
    """The better of its name and, for letters in a row from the beginning of a word, what it is about."""
    named, letters = match(query, command.text), query.strip().lower()
    if len(letters) < ABOUT_LETTERS or f" {letters}" not in f" {command.about.lower()}":
        return named
    about = 3.0 + 2.0 * (len(letters) - 1) - ABOUT_COSTS
    return about if named is None else max(named, about)


def ranked(query: str, commands: Sequence[Command]) -> list[Command]:
    """The commands that fit, best first; all in their order for an empty query."""
    scored = [(fit(query, command), -i, command) for i, command in enumerate(commands)]
    fitting = [(score, order, command) for score, order, command in scored if score is not None]
    return [command for _, _, command in sorted(fitting, key=lambda item: item[:2], reverse=True)]


class Palette(QFrame):
    """Opens over the top of the window; Escape or a click elsewhere closes it."""

    def __init__(self, commands: Sequence[Command], window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Popup)
        self.setProperty("role", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName("Command palette")
        self._commands = commands
        self._found: list[Command] = []
        self.query = QLineEdit()
        self.query.setPlaceholderText("Find a command, an attribute, a model")
        self.query.setAccessibleName("Find a command")
        self.query.textChanged.connect(self._search)
        self.query.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("Commands found")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setIconSize(QSize(theme.ICON_PX, theme.ICON_PX))
        self.list.setItemDelegate(HintBeside(self.list))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(lambda _: self.accept())
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID_PX, theme.GRID_PX, theme.GRID_PX, theme.GRID_PX)
        column.addWidget(self.query)
        column.addWidget(self.list)
        width = min(WIDTH_PX, window.width() - 32)
        self.setFixedWidth(width)
        self.move(window.mapToGlobal(window.rect().topLeft()).x() + (window.width() - width) // 2,
                  window.mapToGlobal(window.rect().topLeft()).y() + 56)  # fmt: skip
        self._search("")

    def begin(self) -> None:
        self.show()
        self.query.setFocus()

    def accept(self) -> None:
        row = self.list.currentRow()
        self.close()
        if 0 <= row < len(self._found):
            self._found[row].run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up, Down and Return typed into the field steer the list."""
        if watched is self.query and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}.get(
                Qt.Key(event.key())
            )
            if step is not None:
                last = self.list.count() - 1
                self.list.setCurrentRow(max(0, min(last, self.list.currentRow() + step)))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.accept()
                return True
        return False

    def _search(self, query: str) -> None:
        self._found = ranked(query, self._commands)
        self.list.clear()
        for command in self._found:
            item = QListWidgetItem(command.icon or QIcon(), command.text)
            item.setData(HINT_ROLE, command.hint)
            if command.hint:
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{command.text}, {command.hint}")
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        rows = max(1, min(ROWS, self.list.count()))
        self.list.setFixedHeight(rows * max(26, self.list.sizeHintForRow(0)) + 6)
        self.adjustSize()


class HintBeside(QStyledItemDelegate):
    """A command with its shortcut at the right, quieter, as a menu has it."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        hint = index.data(HINT_ROLE)
        if not hint:
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setFont(option.font)
        painter.setPen(QColor(theme.current().on_accent if chosen else theme.current().secondary))
        place = option.rect.adjusted(0, 0, -theme.GRID_PX, 0)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, hint)
        painter.restore()
