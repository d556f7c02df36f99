"""The window: the only listener; a broken panel, a failed load, an exception leave everything else as it was."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDropEvent, QKeySequence
from PySide6.QtWidgets import QApplication
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from latentlab.core.registry import PANELS
from latentlab.core.requests import EngineState, JobFailed, RequestFailed
from latentlab.core.state import State, with_strength
from latentlab.ui.actions import ACTIONS
from latentlab.ui.main_window import MainWindow
from latentlab.ui.menus import Menus
from latentlab.ui.notices import Severity
from latentlab.ui.panels.image import ImagePanel
from latentlab.ui.reporting import Reporting
from latentlab.ui.workspace import OpenedModel
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine, FakeJobs, deliver, picture_of, some_encodings, some_info


def image_panel(window: MainWindow) -> ImagePanel:
    panel = window.docks.panels["image"]
    assert isinstance(panel, ImagePanel)
    return panel


def live_requests(engine: FakeEngine) -> list[np.ndarray]:
    return [request.latents[0] for consumer, request, _, _ in engine.requests if consumer == "image"]


def add(window: MainWindow, name: str, strength: float = 1.0) -> None:
    session = window.workspace.session
    session.update(with_strength(session.state, name, strength), f"Add {name}")


def test_it_opens_with_a_real_encoding_on_screen(window: MainWindow, engine: FakeEngine) -> None:
    state = window.workspace.state
    assert any(np.array_equal(state.latent, row) for row in some_encodings().latents)
    shown = image_panel(window).view.picture
    assert shown is not None
    assert np.array_equal(shown, picture_of(state.latent[None])[0])
    assert engine.opens[0].path == "faces.safetensors"
    assert not QApplication.activeModalWidget()


def test_a_model_with_other_latents_takes_over(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    canvas = window.docks.panels["map"].canvas  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: canvas.scene is not None)
    other, encodings = some_info(dim=DIM + 3, sha256="other"), some_encodings(count=50, dim=DIM + 3)
    window.opening._show(OpenedModel(other, encodings), None)
    window.opening.join()
    qtbot.waitUntil(lambda: canvas.scene is not None)
    deliver()
    assert [notice.text for notice in window.workspace.notices.log] == []
    assert len(window.workspace.state.latent) == DIM + 3


def test_a_model_without_a_file_is_called_by_its_class(window: MainWindow) -> None:
    window.opening._show(OpenedModel(some_info(path="", family="Sequential"), some_encodings()), None)
    assert window.windowTitle() == "Sequential — latentlab"
    assert window.menus.model_button.text() == "Sequential"


def test_a_caption_does_not_tell_where_another_picture_stood(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.standing.found):
        add(window, "Eyeglasses", 0.2)
    assert "percentile" in image_panel(window).caption.text()
    window.workspace.go_to(np.ones(DIM, np.float32), "elsewhere")
    assert image_panel(window).caption.text() == "elsewhere"
    with qtbot.waitSignal(window.standing.found):
        pass
    assert image_panel(window).caption.text().startswith("elsewhere · ")


def test_directions_are_fitted_without_a_step_to_undo(window: MainWindow) -> None:
    directions = window.workspace.state.directions
    assert {"Eyeglasses", "Smiling"} <= set(directions)
    assert directions["Eyeglasses"].auc is not None
    assert window.workspace.session.undo_label == ""
    assert not window.workspace.session.dirty


def test_a_change_is_decoded_and_drawn(window: MainWindow, engine: FakeEngine) -> None:
    add(window, "Eyeglasses")
    deliver()
    assert np.array_equal(live_requests(engine)[-1], window.workspace.state.latent)
    assert np.array_equal(image_panel(window).view.picture, picture_of(window.workspace.state.latent[None])[0])


def test_what_does_not_change_the_picture_is_not_decoded(window: MainWindow, engine: FakeEngine) -> None:
    before = len(live_requests(engine))
    state = window.workspace.state
    window.workspace.change("Colour", view=replace(state.view, colour="none"))
    window.workspace.session.update(replace(state, base=state.base.copy()), "Nowhere")
    deliver()
    assert len(live_requests(engine)) == before


def test_undo_and_redo_by_action_say_what_they_take_back(window: MainWindow) -> None:
    undo, redo = window.actions_by_key["undo"], window.actions_by_key["redo"]
    assert not undo.isEnabled()
    origin = window.workspace.state
    add(window, "Eyeglasses")
    assert undo.isEnabled()
    assert undo.text() == "Undo add Eyeglasses"
    undo.trigger()
    assert window.workspace.state is origin
    assert (undo.isEnabled(), redo.text()) == (False, "Redo add Eyeglasses")
    redo.trigger()
    assert window.workspace.state.strengths == {"Eyeglasses": 1.0}


def test_shortcuts_reach_the_window(window: MainWindow, qtbot: QtBot) -> None:
    before = window.workspace.state
    qtbot.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert window.workspace.state.name.startswith("sample of seed")
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.workspace.state is before


def test_revert_takes_back_every_edit_in_one_step(window: MainWindow) -> None:
    state = window.workspace.state
    window.workspace.session.update(replace(state, base=state.base + 1), "Slide")
    add(window, "Eyeglasses")
    window.actions_by_key["revert"].trigger()
    assert np.array_equal(window.workspace.state.latent, state.origin)
    window.workspace.session.undo()
    assert window.workspace.state.strengths == {"Eyeglasses": 1.0}


def test_a_keyframe_and_a_random_encoding(window: MainWindow) -> None:
    here = window.workspace.state.latent
    window.actions_by_key["keyframe"].trigger()
    assert np.array_equal(window.workspace.state.walk.keyframes[0].latent, here)
    window.actions_by_key["encoding"].trigger()
    assert any(np.array_equal(window.workspace.state.latent, row) for row in some_encodings().latents)


def test_every_action_leads_to_something(window: MainWindow) -> None:
    keys = [spec.key for spec in ACTIONS]
    assert len(keys) == len(set(keys))
    shortcuts = [spec.shortcut for spec in ACTIONS if spec.shortcut]
    assert len(shortcuts) == len(set(shortcuts))
    for spec in ACTIONS:
        key, dot, method = spec.target.partition(".")
        if dot:
            assert callable(getattr(PANELS[key].load(), method)), spec
        else:
            assert callable(window.commands.find(spec.target)), spec
        if spec.shortcut:
            native = QKeySequence(spec.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
            assert f"({native})" in window.actions_by_key[spec.key].toolTip()


def test_a_hidden_panel_draws_what_it_missed_when_it_is_seen(window: MainWindow) -> None:
    sliders = window.docks.panel("sliders")
    assert sliders is not None
    drawn: list[tuple[State, State | None]] = []
    sliders.show_state = lambda new, old: drawn.append((new, old))  # type: ignore[method-assign]
    add(window, "Eyeglasses")
    add(window, "Smiling")
    assert not drawn  # behind the Attributes
    window.docks.raise_panel("sliders")
    deliver()
    assert [new for new, _ in drawn] == [window.workspace.state]


def test_a_panel_that_fails_to_draw_is_reported_and_the_others_live(window: MainWindow) -> None:
    def broken(new: State, old: State | None) -> None:
        raise ValueError("broken panel")

    window.docks.panels["map"].show_state = broken  # type: ignore[method-assign]
    add(window, "Eyeglasses")
    deliver()
    notice = window.workspace.notices.shown[-1]
    assert "broken panel" in notice.text
    assert "Traceback" in notice.details
    assert np.array_equal(image_panel(window).view.picture, picture_of(window.workspace.state.latent[None])[0])


def test_a_failed_request_keeps_the_last_good_picture(window: MainWindow, engine: FakeEngine) -> None:
    before = image_panel(window).view.picture
    engine.reply(RequestFailed("image", 99, "Out of memory", "details"))
    deliver()
    assert image_panel(window).view.picture is before
    assert (window.workspace.notices.shown[-1].text, window.workspace.notices.shown[-1].details) == (
        "Out of memory",
        "details",
    )


def test_a_failed_load_keeps_the_model_and_the_work(window: MainWindow, engine: FakeEngine, tmp_path: Path) -> None:
    add(window, "Eyeglasses")
    state, opened = window.workspace.state, window.workspace.opened
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\0" * 20)
    engine.refuse = "broken.safetensors is not a sound safetensors file."
    window.commands.open_path(broken)
    deliver()
    window.commands.open_path(tmp_path / "missing.pt")
    (tmp_path / "empty").mkdir()
    window.commands.open_path(tmp_path / "empty")
    texts = [notice.text for notice in window.workspace.notices.shown]
    assert "not a sound safetensors" in texts[0]
    assert "does not exist" in texts[1]
    assert "holds no checkpoint" in texts[2]
    assert window.workspace.state is state
    assert window.workspace.opened is opened
    assert window.workspace.session.undo_label == "Add Eyeglasses"


def test_another_model_takes_over_once_it_is_ready(window: MainWindow, engine: FakeEngine, tmp_path: Path) -> None:
    other = tmp_path / "other.pt"
    other.write_bytes(b"weights")
    engine.info = some_info(sha256="d" * 64, family="dcgan", encoder=False)
    engine.hold = True
    window.commands.open_path(other)
    deliver()
    assert window.workspace.opened.info.sha256 == CHECKPOINT
    engine.release()
    deliver()
    assert window.workspace.opened.info.family == "dcgan"
    assert window.workspace.state.checkpoint == "d" * 64
    assert window.workspace.session.undo_label == ""
    assert window.windowTitle().startswith("other")
    assert window.workspace.settings.recent[0] == str(other)
    assert live_requests(engine)[-1].shape == window.workspace.state.latent.shape


def test_a_checkpoint_that_is_dropped_is_opened(window: MainWindow, engine: FakeEngine, tmp_path: Path) -> None:
    other = tmp_path / "other.pt"
    other.write_bytes(b"weights")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(other))])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)
    deliver()
    assert engine.opens[-1].path == str(other)


def test_a_session_is_saved_and_goes_on_where_it_was(window: MainWindow, engine: FakeEngine, tmp_path: Path) -> None:
    model = tmp_path / "faces.pt"
    model.write_bytes(b"weights")
    window.workspace.opened.info = replace(window.workspace.opened.info, path=str(model))
    add(window, "Eyeglasses", 1.5)
    latent = window.workspace.state.latent
    assert window.files.save(tmp_path / "work.latentlab")
    assert not window.workspace.session.dirty
    window.actions_by_key["sample"].trigger()
    assert window.workspace.session.dirty
    window.commands.open_path(tmp_path / "work.latentlab")
    deliver()
    assert np.allclose(window.workspace.state.latent, latent)
    assert window.workspace.state.strengths == {"Eyeglasses": 1.5}
    assert window.files.path == tmp_path / "work.latentlab"


def test_a_session_that_cannot_be_saved_is_said_and_stays_dirty(window: MainWindow, tmp_path: Path) -> None:
    add(window, "Eyeglasses")
    assert not window.files.save(tmp_path / "no such folder" / "work.latentlab")
    assert window.workspace.notices.shown[-1].severity is Severity.ERROR
    assert window.workspace.session.dirty


def test_an_exception_in_a_slot_is_reported_and_the_window_lives(window: MainWindow, qtbot: QtBot) -> None:
    reporting = Reporting(window.workspace.notices)
    action = QAction("broken", window)
    action.triggered.connect(lambda: 1 / 0)
    with capture_exceptions():
        reporting.install()
        try:
            action.trigger()
        finally:
            reporting.remove()
    deliver()
    notice = window.workspace.notices.shown[-1]
    assert "ZeroDivisionError" in notice.text
    assert "Traceback" in notice.details
    add(window, "Eyeglasses")
    assert window.workspace.state.strengths


def test_the_status_line_tells_where_one_is(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.standing.found):
        add(window, "Eyeglasses", 0.2)
    assert window.status.decode.text() == "1.5 ms"
    assert window.status.model.text() == "faces"
    assert window.status.typical.text() in ("typical", "unusual", "far out")
    assert window.status.nearest.text().startswith("nearest #")
    engine_gone = EngineState(False, "The engine ended and is being started again.")
    window.workspace.decoding.engine_changed.emit(engine_gone)
    assert "starting" in window.status.device.text()
    assert window.workspace.notices.shown[-1].text == engine_gone.message
    window.workspace.decoding.engine_changed.emit(EngineState(True, "The engine is back."))
    assert "starting" not in window.status.device.text()
    assert [notice.text for notice in window.workspace.notices.shown] == ["The engine is back."]


def test_a_job_has_progress_and_cancel_in_the_status_line(window: MainWindow, jobs: FakeJobs) -> None:
    from latentlab.core.requests import Progress

    job = window.workspace.running.start("Export", "module:run", {})
    jobs.started[-1].say(Progress(1, 4))
    deliver()
    row = window.status._rows[job]
    assert (row._bar.value(), row._bar.maximum()) == (250, 1000)
    assert "25 %" in row._text.text()
    row._cancel.click()
    deliver()
    assert not window.status._rows
    window.workspace.running.start("Export", "module:run", {})
    jobs.started[-1].say(JobFailed("The disk is full"))
    deliver()
    assert "The disk is full" in window.workspace.notices.shown[-1].text


def test_holding_space_shows_the_picture_before_the_edits(window: MainWindow, qtbot: QtBot) -> None:
    origin = window.workspace.state.origin
    add(window, "Eyeglasses", 2)
    deliver()
    window.docks.focus_first()
    keyboard = window.focusWidget()
    assert keyboard is not None
    qtbot.keyPress(keyboard, Qt.Key.Key_Space)
    deliver()
    assert np.array_equal(image_panel(window).view.picture, picture_of(origin[None])[0])
    qtbot.keyRelease(window, Qt.Key.Key_Space)
    assert np.array_equal(image_panel(window).view.picture, picture_of(window.workspace.state.latent[None])[0])


def test_the_layout_is_remembered_and_can_be_reset(window: MainWindow) -> None:
    window.docks.docks["map"].close()
    window.close()
    saved = window.workspace.settings
    assert saved.window_layout
    again = MainWindow(window.workspace)
    assert again.docks.docks["map"].isHidden()
    again.commands.reset_layout()
    assert not again.docks.docks["map"].isHidden()
    again.close()
    again.deleteLater()


@pytest.mark.parametrize("layout", ["", "not base64 !", "AAAA"])
def test_a_damaged_layout_gives_the_default(workspace, layout: str) -> None:  # type: ignore[no-untyped-def]
    workspace.settings.window_layout = layout
    workspace.settings.window_geometry = layout
    window = MainWindow(workspace)
    assert not any(dock.isHidden() for dock in window.docks.docks.values())
    window.close()
    window.deleteLater()


def test_the_model_menu_lists_what_was_opened(window: MainWindow, tmp_path: Path) -> None:
    window.workspace.settings.add_recent(tmp_path / "mine.safetensors")
    menus: Menus = window.menus
    menus.recent.aboutToShow.emit()
    assert menus.recent.actions()[0].text() == "mine"


def test_nothing_of_a_closed_window_is_left(window: MainWindow) -> None:
    for key in PANELS:
        window.docks.raise_panel(key)
    deliver()
    gone: list[str] = []
    for key, panel in window.docks.panels.items():
        panel.destroyed.connect(lambda _=None, key=key: gone.append(key))
    window.close()
    window.deleteLater()
    deliver()
    gc.collect()
    assert sorted(gone) == sorted(PANELS)
    # The session still changes; nobody who is gone may hear of it.
    session = window.workspace.session
    session.update(replace(session.state, name="after"), "After the window")
    assert session.state.name == "after"
