"""Space, held, shows the picture before the edits: also right after something has been clicked.

Enter presses a button that was reached with the keyboard, as Space does.
"""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QComboBox,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QToolButton,
    QWidget,
)

BY_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
WITH_SPACE = (QAbstractButton, QAbstractScrollArea, QComboBox)  # what Space presses, chooses or opens
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
MODIFIERS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta)


class SpaceKey(QObject):
    """Leaves Space to the window where a widget was reached with the pointer; who came with the keyboard presses it."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._pointed = False
        widget.installEventFilter(self)
        if isinstance(widget, QAbstractScrollArea):
            widget.viewport().installEventFilter(self)  # that is where the pointer presses

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress:
            self._pointed = True
        elif watched is not self._widget:
            return False
        elif kind == QEvent.Type.FocusIn:
            if cast(QFocusEvent, event).reason() in BY_KEYBOARD:
                self._pointed = False
        elif kind == QEvent.Type.KeyPress:
            press = cast(QKeyEvent, event)
            key = press.key()
            if key == Qt.Key.Key_Space and self._pointed:
                event.ignore()  # on to the parent, and at last to the window
                return True
            if key in ENTER and not self._pointed and isinstance(self._widget, QPushButton | QToolButton):
                if not press.isAutoRepeat():
                    self._widget.click()
                return True
            if key not in MODIFIERS:
                self._pointed = False
        return False


def leave_space(panel: QWidget) -> None:
    """Does so for everything in a panel that Space would press; what text is typed into keeps its spaces.

    Whoever makes more later calls this again, of the panel or of what was made: none is filtered twice.
    """
    own = Qt.FindChildOption.FindDirectChildrenOnly
    for widget in panel.findChildren(QWidget):
        typed = widget.isEditable() if isinstance(widget, QComboBox) else isinstance(widget, QPlainTextEdit | QTextEdit)
        if isinstance(widget, WITH_SPACE) and not typed and widget.findChild(SpaceKey, options=own) is None:
            SpaceKey(widget)
