"""ExpressionField: a line for latent arithmetic that completes names and underlines what is wrong."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QStringListModel, Qt, Signal
from PySide6.QtGui import QColor, QHideEvent, QInputMethodEvent, QKeyEvent, QTextCharFormat
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QWidget

from latentlab.core.expressions import Scope, completions, word_start
from latentlab.ui.theme import current


class _Offers(QListView):
    closed = Signal()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.closed.emit()


class ExpressionField(QLineEdit):
    """`scope` says which names exist; it is asked when a completion is wanted."""

    decided = Signal()  # the completions are gone: what is typed is meant as it stands

    def __init__(self, scope: Callable[[], Scope], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scope = scope
        self.error_span: tuple[int, int] | None = None  # column and length of what is underlined
        self._words = QStringListModel(self)
        self._completer = QCompleter(self._words, self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setWidget(self)
        self._popup = _Offers()
        self._popup.closed.connect(self.decided)
        self._completer.setPopup(self._popup)
        self._completer.activated.connect(self.insert_completion)
        self.textEdited.connect(lambda _: self._offer())

    @property
    def offered(self) -> list[str]:
        """The completions that are on show."""
        return self._words.stringList() if self._popup.isVisible() else []

    def underline(self, span: tuple[int, int] | None) -> None:
        """Underlines `length` characters from `column`; None takes the underline away."""
        if span == self.error_span:
            return
        self.error_span = span
        marks: list[QInputMethodEvent.Attribute] = []
        if span is not None:
            wavy = QTextCharFormat()
            wavy.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            wavy.setUnderlineColor(QColor(current().danger))
            wavy.setForeground(QColor(current().danger))
            # A line edit has no formats of its own; those of an input method are counted from the cursor.
            start = span[0] - self.cursorPosition()
            marks = [QInputMethodEvent.Attribute(QInputMethodEvent.AttributeType.TextFormat, start, span[1], wavy)]
        QCoreApplication.sendEvent(self, QInputMethodEvent("", marks))

    def insert_completion(self, word: str) -> None:
        """Puts a completion in place of the word before the cursor."""
        text, cursor = self.text(), self.cursorPosition()
        start = word_start(text, cursor)
        self.setText(text[:start] + word + text[cursor:])
        self.setCursorPosition(start + len(word))
        self._popup.hide()
        self.textEdited.emit(self.text())

    def _offer(self) -> None:
        text, cursor = self.text(), self.cursorPosition()
        typed = text[word_start(text, cursor) : cursor]
        found = completions(text, cursor, self._scope()) if typed else []
        if not found or found == [typed]:
            self._popup.hide()
            return
        self._words.setStringList(found)
        area = self.cursorRect()
        area.setWidth(220)
        self._completer.complete(area)
        self._popup.setCurrentIndex(self._words.index(0, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._popup.isVisible() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            index = self._popup.currentIndex()
            if index.isValid():
                self.insert_completion(str(index.data()))
                event.accept()
                return
            self._popup.hide()
        super().keyPressEvent(event)
