"""Docks: a place in the window for every registered panel, remembered between runs. Panels are made when first seen."""

from __future__ import annotations

import base64
import binascii
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from zlib import crc32

from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QTabBar,
    QTabWidget,
    QToolButton,
    QWidget,
)

from latentlab.core.registry import PANELS, Entry
from latentlab.core.settings import Settings
from latentlab.ui import theme
from latentlab.ui.icons import icon
from latentlab.ui.panel import Panel
from latentlab.ui.space_key import leave_space

PRESS, RELEASE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease
FIRST = ("map", "image")  # made before the window is shown; the others after its first picture
READ_AHEAD_MS = 50  # between two modules
SHARES = {"left": 0.44, "centre": 0.31, "right": 0.25}  # of the width
BOTTOM_SHARE = 0.22  # of the height


def layout_version(panels: Mapping[str, Entry]) -> int:
    """Of QMainWindow.saveState: where there are other panels, or in other areas, an older layout is not restored."""
    return crc32(" ".join(f"{key} {entry.area}" for key, entry in panels.items()).encode()) >> 1  # fits C's int


LAYOUT_VERSION = layout_version(PANELS)


class Docks(QObject):
    """Owns docks and panels; `seen` is emitted for a panel that came into view and must draw what it missed."""

    seen = Signal(object)  # Panel
    made = Signal(object)  # Panel

    def __init__(self, window: QMainWindow, settings: Settings, make: Callable[[Entry], Panel | None]) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._make = make
        self._visible: set[str] = set()
        self._waiting: list[str] = []
        self._code: dict[str, Iterator[str]] = {}  # what is still to be imported of each panel
        self._filling = False
        self._ahead = QTimer(self, interval=READ_AHEAD_MS)
        self._ahead.timeout.connect(self._read_ahead)
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._make_next)
        self.panels: dict[str, Panel] = {}
        self._titles = QTimer(self, singleShot=True, interval=0)  # once, after all docks have found their places
        self._titles.timeout.connect(self._show_titles)
        self._size = QSize()  # of the window when it was last divided
        self._moving = False  # a separator, by a person
        self._balanced = False  # the shares are those of the default layout
        self._widths: list[float] = []
        self._heights: list[float] = []
        self.docks = {key: self._dock(entry) for key, entry in PANELS.items()}
        window.setDockNestingEnabled(True)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self._arrange()
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A window of another size keeps the shares of its docks; Qt alone would give most of it to the bottom.

        Other shares are what a person makes of them: a window that is too small for them does not forget them.
        """
        if isinstance(event, QResizeEvent):
            if watched is self._window:
                QTimer.singleShot(0, self, self._keep_shares)
            elif self._moving:
                self._widths, self._heights = self._shares()
                self._balanced = False
        elif watched is self._window and event.type() in (PRESS, RELEASE):  # between the docks lie the separators
            self._moving = event.type() == PRESS
        return super().eventFilter(watched, event)

    def _keep_shares(self) -> None:
        across, down = self._rows()
        docked = all(dock.isVisible() and not dock.isFloating() for dock in (*across, *down))
        if docked and self._balanced:
            self.balance()
        elif docked and not self._widths:  # those of a layout that was remembered
            self._widths, self._heights = self._shares()
        elif docked:
            self._share(self._widths, self._heights)
        self._size = self._window.size()

    def _shares(self) -> tuple[list[float], list[float]]:
        across, down = self._rows()
        high = sum(self._height(dock) for dock in down)
        wide = sum(dock.width() for dock in across)
        return [dock.width() / wide for dock in across], [self._height(dock) / high for dock in down]

    def _height(self, dock: QDockWidget) -> int:
        """With the tabs above it, as the window divides heights."""
        if not self._window.tabifiedDockWidgets(dock):
            return dock.height()
        bars = self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return dock.height() + max((bar.height() for bar in bars if bar.isVisible()), default=0)

    def visible(self) -> Iterator[Panel]:
        """Panels that can be seen now: not closed, not behind another tab."""
        return (panel for key, panel in self.panels.items() if key in self._visible)

    def in_sight(self, key: str) -> bool:
        """Whether a dock can be seen now: not closed, not behind another tab."""
        return key in self._visible

    def panel(self, key: str) -> Panel | None:
        """The panel, made now if need be; None where it could not be made."""
        self._made(key)
        panel = self.panels.get(key)
        if panel is not None and self.docks[key].widget() is None:
            panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            leave_space(panel)
            self.docks[key].setWidget(panel)
            self.made.emit(panel)
            if key in self._visible:
                self.seen.emit(panel)
        return panel

    def _made(self, key: str) -> bool:
        """Whether the panel could be made, now or before; `panel` gives it its place."""
        if key not in self.panels and (panel := self._make(PANELS[key])) is not None:
            self.panels[key] = panel
        return key in self.panels

    def raise_panel(self, key: str) -> Panel | None:
        """Brings it to the front and gives it the focus."""
        dock = self.docks[key]
        dock.show()
        dock.raise_()
        panel = self.panel(key)
        if panel is not None:
            panel.take_focus(Qt.FocusReason.ShortcutFocusReason)
        return panel

    def make_first(self) -> None:
        for key in FIRST:
            self.panel(key)

    def focus_first(self) -> None:
        """The map, where it is not closed, hears the arrow keys from the start."""
        if not self.docks[FIRST[0]].isHidden() and (panel := self.panels.get(FIRST[0])) is not None:
            panel.take_focus(Qt.FocusReason.OtherFocusReason)

    def fill(self) -> None:
        """The first panels have been painted: now the others that can be seen are made."""
        if not self._filling:
            self._filling = True
            self._next.start()

    def restore(self) -> None:
        """The remembered places; the default ones where nothing sound is remembered."""
        self._window.restoreGeometry(_decoded(self._settings.window_geometry))
        layout = _decoded(self._settings.window_layout)
        if not layout.isEmpty() and not self._window.restoreState(layout, LAYOUT_VERSION):
            self.reset()
        elif not layout.isEmpty():
            self._widths, self._balanced = [], False
        self._keep_on_screen()

    def remember(self) -> None:
        self._settings.window_geometry = _encoded(self._window.saveGeometry())
        self._settings.window_layout = _encoded(self._window.saveState(LAYOUT_VERSION))

    def reset(self) -> None:
        for dock in self.docks.values():
            dock.setFloating(False)
            self._window.removeDockWidget(dock)
        self._arrange()
        for dock in self.docks.values():
            dock.show()
        QTimer.singleShot(0, self, self.balance)  # sizes asked for before the docks are laid out are forgotten

    def balance(self) -> None:
        """The shares of the default layout, for the size that the window has now."""
        shown = self._window.isVisible()
        high = sum(self._height(dock) for dock in self._rows()[1]) if shown else self._window.height()
        bottom = BOTTOM_SHARE * self._window.height() / high  # of what menus and tool bar leave
        self._share(list(SHARES.values()), [1 - bottom, bottom])
        self._balanced = True

    def _rows(self) -> tuple[list[QDockWidget], list[QDockWidget]]:
        """The docks that lie beside each other above, and the two that lie below each other."""
        across = [self._seen_in(area) for area in SHARES]
        return across, [across[0], self._seen_in("bottom")]

    def _seen_in(self, area: str) -> QDockWidget:
        """The dock of an area that lies in front of its tabs; the first where none can be seen."""
        keys = [key for key, entry in PANELS.items() if entry.area == area]
        seen = [key for key in keys if key in self._visible and not self.docks[key].isFloating()]
        return self.docks[(seen or keys)[0]]

    def _share(self, widths: list[float], heights: list[float]) -> None:
        self._widths, self._heights = widths, heights
        across, down = self._rows()
        wide, high = self._window.width(), self._window.height()
        if self._window.isVisible():  # menus and tool bar take of the height, and do not grow with it
            wide, high = sum(dock.width() for dock in across), sum(self._height(dock) for dock in down)
        self._window.resizeDocks(across, [round(wide * share) for share in widths], Qt.Orientation.Horizontal)
        self._window.resizeDocks(down, [round(high * share) for share in heights], Qt.Orientation.Vertical)

    def _dock(self, entry: Entry) -> QDockWidget:
        dock = QDockWidget(entry.title, self._window)
        dock.setObjectName(f"dock-{entry.key}")
        dock.installEventFilter(self)
        dock.setTitleBarWidget(DockTitle(dock))
        dock.dockLocationChanged.connect(self._titles.start)
        dock.topLevelChanged.connect(self._titles.start)
        dock.visibilityChanged.connect(lambda visible, key=entry.key: self._on_visible(key, visible))
        return dock

    def _in_area(self, area: str) -> list[QDockWidget]:
        return [self.docks[key] for key, entry in PANELS.items() if entry.area == area]

    def _arrange(self) -> None:
        """Left, centre and right beside each other above the bottom; docks of one area side by side or as tabs."""
        window = self._window
        columns = [self._in_area(area) for area in SHARES]
        window.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, columns[0][0])
        for (before, *_), (first, *_) in itertools.pairwise(columns):
            window.splitDockWidget(before, first, Qt.Orientation.Horizontal)
        for first, *others in columns:  # only now: what is split off a dock with tabs becomes a tab itself
            for other in others:
                window.tabifyDockWidget(first, other)
            first.raise_()
        first, *others = self._in_area("bottom")
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, first)
        for other in others:
            window.splitDockWidget(first, other, Qt.Orientation.Horizontal)
            first = other
        self.balance()

    def _show_titles(self) -> None:
        for dock in self.docks.values():
            title = dock.titleBarWidget()
            assert isinstance(title, DockTitle)
            title.show_as_tab(not dock.isFloating() and bool(self._window.tabifiedDockWidgets(dock)))
        for bar in self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setAccessibleName(f"Panels: {', '.join(bar.tabText(i) for i in range(bar.count()))}")

    def _on_visible(self, key: str, visible: bool) -> None:
        self._titles.start()
        if not visible:
            self._visible.discard(key)
            return
        self._visible.add(key)
        self._take_from_behind(key)
        if self.docks[key].widget() is not None:
            self.seen.emit(self.panels[key])
        elif key not in self._waiting:
            self._waiting.append(key)
            if self._filling:
                self._next.start()

    def _take_from_behind(self, key: str) -> None:
        """Qt leaves the keyboard with a panel behind the tab that was clicked: keys would edit what nobody sees."""
        focused, beside = QApplication.focusWidget(), self._window.tabifiedDockWidgets(self.docks[key])
        if focused is not None and any(dock.isAncestorOf(focused) for dock in beside):
            if (panel := self.panels.get(key)) is not None:
                panel.setFocus(Qt.FocusReason.OtherFocusReason)  # Tab leads to what stands in it
            else:
                focused.clearFocus()

    def _make_next(self) -> None:
        """A part of a panel per turn of the event loop, so that the window stays responsive while it fills.

        Reading its code takes as long as all the rest, so that is done module by module; then it is made, then placed.
        """
        if not self._waiting:
            return
        key = self._waiting[0]
        wanted = key in self._visible and self.docks[key].widget() is None
        if not (wanted and self._advance(key)):
            del self._waiting[0]
        if self._waiting:
            self._next.start()
        else:
            self._ahead.start()

    def _advance(self, key: str) -> bool:
        """One step towards a panel in its dock; False when there is none after it."""
        if self._reads_on(key):
            return True
        if key not in self.panels:
            return self._made(key)
        self.panel(key)
        return False

    def _read_ahead(self) -> None:
        """What can be seen is there: now and then a module of a panel behind a tab is read, a third of raising it.

        Not in a thread: PySide's classes are not ready for being used in two at once when they are first needed.
        """
        if QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton or self._waiting:
            return
        if not any(self._reads_on(key) for key in PANELS if key not in self.panels):
            self._ahead.stop()

    def _reads_on(self, key: str) -> bool:
        """Imports the next module of a panel; False once there is none."""
        name = next(self._code.setdefault(key, _unread(PANELS[key])), None)
        if name is not None:
            with suppress(Exception):  # `panel` reports what is wrong with it
                import_module(name)
        return name is not None

    def _keep_on_screen(self) -> None:
        screen = self._window.screen().availableGeometry()
        frame = self._window.frameGeometry()
        if not screen.intersects(frame.adjusted(40, 0, -40, -40)):
            self._window.move(screen.topLeft())
        if frame.width() > screen.width() or frame.height() > screen.height():
            self._window.resize(self._window.size().boundedTo(screen.size()))


def _unread(entry: Entry) -> Iterator[str]:
    """The modules of a panel that nobody has imported, its own last: `panels/map.py` after those of `map/`."""
    module = entry.target.partition(":")[0]
    package = module.replace(".panels.", ".")
    names = [module]
    if find_spec(package) is not None:
        holder = import_module(package)
        found = [one.name for one in iter_modules(holder.__path__) if one.name not in getattr(holder, "ON_USE", ())]
        names = [f"{package}.{name}" for name in found] + names
    yield from (name for name in names if name not in sys.modules)


class DockTitle(QWidget):
    """A caption and a close button; as a tab the caption is on the tab already."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        caption = QLabel(dock.windowTitle())
        caption.setProperty("role", "caption")
        close = QToolButton()
        close.setIcon(icon("mdi6.close", "secondary"))
        close.setIconSize(QSize(12, 12))
        close.setToolTip(f"Close {dock.windowTitle()}")
        close.setAccessibleName(f"Close {dock.windowTitle()}")
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # from the keyboard: the Panels menu
        close.clicked.connect(dock.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.PADDING_PX, 2, 4, 2)
        row.addWidget(caption)
        row.addStretch()
        row.addWidget(close)
        self._parts = (caption, close)
        self._tab = False

    def show_as_tab(self, tab: bool) -> None:
        """Behind a tab the title says nothing new: it takes no room."""
        if tab != self._tab:
            self._tab = tab
            for part in self._parts:
                part.setVisible(not tab)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(0, 0) if self._tab else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0) if self._tab else super().minimumSizeHint()


def _encoded(data: QByteArray) -> str:
    return base64.b64encode(data.data()).decode("ascii")


def _decoded(text: str) -> QByteArray:
    try:
        return QByteArray(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        return QByteArray()
