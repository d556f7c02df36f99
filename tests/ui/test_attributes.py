"""The attributes panel: one click puts glasses on, locks keep, directions are made, fitted, kept and shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from latentlab.core import refitting
from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.requests import Done
from latentlab.core.state import Group, with_strength
from latentlab.ui.directions.selection import FromSelection
from latentlab.ui.elided_label import fitting
from latentlab.ui.panels.attributes import AttributesPanel
from latentlab.ui.sliders.row import tip_of
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine, FakeJobs

NO_KEY = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot, follow: Callable[[AttributesPanel], None]) -> AttributesPanel:
    panel = AttributesPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(360, 560)
    panel.show()
    follow(panel)
    return panel


def click(panel: AttributesPanel, row: int, part: str) -> None:
    QTest.mouseClick(panel.list.viewport(), LEFT, NO_KEY, panel.list.part_rect(row, part).center().toPoint())


def drag(panel: AttributesPanel, row: int, *values: float) -> None:
    sliders = panel.list
    QTest.mousePress(sliders.viewport(), LEFT, NO_KEY, sliders.handle_position(row))
    for value in values:
        QTest.mouseMove(sliders.viewport(), sliders.position_of(row, value))
    QTest.mouseRelease(sliders.viewport(), LEFT, NO_KEY, sliders.position_of(row, values[-1]))


@pytest.mark.parametrize("part", ["switch", "title"])
def test_one_click_on_eyeglasses_puts_them_on_and_another_takes_them_off(
    panel: AttributesPanel, workspace: Workspace, part: str
) -> None:
    before = workspace.state.latent
    click(panel, 0, part)
    assert workspace.state.strengths == {"Eyeglasses": 2.0}
    np.testing.assert_allclose(
        workspace.state.latent, before + 2 * workspace.state.directions["Eyeglasses"].vector, rtol=1e-6
    )
    assert panel.list.row(0).on
    click(panel, 0, part)
    assert workspace.state.strengths == {}
    workspace.session.undo()
    workspace.session.undo()
    assert workspace.state.strengths == {}
    assert workspace.session.undo_label == ""


def test_an_impatient_double_click_on_the_name_leaves_the_glasses_on(
    panel: AttributesPanel, workspace: Workspace
) -> None:
    title = panel.list.part_rect(0, "title").center().toPoint()
    QTest.mouseClick(panel.list.viewport(), LEFT, NO_KEY, title)
    QTest.mouseDClick(panel.list.viewport(), LEFT, NO_KEY, title)
    assert workspace.state.strengths == {"Eyeglasses": 2.0}


def test_a_drag_is_live_and_one_undo_step(panel: AttributesPanel, workspace: Workspace) -> None:
    seen: list[float] = []
    workspace.session.changed.connect(lambda new, old: seen.append(new.strengths.get("Smiling", 0.0)))
    drag(panel, 1, 0.8, 1.7, 2.4)
    assert len(seen) >= 3
    assert workspace.state.strengths["Smiling"] == pytest.approx(2.4, abs=0.1)
    assert len(workspace.session._undo) == 1
    workspace.session.undo()
    assert workspace.state.strengths == {}


def test_a_drag_near_the_tick_lands_on_zero_and_removes_the_edit(panel: AttributesPanel, workspace: Workspace) -> None:
    drag(panel, 0, 2.0)
    drag(panel, 0, 0.04)
    assert "Eyeglasses" not in workspace.state.strengths


def test_a_lock_keeps_the_locked_attribute_and_its_row(panel: AttributesPanel, workspace: Workspace) -> None:
    smiling = np.zeros(DIM, np.float32)
    smiling[:2] = (0.6, 0.8)
    directions = workspace.state.directions.with_added(Direction("Smiling", smiling))
    workspace.change("Set up", directions=directions)
    click(panel, 1, "lock")
    assert workspace.state.locked == {"Smiling"}
    drag(panel, 1, 2.0)
    click(panel, 1, "title")
    assert workspace.state.strengths == {}
    click(panel, 0, "title")
    assert float(workspace.state.edit @ smiling) == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(workspace.state.edit) > 1
    click(panel, 1, "lock")
    assert workspace.state.locked == frozenset()


def test_what_leaks_is_said_of_the_row_one_points_at(
    panel: AttributesPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    also = np.zeros(DIM, np.float32)
    also[:2] = (1.0, 0.5)
    workspace.change("Set up", directions=workspace.state.directions.with_added(Direction("Hat", also)))
    QTest.mouseMove(panel.list.viewport(), panel.list.part_rect(2, "rail").center().toPoint())
    qtbot.waitUntil(lambda: panel.leak_label.text().startswith("Hat"))
    assert "Eyeglasses +" in panel.leak_label.text()


def test_a_row_says_how_its_direction_was_made(panel: AttributesPanel, workspace: Workspace) -> None:
    made = Direction("Hat", np.ones(DIM, np.float32), method="logistic", examples=1234, auc=0.87, predicted=True)
    workspace.change("Set up", directions=workspace.state.directions.with_added(made))
    row = panel.list.row(2)
    assert row.caption == "AUC 0.87 · 1,234 examples · logistic"
    assert row.badge == "predicted"
    assert "classifier" in row.tip()


def test_the_tooltip_of_the_switch_leaves_the_rows_below_to_be_seen(panel: AttributesPanel) -> None:
    row = panel.list.row(0)
    assert tip_of(row, "switch", switchable=True) == f"Put on {row.title} (Space)"
    assert "\n" in tip_of(row, "title", switchable=True)


def test_directions_are_saved_where_things_were_saved_last(
    panel: AttributesPanel, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, tmp_path: Path
) -> None:
    workspace.settings.save_folder = str(tmp_path)
    suggested: list[str] = []

    def ask(*arguments: object) -> tuple[str, str]:
        suggested.append(str(arguments[2]))
        return str(tmp_path / "mine"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    panel._ask_to_save()
    assert suggested == [str(tmp_path / "directions.json")]
    qtbot.waitUntil((tmp_path / "mine.json").exists)


def test_a_narrow_row_drops_whole_parts_of_its_caption(qapp: QApplication) -> None:
    """Half a number would say something else."""
    metrics = QFontMetricsF(qapp.font())
    caption = "AUC 0.87 · 1,234 examples · logistic"
    room_px = metrics.horizontalAdvance(caption)
    assert fitting(caption, metrics, room_px) == caption
    assert fitting(caption, metrics, room_px - 4) == "AUC 0.87 · 1,234 examples"
    assert fitting(caption, metrics, metrics.horizontalAdvance("AUC 0.87 · 1,2")) == "AUC 0.87"
    assert fitting("Principal components", metrics, 40).endswith("…")


def test_rows_stay_where_they_are_while_one_points_at_them(
    panel: AttributesPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    """A direction that drags much along takes two lines below the list, another one."""
    several = [Direction(f"Hat {k}", np.eye(DIM, dtype=np.float32)[0] * (1 - 0.2 * k)) for k in range(4)]
    workspace.change("Set up", directions=DirectionSet(several))
    panel.resize(320, 600)
    height = panel.list.height()
    for row in (3, 0):
        QTest.mouseMove(panel.list.viewport(), panel.list.part_rect(row, "rail").center().toPoint())
        qtbot.waitUntil(lambda row=row: panel.leak_label.text().startswith(f"Hat {row} also moves"))  # type: ignore[misc]
        assert panel.leak_label.heightForWidth(panel.leak_label.width()) <= panel.leak_label.minimumHeight()
        assert panel.list.height() == height


def test_two_groups_make_a_direction(panel: AttributesPanel, workspace: Workspace, qtbot: QtBot) -> None:
    selection = panel.adding.choose("selection")
    assert isinstance(selection, FromSelection)
    assert "Select a group on the map" in selection.sentence.text()
    assert not selection.form.isVisible()
    latents = workspace.opened.encodings.latents
    groups = (
        Group("left", np.flatnonzero(latents[:, 4] > 0)),
        Group("right", np.flatnonzero(latents[:, 4] <= 0)),
    )
    workspace.change("Select", groups=groups)
    assert selection.form.isVisible()
    assert not selection.sentence.isVisible()
    assert selection.form.having.currentText().startswith("left")
    assert selection.form.lacking.currentText().startswith("right")
    qtbot.keyClicks(selection.form.name, "Hat")
    qtbot.keyClick(selection.form.name, Qt.Key.Key_Return)
    made = workspace.state.directions["Hat"]
    np.testing.assert_allclose(
        made.vector / np.linalg.norm(made.vector),
        np.eye(DIM)[4],
        atol=0.35,
    )
    assert made.examples == len(latents)
    assert made.checkpoint == CHECKPOINT
    assert not panel.adding.isVisible()
    assert panel.list.row(panel.list.current).title == "Hat"
    assert panel.list.viewport().rect().contains(panel.list.rect_of(panel.list.current))
    workspace.session.undo()
    assert "Hat" not in workspace.state.directions


def test_one_group_stands_against_everything_else(panel: AttributesPanel, workspace: Workspace) -> None:
    workspace.change("Select", groups=(Group("some", np.arange(10)),))
    selection = panel.adding.choose("selection")
    assert isinstance(selection, FromSelection)
    selection.form.add.click()
    assert workspace.state.directions["some"].examples == 60


def test_an_empty_group_is_refused_in_words(panel: AttributesPanel, workspace: Workspace) -> None:
    workspace.change("Select", groups=(Group("none", np.zeros(0, np.int64)), Group("all", np.arange(60))))
    before = workspace.state
    panel.editing.add_from_groups("Hat", 0, 1)
    assert workspace.state is before
    assert "Hat" in workspace.notices.log[-1].text


def test_another_method_is_fitted_as_a_job(
    panel: AttributesPanel, workspace: Workspace, jobs: FakeJobs, settled: Callable[[], None]
) -> None:
    workspace.change("Set up", directions=workspace.state.directions.with_added(Direction("Own", np.ones(DIM))))
    panel.method_choice.activated.emit(1)
    job = jobs.started[-1]
    assert job.function == "latentlab.core.refitting:run"
    assert job.arguments["method"] == "means"
    assert job.arguments["encodings"].thumbnails is None

    class Quiet:
        def progress(self, done: float, total: float, text: str = "") -> None: ...
        def partial(self, value: object) -> None: ...

    job.say(Done(refitting.run(Quiet(), **job.arguments)))
    settled()
    assert workspace.state.directions["Eyeglasses"].method == "plain means"
    assert list(workspace.state.directions)[:3] == ["Eyeglasses", "Smiling", "Own"]
    assert panel.method_choice.currentText() == "Plain means"
    assert workspace.session.undo_label == "Fit attributes by plain means"


def test_renaming_keeps_strength_lock_and_place(panel: AttributesPanel, workspace: Workspace, qtbot: QtBot) -> None:
    workspace.session.update(with_strength(workspace.state, "Eyeglasses", 1.5))
    panel.list.setFocus()
    qtbot.keyClick(panel.list, Qt.Key.Key_F2)
    panel.list.editor.setText("Glasses")
    qtbot.keyClick(panel.list.editor, Qt.Key.Key_Return)
    assert list(workspace.state.directions) == ["Glasses", "Smiling"]
    assert workspace.state.strengths == {"Glasses": 1.5}
    panel.editing.rename("Glasses", "Smiling")
    assert list(workspace.state.directions) == ["Glasses", "Smiling"]
    assert "already" in workspace.notices.log[-1].text


def test_deleting_takes_the_edit_along_and_undo_brings_both_back(
    panel: AttributesPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    click(panel, 0, "switch")
    panel.list.setFocus()
    qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    assert list(workspace.state.directions) == ["Smiling"]
    assert workspace.state.strengths == {}
    workspace.session.undo()
    assert workspace.state.strengths == {"Eyeglasses": 2.0}
    assert len(panel.list) == 2


def test_directions_are_saved_and_loaded(panel: AttributesPanel, workspace: Workspace, tmp_path: Path) -> None:
    panel.editing.save_to(tmp_path / "mine.json")
    workspace.change("Forget", directions=DirectionSet())
    panel.editing.load_from(tmp_path / "mine.json")
    assert list(workspace.state.directions) == ["Eyeglasses", "Smiling"]
    (tmp_path / "bad.json").write_text("{")
    before = workspace.state
    panel.editing.load_from(tmp_path / "bad.json")
    assert workspace.state is before
    assert "bad.json" in workspace.notices.log[-1].text


def test_the_cosine_table_shows_every_pair(panel: AttributesPanel, qtbot: QtBot) -> None:
    table = panel.show_cosines()
    qtbot.addWidget(table)
    model = table.table.model()
    assert model.rowCount() == model.columnCount() == 2
    assert model.index(0, 1).data() == "0.00"
    assert model.index(1, 1).data() == "1.00"


def test_edits_are_tried_on_a_group_before_above_after(
    panel: AttributesPanel, workspace: Workspace, engine: FakeEngine, settled: Callable[[], None]
) -> None:
    workspace.change("Select", groups=(Group("some", np.array([3, 5, 8])),))
    panel.applying.choice.setCurrentIndex(2)
    panel.applying.choice.activated.emit(2)
    settled()
    click(panel, 0, "switch")
    settled()
    consumer, request, lane, _ = engine.requests[-1]
    assert (consumer, lane.name) == ("attributes/strip", "VISIBLE")
    wanted = workspace.opened.encodings.latents[[3, 5, 8]] + workspace.state.edit
    np.testing.assert_allclose(np.sort(request.latents, 0), np.sort(wanted, 0), rtol=1e-6)
    assert panel.applying.strip.isVisible()
    assert all(panel.applying.strip.after.picture(i) is not None for i in range(3))


def test_a_thousand_directions_make_no_widgets(panel: AttributesPanel, workspace: Workspace) -> None:
    many = DirectionSet(Direction(f"d{i}", np.ones(DIM, np.float32)) for i in range(1000))
    workspace.change("Set up", directions=many)
    panel.grab()
    assert len(panel.findChildren(QWidget)) < 100
    assert len(panel.list) == 1000


def test_drawing_any_state_writes_nothing_back(panel: AttributesPanel, workspace: Workspace) -> None:
    before = workspace.state
    old = before
    for state in (
        with_strength(before, "Smiling", -2),
        replace(before, locked=frozenset({"Smiling", "gone"}), strengths={"gone": 1.0}),
        replace(before, directions=DirectionSet()),
        replace(before, groups=(Group("far", np.array([10_000])),)),
    ):
        panel.show_state(state, old)
        panel.grab()
        old = state
    assert workspace.state is before
    assert workspace.session.undo_label == ""


def test_without_labels_the_panel_says_how_to_get_attributes(panel: AttributesPanel, workspace: Workspace) -> None:
    nothing_fitted = replace(workspace.state, directions=DirectionSet())
    workspace.opened.encodings = replace(workspace.opened.encodings, labels=None, attributes=None, attribute_names=())
    panel.show_model()
    panel.show_state(nothing_fitted, None)
    assert "from a selection" in panel.list.hint
    workspace.opened.encodings = None  # and no map either, to select on
    panel.show_model()
    panel.show_state(nothing_fitted, None)
    assert "weights" in panel.list.hint
    assert not panel.method_choice.isEnabled()


def test_the_wheel_moves_a_strength_only_with_ctrl(panel: AttributesPanel, workspace: Workspace, qtbot: QtBot) -> None:
    panel.list.setFocus()
    qtbot.keyClick(panel.list, Qt.Key.Key_Space)
    for _ in range(4):
        qtbot.keyClick(panel.list, Qt.Key.Key_Left)
    assert workspace.state.strengths["Eyeglasses"] == pytest.approx(1.8)
    workspace.session.undo()
    assert workspace.state.strengths["Eyeglasses"] == 2.0
    assert panel.list.rect_of(0).contains(QPoint(10, 10))
