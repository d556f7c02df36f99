"""The arithmetic panel: slots that average, a typed expression that wins, its mistakes underlined, a live result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from latentlab.core.directions import DirectionSet
from latentlab.core.state import Arithmetic, Group, NamedLatent, with_strength
from latentlab.ui.latent_mime import packed
from latentlab.ui.panels.arithmetic import ArithmeticPanel
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot, follow: Callable[[ArithmeticPanel], None]) -> ArithmeticPanel:
    panel = ArithmeticPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(360, 520)
    panel.show()
    follow(panel)
    return panel


def constant(*values: float) -> list[NamedLatent]:
    return [NamedLatent(np.full(DIM, value, np.float32), f"at {value:g}") for value in values]


def result(panel: ArithmeticPanel) -> np.ndarray:
    (item,) = panel.result.items
    return item.latent


def drop(target: QWidget, latents: list[NamedLatent], checkpoint: str = CHECKPOINT) -> None:
    mime, actions = packed(latents, checkpoint, "z"), Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPointF(5, 5).toPoint(), actions, mime, LEFT, NO_KEY)
    QApplication.sendEvent(target, enter)
    if enter.isAccepted():
        QApplication.sendEvent(target, QDropEvent(QPointF(5, 5), actions, mime, LEFT, NO_KEY))


def test_pictures_dropped_into_the_slots_are_averaged(
    panel: ArithmeticPanel, workspace: Workspace, engine: FakeEngine, settled: Callable[[], None]
) -> None:
    drop(panel.slots["a"].viewport(), constant(1, 3))
    drop(panel.slots["b"].viewport(), constant(5))
    drop(panel.slots["c"].viewport(), constant(10))
    np.testing.assert_allclose(result(panel), 2 - 5 + 10)
    asked = {consumer for consumer, _, lane, _ in engine.requests if lane.name == "VISIBLE"}
    assert "arithmetic/result" in asked
    settled()
    assert panel.result.picture(0) is not None
    assert panel.slots["a"].picture(1) is not None
    assert len(workspace.session._undo) == 3
    workspace.session.undo()
    assert workspace.state.arithmetic.c == ()


def test_the_current_picture_stands_in_for_an_empty_c_and_the_panel_says_so(
    panel: ArithmeticPanel, workspace: Workspace
) -> None:
    panel.add("a", constant(2))
    panel.add("b", constant(1))
    np.testing.assert_allclose(result(panel), workspace.state.latent + 1, rtol=1e-6)
    assert "current picture" in panel.said.text()
    workspace.session.update(with_strength(workspace.state, "Eyeglasses", 1))
    np.testing.assert_allclose(result(panel), workspace.state.latent + 1, rtol=1e-6)


def test_a_sum_without_a_difference_is_no_picture(panel: ArithmeticPanel) -> None:
    panel.add("a", constant(2))
    np.testing.assert_allclose(result(panel), 2)
    panel.add("c", constant(2))
    assert panel.result.items == ()
    assert "into B" in panel.said.text()
    assert not panel.current_button.isEnabled()


def test_slots_take_the_current_picture_lose_one_and_are_cleared(
    panel: ArithmeticPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    panel.add_current("b")
    np.testing.assert_array_equal(workspace.state.arithmetic.b[0].latent, workspace.state.latent)
    panel.add("b", constant(1, 2))
    panel.slots["b"].setFocus()
    qtbot.keyClick(panel.slots["b"], Qt.Key.Key_Delete)
    assert [item.name for item in workspace.state.arithmetic.b] == ["at 1", "at 2"]
    panel.clear("b")
    assert workspace.state.arithmetic.b == ()
    workspace.session.undo()
    assert len(workspace.state.arithmetic.b) == 2


def test_what_does_not_fit_is_refused(panel: ArithmeticPanel, workspace: Workspace) -> None:
    before = workspace.state
    drop(panel.slots["a"].viewport(), constant(1), checkpoint="another")
    drop(panel.slots["a"].viewport(), [NamedLatent(np.zeros(3, np.float32), "short")])
    drop(panel.slots["a"].viewport(), [NamedLatent(np.full(DIM, np.nan, np.float32), "nan")])
    assert workspace.state is before
    assert "no latent of this model's space z" in workspace.notices.log[-1].text


def test_a_typed_expression_wins_and_is_live(panel: ArithmeticPanel, workspace: Workspace, qtbot: QtBot) -> None:
    panel.add("a", constant(7))
    qtbot.keyClicks(panel.expression, "current + 1.5*Eyeglasses - 0.5*Smiling ")
    vector = workspace.state.directions
    wanted = workspace.state.latent + 1.5 * vector["Eyeglasses"].vector - 0.5 * vector["Smiling"].vector
    np.testing.assert_allclose(result(panel), wanted, rtol=1e-6)
    assert panel.expression.error_span is None
    workspace.go_to(np.zeros(DIM, np.float32), "elsewhere")
    np.testing.assert_allclose(result(panel)[:3], [1.5, -0.5, 0], rtol=1e-6)
    panel.expression.clear()
    np.testing.assert_allclose(result(panel), 7)


def test_typing_is_one_undo_step(panel: ArithmeticPanel, workspace: Workspace, qtbot: QtBot) -> None:
    qtbot.keyClicks(panel.expression, "origin ")
    panel.expression.editingFinished.emit()
    assert len(workspace.session._undo) == 1
    workspace.session.undo()
    assert workspace.state.arithmetic.expression == ""
    assert panel.expression.text() == ""


def test_a_mistake_is_underlined_at_its_column_and_said(
    panel: ArithmeticPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    panel.expression.setText("current + 2*Eyglasses")
    assert panel.expression.error_span == (12, 9)
    assert "Did you mean 'Eyeglasses'?" in panel.said.text()
    assert panel.said.property("role") == "danger"
    assert panel.result.items == ()
    panel.expression.setText("current + 2*Eyeglasses")
    assert panel.expression.error_span is None
    assert panel.said.property("role") == "caption"
    panel.expression.setText("Eyeglasses")
    assert "direction" in panel.said.text()


def test_the_underline_is_painted_and_changes_no_text(panel: ArithmeticPanel) -> None:
    panel.expression.setText("current + Nobody")
    marked = panel.expression.grab().toImage()
    panel.expression.underline(None)
    assert panel.expression.grab().toImage() != marked
    assert panel.expression.text() == "current + Nobody"


def test_names_are_completed(panel: ArithmeticPanel, workspace: Workspace, qtbot: QtBot) -> None:
    panel.expression.setFocus()
    qtbot.keyClicks(panel.expression, "current + Ey")
    assert panel.expression.offered[0] == "Eyeglasses"
    assert panel.expression.error_span is None  # a name that is being completed is no mistake yet
    qtbot.keyClick(panel.expression._popup, Qt.Key.Key_Return)  # the popup has the keyboard
    assert panel.expression.text() == "current + Eyeglasses"
    assert panel.expression.offered == []
    assert workspace.state.arithmetic.expression == "current + Eyeglasses"
    assert workspace.state.name == "#0"


def test_a_name_that_is_not_completed_is_a_mistake(panel: ArithmeticPanel, qtbot: QtBot) -> None:
    panel.expression.setFocus()
    qtbot.keyClicks(panel.expression, "current + Ey")
    qtbot.keyClick(panel.expression._popup, Qt.Key.Key_Escape)
    assert panel.expression.error_span == (10, 2)
    assert "'Ey'" in panel.said.text()


def test_groups_and_encodings_have_names(panel: ArithmeticPanel, workspace: Workspace) -> None:
    workspace.change("Select", groups=(Group("left", np.array([1, 2, 3])),))
    panel.expression.setText("mean(group left) - #4 + #5")
    latents = workspace.opened.encodings.latents
    np.testing.assert_allclose(result(panel), latents[1:4].mean(0) - latents[4] + latents[5], rtol=1e-5)


@pytest.mark.parametrize("way", ["button", "click", "enter"])
def test_the_result_becomes_the_current_picture(
    panel: ArithmeticPanel, workspace: Workspace, qtbot: QtBot, way: str
) -> None:
    panel.expression.setText("2*Smiling + #9")
    wanted = result(panel)
    if way == "button":
        panel.current_button.click()
    elif way == "click":
        QTest.mouseClick(panel.result.viewport(), LEFT, NO_KEY, panel.result.rect_of(0).center().toPoint())
    else:
        qtbot.keyClick(panel.expression, Qt.Key.Key_Return)
    np.testing.assert_array_equal(workspace.state.latent, wanted)
    assert workspace.state.name == "2*Smiling + #9"


def test_drawing_any_state_writes_nothing_back(panel: ArithmeticPanel, workspace: Workspace) -> None:
    before = workspace.state
    old = before
    for slots in (
        Arithmetic(expression="1 +"),
        Arithmetic(expression="current"),
        Arithmetic(a=tuple(constant(*range(40))), b=tuple(constant(1))),
        Arithmetic(),
    ):
        new = replace(before, arithmetic=slots)
        panel.show_state(new, old)
        panel.grab()
        old = new
    assert workspace.state is before
    assert workspace.session.undo_label == ""


def test_an_empty_panel_says_what_it_is_for(panel: ArithmeticPanel) -> None:
    assert "Drop pictures" in panel.said.text()
    assert "drop" in panel.slots["a"].hint


@pytest.mark.parametrize("names", [(), ("Bald",), ("T-shirt/top", "0", "Hat"), ("Grey_Hair", "left side")])
def test_the_example_in_the_empty_field_works_with_this_model(
    panel: ArithmeticPanel, workspace: Workspace, names: tuple[str, ...]
) -> None:
    some = next(iter(workspace.state.directions.values()))
    workspace.change("Other attributes", directions=DirectionSet(replace(some, name=name) for name in names))
    panel.expression.setText(panel.expression.placeholderText())
    assert not panel.expression.error_span
    assert result(panel).shape == (DIM,)
    assert all(name in panel.expression.text() for name in names[:2])
