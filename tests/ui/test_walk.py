"""The walk panel: keyframes added, dropped, reordered, deleted, undone; played, scrubbed, exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDrag, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from latentlab.core import paths
from latentlab.core.latent_model import ImageShape
from latentlab.core.requests import Done
from latentlab.core.state import NamedLatent, Walk, with_strength
from latentlab.ui import theme
from latentlab.ui.export_form import KINDS, ExportForm, estimate
from latentlab.ui.latent_mime import packed, unpacked
from latentlab.ui.main_window import MainWindow
from latentlab.ui.panels.walk import WalkPanel
from latentlab.ui.walk_playing import WalkPlaying
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine, FakeJobs

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot, follow: Callable[[WalkPanel], None]) -> WalkPanel:
    panel = WalkPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(560, 180)
    panel.show()
    follow(panel)
    return panel


def latents(*values: float) -> list[NamedLatent]:
    return [NamedLatent(np.full(DIM, value, np.float32), f"at {value:g}") for value in values]


def names(workspace: Workspace) -> list[str]:
    return [keyframe.name for keyframe in workspace.state.walk.keyframes]


def drop(target: QWidget, mime: QMimeData, at: QPointF) -> None:
    actions = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(at.toPoint(), actions, mime, LEFT, NO_KEY)
    QApplication.sendEvent(target, enter)
    if enter.isAccepted():
        QApplication.sendEvent(target, QDropEvent(at, actions, mime, LEFT, NO_KEY))


def test_the_current_picture_with_its_edits_becomes_a_keyframe(
    panel: WalkPanel, workspace: Workspace, engine: FakeEngine, settled: Callable[[], None]
) -> None:
    workspace.session.update(with_strength(workspace.state, "Smiling", 1.0))
    panel.add_button.click()
    (keyframe,) = workspace.state.walk.keyframes
    np.testing.assert_array_equal(keyframe.latent, workspace.state.latent)
    assert keyframe.name == "#0"
    assert (engine.requests[-1][0], engine.requests[-1][2].name) == ("walk/keyframes", "VISIBLE")
    settled()
    assert panel.strip.picture(0) is not None
    workspace.session.undo()
    assert workspace.state.walk.keyframes == ()


def test_latents_are_dropped_where_they_belong(panel: WalkPanel, workspace: Workspace) -> None:
    panel.insert(0, latents(0, 3))
    second = panel.strip.rect_of(1)
    drop(
        panel.strip.viewport(), packed(latents(1, 2), CHECKPOINT, "z"), QPointF(second.left() - 2, second.center().y())
    )
    assert names(workspace) == ["at 0", "at 1", "at 2", "at 3"]
    workspace.session.undo()
    assert names(workspace) == ["at 0", "at 3"]


def test_latents_of_another_model_or_space_are_refused(panel: WalkPanel, workspace: Workspace) -> None:
    before = workspace.state
    drop(panel.strip.viewport(), packed(latents(1), "another model", "z"), QPointF(10, 10))
    assert workspace.state is before
    too_long = NamedLatent(np.zeros(DIM + 1, np.float32), "w")
    drop(panel.strip.viewport(), packed([too_long], CHECKPOINT, "z"), QPointF(10, 10))
    assert workspace.state is before
    assert "no latent of this model's space z" in workspace.notices.log[-1].text
    drop(panel.strip.viewport(), packed(latents(1), CHECKPOINT, "w"), QPointF(10, 10))
    assert workspace.state is before
    assert "no latent of this model's space w" in workspace.notices.log[-1].text


def test_keyframes_are_reordered_and_deleted_by_keyboard_and_undone(
    panel: WalkPanel, workspace: Workspace, qtbot: QtBot
) -> None:
    panel.insert(0, latents(0, 1, 2))
    panel.strip.setFocus()
    qtbot.keyClick(panel.strip, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert names(workspace) == ["at 1", "at 0", "at 2"]
    qtbot.keyClick(panel.strip, Qt.Key.Key_Delete)
    assert names(workspace) == ["at 1", "at 2"]
    workspace.session.undo()
    workspace.session.undo()
    assert names(workspace) == ["at 0", "at 1", "at 2"]


def test_where_the_keyboard_is_looks_unlike_the_keyframe_that_is_shown(
    panel: WalkPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.insert(0, latents(0, 1, 2))
    strip = panel.strip
    strip.shown, strip.current = 2, 0
    monkeypatch.setattr(strip, "hasFocus", lambda: True)
    image = strip.viewport().grab().toImage()
    ratio = image.devicePixelRatio()

    def outline(index: int) -> str:
        rect = strip.rect_of(index)
        return image.pixelColor(round(rect.center().x() * ratio), round((rect.top() - 1) * ratio)).name()

    assert outline(0) == theme.current().text
    assert outline(2) == theme.current().accent
    assert outline(1) not in (outline(0), outline(2))


def test_a_keyframe_is_dragged_to_another_place(
    panel: WalkPanel, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.insert(0, latents(0, 1, 2))
    strip, carried = panel.strip, list[QMimeData]()
    end = strip.rect_of(2).center() + QPointF(20, 0)

    def carry(drag: QDrag, *_: object) -> Qt.DropAction:
        carried.append(drag.mimeData())
        drop(strip.viewport(), drag.mimeData(), end)
        return Qt.DropAction.CopyAction

    monkeypatch.setattr(QDrag, "exec", carry)
    start = strip.rect_of(0).center().toPoint()
    QTest.mousePress(strip.viewport(), LEFT, NO_KEY, start)
    QTest.mouseMove(strip.viewport(), end.toPoint())
    assert names(workspace) == ["at 1", "at 2", "at 0"]
    found = unpacked(carried[0], CHECKPOINT)
    assert found is not None
    (item,) = found.latents
    assert item.name == "at 0"
    workspace.session.undo()
    assert names(workspace) == ["at 0", "at 1", "at 2"]


def test_the_cross_deletes_and_a_click_shows(panel: WalkPanel, workspace: Workspace) -> None:
    panel.insert(0, latents(0, 1, 2))
    QTest.mouseClick(panel.strip.viewport(), LEFT, NO_KEY, panel.strip.rect_of(2).center().toPoint())
    np.testing.assert_array_equal(workspace.state.latent, np.full(DIM, 2))
    assert panel.strip.shown == 2
    QTest.mouseClick(panel.strip.viewport(), LEFT, NO_KEY, panel.strip.badge_rect(0).center().toPoint())
    assert names(workspace) == ["at 1", "at 2"]


def test_settings_of_the_walk_can_be_undone(panel: WalkPanel, workspace: Workspace) -> None:
    panel.interpolation.activated.emit(1)
    panel.loop_button.click()
    panel.seconds.setValue(9.5)
    panel.fps.setValue(24)
    walk = workspace.state.walk
    assert (walk.interpolation, walk.loop, walk.seconds, walk.fps) == ("spherical", True, 9.5, 24)
    for _ in range(4):
        workspace.session.undo()
    assert (panel.interpolation.currentIndex(), panel.loop_button.isChecked()) == (0, False)
    assert (panel.seconds.value(), panel.fps.value()) == (6.0, 30)


def test_a_play_follows_the_clock_and_is_one_undo_step(panel: WalkPanel, workspace: Workspace) -> None:
    panel.insert(0, latents(0, 1, 3))
    steps = len(workspace.session._undo)
    clock = Clock()
    playing = WalkPlaying(workspace, panel, clock)
    playing.start()
    assert playing.playing
    for passed_s, expected in ((0.0, 0.0), (1.5, 0.5), (4.5, 2.0)):
        clock.now_s = 100.0 + passed_s
        playing.tick()
        np.testing.assert_allclose(workspace.state.latent, expected, atol=1e-6)
    clock.now_s = 107.0
    playing.tick()
    assert not playing.playing
    np.testing.assert_allclose(workspace.state.latent, 3)
    assert len(workspace.session._undo) == steps + 1
    workspace.session.undo()
    assert workspace.state.name == "#0"


def test_a_loop_goes_on_until_it_is_paused(panel: WalkPanel, workspace: Workspace) -> None:
    panel.insert(0, latents(0, 2))
    panel.loop_button.click()
    clock = Clock()
    playing = WalkPlaying(workspace, panel, clock)
    playing.start()
    clock.now_s = 100.0 + 6 + 1.5
    playing.tick()
    np.testing.assert_allclose(workspace.state.latent, 1, atol=1e-6)
    playing.toggle()
    assert not playing.playing
    assert workspace.session.open_gesture == ""


def test_another_gesture_ends_a_play_and_is_not_ended_by_it(panel: WalkPanel, workspace: Workspace) -> None:
    panel.insert(0, latents(0, 2))
    playing = WalkPlaying(workspace, panel, Clock())
    playing.start()
    playing.tick()
    workspace.session.begin("Drag on the map")
    workspace.go_to(np.full(DIM, 9, np.float32), "map")
    playing.tick()
    assert not playing.playing
    assert workspace.session.open_gesture == "Drag on the map"
    np.testing.assert_array_equal(workspace.state.latent, np.full(DIM, 9))


def test_the_play_button_plays_in_real_time(panel: WalkPanel, workspace: Workspace, qtbot: QtBot) -> None:
    panel.insert(0, latents(0, 1))
    panel.play_button.click()
    qtbot.waitUntil(lambda: panel.playing.time_s > 0)
    panel.play()
    assert not panel.playing.playing
    assert workspace.state.name.startswith("walk at")


def test_with_one_keyframe_the_panel_says_what_is_missing(panel: WalkPanel, workspace: Workspace) -> None:
    panel.add_current()
    panel.toggle_play()
    assert not panel.playing.playing
    assert "two keyframes" in workspace.notices.log[-1].text
    assert not panel.export_button.isEnabled()
    assert not panel.scrub.isVisible()


def test_scrubbing_is_one_step_and_catches_the_keyframes(panel: WalkPanel, workspace: Workspace) -> None:
    panel.insert(0, latents(0, 1, 3))
    before = len(workspace.session._undo)
    slider = panel.scrub
    QTest.mousePress(slider.viewport(), LEFT, NO_KEY, slider.handle_position(0))
    for time_s in (1.0, 2.0, 3.02):
        QTest.mouseMove(slider.viewport(), slider.position_of(0, time_s))
    QTest.mouseRelease(slider.viewport(), LEFT, NO_KEY, slider.position_of(0, 3.02))
    np.testing.assert_array_equal(workspace.state.latent, np.ones(DIM))
    assert len(workspace.session._undo) == before + 1
    slider.typed.emit(0, 1.5)
    np.testing.assert_allclose(workspace.state.latent, 0.5, atol=1e-6)


def test_a_spherical_walk_is_played_on_the_sphere(panel: WalkPanel, workspace: Workspace) -> None:
    ends = [NamedLatent(vector.astype(np.float32), "") for vector in 2 * np.eye(DIM)[:2]]
    panel.insert(0, ends)
    panel.interpolation.activated.emit(1)
    panel.scrub.typed.emit(0, 3.0)
    assert np.linalg.norm(workspace.state.latent) == pytest.approx(2)
    wanted = paths.at(np.stack([end.latent for end in ends]), 0.5, "spherical")
    np.testing.assert_allclose(workspace.state.latent, wanted)


def test_an_export_is_a_job_with_the_walk_as_it_is(
    panel: WalkPanel, workspace: Workspace, jobs: FakeJobs, tmp_path: Path, settled: Callable[[], None]
) -> None:
    panel.insert(0, latents(0, 2))
    panel.loop_button.click()
    panel.export_to(tmp_path / "walk.gif", "gif", scale=4)
    job = jobs.started[-1]
    assert job.function == "latentlab.engine.exporting:run"
    keyframes = job.arguments.pop("keyframes")
    np.testing.assert_array_equal(keyframes, [[0] * DIM, [2] * DIM])
    assert job.arguments == {
        "checkpoint_path": "faces.safetensors",
        "path": str(tmp_path / "walk.gif"),
        "kind": "gif",
        "interpolation": "linear",
        "loop": True,
        "seconds": 6.0,
        "fps": 30,
        "space": "z",
        "condition": None,
        "scale": 4,
        "device": "auto",
        "trust": False,
        "reading": {},
    }

    @dataclass
    class Result:
        frames: int = 180
        bytes_written: int = 1_200_000
        notes: tuple[str, ...] = ("A note.",)

    job.say(Done(Result()))
    settled()
    assert workspace.notices.log[-1].text == "Saved walk.gif: 180 frames, 1.2 MB. A note."


def test_the_export_form_says_what_it_will_cost(panel: WalkPanel) -> None:
    panel.insert(0, latents(0, 2))
    panel.export()
    form = panel.form
    form.kind.setCurrentIndex(1)
    form.scale.setCurrentIndex(2)
    assert form.cost.text().startswith("180 frames of 32 × 32")
    wanted: list[tuple[Any, int]] = []
    panel.form.wanted.disconnect(panel._ask_where)
    form.wanted.connect(lambda kind, scale: wanted.append((kind.key, scale)))
    form._want()
    assert wanted == [("gif", 4)]


def test_an_estimate_counts_frames_and_warns_of_large_gifs() -> None:
    walk = Walk(keyframes=tuple(latents(0, 1)), seconds=4, fps=60)
    by_key = {kind.key: kind for kind in KINDS}
    large = estimate(by_key["gif"], walk, ImageShape(512, 512, 3), 1, 10.0)
    assert large.startswith("200 frames of 512 × 512")
    assert "video is smaller" in large
    # A walk of 60 frames through the bundled faces, four times enlarged, took 1.53 MB as a GIF and 69 KB as a video.
    measured = Walk(keyframes=tuple(latents(0, 1)), seconds=2, fps=30)
    assert "1.3 MB" in estimate(by_key["gif"], measured, ImageShape(64, 64, 3), 4, 1.0)
    assert "79 KB" in estimate(by_key["mp4"], measured, ImageShape(64, 64, 3), 4, 1.0)
    assert estimate(by_key["mp4"], walk, ImageShape(64, 64, 3), 2, 1.0).startswith("240 frames of 128 × 128")
    assert estimate(by_key["strip"], walk, ImageShape(64, 64, 3), 1, 1.0).startswith("8 frames")


def test_drawing_any_state_writes_nothing_back(panel: WalkPanel, workspace: Workspace) -> None:
    before = workspace.state
    old = before
    for walk in (
        Walk(tuple(latents(0, 1, 2)), "spherical", True, 0.1, 240),
        Walk(tuple(latents(*range(300)))),
        Walk(seconds=5000),
    ):
        new = replace(before, walk=walk)
        panel.show_state(new, old)
        panel.grab()
        old = new
    assert workspace.state is before
    assert workspace.session.undo_label == ""


def test_the_form_has_room_for_its_longest_estimate(qtbot: QtBot) -> None:
    """A form that is open does not grow: what was said of a large GIF lay over the fields."""
    keyframes = tuple(NamedLatent(np.zeros(DIM, np.float32)) for _ in range(2))
    parent = QWidget()
    qtbot.addWidget(parent)
    form = ExportForm(Walk(keyframes=keyframes, seconds=60.0, fps=50), ImageShape(64, 64, 3), 250.0, parent)
    with qtbot.waitExposed(form):
        form.show()
    form.kind.setCurrentIndex([kind.key for kind in KINDS].index("gif"))
    form.scale.setCurrentIndex(form.scale.count() - 1)
    assert "a video is smaller" in form.cost.text()
    assert form.cost.height() >= form.cost.heightForWidth(form.cost.width())


@pytest.mark.parametrize("empty", [True, False])
def test_the_row_of_keyframes_shows_that_the_keyboard_works_in_it(panel: WalkPanel, qtbot: QtBot, empty: bool) -> None:
    """Also where there are none yet, and where the one it is at is the current picture."""
    strip = panel.strip
    if not empty:
        panel.workspace.change("Add", walk=Walk(keyframes=(NamedLatent(panel.workspace.state.latent, "a"),)))
        panel.show_state(panel.workspace.state, None)
    with qtbot.waitActive(panel):
        panel.show()
    strip.setFocus(Qt.FocusReason.TabFocusReason)
    with_focus = strip.viewport().grab().toImage()
    strip.clearFocus()
    assert strip.viewport().grab().toImage() != with_focus


def test_a_keyframe_that_is_added_while_the_walk_plays_is_a_step_of_its_own(window: MainWindow) -> None:
    session, panel = window.workspace.session, window.docks.panel("walk")
    assert isinstance(panel, WalkPanel)
    window.workspace.change("Walk", walk=Walk(keyframes=tuple(latents(0, 1))))
    window.actions_by_key["play"].trigger()
    panel.playing.tick()
    window.actions_by_key["keyframe"].trigger()
    assert not panel.playing.playing
    assert len(session.state.walk.keyframes) == 3
    assert session.undo_label == "Add keyframe"
    session.undo()
    assert len(session.state.walk.keyframes) == 2
    assert session.undo_label == "Play the walk"
