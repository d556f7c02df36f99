"""A small list of components with their shares; each is added or taken away by itself, and shows where it leads.

Shapes: D latent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.unsupervised import Component, percent
from latentlab.ui.icons import icon
from latentlab.ui.theme import GRID_PX, caption_font, current

ROW_PX = 26
ROWS_SHOWN = 5
NAME_PX, SHARE_PX, ICON_PX = 88, 48, 16
COMPONENT, ADDED = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class ComponentsList(QListWidget):
    """`wanted` carries the position of a component that is to be added, or taken away where it was added."""

    wanted = Signal(int)
    pointed = Signal(int)  # the pointer or the keyboard is at a component

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(_Row(self))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setFixedHeight(ROWS_SHOWN * ROW_PX + 2)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(lambda item: self.wanted.emit(self.row(item)))
        self.itemEntered.connect(lambda item: self.pointed.emit(self.row(item)))
        self.currentRowChanged.connect(lambda row: self.pointed.emit(row) if row >= 0 else None)

    def show_components(self, components: Sequence[Component]) -> None:
        self.clear()
        for component in components:
            item = QListWidgetItem(component.direction.name)
            item.setData(COMPONENT, component)
            item.setToolTip(f"{component.direction.method}. Click adds it, or takes it away again (Enter).")
            self.addItem(item)

    def show_added(self, directions: DirectionSet) -> None:
        """Which of them are among the attributes already."""
        for row in range(self.count()):
            item = self.item(row)
            component: Component = item.data(COMPONENT)
            added = same_direction(component.direction, directions) is not None
            item.setData(ADDED, added)
            share = f"{component.direction.name}, {percent(component.share)}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{share}, added" if added else share)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if event.key() in keys and self.currentRow() >= 0:
            self.wanted.emit(self.currentRow())
        else:
            super().keyPressEvent(event)


def same_direction(direction: Direction, directions: DirectionSet) -> str | None:
    """The name of the one in a set with the same vector, whatever it is called there."""
    return next((one.name for one in directions.values() if np.array_equal(one.vector, direction.vector)), None)


class _Row(QStyledItemDelegate):
    """A plus or a tick, the name, a bar as long as its share of the largest, the share."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(NAME_PX + SHARE_PX, ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, box = current(), QRectF(_of(option, "rect"))
        component: Component = index.data(COMPONENT)
        largest: float = index.model().index(0, 0).data(COMPONENT).share
        state = _of(option, "state")
        painter.save()
        if state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_Selected):
            painter.fillRect(box, QColor(theme.hover))
        mark = icon("mdi6.check" if index.data(ADDED) else "mdi6.plus", "accent" if index.data(ADDED) else "secondary")
        mark.paint(painter, int(box.left()) + 4, int(box.top()), ICON_PX, ROW_PX)
        left = box.left() + 4 + ICON_PX + GRID_PX
        painter.setPen(QColor(theme.text))
        name = QRectF(left, box.top(), NAME_PX, ROW_PX)
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, component.direction.name)
        share = QRectF(box.right() - SHARE_PX - GRID_PX, box.top(), SHARE_PX, ROW_PX)
        room = share.left() - name.right() - 2 * GRID_PX
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent))
        length = max(2.0, room * component.share / max(largest, 1e-9))
        painter.drawRoundedRect(QRectF(name.right() + GRID_PX, box.center().y() - 2, length, 4), 2, 2)
        widget = self.parent()
        assert isinstance(widget, QWidget)
        painter.setFont(caption_font(widget))
        painter.setPen(QColor(theme.secondary))
        said = percent(component.share)
        painter.drawText(share, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, said)
        painter.restore()


def _of(option: QStyleOptionViewItem, name: str) -> Any:
    """PySide's stubs do not know the fields that an option inherits."""
    return getattr(option, name)
