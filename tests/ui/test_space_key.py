"""Space, held, shows the picture before the edits, unless someone came with the keyboard to what Space presses."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.main_window import MainWindow
from latentlab.ui.map.legend import Legend
from latentlab.ui.panels.attributes import AttributesPanel
from latentlab.ui.panels.image import ImagePanel
from latentlab.ui.panels.training import TrainingPanel
from latentlab.ui.space_key import SpaceKey
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


def left_alone(widget: QWidget) -> bool:
    own = Qt.FindChildOption.FindDirectChildrenOnly
    return len(widget.findChildren(SpaceKey, options=own)) == 1


def test_forms_that_are_made_later_leave_space_too(
    window: MainWindow, attributes: AttributesPanel, qtbot: QtBot
) -> None:
    source = attributes.adding.choose("folder")
    buttons = source.findChildren(QAbstractButton)
    assert buttons
    assert all(map(left_alone, buttons))
    training = window.docks.raise_panel("training")
    assert isinstance(training, TrainingPanel)
    assert training.form is not None
    qtbot.waitUntil(lambda: training.training is not None and training.training.offer is not None)
    deliver()
    training.form.family.setCurrentIndex(training.form.family.findData("dcgan"))
    training.form.family.activated.emit(training.form.family.currentIndex())
    training.form.more.button.setChecked(True)
    fields = [box for box in training.form.findChildren(ChoiceBox) if not box.isEditable()]
    assert len(fields) > 2, "family and recipe, and those of the options"
    assert all(map(left_alone, fields)), "once, however often forms are made"
    legend = window.docks.panels["map"].findChildren(Legend)[0]
    assert all(map(left_alone, legend.entries.values()))


def test_space_after_a_click_on_a_class_shows_the_picture_before(window: MainWindow, qtbot: QtBot) -> None:
    """It would ask for that class again, which changes nothing."""
    bar = image_panel(window).condition
    bar.show_model(("low", "high"), ())
    bar.show()
    assert bar.class_buttons is not None
    button = bar.class_buttons.buttons()[1]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.keyPress(button, Qt.Key.Key_Space)
    assert image_panel(window).before_wanted
    qtbot.keyRelease(button, Qt.Key.Key_Space)


def test_enter_presses_a_button_that_was_reached_with_the_keyboard(window: MainWindow, qtbot: QtBot) -> None:
    """Not one that was clicked, as Space does not either; and a held key presses once."""
    button = image_panel(window).difference_button
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(button, Qt.Key.Key_Return)
    assert button.isChecked()
    held = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "", True)
    QApplication.sendEvent(button, held)
    assert button.isChecked()
    qtbot.keyClick(button, Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)
    assert not button.isChecked()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert button.isChecked()
    qtbot.keyClick(button, Qt.Key.Key_Return)
    assert button.isChecked()
