"""Where the panels lie, and that they keep their shares of the window."""

from __future__ import annotations

import base64
import sys
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QComboBox, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from latentlab.core.registry import PANELS, Entry, Registry
from latentlab.core.state import Group
from latentlab.ui import docks
from latentlab.ui.docks import BOTTOM_SHARE, LAYOUT_VERSION, SHARES
from latentlab.ui.main_window import MainWindow
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import deliver


def shares(window: MainWindow) -> dict[str, float]:
    docks = window.docks.docks
    return {
        "left": docks["map"].width() / window.width(),
        "centre": docks["image"].width() / window.width(),
        "bottom": docks["walk"].height() / window.height(),
    }


def test_a_window_that_grows_keeps_the_shares(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 800)
    window.docks.balance()
    wanted = {"left": SHARES["left"], "centre": SHARES["centre"], "bottom": BOTTOM_SHARE}
    qtbot.waitUntil(lambda: window.docks._size == window.size())
    window.resize(2400, 1400)
    qtbot.waitUntil(lambda: shares(window) == pytest.approx(wanted, abs=0.06))


def resized(window: MainWindow, qtbot: QtBot, width: int, height: int) -> dict[str, float]:
    window.resize(width, height)
    qtbot.waitUntil(lambda: window.docks._size == window.size())
    deliver()
    return shares(window)


def test_the_shares_come_back_after_windows_of_other_sizes(window: MainWindow, qtbot: QtBot) -> None:
    """Also after one that is too small for them: full screen and back, nothing has moved."""
    before = resized(window, qtbot, 1280, 800)
    window.docks.reset()
    deliver()
    assert shares(window) == pytest.approx(before, abs=0.02), "as the window first opened"
    for width, height in ((2560, 1440), (1024, 700), (1400, 960)):
        resized(window, qtbot, width, height)
        assert resized(window, qtbot, 1280, 800) == pytest.approx(before, abs=0.02)


def test_a_separator_that_was_moved_makes_other_shares(window: MainWindow, qtbot: QtBot) -> None:
    before = resized(window, qtbot, 1280, 800)
    left = window.docks.docks["map"].geometry()
    start, end = QPoint(left.right() + 3, left.center().y()), QPoint(left.right() + 163, left.center().y())
    qtbot.mousePress(window, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(window, end)
    qtbot.waitUntil(lambda: shares(window)["left"] > before["left"] + 0.05)
    qtbot.mouseRelease(window, Qt.MouseButton.LeftButton, pos=end)
    wider = shares(window)
    resized(window, qtbot, 2000, 1200)
    assert resized(window, qtbot, 1280, 800) == pytest.approx(wider, abs=0.02)


def test_a_remembered_layout_keeps_its_shares(workspace: Workspace, qtbot: QtBot) -> None:
    first = MainWindow(workspace)
    qtbot.addWidget(first)
    first.show()
    resized(first, qtbot, 1280, 800)
    docks = [first.docks.docks[key] for key in ("map", "walk")]
    first.resizeDocks(docks, [330, 330], Qt.Orientation.Vertical)
    qtbot.waitUntil(lambda: shares(first)["bottom"] > 0.35)
    wanted = shares(first)
    first.docks.remember()
    second = MainWindow(workspace)
    qtbot.addWidget(second)
    second.show()
    qtbot.waitUntil(lambda: second.docks._size == second.size())
    assert shares(second) == pytest.approx(wanted, abs=0.02)
    resized(second, qtbot, 2000, 1200)
    assert resized(second, qtbot, 1280, 800) == pytest.approx(wanted, abs=0.02)


def test_reset_gives_the_columns_their_shares_again(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1600, 900)
    window.docks.docks["image"].close()
    window.docks.reset()
    qtbot.waitUntil(lambda: shares(window)["centre"] == pytest.approx(SHARES["centre"], abs=0.06))


def test_the_map_hears_the_keyboard_first(window: MainWindow) -> None:
    window.docks.focus_first()
    assert window.focusWidget() is window.docks.panels["map"].first_focus
    window.docks.docks["image"].widget().setFocus()
    window.docks.docks["map"].hide()
    window.docks.focus_first()
    assert window.focusWidget() is window.docks.panels["image"]


def test_tab_goes_to_everything_in_the_panels_one_sees(window: MainWindow, qtbot: QtBot) -> None:
    """Also to what stands before the map, or before the list, that the keyboard begins in."""
    for key in ("walk", "samples", "attributes"):
        window.docks.raise_panel(key)
    window.workspace.change("Select", groups=(Group("some", np.array([3, 5, 8])),))  # makes the legend anew
    deliver()
    wanted = {
        widget
        for panel in window.docks.visible()
        for widget in panel.findChildren(QWidget)
        if isinstance(widget, QComboBox | QAbstractButton | QAbstractSpinBox)
        and widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    }
    assert {"Projection of the map", "Interpolation", "Seed"} <= {widget.accessibleName() for widget in wanted}
    window.docks.focus_first()
    order: list[QWidget] = []
    while (here := window.focusWidget()) not in order:
        assert here is not None
        order.append(here)
        qtbot.keyClick(here, Qt.Key.Key_Tab)
    assert not {widget.accessibleName() for widget in wanted - set(order)}
    names = [widget.accessibleName() for widget in order]
    legend = next(i for i, name in enumerate(names) if name.endswith("15 encodings"))
    assert legend < names.index("Copy picture (Ctrl+C)"), "the legend is the map's, the picture comes after"


def test_no_button_of_a_title_takes_the_keyboard(window: MainWindow) -> None:
    assert window.focusWidget() is None or not window.focusWidget().toolTip().startswith("Close")


def test_the_shares_are_kept_whichever_tab_is_in_front(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 800)
    window.docks.balance()
    window.docks.raise_panel("sliders")
    qtbot.waitUntil(lambda: window.docks.panels["sliders"] in window.docks.visible())
    assert window.docks._rows()[0][2] is window.docks.docks["sliders"]
    qtbot.waitUntil(lambda: window.docks._size == window.size())
    window.resize(2400, 1400)
    wanted = {"left": SHARES["left"], "centre": SHARES["centre"], "bottom": BOTTOM_SHARE}
    qtbot.waitUntil(lambda: shares(window) == pytest.approx(wanted, abs=0.06))


@pytest.mark.parametrize("frame", [QRect(-9000, -9000, 900, 700), QRect(0, 0, 30_000, 20_000)], ids=["away", "huge"])
def test_a_window_of_a_screen_that_is_gone_comes_back(workspace: Workspace, qtbot: QtBot, frame: QRect) -> None:
    first = MainWindow(workspace)
    qtbot.addWidget(first)
    first.setGeometry(frame)
    workspace.settings.window_geometry = base64.b64encode(first.saveGeometry().data()).decode()
    second = MainWindow(workspace)
    qtbot.addWidget(second)
    with qtbot.waitExposed(second):
        second.show()
    screen = second.screen().availableGeometry()
    assert screen.intersects(second.geometry().adjusted(40, 0, -40, -40)), "enough of it to take hold of"
    assert second.width() <= screen.width()
    assert second.height() <= screen.height()


def test_a_panel_that_is_added_or_moved_makes_another_arrangement() -> None:
    """Else a layout that was remembered without it would leave it a sliver of the window."""
    added = Registry("panel", *PANELS.values(), Entry("notes", "Notes", "notes:Notes", "bottom"))
    moved = Registry("panel", *(replace(entry, area="right") for entry in PANELS.values()))
    versions = [docks.layout_version(panels) for panels in (PANELS, added, moved)]
    assert len(set(versions)) == 3
    assert all(0 <= version < 2**31 for version in versions)
    assert docks.layout_version(PANELS) == LAYOUT_VERSION


def test_a_layout_of_another_arrangement_is_not_restored(workspace: Workspace, qtbot: QtBot) -> None:
    """Places that were saved when there were fewer panels would leave the new ones anywhere."""
    first = MainWindow(workspace)
    qtbot.addWidget(first)
    older = first.saveState(LAYOUT_VERSION - 1)
    workspace.settings.window_layout = base64.b64encode(older.data()).decode()
    first.docks.docks["image"].close()
    second = MainWindow(workspace)
    qtbot.addWidget(second)
    assert all(not dock.isHidden() for dock in second.docks.docks.values())


@pytest.fixture
def imported(window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the docks import once all that can be seen is there: two modules of each panel, of which one is broken."""
    window.docks.fill()
    qtbot.waitUntil(lambda: window.docks._ahead.isActive() and not window.docks._waiting)
    names: list[str] = []

    def imports(name: str) -> None:
        names.append(name)
        if name.endswith("b"):
            raise ImportError("a panel that cannot be read is reported when somebody wants to see it")

    window.docks._code.clear()
    monkeypatch.setattr(docks, "_unread", lambda entry: iter([f"{entry.key} a", f"{entry.key} b"]))
    monkeypatch.setattr(docks, "import_module", imports)
    return names


def test_the_code_of_panels_behind_tabs_is_read_once_all_that_can_be_seen_is_there(
    window: MainWindow, qtbot: QtBot, imported: list[str]
) -> None:
    qtbot.waitUntil(lambda: not window.docks._ahead.isActive())
    hidden = [key for key in PANELS if key not in window.docks.panels]
    assert len(hidden) > 3
    assert imported == [f"{key} {part}" for key in hidden for part in "ab"]


def test_a_panel_is_made_in_one_turn_and_placed_in_the_next(
    workspace: Workspace, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both at once held the window up for 50 ms; a dock that is closed between them gets its panel when it opens."""
    monkeypatch.setattr(docks, "_unread", lambda _entry: iter(()))
    window = MainWindow(workspace)
    qtbot.addWidget(window)
    window.docks._filling = True  # no turns but those taken here
    window.show()
    waiting = window.docks._waiting
    waiting[:] = ["attributes"]
    window.docks._visible.add("attributes")
    dock = window.docks.docks["attributes"]
    window.docks._make_next()
    assert "attributes" in window.docks.panels
    assert dock.widget() is None
    window.docks._on_visible("attributes", False)
    window.docks._make_next()
    assert dock.widget() is None
    assert not waiting
    window.docks._on_visible("attributes", True)
    assert waiting == ["attributes"]
    window.docks._make_next()
    assert dock.widget() is window.docks.panels["attributes"]


def test_no_code_is_read_during_a_drag(
    window: MainWindow, qtbot: QtBot, imported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed = [Qt.MouseButton.LeftButton]
    monkeypatch.setattr(QGuiApplication, "mouseButtons", lambda: pressed[0])
    imported.clear()  # on a busy machine the first turn may have come before the button went down
    window.docks._read_ahead()
    assert not imported
    pressed[0] = Qt.MouseButton.NoButton
    qtbot.waitUntil(lambda: bool(imported))


def test_the_modules_of_a_panel_are_those_of_its_package_and_its_own_last(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("latentlab.ui.compare.figures_page", "latentlab.ui.compare.pair", "latentlab.ui.panels.compare"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    *parts, own = docks._unread(PANELS["compare"])
    assert own == "latentlab.ui.panels.compare"
    assert {"latentlab.ui.compare.figures_page", "latentlab.ui.compare.pair"} <= set(parts)
    assert not set(parts) & set(sys.modules), "what is there already is not read again"
    monkeypatch.delitem(sys.modules, "latentlab.ui.training.curves", raising=False)
    assert "latentlab.ui.training.curves" not in docks._unread(PANELS["training"]), "it imports pyqtgraph"
    monkeypatch.delitem(sys.modules, "latentlab.ui.panels.walk", raising=False)
    assert list(docks._unread(PANELS["walk"])) == ["latentlab.ui.panels.walk"]


def test_the_tab_bars_of_the_docks_are_named_for_what_they_switch_between(window: MainWindow) -> None:
    def names() -> set[str]:
        deliver()
        bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return {bar.accessibleName() for bar in bars if bar.isVisible()}

    assert names() == {
        "Panels: Map, Training",
        "Panels: Image, Compare, Quality",
        "Panels: Attributes, Sliders, Arithmetic",
    }
    window.docks.docks["quality"].setFloating(True)
    assert "Panels: Image, Compare" in names()


def test_a_click_on_a_tab_takes_the_keyboard_from_the_panel_behind_it(window: MainWindow) -> None:
    """Else the arrow keys would go on moving a slider that nobody sees."""
    window.activateWindow()
    window.docks.panel("attributes")
    sliders = window.docks.raise_panel("sliders")
    deliver()
    assert sliders is not None
    assert sliders.isAncestorOf(QApplication.focusWidget())
    before = window.workspace.state
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    (bar,) = (bar for bar in bars if "Sliders" in {bar.tabText(i) for i in range(bar.count())})
    attributes = next(i for i in range(bar.count()) if bar.tabText(i) == "Attributes")
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(attributes).center())
    deliver()
    QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Right)
    assert window.workspace.state is before
    QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
    assert window.docks.panels["attributes"].isAncestorOf(QApplication.focusWidget())
