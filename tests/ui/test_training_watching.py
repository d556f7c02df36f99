"""Watching any run in the Training panel: curves, sheets, map and model of its epochs; and the panel in the window."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from latentlab.core.latent_model import ModelInfo
from latentlab.core.run_folder import HELD_OUT, TRAIN, LossCurve
from latentlab.ui.main_window import MainWindow
from latentlab.ui.panels.training import TrainingPanel
from latentlab.ui.training.curve_groups import groups_of
from latentlab.ui.training.progress import StepPoints
from latentlab.ui.workspace import OpenedModel
from tests.ui.conftest import FakeEngine, deliver, some_info
from tests.ui.fake_trainer import FakeTrainer
from tests.ui.training_hand import begun, opened, write_epoch

POINTS = StepPoints()  # none between the epochs


def test_a_run_from_a_shell_is_followed_as_it_grows(
    training_panel: TrainingPanel, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = tmp_path / "shell"
    opened(training_panel, folder, qtbot)
    watch = training_panel.watch
    assert watch.controls.text.text() == "2 of 3 epochs done, trained elsewhere"
    assert not watch.controls.resume_button.isVisible(), "two trainers in one folder"
    assert watch.scrubber.epoch == 2
    assert [watch.kind.itemData(k) for k in range(watch.kind.count())] == ["samples", "reconstructions"]
    qtbot.waitUntil(lambda: not watch.sheet.image.isNull())
    assert len(watch.sheet.tiles()) == 64
    write_epoch(folder, 3)
    training_panel.following.look()
    qtbot.waitUntil(
        lambda: training_panel.following.reading is not None and training_panel.following.reading.epochs_done == 3
    )
    training_panel._redraw()
    assert watch.scrubber.epoch == 3, "it stays at the newest"
    watch.scrubber.slider.setValue(0)
    assert (watch.scrubber.epoch, watch.map.at) == (1, 1.0)
    assert watch.sheet.path == folder / "samples" / "reconstructions-0001.png"
    write_epoch(folder, 4)
    training_panel.following.look()
    qtbot.waitUntil(
        lambda: training_panel.following.reading is not None and training_panel.following.reading.epochs_done == 4
    )
    training_panel._redraw()
    assert watch.scrubber.epoch == 1, "one has gone back"
    assert watch.controls.text.text().startswith("done: 4 epochs")


def test_the_curves_of_a_run(training_panel: TrainingPanel, qtbot: QtBot, tmp_path: Path) -> None:
    opened(training_panel, tmp_path / "run", qtbot)
    area = training_panel.watch.curves
    qtbot.waitUntil(lambda: area.curves is not None, timeout=20_000)
    curves = area.curves
    from latentlab.ui.training.curves import LEAST_HEIGHT_PX, LEAST_WIDTH_PX  # imports pyqtgraph

    assert curves is not None
    qtbot.waitUntil(lambda: list(curves.plots) == ["judged", "loss"])
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
    curves.resize(LEAST_WIDTH_PX + 10, LEAST_HEIGHT_PX + 10)
    assert list(curves.plots) == ["judged"], "what two networks make of each other goes first"
    assert "+1 more" in area.legend.text()
    assert "held out" not in area.legend.text(), "narrow plots say it in their titles"
    curves.resize(500, 300)
    assert list(curves.plots) == ["judged", "loss"]
    curves.resize(900, 120)
    assert "held out" in area.legend.text(), "beside each other they have no room for it"
    curves.resize(500, 300)
    area.enlarge("judged")
    assert list(curves.plots) == ["judged"]
    area.back_button.click()
    assert list(curves.plots) == ["judged", "loss"]
    curves.show_theme()
    qtbot.waitUntil(lambda: list(curves.plots) == ["judged", "loss"])
    with qtbot.waitSignal(area.chosen):
        curves.chosen.emit(1)
    assert training_panel.watch.scrubber.epoch == 1


def test_pointing_at_a_curve_tells_its_values(training_panel: TrainingPanel, qtbot: QtBot, tmp_path: Path) -> None:
    opened(training_panel, tmp_path / "run", qtbot, epochs=3)
    area = training_panel.watch.curves
    qtbot.waitUntil(lambda: area.curves is not None and "loss" in area.curves.plots, timeout=20_000)
    curves = area.curves
    assert curves is not None
    plot = curves.plots["loss"]
    qtbot.waitUntil(lambda: plot.item.getViewBox().sceneBoundingRect().width() > 20)
    place = curves.mapFromScene(plot.item.getViewBox().mapViewToScene(QPointF(1.9, plot.item.viewRange()[1][0])))
    assert [value for _, _, value in curves.legend(plot.group)] == ["2", "4"]
    qtbot.mouseMove(curves.viewport(), place)
    qtbot.waitUntil(lambda: [value for _, _, value in curves.legend(plot.group)] == ["3", "4"])
    assert plot.marker.value() == 2
    with qtbot.waitSignal(curves.chosen) as chosen:
        qtbot.mouseClick(curves.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args == [2]
    assert training_panel.watch.scrubber.epoch == 2
    curves._look_at(None)
    assert [value for _, _, value in curves.legend(plot.group)] == ["3", "4"], "those of the epoch that is looked at"


def test_the_title_of_a_narrow_plot_is_short_enough(qtbot: QtBot) -> None:
    from latentlab.ui.training.curves import AXIS_WIDTH_PX, LEAST_WIDTH_PX, LossCurves  # imports pyqtgraph

    along, values = np.arange(1, 3), np.array([0.00416, 0.00122])
    holder = QWidget()  # pyqtgraph's own close() would end the process
    qtbot.addWidget(holder)
    holder.resize(900, 300)
    curves = LossCurves(holder)
    curves.resize(700, 200)
    holder.show()  # a size reaches only what is shown
    curves.show_curves(
        groups_of([LossCurve("mse", split, along, along, values) for split in (TRAIN, HELD_OUT)]), POINTS
    )
    qtbot.waitUntil(lambda: "mse" in curves.plots)
    title = curves.plots["mse"].title
    assert title.toPlainText().startswith("Mean squared error")
    assert "held" in title.toPlainText()
    curves.resize(LEAST_WIDTH_PX, 200)
    assert title.toPlainText().startswith("MSE")
    assert title.boundingRect().width() - title.document().documentMargin() <= LEAST_WIDTH_PX - AXIS_WIDTH_PX


def test_the_map_moves_from_epoch_to_epoch(training_panel: TrainingPanel, qtbot: QtBot, tmp_path: Path) -> None:
    opened(training_panel, tmp_path / "run", qtbot, epochs=3)
    view = training_panel.watch.map
    reading = training_panel.following.reading
    assert reading is not None
    first, second = reading.maps[1].layout_N2, reading.maps[2].layout_N2
    view.go_to(1.5)
    assert np.allclose(view.layout_now(), (first + second) / 2, atol=1e-5)
    places = view.places(first)
    view.go_to(1.0)
    assert view.words_at(QPointF(*places[4])) == "a held-out picture: b"
    assert view.caption().startswith("12 held-out pictures")
    view.copy_action.trigger()
    assert QGuiApplication.clipboard().image().size() == view.size()


def test_playing_goes_through_the_epochs(training_panel: TrainingPanel, qtbot: QtBot, tmp_path: Path) -> None:
    opened(training_panel, tmp_path / "run", qtbot, epochs=3)
    scrubber = training_panel.watch.scrubber
    now = [0.0]
    scrubber._clock_s = lambda: now[0]
    scrubber.play_button.click()
    assert (scrubber.playing, scrubber.epoch) == (True, 1)
    now[0] = 0.9
    scrubber.tick()
    assert scrubber.at == pytest.approx(2.5)
    assert training_panel.watch.map.at == pytest.approx(2.5)
    now[0] = 99.0
    scrubber.tick()
    assert (scrubber.playing, scrubber.epoch) == (False, 3)
    scrubber.play_button.click()
    training_panel.hide()
    assert not scrubber.playing


def test_the_model_of_a_run_is_opened_and_offered_again_when_it_is_newer(
    training_panel: TrainingPanel, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    opened(training_panel, folder, qtbot)
    button = training_panel.watch.controls.open_button
    assert (button.text(), button.isEnabled()) == ("Open model", True)
    with qtbot.waitSignal(training_panel.command_wanted) as wanted:
        button.click()
    assert wanted.args == [f"open:{folder / 'checkpoint.safetensors'}"]
    info: ModelInfo = some_info(path=str(folder / "checkpoint.safetensors"))
    training_panel.workspace.opened = OpenedModel(info)
    training_panel.show_model()
    training_panel._redraw()
    assert (button.text(), button.isEnabled()) == ("Model open", False)
    write_epoch(folder, 3)
    later = training_panel.following.reading.checkpoint_ns + 1_000_000_000  # type: ignore[union-attr]
    os.utime(folder / "checkpoint.safetensors", ns=(later, later))
    training_panel.following.look()
    qtbot.waitUntil(
        lambda: training_panel.following.reading is not None and training_panel.following.reading.checkpoint_ns == later
    )
    training_panel._redraw()
    assert (button.text(), button.isEnabled()) == ("Reload model", True)


def test_the_model_of_a_run_that_is_done_is_what_comes_next(
    training_panel: TrainingPanel, qtbot: QtBot, tmp_path: Path
) -> None:
    opened(training_panel, tmp_path / "paused", qtbot, epochs=2, of=3)
    button = training_panel.watch.controls.open_button
    assert not button.property("primary")
    opened(training_panel, tmp_path / "done", qtbot, epochs=3, of=3)
    assert button.isEnabled()
    assert button.property("primary")
    training_panel.workspace.opened = OpenedModel(some_info(path=str(tmp_path / "done" / "checkpoint.safetensors")))
    training_panel.show_model()
    training_panel._redraw()
    assert not button.property("primary"), "it is open"


def test_a_folder_of_something_else_is_refused(training_panel: TrainingPanel, qtbot: QtBot, tmp_path: Path) -> None:
    training_panel.open_run(tmp_path)
    qtbot.waitUntil(lambda: bool(training_panel.workspace.notices.log))
    assert "holds no run" in training_panel.workspace.notices.log[0].text
    assert training_panel.pages.currentWidget() is training_panel.form


def dropped(panel: TrainingPanel, path: Path) -> QDropEvent:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    panel.test_mime = mime  # type: ignore[attr-defined]  # an event does not keep it
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, buttons, modifiers)
    panel.dropEvent(event)
    deliver()
    return event


def test_a_dropped_run_is_opened_and_a_dropped_folder_is_data(training_panel: TrainingPanel, tmp_path: Path) -> None:
    assert training_panel.form is not None
    (tmp_path / "pictures").mkdir()
    dropped(training_panel, tmp_path / "pictures")
    assert training_panel.form.data.value == str(tmp_path / "pictures")
    write_epoch(tmp_path / "run", 1)
    dropped(training_panel, tmp_path / "run")
    assert training_panel.following.folder == tmp_path / "run"


def test_recent_runs_are_in_the_menu(training_panel: TrainingPanel, tmp_path: Path) -> None:
    training_panel.workspace.settings.add_recent_run(tmp_path / "faces")
    training_panel.runs_menu.aboutToShow.emit()
    assert training_panel.runs_menu.actions()[0].text() == "faces"


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


def test_the_status_line_shows_the_run_meanwhile(window: MainWindow, trainer: FakeTrainer) -> None:
    row = window.status.run
    assert not row.isVisible()
    training = window.workspace.training
    assert training is not None
    training.begin(["vae"], Path("runs/faces"), epochs=4)
    trainer.runs[0].step(2, 10)
    deliver()
    row.refresh()
    assert row.isVisible()
    assert row.text.text() == "faces  50%"
    assert row.bar.value() == 500
    row.pause_button.click()
    assert trainer.runs[0].stops == 1
    row.refresh()
    assert not row.pause_button.isEnabled()
    trainer.runs[0].end(130)
    deliver()
    row.refresh()
    assert not row.isVisible()


def test_the_window_opens_the_model_of_a_run(window: MainWindow, engine: FakeEngine, tmp_path: Path) -> None:
    panel = window.docks.raise_panel("training")
    assert panel is not None
    write_epoch(tmp_path / "run", 1)
    panel.command_wanted.emit(f"open:{tmp_path / 'run' / 'checkpoint.safetensors'}")
    assert engine.opens[-1].path == str(tmp_path / "run" / "checkpoint.safetensors")


def test_losses_between_epochs_stay_when_a_run_goes_on(
    training_panel: TrainingPanel, trainer: FakeTrainer, qtbot: QtBot
) -> None:
    folder = begun(training_panel)
    write_epoch(folder, 1)
    training_panel.following.look()
    qtbot.waitUntil(lambda: training_panel.following.reading is not None)
    trainer.runs[0].step(2, 5, loss=3.5)
    trainer.runs[0].end(130)
    deliver()
    training_panel.resume(3)
    trainer.runs[1].step(2, 6, loss=3.4)
    deliver()
    run = training_panel.training.at_work  # type: ignore[union-attr]
    assert run is not None
    assert run.progress.points.steps == [15, 16]
    assert run.progress.points.epochs == [1.5, 1.6]


def test_the_panels_lie_beside_each_other(window: MainWindow) -> None:
    docks = window.docks.docks
    assert docks["training"] in window.tabifiedDockWidgets(docks["map"])
    assert docks["image"] not in window.tabifiedDockWidgets(docks["map"])
    assert window.docks.raise_panel("training") is not None
    assert QApplication.activeModalWidget() is None
