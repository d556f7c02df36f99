"""Notices: short messages, each with what one can do about it. `Notices` keeps them, `NoticeStack` shows them.

They appear at the bottom right of the window and step aside where that would cover the picture.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QEnterEvent, QGuiApplication, QIcon
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from latentlab.core.errors import LatentlabError
from latentlab.ui import theme
from latentlab.ui.icons import icon

LOG_LIMIT = 200
SHOWN_LIMIT = 4
INFO_MS = 6000  # an information goes by itself; what is wrong stays until it is dismissed
WIDTH_PX = 360
MARGIN_PX = 12


class Severity(Enum):
    INFO = "information"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Action:
    """What one can do about a notice: a button on it, after which the notice goes."""

    text: str
    run: Callable[[], object]


@dataclass(eq=False)
class Notice:
    text: str
    severity: Severity = Severity.INFO
    details: str = ""  # what "Copy details" copies: a traceback
    actions: Sequence[Action] = ()
    fades: bool = False  # an information with actions that nobody need decide about: it goes by itself too
    count: int = 1  # how often it was said in a row
    time: datetime = field(default_factory=datetime.now)


class Notices(QObject):
    """Say something to the user. Call on the GUI thread."""

    added = Signal(object)  # Notice
    repeated = Signal(object)
    dismissed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.log: list[Notice] = []
        self.shown: list[Notice] = []

    def info(self, text: str, *actions: Action, fades: bool = False) -> Notice:
        return self.say(Notice(text, Severity.INFO, actions=actions, fades=fades))

    def warn(self, text: str, *actions: Action, details: str = "") -> Notice:
        return self.say(Notice(text, Severity.WARNING, details, actions))

    def error(self, text: str, *actions: Action, details: str = "") -> Notice:
        return self.say(Notice(text, Severity.ERROR, details, actions))

    def report(self, error: BaseException, doing: str = "") -> Notice:
        """An exception: our own as the sentence it is, any other with its traceback to copy."""
        if isinstance(error, LatentlabError):
            return self.error(str(error))
        what = f"{doing} failed" if doing else "Something went wrong"
        details = "".join(traceback.format_exception(error))
        return self.error(f"{what}: {type(error).__name__}: {error}. What you were doing is kept.", details=details)

    def say(self, notice: Notice) -> Notice:
        """The same notice again, while it is shown, is counted instead of stacked."""
        for earlier in self.shown:
            if (earlier.text, earlier.severity) == (notice.text, notice.severity):
                earlier.count += 1
                earlier.details = notice.details or earlier.details
                self.repeated.emit(earlier)
                return earlier
        self.log.append(notice)
        del self.log[:-LOG_LIMIT]
        self.shown.append(notice)
        self.added.emit(notice)
        return notice

    def dismiss(self, notice: Notice) -> None:
        if notice in self.shown:
            self.shown.remove(notice)
            self.dismissed.emit(notice)


class NoticeStack(QWidget):
    """The cards over the window, newest at the bottom. `picture` says where the picture is, in window coordinates."""

    def __init__(self, notices: Notices, window: QWidget, picture: Callable[[], QRect]) -> None:
        super().__init__(window)
        self._notices = notices
        self._window = window
        self._picture = picture
        self._cards: dict[int, NoticeCard] = {}
        self.setAccessibleName("Notices")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.GRID_PX)
        notices.added.connect(self._add)
        notices.repeated.connect(self._repeat)
        notices.dismissed.connect(self._remove)
        for notice in notices.shown:
            self._add(notice)
        self.setVisible(bool(self._cards))

    def place(self) -> None:
        """To be called when the window's size or the picture's place changed."""
        if not self._cards:
            return
        self._column.activate()
        width = min(WIDTH_PX, self._window.width() - 2 * MARGIN_PX)
        size = QSize(width, self._column.totalHeightForWidth(width))
        self.setGeometry(QRect(place_beside(self._window.rect(), size, self._picture()), size))
        self.raise_()

    def _add(self, notice: Notice) -> None:
        while len(self._cards) >= SHOWN_LIMIT:  # the oldest stays in the log
            self._notices.dismiss(next(iter(self._cards.values())).notice)
        card = NoticeCard(notice, self)
        card.dismissed.connect(lambda: self._notices.dismiss(notice))
        self._cards[id(notice)] = card
        self._column.addWidget(card)
        card.show()  # a layout counts only what is shown
        self.setVisible(True)
        self.place()
        QAccessible.updateAccessibility(QAccessibleEvent(card, QAccessible.Event.Alert))

    def _repeat(self, notice: Notice) -> None:
        if card := self._cards.get(id(notice)):
            card.refresh()
            self.place()

    def _remove(self, notice: Notice) -> None:
        if card := self._cards.pop(id(notice), None):
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.setVisible(bool(self._cards))
        self.place()


class NoticeCard(QFrame):
    dismissed = Signal()

    def __init__(self, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setProperty("role", "card")
        self.setObjectName("notice")
        self.setAccessibleName(f"{notice.severity.value}: {notice.text}")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        symbol = QLabel()
        symbol.setPixmap(_symbol(notice.severity).pixmap(theme.ICON_PX, theme.ICON_PX))
        symbol.setAlignment(Qt.AlignmentFlag.AlignTop)
        close = QToolButton()
        close.setIcon(icon("mdi6.close", "secondary"))
        close.setToolTip("Dismiss")
        close.setAccessibleName("Dismiss this notice")
        close.clicked.connect(self.dismissed)
        top = QHBoxLayout()
        top.setSpacing(theme.GRID_PX)
        top.addWidget(symbol, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self._text, 1)
        top.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PADDING_PX, theme.GRID_PX, theme.GRID_PX, theme.GRID_PX)
        column.addLayout(top)
        if notice.actions or notice.details:
            column.addLayout(self._buttons())
        self._timer = QTimer(self, singleShot=True, interval=INFO_MS)
        self._timer.timeout.connect(self.dismissed)
        self._rest()
        self.refresh()

    def refresh(self) -> None:
        times = f"  ({self.notice.count} times)" if self.notice.count > 1 else ""
        self._text.setText(self.notice.text + times)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._rest()
        super().leaveEvent(event)

    def _rest(self) -> None:
        if self.notice.severity is Severity.INFO and (self.notice.fades or not self.notice.actions):
            self._timer.start()

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch()
        for action in self.notice.actions:
            row.addWidget(self._button(action))
        if self.notice.details:
            copy = Action("Copy details", lambda: QGuiApplication.clipboard().setText(self._report()))
            row.addWidget(self._button(copy, stays=True))
        return row

    def _button(self, action: Action, stays: bool = False) -> QPushButton:
        button = QPushButton(action.text)
        button.setProperty("flat", True)
        button.clicked.connect(lambda: action.run())
        if not stays:
            button.clicked.connect(self.dismissed)
        return button

    def _report(self) -> str:
        return f"{self.notice.text}\n\n{self.notice.details}"


def place_beside(window: QRect, card: QSize, picture: QRect, bottom_px: int = 34) -> QPoint:
    """Where a card of this size goes: bottom right above the status line, else the first corner off the picture."""
    left, right = MARGIN_PX, window.width() - card.width() - MARGIN_PX
    top, bottom = 64, window.height() - card.height() - MARGIN_PX - bottom_px
    corners = [QPoint(right, bottom), QPoint(left, bottom), QPoint(right, top), QPoint(left, top)]
    return next((corner for corner in corners if not QRect(corner, card).intersects(picture)), corners[0])


def _symbol(severity: Severity) -> QIcon:
    match severity:
        case Severity.ERROR:
            return icon("mdi6.alert-circle-outline", "danger")
        case Severity.WARNING:
            return icon("mdi6.alert-outline", "warning")
        case _:
            return icon("mdi6.information-outline", "accent")
