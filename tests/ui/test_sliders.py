"""The sliders panel: what a person does with it, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from latentlab.core.session import Session
from latentlab.core.state import NO_STRENGTHS, State, at, with_strength
from latentlab.ui.panels.sliders import SlidersPanel
from latentlab.ui.sliders.list import SliderList
from latentlab.ui.sliders.track import Track
from latentlab.ui.workspace import OpenedModel, Workspace
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine, some_info

Follow = Callable[[SlidersPanel], None]


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot, follow: Follow) -> SlidersPanel:
    panel = SlidersPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(360, 480)
    panel.show()
    follow(panel)
    return panel


def undo_steps(session: Session) -> int:
    return len(session._undo)


def drag(sliders: SliderList, row: int, *values: float) -> None:
    viewport = sliders.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, sliders.handle_position(row))
    for value in values:
        QTest.mouseMove(viewport, sliders.position_of(row, value))
    end = sliders.position_of(row, values[-1])
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)


def click(sliders: SliderList, row: int, part: str) -> None:
    where = sliders.part_rect(row, part).center().toPoint()
    QTest.mouseClick(sliders.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)


def test_a_track_takes_positions_to_values_and_back() -> None:
    track = Track(10, 110, -2, 2)
    assert track.value_at(60) == 0
    assert track.x_of(2) == 110
    assert track.value_at(track.x_of(1.5)) == pytest.approx(1.5)
    assert track.value_at(500) == 2
    assert track.x_of(-9) == 10
    assert track.snapped(61.5, (0.0,)) == 0
    assert Track(0, 0, 1, 1).x_of(3) == 0


def test_dragging_a_slider_moves_one_dimension_in_one_undo_step(panel: SlidersPanel, workspace: Workspace) -> None:
    before = workspace.state.latent
    drag(panel.list, 0, -1.0, 0.5, 2.0)
    after = workspace.state.latent
    assert after[0] == pytest.approx(2.0, abs=0.1)
    np.testing.assert_array_equal(after[1:], before[1:])
    assert undo_steps(workspace.session) == 1
    assert workspace.session.undo_label == "Move dim 1"
    workspace.session.undo()
    np.testing.assert_array_equal(workspace.state.latent, before)


def test_the_most_informative_dimension_comes_first(panel: SlidersPanel, workspace: Workspace) -> None:
    encodings = replace(workspace.opened.encodings, kl_per_dimension=np.arange(DIM, dtype=np.float32))
    workspace.opened.encodings = encodings
    panel.show_model()
    panel.show_state(workspace.state, None)
    assert [panel.list.row(row).title for row in range(DIM)] == [f"dim {i}" for i in range(DIM, 0, -1)]


def test_a_slider_shows_the_shown_latent_and_moving_it_keeps_the_edits(
    panel: SlidersPanel, workspace: Workspace
) -> None:
    workspace.session.update(with_strength(workspace.state, "Eyeglasses", 1.5))  # along dimension 1
    shown = float(workspace.state.latent[0])
    assert panel.list.row(0).value == pytest.approx(shown)
    panel.list.typed.emit(0, 0.25)
    assert workspace.state.latent[0] == pytest.approx(0.25)
    assert workspace.state.strengths["Eyeglasses"] == 1.5


def test_components_move_in_sigmas_and_leave_the_other_components(panel: SlidersPanel, workspace: Workspace) -> None:
    panel.basis_choice.setCurrentIndex(1)
    panel.basis_choice.activated.emit(1)
    pca = workspace.opened.encodings.principal

    def sigmas() -> np.ndarray:
        return pca.transform(workspace.state.latent[None])[0] / pca.sigma

    before = sigmas()
    drag(panel.list, 2, 0.0, 2.5)
    after = sigmas()
    assert after[2] == pytest.approx(2.5, abs=0.1)
    np.testing.assert_allclose(np.delete(after, 2), np.delete(before, 2), atol=1e-4)
    assert panel.list.row(2).unit == "σ"
    assert (panel.list.row(2).low, panel.list.row(2).high) == (-3, 3)


def test_double_click_resets_one_slider_exactly(panel: SlidersPanel, workspace: Workspace) -> None:
    drag(panel.list, 0, 2.0)
    drag(panel.list, 1, -2.0)
    moved = float(workspace.state.base[0])
    rail = panel.list.part_rect(1, "rail").center().toPoint()
    QTest.mouseDClick(panel.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, rail)
    QTest.mouseRelease(panel.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, rail)
    assert workspace.state.base[1] == workspace.state.origin[1]
    assert workspace.state.base[0] == moved


def test_a_locked_slider_stays_through_drag_randomise_and_reset(panel: SlidersPanel, workspace: Workspace) -> None:
    drag(panel.list, 0, 2.0)
    kept = float(workspace.state.latent[0])
    click(panel.list, 0, "lock")
    assert workspace.state.sliders.locked == {0}
    drag(panel.list, 0, -2.0)
    panel.randomise_button.click()
    panel.reset_button.click()
    panel.randomise_button.click()
    assert workspace.state.latent[0] == kept
    assert not np.array_equal(workspace.state.latent[1:], workspace.state.origin[1:])
    click(panel.list, 0, "lock")
    drag(panel.list, 0, -2.0)
    assert workspace.state.latent[0] == pytest.approx(-2.0, abs=0.1)


def test_reset_all_goes_back_to_where_the_picture_began(panel: SlidersPanel, workspace: Workspace) -> None:
    panel.randomise_button.click()
    panel.reset_button.click()
    np.testing.assert_array_equal(workspace.state.base, workspace.state.origin)


def test_a_name_is_given_by_typing_and_found_by_the_filter(
    panel: SlidersPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    panel.list.edit_title(3)
    qtbot.keyClicks(panel.list.editor, "hair length")
    qtbot.keyClick(panel.list.editor, Qt.Key.Key_Return)
    assert workspace.state.sliders.names == {3: "hair length"}
    assert not panel.list.editor.isVisible()  # Enter took the name and did not go on to the number
    panel.list.go_to_row(3)
    assert panel.ends.accessibleDescription().startswith("hair length, from ")
    panel.list.edit_title(3)
    panel.list.editor.setText("beard")
    qtbot.keyClick(panel.list.editor, Qt.Key.Key_Return)
    assert panel.ends.accessibleDescription().startswith("beard, from ")
    workspace.session.undo()
    qtbot.keyClicks(panel.filter_box, "hair")
    assert len(panel.list) == 1
    assert panel.list.row(0).title == "hair length"
    drag(panel.list, 0, 1.0)
    assert workspace.state.latent[3] == pytest.approx(1.0, abs=0.1)
    panel.filter_box.setText("8")
    assert [panel.list.row(row).title for row in range(len(panel.list))] == ["dim 8"]


def test_names_and_locks_of_one_basis_do_not_touch_the_other(panel: SlidersPanel, workspace: Workspace) -> None:
    click(panel.list, 0, "lock")
    panel.list.go_to_row(0)
    assert panel.ends.accessibleDescription().startswith("dim ")
    panel.basis_choice.activated.emit(1)
    assert not panel.ends.accessibleDescription()  # the ends of a dimension are not those of a component
    panel.list.go_to_row(0)
    assert panel.ends.accessibleDescription().startswith("PC 1, from ")
    assert not panel.list.row(0).locked
    panel.basis_choice.activated.emit(0)
    assert panel.list.row(0).locked


def test_a_number_is_typed_into_the_field(panel: SlidersPanel, workspace: Workspace, qtbot: QtBot) -> None:
    click(panel.list, 2, "number")
    panel.list.editor.setText("−1,25")
    qtbot.keyClick(panel.list.editor, Qt.Key.Key_Return)
    assert workspace.state.latent[2] == pytest.approx(-1.25)
    before = workspace.state
    click(panel.list, 2, "number")
    panel.list.editor.setText("nan")
    qtbot.keyClick(panel.list.editor, Qt.Key.Key_Return)
    assert workspace.state is before


def test_escape_leaves_the_number_as_it_was(panel: SlidersPanel, workspace: Workspace, qtbot: QtBot) -> None:
    before = workspace.state
    click(panel.list, 2, "number")
    panel.list.editor.setText("5")
    qtbot.keyClick(panel.list.editor, Qt.Key.Key_Escape)
    assert not panel.list.editor.isVisible()
    assert workspace.state is before


def test_keys_step_and_neighbouring_steps_are_one_undo_step(
    panel: SlidersPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    before = workspace.state
    panel.list.setFocus()
    qtbot.keyClick(panel.list, Qt.Key.Key_Down)
    for _ in range(5):
        qtbot.keyClick(panel.list, Qt.Key.Key_Right)
    low, high = panel.list.row(1).low, panel.list.row(1).high
    assert workspace.state.latent[1] - before.latent[1] == pytest.approx(0.05 * (high - low), rel=1e-3)
    qtbot.keyClick(panel.list, Qt.Key.Key_L)
    assert workspace.state.sliders.locked == {1}
    workspace.session.undo()
    workspace.session.undo()
    assert workspace.state is before


def test_a_pause_after_a_key_ends_its_step_and_nobody_elses(panel: SlidersPanel, workspace: Workspace) -> None:
    panel.list.stepped.emit(0, 1.0)
    workspace.session.begin("Drag on the map")
    panel._steps.finish()
    assert workspace.session.open_gesture == "Drag on the map"


def test_pointing_at_a_slider_asks_for_the_pictures_at_its_ends(
    panel: SlidersPanel, workspace: Workspace, engine: FakeEngine, settled: Callable[[], None]
) -> None:
    QTest.mouseMove(panel.list.viewport(), panel.list.part_rect(4, "rail").center().toPoint())
    consumer, request, lane, _ = engine.requests[-1]
    assert (consumer, lane.name) == ("sliders/ends", "VISIBLE")
    row = panel.list.row(4)
    np.testing.assert_allclose(request.latents[:, 4], [row.low, row.high], rtol=1e-6)
    np.testing.assert_array_equal(np.delete(request.latents, 4, 1)[0], np.delete(workspace.state.latent, 4))
    settled()
    assert panel.ends._pictures is not None
    end = panel.ends.picture_rect(1).center().toPoint()
    QTest.mouseClick(panel.ends, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    assert workspace.state.latent[4] == pytest.approx(row.high)


def test_ranges_reach_as_far_as_the_data(panel: SlidersPanel, workspace: Workspace) -> None:
    latents = np.random.default_rng(0).standard_normal((500, DIM)).astype(np.float32) * 20
    workspace.opened.encodings = replace(workspace.opened.encodings, latents=latents)
    panel.show_model()
    panel.show_state(workspace.state, None)
    least, most = np.percentile(latents[:, 0], (0.5, 99.5))
    assert panel.list.row(0).low <= least
    assert panel.list.row(0).high >= most
    assert panel.list.row(0).high < 4 * most


def test_drawing_any_state_writes_nothing_back(panel: SlidersPanel, workspace: Workspace) -> None:
    before, steps = workspace.state, undo_steps(workspace.session)
    states = [
        with_strength(before, "Smiling", 2),
        at(before, np.full(DIM, 99, np.float32), "far away"),
        replace(before, sliders=replace(before.sliders, basis="components", locked=frozenset({0, 999}))),
        replace(before, strengths=NO_STRENGTHS),
    ]
    old = before
    for state in states:
        panel.show_state(state, old)
        panel.grab()
        old = state
    assert workspace.state is before
    assert undo_steps(workspace.session) == steps


def test_without_encodings_there_are_dimensions_only(panel: SlidersPanel, workspace: Workspace) -> None:
    workspace.opened.encodings = None
    panel.show_model()
    panel.show_state(workspace.state, None)
    assert len(panel.list) == DIM
    assert panel.list.row(0).high == 3
    assert "encode a folder" in panel._components_reason()


def test_a_hundred_thousand_dimensions_make_no_widgets_and_stay_fluid(
    workspace: Workspace, qtbot: QtBot, follow: Follow
) -> None:
    dim = 100_000
    place = np.zeros(dim, np.float32)
    workspace.opened = OpenedModel(some_info(dim), None)
    workspace.session.restart(State(origin=place, base=place, checkpoint=CHECKPOINT))
    panel = SlidersPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(360, 480)
    panel.show()
    follow(panel)
    assert len(panel.list) == dim
    assert len(panel.findChildren(QWidget)) < 40
    panel.list.go_to_row(dim - 1)
    drag(panel.list, dim - 1, 1.5)
    assert workspace.state.latent[-1] == pytest.approx(1.5, abs=0.1)


def test_hovering_does_not_keep_the_cursor_outside(panel: SlidersPanel) -> None:
    QTest.mouseMove(panel.list.viewport(), panel.list.part_rect(0, "number").center().toPoint())
    assert panel.list.viewport().cursor().shape() == Qt.CursorShape.IBeamCursor
    QTest.mouseMove(panel.list.viewport(), QPoint(1, panel.list.rect_of(DIM - 1).bottom() + 20))
    assert panel.list.viewport().cursor().shape() == Qt.CursorShape.ArrowCursor


def test_components_that_are_not_stored_are_computed_beside_the_window(
    panel: SlidersPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    workspace.opened.encodings = replace(workspace.opened.encodings, pca=None)
    panel.show_model()
    panel.show_state(workspace.state, None)
    panel.basis_choice.activated.emit(1)
    assert "being computed" in panel.list.hint
    qtbot.waitUntil(lambda: len(panel.list) == DIM)
    assert panel.list.row(0).title == "PC 1"


def test_components_of_too_many_dimensions_are_refused_in_words(panel: SlidersPanel, workspace: Workspace) -> None:
    wide = np.zeros((3, 5000), np.float32)
    workspace.opened.encodings = replace(workspace.opened.encodings, latents=wide, pca=None)
    panel.show_model()
    assert "5,000 dimensions" in panel._components_reason()


def test_escape_during_a_drag_goes_back(panel: SlidersPanel, workspace: Workspace, qtbot: QtBot) -> None:
    before, sliders = workspace.state, panel.list
    no_key = Qt.KeyboardModifier.NoModifier
    QTest.mousePress(sliders.viewport(), Qt.MouseButton.LeftButton, no_key, sliders.handle_position(0))
    QTest.mouseMove(sliders.viewport(), sliders.position_of(0, 2.0))
    assert workspace.state is not before
    qtbot.keyClick(sliders, Qt.Key.Key_Escape)
    assert workspace.state is before
    QTest.mouseMove(sliders.viewport(), sliders.position_of(0, -2.0))
    QTest.mouseRelease(sliders.viewport(), Qt.MouseButton.LeftButton, no_key, sliders.position_of(0, -2.0))
    assert workspace.state is before
    assert undo_steps(workspace.session) == 0
