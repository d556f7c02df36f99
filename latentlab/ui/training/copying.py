"""What is on screen can be copied: a context menu for widgets that draw something."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QWidget


def copyable(widget: QWidget, text: str, drawn: Callable[[], QWidget | None] | None = None) -> QAction:
    """Adds the action `text` to the widget's context menu: what `drawn` shows, or the widget, goes to the clipboard."""

    def copy() -> None:
        shown = widget if drawn is None else drawn()
        if shown is not None:
            QGuiApplication.clipboard().setPixmap(shown.grab())

    action = QAction(text, widget)
    action.triggered.connect(copy)
    widget.addAction(action)
    widget.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
    return action
