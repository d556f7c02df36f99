"""Where the panels lie, and that they keep their shares of the window."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from latentlab.ui.docks import BOTTOM_SHARE, SHARES
from latentlab.ui.main_window import MainWindow


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


def test_reset_gives_the_columns_their_shares_again(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1600, 900)
    window.docks.docks["image"].close()
    window.docks.reset()
    qtbot.waitUntil(lambda: shares(window)["centre"] == pytest.approx(SHARES["centre"], abs=0.06))


def test_the_map_hears_the_keyboard_first(window: MainWindow) -> None:
    window.docks.focus_first()
    assert window.focusWidget() is window.docks.panels["map"].focusProxy()
    window.docks.docks["image"].widget().setFocus()
    window.docks.docks["map"].hide()
    window.docks.focus_first()
    assert window.focusWidget() is window.docks.panels["image"]


def test_no_button_of_a_title_takes_the_keyboard(window: MainWindow) -> None:
    assert window.focusWidget() is None or not window.focusWidget().toolTip().startswith("Close")
