"""The Training panel: a form that becomes a command line, and a run that is started, paused, resumed and finished."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from latentlab.core.run_folder import read_run
from latentlab.ui.panels.training import TrainingPanel
from latentlab.ui.training.option_field import OptionField
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import deliver
from tests.ui.fake_trainer import FakeTrainer
from tests.ui.training_hand import begun, opened, write_epoch

# --- the form


def test_the_form_is_what_the_trainer_offers(training_panel: TrainingPanel) -> None:
    form = training_panel.form
    assert form is not None
    assert training_panel.pages.currentWidget() is form
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


def test_what_is_typed_becomes_the_command(training_panel: TrainingPanel, tmp_path: Path) -> None:
    form = training_panel.form
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


def test_data_that_is_downloaded_has_a_place(training_panel: TrainingPanel) -> None:
    form = training_panel.form
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


def test_what_the_trainer_would_take_stands_in_empty_fields(training_panel: TrainingPanel) -> None:
    form = training_panel.form
    assert form is not None
    form.check()
    deliver()
    field = form.asked["--epochs"].focusProxy()
    assert field.placeholderText() == "200"  # type: ignore[attr-defined]
    assert "--epochs" not in form.arguments()


def test_what_follows_from_the_data_is_said_in_the_form(training_panel: TrainingPanel, trainer: FakeTrainer) -> None:
    form = training_panel.form
    assert form is not None
    trainer.explains = "For 30 pictures, <b>so</b>: --batch-size 8."
    form.check()
    deliver()
    assert form.chosen.isVisible()
    assert form.chosen.text() == trainer.explains
    assert form.asked["--epochs"].focusProxy().placeholderText() == "200"  # type: ignore[attr-defined]
    trainer.explains = ""
    form.check()
    deliver()
    assert not form.chosen.isVisible()


def test_what_the_trainer_refuses_is_said_in_place(training_panel: TrainingPanel, trainer: FakeTrainer) -> None:
    form = training_panel.form
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


def test_a_run_that_is_refused_leaves_the_form(training_panel: TrainingPanel, trainer: FakeTrainer) -> None:
    begun(training_panel)
    assert training_panel.pages.currentWidget() is training_panel.watch
    trainer.runs[0].end(2, "runs/x is not empty and holds no run; choose another --out.")
    deliver()
    assert training_panel.pages.currentWidget() is training_panel.form
    assert training_panel.form is not None
    assert "not empty" in training_panel.form.error.text()


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


def test_a_run_is_started_watched_paused_and_resumed(
    training_panel: TrainingPanel, trainer: FakeTrainer, qtbot: QtBot
) -> None:
    folder = begun(training_panel)
    run = trainer.runs[0]
    assert run.arguments == ["vae", "--data", "digits", "--out", str(folder), "--progress", "json"]
    assert training_panel.workspace.settings.recent_runs == [str(folder)]
    write_epoch(folder, 1)
    run.step(2, 5, loss=3.5)
    training_panel.following.look()
    qtbot.waitUntil(lambda: training_panel.following.reading is not None)
    training_panel._redraw()
    controls = training_panel.watch.controls
    run.step(2, 6, loss=3.4)
    deliver()
    training_panel._redraw()
    assert controls.text.text().startswith("epoch 2 of 3 · 1,234 images/s")
    assert controls.bar.value() == pytest.approx(1000 * 1.6 / 3, abs=1)
    assert controls.pause_button.isVisible()
    assert not controls.resume_button.isVisible()
    controls.pause_button.click()
    assert run.stops == 1
    training_panel._redraw()
    assert controls.pause_button.text() == "Stop at once"
    controls.pause_button.click()
    assert run.stops == 1, "a double click"
    qtbot.waitUntil(controls.pause_button.isEnabled)
    run.end(130, "Stopped after step 6 of epoch 2.")
    deliver()
    training_panel._redraw()
    assert controls.text.text() == "paused after epoch 1 of 3"
    controls.resume_button.click()
    resumed = ["vae", "--out", str(folder), "--resume", "--epochs", "3", "--progress", "json"]
    assert trainer.runs[1].arguments == resumed
    assert training_panel.workspace.notices.log == []


def test_only_one_run_is_trained_at_a_time(
    training_panel: TrainingPanel, trainer: FakeTrainer, qtbot: QtBot, tmp_path: Path
) -> None:
    begun(training_panel)
    training_panel.set_up()
    training_panel._redraw()
    assert training_panel.form is not None
    assert not training_panel.form.start_button.isEnabled()
    assert "is being trained" in training_panel.form.start_button.toolTip()
    opened(training_panel, tmp_path / "other", qtbot, epochs=2, of=2)
    assert not training_panel.watch.controls.resume_button.isEnabled()
    assert not training_panel.watch.controls.pause_button.isVisible()
    trainer.runs[0].end(130)
    deliver()
    training_panel._redraw()
    assert training_panel.watch.controls.resume_button.isEnabled()
    assert training_panel.form.start_button.isEnabled()


def test_finishing_completes_the_model_of_the_epochs_that_are_done(
    training_panel: TrainingPanel, trainer: FakeTrainer
) -> None:
    folder = begun(training_panel)
    write_epoch(folder, 1)
    trainer.runs[0].say("epoch", epoch=1, epochs=3)
    training_panel.following.look()
    deliver()
    training_panel.following._take(folder, read_run(folder))
    training_panel.finish()
    assert trainer.runs[0].stops == 1
    trainer.runs[0].end(130)
    deliver()
    assert trainer.runs[1].arguments[:6] == ["vae", "--out", str(folder), "--resume", "--epochs", "1"]


def test_a_failure_and_alarms_are_said_in_the_panel(
    training_panel: TrainingPanel, trainer: FakeTrainer, qtbot: QtBot
) -> None:
    folder = begun(training_panel)
    write_epoch(folder, 1, alarms=["collapse"], notes=["The samples hardly differ."])
    training_panel.following.look()
    qtbot.waitUntil(lambda: training_panel.following.reading is not None)
    trainer.runs[0].end(1, "Training stopped in epoch 2 at step 13: loss = nan.")
    deliver()
    training_panel._redraw()
    notes = training_panel.watch.notes
    assert notes.texts == ["Epoch 1: The samples hardly differ.", "Training stopped in epoch 2 at step 13: loss = nan."]
    notes.put_away("Epoch 1: The samples hardly differ.")
    training_panel._redraw()
    assert notes.texts == ["Training stopped in epoch 2 at step 13: loss = nan."]


def test_the_end_of_a_run_nobody_watches_is_a_notice(
    training_panel: TrainingPanel, trainer: FakeTrainer, qtbot: QtBot
) -> None:
    folder = begun(training_panel)
    write_epoch(folder, 1, epochs=1)
    training_panel.hide()
    trainer.runs[0].say("finished", checkpoint=str(folder / "checkpoint.safetensors"))
    trainer.runs[0].end(0)
    deliver()
    (notice,) = training_panel.workspace.notices.log
    with qtbot.waitSignal(training_panel.command_wanted) as wanted:
        notice.actions[0].run()
    assert wanted.args == [f"open:{folder / 'checkpoint.safetensors'}"]
