"""A button with an icon and no words, which says in its tooltip what it does."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QToolButton, QWidget

from latentlab.ui import theme
from latentlab.ui.icons import icon


def tool_button(
    symbol: str, tip: str, name: str = "", *, checkable: bool = False, parent: QWidget | None = None
) -> QToolButton:
    """`symbol` as in `icon`; `name` is for screen readers, the first line of the tooltip by default."""
    button = QToolButton(parent)
    button.setIcon(icon(symbol))
    button.setIconSize(QSize(theme.ICON_PX, theme.ICON_PX))
    button.setCheckable(checkable)
    button.setToolTip(tip)
    button.setAccessibleName(name or tip.partition("\n")[0])
    return button
