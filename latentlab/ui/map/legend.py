"""The map's legend: entries that filter, or a colour bar, and the groups. It wraps to as many rows as it needs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QLinearGradient, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QApplication, QLayout, QLayoutItem, QMenu, QToolButton, QWidget

from latentlab.core.state import Group
from latentlab.ui import theme
from latentlab.ui.map import overlay, splat
from latentlab.ui.map.colours import ColourBar, Colouring, LegendEntry
from latentlab.ui.map.scene import picture
from latentlab.ui.names import readable
from latentlab.ui.space_key import leave_space

SWATCH_PX = 14
ENTRY_HEIGHT_PX = 22


class Legend(QWidget):
    toggled = Signal(str)  # one entry on or off
    singled = Signal(str)  # only this one, or all again

    def __init__(self, group_menu: Callable[[str], QMenu], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flow = Flow(self, gap=4)
        self._group_menu = group_menu
        self._entries: dict[str, QToolButton] = {}
        self._groups: list[QWidget] = []
        self._bar: ColourScale | None = None
        self._drawn: tuple[object, ...] = ()
        self.setAccessibleName("Legend of the map")
        self.show_theme()

    def show_theme(self) -> None:
        """Quiet: words and dots on the panel, a button only under the pointer."""
        colours = theme.current()
        self.setStyleSheet(
            f"QToolButton {{ border: none; background: transparent; color: {colours.disabled}; padding: 1px 5px;"
            f" border-radius: 4px; min-height: 0; font-size: {theme.CAPTION_PX}px; }}"
            f"QToolButton:checked {{ color: {colours.text}; background: transparent; }}"
            f"QToolButton[group=true] {{ color: {colours.text}; }}"
            f"QToolButton:hover {{ background: {colours.hover}; }}"
            f"QToolButton:focus {{ border: 1px solid {colours.accent}; padding: 0 4px; }}"
            "QToolButton::menu-indicator { image: none; }"
        )

    def show_legend(
        self, colouring: Colouring | None, hidden: frozenset[str], groups: tuple[Group, ...], colours: list[str]
    ) -> None:
        """`colours` are the outlines of the groups."""
        drawn = (colouring, groups, theme.current())
        if drawn != self._drawn:
            self._drawn = drawn
            self._build(colouring, groups, colours)
        for key, button in self._entries.items():
            button.setChecked(key not in hidden)

    @property
    def entries(self) -> dict[str, QToolButton]:
        return self._entries

    def _build(self, colouring: Colouring | None, groups: tuple[Group, ...], colours: list[str]) -> None:
        self._flow.empty()
        self._entries.clear()
        if colouring is not None:
            for entry in colouring.entries:
                self._entries[entry.key] = self._entry(entry)
                self._flow.addWidget(self._entries[entry.key])
            if colouring.bar is not None:
                self._flow.addWidget(ColourScale(colouring.title, colouring.bar, self))
        for group, colour in zip(groups, colours, strict=True):
            self._flow.addWidget(self._chip(group, colour))
        before = self.previousInFocusChain() or self
        for place in range(self._flow.count()):  # made later than the rest of the window, they would come last
            item = self._flow.itemAt(place)
            if item is not None and (widget := item.widget()) is not None:
                QWidget.setTabOrder(before, widget)
                before = widget
        leave_space(self)
        self.setVisible(self._flow.count() > 0)
        self.updateGeometry()

    def _entry(self, entry: LegendEntry) -> QToolButton:
        dot = swatch(entry.colour, entry.shape, self.devicePixelRatioF())
        button = _button(readable(entry.key), entry.count, dot, self)
        button.setCheckable(True)
        button.setToolTip(f"{entry.key}: {entry.count:,}. Click hides or shows it; Alt-click shows only this one.")
        button.clicked.connect(lambda _checked, key=entry.key: self._clicked(key))
        return button

    def _chip(self, group: Group, colour: str) -> QToolButton:
        button = _button(group.name, len(group.members), swatch(colour, "ring", self.devicePixelRatioF()), self)
        button.setToolTip(f"{group.name}: {len(group.members):,} encodings. Click for what can be done with it.")
        button.setProperty("group", True)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.aboutToShow.connect(lambda: self._fill(menu, group.name))
        button.setMenu(menu)
        return button

    def _fill(self, menu: QMenu, name: str) -> None:
        menu.clear()
        built = self._group_menu(name)
        built.setParent(menu)
        menu.addActions(built.actions())

    def _clicked(self, key: str) -> None:
        alone = QApplication.keyboardModifiers() & Qt.KeyboardModifier.AltModifier
        (self.singled if alone else self.toggled).emit(key)


def _button(text: str, count: int, icon: QIcon, parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    shown = text if len(text) <= 24 else text[:23] + "…"
    button.setText(f"{shown} ({count:,})".replace("&", "&&"))
    button.setAccessibleName(f"{text}, {count:,} encodings")
    button.setIcon(icon)
    button.setIconSize(QSize(SWATCH_PX, SWATCH_PX))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setAutoRaise(True)
    button.setFont(overlay.caption_font(button.font()))
    button.setFixedHeight(ENTRY_HEIGHT_PX)
    return button


def swatch(colour: str, shape: str, ratio: float) -> QIcon:
    """The dot as the map draws it; faded when its entry is switched off."""
    icon = QIcon()
    for state, opacity in ((QIcon.State.On, 1.0), (QIcon.State.Off, 0.25)):
        side = round(SWATCH_PX * ratio)
        cover = splat.coverage(shape, side * 0.34, 0, 0)
        pixels = splat.premultiplied(np.broadcast_to(splat.argb((colour,)), cover.shape), cover)
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setOpacity(opacity if shape != "ring" else 1.0)
        offset = (side - cover.shape[0]) // 2
        painter.drawImage(offset, offset, picture(pixels))
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        icon.addPixmap(pixmap, QIcon.Mode.Normal, state)
    return icon


class ColourScale(QWidget):
    """A colour bar with its ends in numbers."""

    def __init__(self, title: str, bar: ColourBar, parent: QWidget) -> None:
        super().__init__(parent)
        self._title, self._bar = title, bar
        self.setFont(overlay.caption_font(self.font()))
        self.setAccessibleName(f"{title} from {bar.low:.3g} to {bar.high:.3g}")
        self.setFixedSize(260, ENTRY_HEIGHT_PX + 12)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        box = QRectF(4, 4, self.width() - 8, 8)
        ramp = QLinearGradient(box.topLeft(), box.topRight())
        for k, colour in enumerate(self._bar.colours):
            ramp.setColorAt(k / (len(self._bar.colours) - 1), QColor(colour))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ramp)
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(QColor(theme.current().secondary))
        text = QRectF(4, 15, self.width() - 8, self.height() - 15)
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft, f"{self._bar.low:.3g}")
        painter.drawText(text, Qt.AlignmentFlag.AlignHCenter, self._title)
        painter.drawText(text, Qt.AlignmentFlag.AlignRight, f"{self._bar.high:.3g}")


class Flow(QLayout):
    """Left to right, then the next row, as words in a paragraph."""

    def __init__(self, parent: QWidget, gap: int) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(0, 0, 0, 0)

    def empty(self) -> None:
        for item in self._items:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._items.clear()
        self.invalidate()

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        widest = max((item.minimumSize().width() for item in self._items), default=0)
        tallest = max((item.sizeHint().height() for item in self._items), default=0)
        return QSize(widest, tallest)

    def _place(self, rect: QRect, move: bool) -> int:
        x, y, row = rect.x(), rect.y(), 0
        for item in self._items:
            wanted = item.sizeHint()
            if x > rect.x() and x + wanted.width() > rect.right() + 1:
                x, y, row = rect.x(), y + row + self._gap, 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), wanted))
            x += wanted.width() + self._gap
            row = max(row, wanted.height())
        return y + row - rect.y()
