"""Space, held, shows the picture before the edits, unless someone came with the keyboard to what Space presses."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from latentlab.ui.main_window import MainWindow
from latentlab.ui.panels.attributes import AttributesPanel
from latentlab.ui.panels.image import ImagePanel
from tests.ui.conftest import deliver


@pytest.fixture
def attributes(window: MainWindow) -> AttributesPanel:
    panel = window.docks.raise_panel("attributes")
    assert isinstance(panel, AttributesPanel)
    deliver()
    return panel


def image_panel(window: MainWindow) -> ImagePanel:
    panel = window.docks.panels["image"]
    assert isinstance(panel, ImagePanel)
    return panel


def test_space_shows_the_picture_before_also_after_a_click_in_a_panel(
    window: MainWindow, attributes: AttributesPanel, qtbot: QtBot
) -> None:
    """The list that was clicked would take the attribute off; reached with the keyboard it does."""
    switch = attributes.list.part_rect(0, "switch").center().toPoint()
    qtbot.mouseClick(attributes.list.viewport(), Qt.MouseButton.LeftButton, pos=switch)
    name = next(iter(window.workspace.state.strengths))
    qtbot.keyPress(attributes.list, Qt.Key.Key_Space)
    assert image_panel(window).before_wanted
    assert name in window.workspace.state.strengths
    qtbot.keyRelease(attributes.list, Qt.Key.Key_Space)
    assert not image_panel(window).before_wanted
    qtbot.keyClick(attributes.list, Qt.Key.Key_Home)
    qtbot.keyPress(attributes.list, Qt.Key.Key_Space)
    assert name not in window.workspace.state.strengths
    assert not image_panel(window).before_wanted


def test_space_opens_a_choice_only_for_the_keyboard(
    window: MainWindow, attributes: AttributesPanel, qtbot: QtBot
) -> None:
    choice = attributes.applying.choice
    choice.setFocus(Qt.FocusReason.MouseFocusReason)
    qtbot.mousePress(choice, Qt.MouseButton.LeftButton)
    choice.hidePopup()
    qtbot.keyPress(choice, Qt.Key.Key_Space)
    assert image_panel(window).before_wanted
    assert not choice.view().isVisible()
    qtbot.keyRelease(choice, Qt.Key.Key_Space)
    window.setFocus()
    choice.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyPress(choice, Qt.Key.Key_Space)
    assert choice.view().isVisible()
    choice.hidePopup()
