"""The Training panel: a form that becomes a command line, a run that is watched, paused, resumed and opened."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from latentlab.core.latent_model import ModelInfo
from latentlab.core.run_folder import read_run
from latentlab.ui.main_window import MainWindow
from latentlab.ui.panels.training import TrainingPanel
from latentlab.ui.training.option_field import OptionField
from latentlab.ui.workspace import OpenedModel, Workspace
from tests.ui.conftest import deliver, some_info
from tests.ui.fake_trainer import FakeTrainer


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot, tmp_path: Path) -> TrainingPanel:
    workspace.settings.runs_folder = str(tmp_path / "runs")
    panel = TrainingPanel(workspace)
    qtbot.addWidget(panel, before_close_func=TrainingPanel.close_panel)
    panel.resize(640, 640)
    panel.show_model()
    panel.show_state(workspace.state, None)
    with qtbot.waitExposed(panel):
        panel.show()
    deliver()
    return panel


def line(epoch: int, split: str = "train", **values: object) -> str:
    return json.dumps({"epoch": epoch, "step": 10 * epoch, "seconds": 2.0, "split": split, **values}) + "\n"


def write_epoch(folder: Path, epoch: int, epochs: int = 3, family: str = "vae", **values: object) -> None:
    """What the trainer leaves after an epoch."""
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    (folder / "map").mkdir(exist_ok=True)
    (folder / "resume").mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"family": family, "data": "digits", "epochs": epochs}))
    sheet = np.full((82, 82), 255, np.uint8)  # 8 x 8 pictures of 8 px, 2 px apart
    sheet[2:10, 2:10] = epoch
    for kind in ("samples", "reconstructions"):
        Image.fromarray(sheet).save(folder / "samples" / f"{kind}-{epoch:04d}.png")
    np.savez(
        folder / "map" / f"epoch-{epoch:04d}.npz",
        of="latents",
        layout=np.random.default_rng(epoch).standard_normal((12, 2)).astype(np.float32),
        share=np.float32(0.5),
        drawn=np.zeros(12, bool),
        labels=np.arange(12) % 3,
        label_names=np.array(["a", "b", "c"]),
    )
    with open(folder / "metrics.jsonl", "a") as file:
        file.write(line(epoch, loss=5.0 - epoch, d_real=0.7, d_fake=0.3, **values) + line(epoch, "held_out", loss=4.0))
    (folder / "checkpoint.safetensors").write_bytes(b"weights %d" % epoch)
    (folder / "resume" / "state.pt").write_bytes(b"state")


def opened(panel: TrainingPanel, folder: Path, qtbot: QtBot, epochs: int = 2, of: int = 3) -> None:
    for epoch in range(1, epochs + 1):
        write_epoch(folder, epoch, of)
    panel.open_run(folder)
    qtbot.waitUntil(lambda: panel.following.reading is not None)
    panel._redraw()


def begun(panel: TrainingPanel) -> Path:
    assert panel.form is not None
    panel.form.start_button.click()
    deliver()
    return Path(panel.form.out.text())


# --- the form


def test_the_form_is_what_the_trainer_offers(panel: TrainingPanel) -> None:
    form = panel.form
    assert form is not None
    assert panel.pages.currentWidget() is form
    assert [form.family.itemData(k) for k in range(form.family.count())] == ["vae", "dcgan"]
    assert [form.data.box.itemText(k) for k in range(form.data.box.count())] == ["digits", "mnist"]
    assert form.asked["--epochs"].findChildren(OptionField) == []
    assert not form.recipe.isVisible(), "no recipe is of this family"
    form.family.setCurrentIndex(1)
    form.family.activated.emit(1)
    assert form.recipe.isVisible()
    form.more.button.setChecked(True)
    assert set(form.more.fields) == {"--ema", "--loss", "--spectral-norm"}
    assert "Normalise." in form.more.fields["--spectral-norm"].help_text()


def test_what_is_typed_becomes_the_command(panel: TrainingPanel, tmp_path: Path) -> None:
    form = panel.form
    assert form is not None
    assert form.arguments() == ["vae", "--data", "digits", "--out", str(tmp_path / "runs" / "digits-vae")]
    form.family.setCurrentIndex(1)
    form.family.activated.emit(1)
    form.recipe.setCurrentIndex(1)
    form.recipe.activated.emit(1)
    form.asked["--epochs"].set_value("7")
    form.more.button.setChecked(True)
    form.more.fields["--spectral-norm"].set_value("false")
    form.more.fields["--loss"].set_value("minimax")
    form.copy_button.click()
    copied = shlex.split(QGuiApplication.clipboard().text())
    assert copied[:4] == ["latentlab-train", "dcgan", "--recipe", "fashion-dcgan"]
    assert copied[4:8] == ["--data", "digits", "--out", str(tmp_path / "runs" / "digits-dcgan")]
    assert copied[8:] == ["--epochs", "7", "--loss", "minimax", "--no-spectral-norm"]


def test_data_that_is_downloaded_has_a_place(panel: TrainingPanel) -> None:
    form = panel.form
    assert form is not None
    assert not form.root_row.isVisible()
    form.set_data("mnist")
    assert form.root_row.isVisible()
    form.data.download.setChecked(True)
    form.root.setText("/data")
    assert form.arguments()[-3:] == ["--download", "--root", "/data"]
    form.set_data("digits")
    assert "--download" not in form.arguments()
    assert "--root" not in form.arguments()


def test_what_the_trainer_would_take_stands_in_empty_fields(panel: TrainingPanel) -> None:
    form = panel.form
    assert form is not None
    form.check()
    deliver()
    field = form.asked["--epochs"].focusProxy()
    assert field.placeholderText() == "200"  # type: ignore[attr-defined]
    assert "--epochs" not in form.arguments()


def test_what_the_trainer_refuses_is_said_in_place(panel: TrainingPanel, trainer: FakeTrainer) -> None:
    form = panel.form
    assert form is not None
    trainer.refuses = "There is no data set 'digit'. Did you mean 'digits'?"
    form.set_data("digit")
    form.check()
    deliver()
    assert form.error.isVisible()
    assert form.error.text() == trainer.refuses
    trainer.refuses = ""
    form.set_data("digits")
    form.check()
    deliver()
    assert not form.error.isVisible()


def test_a_run_that_is_refused_leaves_the_form(panel: TrainingPanel, trainer: FakeTrainer) -> None:
    begun(panel)
    assert panel.pages.currentWidget() is panel.watch
    trainer.runs[0].end(2, "runs/x is not empty and holds no run; choose another --out.")
    deliver()
    assert panel.pages.currentWidget() is panel.form
    assert panel.form is not None
    assert "not empty" in panel.form.error.text()


@pytest.mark.parametrize("installed", [True, False])
def test_without_a_trainer_the_panel_says_so(
    workspace: Workspace, trainer: FakeTrainer, qtbot: QtBot, installed: bool
) -> None:
    trainer.installed, trainer.listed = installed, "a stranger's words"
    panel = TrainingPanel(workspace)
    qtbot.addWidget(panel, before_close_func=TrainingPanel.close_panel)
    panel.show()
    deliver()
    assert panel.pages.currentWidget() is panel.words
    assert ("another version" if installed else "not installed") in panel.words.text()
    workspace.training = None
    assert "not installed" in TrainingPanel(workspace).words.text()


# --- a run


def test_a_run_is_started_watched_paused_and_resumed(panel: TrainingPanel, trainer: FakeTrainer, qtbot: QtBot) -> None:
    folder = begun(panel)
    run = trainer.runs[0]
    assert run.arguments == ["vae", "--data", "digits", "--out", str(folder), "--progress", "json"]
    assert panel.workspace.settings.recent_runs == [str(folder)]
    write_epoch(folder, 1)
    run.step(2, 5, loss=3.5)
    panel.following.look()
    qtbot.waitUntil(lambda: panel.following.reading is not None)
    panel._redraw()
    controls = panel.watch.controls
    run.step(2, 6, loss=3.4)
    deliver()
    panel._redraw()
    assert controls.text.text().startswith("epoch 2 of 3 · 1,234 images/s")
    assert controls.bar.value() == pytest.approx(1000 * 1.6 / 3, abs=1)
    assert controls.pause_button.isVisible()
    assert not controls.resume_button.isVisible()
    controls.pause_button.click()
    assert run.stops == 1
    panel._redraw()
    assert controls.pause_button.text() == "Stop at once"
    run.end(130, "Stopped after step 6 of epoch 2.")
    deliver()
    panel._redraw()
    assert controls.text.text() == "paused after epoch 1 of 3"
    controls.resume_button.click()
    resumed = ["vae", "--out", str(folder), "--resume", "--epochs", "3", "--progress", "json"]
    assert trainer.runs[1].arguments == resumed
    assert panel.workspace.notices.log == []


def test_only_one_run_is_trained_at_a_time(
    panel: TrainingPanel, trainer: FakeTrainer, qtbot: QtBot, tmp_path: Path
) -> None:
    begun(panel)
    panel.set_up()
    panel._redraw()
    assert panel.form is not None
    assert not panel.form.start_button.isEnabled()
    assert "is being trained" in panel.form.start_button.toolTip()
    opened(panel, tmp_path / "other", qtbot)
    assert not panel.watch.controls.resume_button.isEnabled()
    assert not panel.watch.controls.pause_button.isVisible()
    trainer.runs[0].end(130)
    deliver()
    panel._redraw()
    assert panel.watch.controls.resume_button.isEnabled()
    assert panel.form.start_button.isEnabled()


def test_finishing_completes_the_model_of_the_epochs_that_are_done(panel: TrainingPanel, trainer: FakeTrainer) -> None:
    folder = begun(panel)
    write_epoch(folder, 1)
    trainer.runs[0].say("epoch", epoch=1, epochs=3)
    panel.following.look()
    deliver()
    panel.following._take(folder, read_run(folder))
    panel.finish()
    assert trainer.runs[0].stops == 1
    trainer.runs[0].end(130)
    deliver()
    assert trainer.runs[1].arguments[:6] == ["vae", "--out", str(folder), "--resume", "--epochs", "1"]


def test_a_failure_and_alarms_are_said_in_the_panel(panel: TrainingPanel, trainer: FakeTrainer, qtbot: QtBot) -> None:
    folder = begun(panel)
    write_epoch(folder, 1, alarms=["collapse"], notes=["The samples hardly differ."])
    panel.following.look()
    qtbot.waitUntil(lambda: panel.following.reading is not None)
    trainer.runs[0].end(1, "Training stopped in epoch 2 at step 13: loss = nan.")
    deliver()
    panel._redraw()
    notes = panel.watch.notes
    assert notes.texts == ["Epoch 1: The samples hardly differ.", "Training stopped in epoch 2 at step 13: loss = nan."]
    notes.put_away("Epoch 1: The samples hardly differ.")
    panel._redraw()
    assert notes.texts == ["Training stopped in epoch 2 at step 13: loss = nan."]


def test_the_end_of_a_run_nobody_watches_is_a_notice(panel: TrainingPanel, trainer: FakeTrainer, qtbot: QtBot) -> None:
    folder = begun(panel)
    write_epoch(folder, 1, epochs=1)
    panel.hide()
    trainer.runs[0].say("finished", checkpoint=str(folder / "checkpoint.safetensors"))
    trainer.runs[0].end(0)
    deliver()
    (notice,) = panel.workspace.notices.log
    with qtbot.waitSignal(panel.command_wanted) as wanted:
        notice.actions[0].run()
    assert wanted.args == [f"open:{folder / 'checkpoint.safetensors'}"]


# --- any run


def test_a_run_from_a_shell_is_followed_as_it_grows(panel: TrainingPanel, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "shell"
    opened(panel, folder, qtbot)
    watch = panel.watch
    assert watch.scrubber.epoch == 2
    assert [watch.kind.itemData(k) for k in range(watch.kind.count())] == ["samples", "reconstructions"]
    qtbot.waitUntil(lambda: not watch.sheet.image.isNull())
    assert len(watch.sheet.tiles()) == 64
    write_epoch(folder, 3)
    panel.following.look()
    qtbot.waitUntil(lambda: panel.following.reading is not None and panel.following.reading.epochs_done == 3)
    panel._redraw()
    assert watch.scrubber.epoch == 3, "it stays at the newest"
    watch.scrubber.slider.setValue(0)
    assert (watch.scrubber.epoch, watch.map.at) == (1, 1.0)
    assert watch.sheet.path == folder / "samples" / "reconstructions-0001.png"
    write_epoch(folder, 4)
    panel.following.look()
    qtbot.waitUntil(lambda: panel.following.reading is not None and panel.following.reading.epochs_done == 4)
    panel._redraw()
    assert watch.scrubber.epoch == 1, "one has gone back"
    assert watch.controls.text.text().startswith("done: 4 epochs")


def test_the_curves_of_a_run(panel: TrainingPanel, qtbot: QtBot, tmp_path: Path) -> None:
    opened(panel, tmp_path / "run", qtbot)
    area = panel.watch.curves
    qtbot.waitUntil(lambda: area.curves is not None, timeout=20_000)
    curves = area.curves
    assert curves is not None
    assert list(curves.plots) == ["loss", "judged"]
    line_of = curves.plots["loss"].lines
    assert line_of["loss", "train"].getOriginalDataset()[1].tolist() == [4, 3]
    assert line_of["loss", "held_out"].getOriginalDataset()[0].tolist() == [1, 2]
    assert curves.plots["judged"].level.value() == 0.5
    assert [value for _, _, value in curves.legend(curves.plots["loss"].group)] == ["3", "4"]
    area.along.setCurrentIndex(1)
    area.along.activated.emit(1)
    assert line_of["loss", "held_out"].getOriginalDataset()[0].tolist() == [10, 20]
    area.log_button.setChecked(True)
    assert curves.plots["loss"].item.getAxis("left").logMode
    area.enlarge("judged")
    assert list(curves.plots) == ["judged"]
    area.back_button.click()
    assert list(curves.plots) == ["loss", "judged"]
    curves.show_theme()
    with qtbot.waitSignal(area.chosen):
        curves.chosen.emit(1)
    assert panel.watch.scrubber.epoch == 1


def test_the_map_moves_from_epoch_to_epoch(panel: TrainingPanel, qtbot: QtBot, tmp_path: Path) -> None:
    opened(panel, tmp_path / "run", qtbot, epochs=3)
    view = panel.watch.map
    reading = panel.following.reading
    assert reading is not None
    first, second = reading.maps[1].layout_N2, reading.maps[2].layout_N2
    view.go_to(1.5)
    assert np.allclose(view.layout_now(), (first + second) / 2, atol=1e-5)
    places = view.places(first)
    view.go_to(1.0)
    assert view.words_at(QPointF(*places[4])) == "a held-out picture: b"
    assert view.caption().startswith("12 held-out pictures")
    assert not view.grab().toImage().isNull()


def test_playing_goes_through_the_epochs(panel: TrainingPanel, qtbot: QtBot, tmp_path: Path) -> None:
    opened(panel, tmp_path / "run", qtbot, epochs=3)
    scrubber = panel.watch.scrubber
    now = [0.0]
    scrubber._clock_s = lambda: now[0]
    scrubber.play_button.click()
    assert (scrubber.playing, scrubber.epoch) == (True, 1)
    now[0] = 0.9
    scrubber.tick()
    assert scrubber.at == pytest.approx(2.5)
    assert panel.watch.map.at == pytest.approx(2.5)
    now[0] = 99.0
    scrubber.tick()
    assert (scrubber.playing, scrubber.epoch) == (False, 3)
    scrubber.play_button.click()
    panel.hide()
    assert not scrubber.playing


def test_the_model_of_a_run_is_opened_and_offered_again_when_it_is_newer(
    panel: TrainingPanel, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    opened(panel, folder, qtbot)
    button = panel.watch.controls.open_button
    assert (button.text(), button.isEnabled()) == ("Open model", True)
    with qtbot.waitSignal(panel.command_wanted) as wanted:
        button.click()
    assert wanted.args == [f"open:{folder / 'checkpoint.safetensors'}"]
    info: ModelInfo = some_info(path=str(folder / "checkpoint.safetensors"))
    panel.workspace.opened = OpenedModel(info)
    panel.show_model()
    panel._redraw()
    assert (button.text(), button.isEnabled()) == ("Model open", False)
    write_epoch(folder, 3)
    later = panel.following.reading.checkpoint_ns + 1_000_000_000  # type: ignore[union-attr]
    os.utime(folder / "checkpoint.safetensors", ns=(later, later))
    panel.following.look()
    qtbot.waitUntil(lambda: panel.following.reading is not None and panel.following.reading.checkpoint_ns == later)
    panel._redraw()
    assert (button.text(), button.isEnabled()) == ("Reload model", True)


def test_a_folder_of_something_else_is_refused(panel: TrainingPanel, qtbot: QtBot, tmp_path: Path) -> None:
    panel.open_run(tmp_path)
    qtbot.waitUntil(lambda: bool(panel.workspace.notices.log))
    assert "holds no run" in panel.workspace.notices.log[0].text
    assert panel.pages.currentWidget() is panel.form


def dropped(panel: TrainingPanel, path: Path) -> QDropEvent:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    panel.test_mime = mime  # type: ignore[attr-defined]  # an event does not keep it
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, buttons, modifiers)
    panel.dropEvent(event)
    deliver()
    return event


def test_a_dropped_run_is_opened_and_a_dropped_folder_is_data(panel: TrainingPanel, tmp_path: Path) -> None:
    assert panel.form is not None
    (tmp_path / "pictures").mkdir()
    dropped(panel, tmp_path / "pictures")
    assert panel.form.data.value == str(tmp_path / "pictures")
    write_epoch(tmp_path / "run", 1)
    dropped(panel, tmp_path / "run")
    assert panel.following.folder == tmp_path / "run"


def test_recent_runs_are_in_the_menu(panel: TrainingPanel, tmp_path: Path) -> None:
    panel.workspace.settings.add_recent_run(tmp_path / "faces")
    panel.runs_menu.aboutToShow.emit()
    assert panel.runs_menu.actions()[0].text() == "faces"


# --- in the window


def test_closing_the_window_asks_about_a_run(
    window: MainWindow, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = window.docks.raise_panel("training")
    assert isinstance(panel, TrainingPanel)
    deliver()
    assert window.commands.may_leave()
    folder = begun(panel)
    asked: list[str] = []

    def answer(question: QMessageBox) -> int:
        asked.append(question.text())
        chosen = [button for button in question.buttons() if (button.text() == "Stop and close") == stops]
        monkeypatch.setattr(question, "clickedButton", lambda: chosen[0], raising=False)
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    stops = False
    assert not window.commands.may_leave()
    stops = True
    assert window.commands.may_leave()
    assert folder.name in asked[0]
    assert len(asked) == 2


def test_the_panels_lie_beside_each_other(window: MainWindow) -> None:
    docks = window.docks.docks
    assert docks["training"] in window.tabifiedDockWidgets(docks["map"])
    assert docks["image"] not in window.tabifiedDockWidgets(docks["map"])
    assert window.docks.raise_panel("training") is not None
    assert QApplication.activeModalWidget() is None
