"""A model without encodings: what is offered, the job that makes a map, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from latentlab.core.requests import Done, JobFailed, OpenModel, Progress
from latentlab.core.spaces import LatentSpace
from latentlab.core.state import Group
from latentlab.engine.map_making import Made
from latentlab.ui.main_window import MainWindow
from latentlab.ui.map_making import MapMaking
from latentlab.ui.messages import TextDialog
from latentlab.ui.panels.map import MapPanel
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine, FakeJobs, deliver, some_encodings


@pytest.fixture
def bare(window: MainWindow, engine: FakeEngine, tmp_path: Path) -> MapPanel:
    """The window on a foreign file without encodings; its map."""
    path = tmp_path / "vae.pth"
    path.write_bytes(b"weights of somebody")
    engine.info = replace(engine.info, sha256="foreign", reading={"activation": "relu", "range": "sigmoid"})
    window.commands.open_path(path)
    deliver()
    panel = window.docks.panels["map"]
    assert isinstance(panel, MapPanel)
    return panel


@pytest.fixture
def making(window: MainWindow) -> MapMaking:
    return window.commands.map_making


def made(path: Path | str, **parts: object) -> Made:
    return Made(some_encodings(40), str(path), **parts)  # type: ignore[arg-type]


def texts(window: MainWindow) -> list[str]:
    return [notice.text for notice in window.workspace.notices.log]


def test_the_map_offers_what_can_be_done(window: MainWindow, bare: MapPanel) -> None:
    assert bare.offer.isVisible()
    assert texts(window) == [], "a notice would say the same once more"


def test_behind_another_tab_a_notice_offers_it(window: MainWindow, engine: FakeEngine, tmp_path: Path) -> None:
    window.docks.raise_panel("training")
    deliver()
    path = tmp_path / "vae.pth"
    path.write_bytes(b"weights of somebody")
    engine.info = replace(engine.info, sha256="foreign")
    window.commands.open_path(path)
    deliver()
    notice = window.workspace.notices.log[-1]
    assert "no encodings" in notice.text
    assert [action.text for action in notice.actions] == ["Encode a folder…", "Draw samples"]


def test_how_the_file_is_read_is_asked_first(window: MainWindow, engine: FakeEngine, tmp_path: Path) -> None:
    window.docks.raise_panel("training")
    deliver()
    path = tmp_path / "G.pth"
    path.write_bytes(b"weights of somebody")
    reading = {"activation": "relu", "range": "tanh"}
    engine.info = replace(engine.info, sha256="foreign", reading=reading, guessed=("range",))
    window.commands.open_path(path)
    deliver()
    assert texts(window) == []
    window.opening.reread(reading)
    deliver()
    assert "no encodings" in texts(window)[0]


def test_a_folder_is_encoded_as_a_job_and_becomes_the_map(
    window: MainWindow,
    engine: FakeEngine,
    jobs: FakeJobs,
    bare: MapPanel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: str(tmp_path / "pictures"))
    window.opening.how = OpenModel("", device="cpu")
    window.commands.add_keyframe()
    bare.offer.encode_button.click()
    job = jobs.started[-1]
    assert job.function == "latentlab.engine.map_making:run_folder"
    assert job.arguments["folder"] == str(tmp_path / "pictures")
    assert job.arguments["checkpoint"] == "foreign"
    assert job.arguments["options"] == {"activation": "relu", "range": "sigmoid"}
    job.say(Progress(0.3, 1, "encoding: 12 of 40"))
    deliver()
    assert window.workspace.running.running[-1].latest.text == "encoding: 12 of 40"
    with qtbot.waitSignal(window.opening._fitted.arrived):
        job.say(Done(made(tmp_path / "vae.pth.encodings.safetensors", skipped=("a.png: no picture",))))
    deliver()
    assert bare.canvas.scene is not None
    assert not bare.offer.isVisible()
    assert {"Eyeglasses", "Smiling"} <= set(window.workspace.state.directions)
    assert len(window.workspace.state.walk.keyframes) == 1
    notice = window.workspace.notices.log[-1]
    assert "40 pictures encoded" in notice.text
    assert "beside the checkpoint as vae.pth.encodings.safetensors" in notice.text
    assert not any("no map yet" in shown.text for shown in window.workspace.notices.shown)
    assert "1 files could not be used" in notice.text
    notice.actions[0].run()
    dialog = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, TextDialog))
    assert "a.png: no picture" in dialog.text.toPlainText()
    dialog.accept()


def test_samples_are_drawn_instead(window: MainWindow, jobs: FakeJobs, bare: MapPanel, making: MapMaking) -> None:
    bare.offer.draw_button.click()
    assert jobs.started[-1].function == "latentlab.engine.map_making:run_draws"
    assert making.encode(Path("other")) is None  # one at a time
    assert "already" in texts(window)[-1]
    jobs.started[-1].cancel()
    deliver()
    assert bare.offer.isVisible()
    assert making.encode(Path("other")) is not None


def test_a_failed_job_is_said_and_leaves_everything(window: MainWindow, jobs: FakeJobs, bare: MapPanel) -> None:
    before = window.workspace.state
    bare.offer.draw_button.click()
    jobs.started[-1].say(JobFailed("There is no picture in pictures."))
    deliver()
    assert "There is no picture in pictures." in texts(window)[-1]
    assert window.workspace.state is before
    assert bare.offer.isVisible()


def test_without_an_encoder_samples_are_offered(
    window: MainWindow, engine: FakeEngine, jobs: FakeJobs, bare: MapPanel, making: MapMaking
) -> None:
    window.workspace.opened.info = replace(window.workspace.opened.info, encoder=False)
    window.actions_by_key["encode-folder"].trigger()
    notice = window.workspace.notices.shown[-1]
    assert "no encoder" in notice.text
    notice.actions[0].run()
    assert jobs.started[-1].function.endswith(":run_draws")


def test_where_draws_are_no_pictures_a_folder_is_needed_and_work_begins_in_it(
    window: MainWindow, jobs: FakeJobs, bare: MapPanel, making: MapMaking
) -> None:
    spatial = LatentSpace("z", (2, 2, 2), "empirical", np.zeros(DIM, np.float32), np.ones(DIM, np.float32))
    window.workspace.opened.info = replace(window.workspace.opened.info, spaces=(spatial,))
    window.actions_by_key["map-draws"].trigger()
    assert jobs.started == []
    assert "no pictures" in texts(window)[-1]
    making.encode(Path("pictures"))
    jobs.started[-1].say(Done(made("kept")))
    deliver()
    latent = window.workspace.state.latent
    assert any(np.array_equal(latent, row) for row in some_encodings(40).latents)
    assert window.workspace.session.undo_label.startswith("Go to")


def test_other_encodings_end_the_groups_of_the_ones_before(
    window: MainWindow, jobs: FakeJobs, making: MapMaking, tmp_path: Path
) -> None:
    """On our own checkpoint, which has a map: the groups are positions in it, also those that undo would bring back."""
    before = window.workspace.opened.encodings
    window.workspace.change("Select", groups=(Group("mine", np.arange(50, 60)),))
    window.workspace.change("Select", groups=(Group("mine", np.arange(50, 60)), Group("other", np.arange(3))))
    kept = tmp_path / "faces.safetensors.encodings.safetensors"
    kept.write_bytes(b"x")
    making.encode(tmp_path)
    jobs.started[-1].say(Done(made(kept)))
    window.opening.join()
    deliver()
    assert len(window.workspace.opened.encodings or ()) == 40
    assert window.workspace.state.groups == ()
    window.workspace.session.undo()
    assert window.workspace.state.groups == ()
    back = next(action for action in window.workspace.notices.log[-1].actions if action.text.startswith("Back"))
    back.run()
    window.opening.join()
    deliver()
    assert window.workspace.opened.encodings is before
    assert not kept.exists()


def test_another_model_meanwhile_keeps_its_own_map(
    window: MainWindow, engine: FakeEngine, jobs: FakeJobs, bare: MapPanel, tmp_path: Path
) -> None:
    bare.offer.draw_button.click()
    other = tmp_path / "other.pth"
    other.write_bytes(b"x")
    engine.info = replace(engine.info, sha256="other")
    window.commands.open_path(other)
    deliver()
    jobs.started[-1].say(Done(made("kept")))
    deliver()
    assert window.workspace.opened.encodings is None
    assert "next opening" in texts(window)[-1]


def test_a_model_without_a_file_says_how_it_gets_a_map(window: MainWindow, making: MapMaking, jobs: FakeJobs) -> None:
    window.workspace.opened.info = replace(window.workspace.opened.info, path="", sha256=CHECKPOINT)
    making.choose_folder()
    assert jobs.started == []
    assert "images=" in texts(window)[-1]
