"""What a conditional model is asked for, above the picture: by mouse, by keyboard, undone in one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from latentlab.core.condition import Condition
from latentlab.core.latent_model import ImageShape
from latentlab.ui.condition_bar import ConditionBar
from latentlab.ui.panel import Panel
from latentlab.ui.panels.image import ImagePanel
from latentlab.ui.workspace import OpenedModel, Workspace
from tests.ui.conftest import some_info

Follow = Callable[[Panel], None]


@pytest.fixture
def conditional(workspace: Workspace, follow: Follow, qtbot: QtBot) -> ImagePanel:
    """A model that is asked for one of two classes and for two attributes."""
    info = some_info(
        conditional=("shirt", "shoe"), conditional_attributes=("Striped", "Old"), image=ImageShape(8, 8, 3)
    )
    workspace.opened = OpenedModel(info, workspace.opened.encodings)
    workspace.session.restart(replace(workspace.state, condition=Condition(0, (0.5, 1.0))))
    panel = ImagePanel(workspace)
    qtbot.addWidget(panel)
    follow(panel)
    return panel


def class_shown(panel: ImagePanel) -> str:
    assert panel.condition.class_buttons is not None
    button = panel.condition.class_buttons.checkedButton()
    return "" if button is None else button.text()


def test_one_click_asks_for_another_class(conditional: ImagePanel, workspace: Workspace, qtbot: QtBot) -> None:
    assert not conditional.condition.isHidden()
    assert class_shown(conditional) == "shirt"
    assert conditional.condition.class_buttons is not None
    qtbot.mouseClick(conditional.condition.class_buttons.button(1), Qt.MouseButton.LeftButton)
    assert workspace.state.condition == Condition(1, (0.5, 1.0))
    assert workspace.session.undo_label == "Class shoe"
    workspace.session.undo()
    assert class_shown(conditional) == "shirt"


def test_the_keys_for_the_next_and_the_previous_class(conditional: ImagePanel, workspace: Workspace) -> None:
    conditional.previous_class()
    assert (class_shown(conditional), workspace.state.condition) == ("shoe", Condition(1, (0.5, 1.0)))
    conditional.next_class()
    assert class_shown(conditional) == "shirt"


def test_a_switch_asks_with_without_or_leaves_open(conditional: ImagePanel, workspace: Workspace, qtbot: QtBot) -> None:
    striped, old = conditional.condition.switches
    assert (striped.checkState(), old.checkState()) == (Qt.CheckState.PartiallyChecked, Qt.CheckState.Checked)
    assert old.accessibleName() == "Old"
    qtbot.keyClick(striped, Qt.Key.Key_Space)
    assert workspace.state.condition == Condition(0, (1.0, 1.0))
    assert workspace.session.undo_label == "With Striped"
    qtbot.keyClick(striped, Qt.Key.Key_Space)
    assert workspace.state.condition == Condition(0, (0.0, 1.0))
    assert workspace.session.undo_label == "Without Striped"
    workspace.session.undo()
    workspace.session.undo()
    assert striped.checkState() == Qt.CheckState.PartiallyChecked


def test_a_condition_that_does_not_fit_is_shown_as_open(conditional: ImagePanel, workspace: Workspace) -> None:
    workspace.change("from a session", condition=Condition(9, (1.0,)))
    assert class_shown(conditional) == ""
    assert all(switch.checkState() == Qt.CheckState.PartiallyChecked for switch in conditional.condition.switches)


def test_many_classes_are_a_list(workspace: Workspace, follow: Follow, qtbot: QtBot) -> None:
    info = some_info(conditional=tuple(f"class {i}" for i in range(40)), image=ImageShape(8, 8, 3))
    workspace.opened = OpenedModel(info, workspace.opened.encodings)
    workspace.session.restart(replace(workspace.state, condition=Condition(7)))
    panel = ImagePanel(workspace)
    qtbot.addWidget(panel)
    follow(panel)
    classes = panel.condition.class_list
    assert classes is not None
    assert classes.currentText() == "class 7"
    classes.setFocus()
    qtbot.keyClick(classes, Qt.Key.Key_Down)
    assert workspace.state.condition == Condition(8)
    workspace.change("any", condition=Condition())
    assert classes.currentIndex() == -1


def test_nothing_is_asked_of_a_model_that_takes_no_condition(
    workspace: Workspace, follow: Follow, qtbot: QtBot
) -> None:
    panel = ImagePanel(workspace)
    qtbot.addWidget(panel)
    follow(panel)
    assert panel.condition.isHidden()
    panel.next_class()
    assert "conditional" in workspace.notices.shown[-1].text
    assert workspace.state.condition is None


def test_names_longer_than_the_bar_keep_their_beginning_and_their_end(qtbot: QtBot) -> None:
    """They often differ in the last letters, which were cut off; the whole of each stands in its tooltip."""
    names = [f"Wearing_a_wide_brimmed_hat_number_{number}" for number in (1, 2)]
    bar = ConditionBar()
    qtbot.addWidget(bar)
    bar.show_model((), names)
    bar.resize(160, 90)
    with qtbot.waitExposed(bar):
        bar.show()
    for number, (switch, name) in enumerate(zip(bar.switches, names, strict=True), 1):
        assert switch.text().startswith("Wear")
        assert switch.text().endswith(str(number))
        assert switch.sizeHint().width() <= bar.viewport().width()
        assert name in switch.toolTip()
    bar.resize(600, 90)
    assert [switch.text() for switch in bar.switches] == [name.replace("_", " ") for name in names]
