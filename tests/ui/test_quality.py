"""The quality panel: what a model comes with, measuring as a job, the bars of the dimensions, copying."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from latentlab.core.figure_kinds import FigureKind
from latentlab.core.figures import Cell, Column, Group, PerDimension, Row
from latentlab.core.measurement import Measurement, keep
from latentlab.core.requests import Done, JobFailed, Progress
from latentlab.core.spaces import LatentSpace
from latentlab.engine.measuring import Measured
from latentlab.ui import theme
from latentlab.ui.main_window import MainWindow
from latentlab.ui.messages import TextDialog
from latentlab.ui.panels.quality import QualityPanel
from latentlab.ui.panels.sliders import SlidersPanel
from latentlab.ui.quality.chart import DimensionChart
from latentlab.ui.quality.group import FigureGroup
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine, FakeJobs, deliver, some_encodings

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
FIGURES = {
    "held_out": {"mse": 0.00416},
    "samples": {"precision": 0.7465, "feature_space": "128 features of a classifier", "frechet_distance": 10.9},
}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTLAB_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot, follow: Callable[[QualityPanel], None], tmp_path: Path) -> QualityPanel:
    """On a model with figures in a file of its own, shown, with everything read."""
    path = tmp_path / "faces.safetensors"
    path.write_bytes(b"weights")
    workspace.opened.info = replace(workspace.opened.info, path=str(path), figures=FIGURES)
    panel = QualityPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(400, 600)
    panel.show()
    follow(panel)
    qtbot.waitUntil(lambda: panel._known.dimensions is not None)
    return panel


def measured(unkept: str = "", skipped: tuple[str, ...] = (), **parts: Any) -> Measured:
    figures = {
        "reconstruction": {"mse": 0.00176, "ssim": 0.911},
        "samples": {"precision": 0.683, "completeness": 0.683},
    }
    values: dict[str, Any] = {"kind": "encodings", "source": "1,000 thumbnails", "figures": figures, **parts}
    return Measured(Measurement(**values), "" if unkept else "kept", skipped, unkept)


def said(panel: QualityPanel) -> str:
    return panel.view.said


# --- what is there on opening ----------------------------------------------------------------------------------


def test_the_figures_of_the_checkpoint_stand_there_at_once(panel: QualityPanel) -> None:
    assert panel.view.rows["reconstruction.mse"] == ("0.00416",)
    assert panel.view.rows["samples.precision"] == ("0.747",)
    assert panel.view.rows["latent.kl_nats"] == ("8.40 nats",)
    text = said(panel)
    assert "measured in 128 features of a classifier." in text
    assert "by the trainer" in text
    assert "How far a picture is from itself" in text
    assert "Mean squared error: Stored 0.00416. Lower is better." in text
    assert text.endswith(panel.view.findChildren(FigureGroup)[-1].accessibleDescription())


def test_what_was_measured_before_is_found_again(panel: QualityPanel, workspace: Workspace, qtbot: QtBot) -> None:
    keep(workspace.opened.info, measured().measurement)
    panel.show_model()
    panel.show_state(workspace.state, None)
    qtbot.waitUntil(lambda: panel.view.rows["reconstruction.mse"] == ("0.00416", "0.00176"))


def test_nothing_is_read_before_the_panel_is_seen(workspace: Workspace, qtbot: QtBot) -> None:
    panel = QualityPanel(workspace)
    qtbot.addWidget(panel)
    panel.show_model()
    assert not panel._computing._busy


def test_a_model_without_figures_says_how_to_get_them(panel: QualityPanel, workspace: Workspace) -> None:
    workspace.opened.info = replace(workspace.opened.info, figures={})
    workspace.opened.encodings = None
    panel.show_model()
    panel.show_state(workspace.state, None)
    assert panel.view.rows == {}
    assert "Measure it" in said(panel)
    assert not panel.view.chart.isVisible()
    assert not panel.controls.copy_button.isEnabled()


def test_where_nothing_is_open_nothing_is_measured(panel: QualityPanel, workspace: Workspace, jobs: FakeJobs) -> None:
    workspace.opened.info = replace(workspace.opened.info, path="", sha256="", figures={})
    workspace.opened.encodings = None
    panel.show_model()
    panel.show_state(workspace.state, None)
    assert "Open a model" in said(panel)
    assert not panel.controls.measure_button.isEnabled()
    assert not panel.controls.pictures_button.isEnabled()
    assert panel.measure() is None
    assert jobs.started == []


def test_a_model_with_nothing_to_measure_it_by_asks_for_pictures(
    panel: QualityPanel, workspace: Workspace, jobs: FakeJobs
) -> None:
    spaces = (LatentSpace("z", (DIM,), "empirical"),)
    workspace.opened.info = replace(workspace.opened.info, figures={}, spaces=spaces)
    workspace.opened.encodings = None
    panel.show_model()
    panel.show_state(workspace.state, None)
    assert "measure with pictures" in said(panel)
    assert not panel.controls.measure_button.isEnabled()
    assert panel.controls.pictures_button.isEnabled()


def test_a_hostile_header_is_no_html(panel: QualityPanel, workspace: Workspace) -> None:
    name = "<img src='file:///etc/passwd'>"
    workspace.opened.info = replace(workspace.opened.info, figures={name: 3}, training={"data": name})
    panel.show_model()
    panel.show_state(workspace.state, None)
    (sources,) = panel.view.widget().findChildren(QLabel)
    assert "img" in sources.text()
    assert "<img" not in sources.text()


def test_texts_wrap_and_numbers_have_tips(qtbot: QtBot) -> None:
    column = Column("stored", "Stored", "by the trainer")
    kind = FigureKind(
        "a.b", "Group", "A figure with a long name", "What it means, in a sentence of some length.", "lower"
    )
    group = FigureGroup(Group("Group", (column,), (Row(kind, {"stored": Cell(0.123456, "real pictures: 0.1")}),)))
    qtbot.addWidget(group)
    assert group.heightForWidth(160) > group.heightForWidth(500) > 3 * theme.CAPTION_PX
    group.resize(300, group.heightForWidth(300))
    tips = {group.tip_at(QPointF(x, y)) for x in (5, 295) for y in range(0, group.height(), 3)}
    assert {"By the trainer", "Lower is better", "Stored: 0.123456"} <= tips
    picture = group.grab().toImage()
    inks = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert {theme.current().text, theme.current().secondary} <= inks


# --- measuring -------------------------------------------------------------------------------------------------


def test_measuring_is_a_job_with_progress_and_cancel(panel: QualityPanel, workspace: Workspace, jobs: FakeJobs) -> None:
    panel.controls.count.setValue(200)
    panel.controls.features.setCurrentIndex(1)
    panel.controls.measure_button.click()
    job = jobs.started[-1]
    assert job.function == "latentlab.engine.measuring:run"
    assert job.arguments["checkpoint"] == CHECKPOINT
    assert (job.arguments["images"], job.arguments["count"], job.arguments["features"]) == ("", 200, "classifier")
    progress = panel.controls.progress
    assert progress.isVisible()
    assert not panel.controls.measure_button.isVisible()
    job.say(Progress(0.25, 1, "drawing: 50 of 200"))
    deliver()
    assert progress.text.text() == "Drawing: 50 of 200"
    assert progress.bar.value() == 250
    assert panel.measure() is None  # one at a time
    assert "already" in workspace.notices.log[-1].text
    progress.cancel_button.click()
    assert job.cancelled
    deliver()
    assert not progress.isVisible()
    assert panel.controls.measure_button.isVisible()
    assert panel.view.rows["reconstruction.mse"] == ("0.00416",)


def test_what_was_measured_stands_beside_what_was_stored(
    panel: QualityPanel, workspace: Workspace, jobs: FakeJobs
) -> None:
    panel.measure()
    jobs.started[-1].say(Done(measured(notes=("Thumbnails are small.",))))
    deliver()
    assert panel.view.rows["reconstruction.mse"] == ("0.00416", "0.00176")
    assert panel.view.rows["reconstruction.ssim"] == ("–", "0.911")
    assert panel.view.rows["samples.precision"] == ("0.747", "0.683")
    assert "Thumbnails are small." in said(panel)
    assert workspace.notices.shown == []  # it is there to be seen
    panel.measure()
    jobs.started[-1].say(Done(measured(figures={"reconstruction": {"mse": 0.5}})))
    deliver()
    assert panel.view.rows["reconstruction.mse"] == ("0.00416", "0.500")


def test_pictures_are_measured_with(
    panel: QualityPanel, workspace: Workspace, jobs: FakeJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: str(tmp_path))
    panel.controls.folder_wanted.emit()
    job = jobs.started[-1]
    assert job.arguments["images"] == str(tmp_path)
    job.say(Done(measured("The disk is full.", ("a.png: no picture",), kind="pictures")))
    deliver()
    assert panel.view.rows["reconstruction.mse"] == ("0.00416", "0.00176")
    texts = [notice.text for notice in workspace.notices.log]
    assert any("are not kept. The disk is full." in text for text in texts)
    notice = next(notice for notice in workspace.notices.log if "1 files could not be used" in notice.text)
    notice.actions[0].run()
    dialog = panel.findChild(TextDialog)
    assert isinstance(dialog, TextDialog)
    assert "a.png" in dialog.text.toPlainText()
    dialog.accept()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(tmp_path / "faces.npz"), ""))
    panel.controls.archive_wanted.emit()
    assert jobs.started[-1].arguments["images"].endswith("faces.npz")


def test_pictures_that_are_dropped_are_measured_with(panel: QualityPanel, jobs: FakeJobs, tmp_path: Path) -> None:
    """A checkpoint, a run and a picture are the window's to open."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"weights")
    (tmp_path / "mine").mkdir()
    taken = []
    for name in ("faces.safetensors", "run", "face.png", "mine", "mine.npz"):
        dragged = QMimeData()
        dragged.setUrls([QUrl.fromLocalFile(str(tmp_path / name))])
        how = (Qt.DropAction.CopyAction, dragged, LEFT, NO_KEY)
        entered = QDragEnterEvent(QPoint(20, 200), *how)
        entered.ignore()
        panel.dragEnterEvent(entered)
        if entered.isAccepted():
            taken.append(name)
            panel.dropEvent(QDropEvent(QPointF(20, 200), *how))
            assert jobs.started[-1].arguments["images"] == str(tmp_path / name)
            jobs.started[-1].say(Done(measured(kind="pictures")))
            deliver()
    assert taken == ["mine", "mine.npz"]


def test_a_job_that_fails_leaves_everything(window: MainWindow, jobs: FakeJobs, tmp_path: Path) -> None:
    window.workspace.opened.info = replace(window.workspace.opened.info, path=str(tmp_path / "faces.safetensors"))
    window.commands.find("quality.measure")()
    panel = window.docks.panels["quality"]
    assert isinstance(panel, QualityPanel)
    jobs.started[-1].say(JobFailed("absent.npz does not exist; check the path."))
    deliver()
    assert "Measuring the model: absent.npz does not exist" in window.workspace.notices.log[-1].text
    assert panel.controls.measure_button.isVisible()
    panel.controls.measure_button.click()
    assert len(jobs.started) == 2


def test_figures_of_another_model_are_not_shown(panel: QualityPanel, workspace: Workspace, jobs: FakeJobs) -> None:
    panel.measure()
    workspace.opened = replace(workspace.opened, info=replace(workspace.opened.info, sha256="another", figures={}))
    panel.show_model()
    panel.show_state(workspace.state, None)
    jobs.started[-1].say(Done(measured()))
    deliver()
    assert "reconstruction.mse" not in panel.view.rows
    assert "when it is opened again" in workspace.notices.log[-1].text


# --- the bars --------------------------------------------------------------------------------------------------


@pytest.fixture
def chart(qtbot: QtBot) -> DimensionChart:
    chart = DimensionChart()
    qtbot.addWidget(chart)
    chart.resize(301, chart.sizeHint().height())
    values = np.array([0.1, 3.0, 0.0, 1.0], np.float32)
    chart.show_dimensions(PerDimension(values, values > 0.05, "nats", 60))
    chart.show()
    return chart


def test_bars_name_the_dimension_under_the_pointer(chart: DimensionChart, qtbot: QtBot) -> None:
    assert chart.text == "3 of 4 active"
    chosen: list[int] = []
    chart.chosen.connect(chosen.append)
    step = chart.bar_px()
    QTest.mouseMove(chart, QPoint(round(0.5 * step), 60))
    assert chart.text == "dim 2: 3 nats, active"
    QTest.mouseMove(chart, QPoint(round(3.5 * step), 60))
    assert chart.text == "dim 3: 0 nats, not active"
    QTest.mouseClick(chart, LEFT, NO_KEY, QPoint(round(1.5 * step), 60))
    assert chosen == [3]
    assert chart.place_at(chart.width() - 2) == -1  # few bars do not fill the width


def test_bars_hear_the_keyboard(chart: DimensionChart) -> None:
    chosen: list[int] = []
    chart.chosen.connect(chosen.append)
    chart.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_End, Qt.Key.Key_Return):
        QTest.keyClick(chart, key)
    assert chosen == [3, 2]
    assert chart.accessibleDescription() == chart.text
    QTest.keyClick(chart, Qt.Key.Key_Home)
    QTest.keyClick(chart, Qt.Key.Key_Left)
    assert chart.pointed == 0


def test_bars_are_as_high_as_their_numbers(chart: DimensionChart) -> None:
    image = chart.grab().toImage()
    accent = theme.current().accent
    step = chart.bar_px()

    def height(place: int) -> int:
        x = round((place + 0.3) * step)
        return sum(image.pixelColor(x, y).name() == accent for y in range(20, chart.height() - 3))

    assert height(0) == pytest.approx(3 * height(1), abs=3)
    assert height(2) == pytest.approx(height(0) / 30, abs=1.5)
    assert height(3) == 0  # not active: grey


def test_many_dimensions_are_drawn(chart: DimensionChart) -> None:
    values = np.linspace(0, 1, 5000, dtype=np.float32)
    chart.show_dimensions(PerDimension(values, values > 0.5, "", 60))
    assert not chart.grab().isNull()
    assert chart.place_at(chart.width() - 2) > 4900
    assert chart.dimension(0) == 4999


def test_a_bar_leads_to_its_slider(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.docks.raise_panel("quality")
    assert isinstance(panel, QualityPanel)
    sliders = window.docks.raise_panel("sliders")
    assert isinstance(sliders, SlidersPanel)
    sliders.filter_box.setText("dim 1")
    panel.view.chart.chosen.emit(4)
    assert sliders.filter_box.text() == ""
    assert sliders.list.row(sliders.list.current).title == "dim 5"


# --- the rest --------------------------------------------------------------------------------------------------


def test_figures_are_copied(panel: QualityPanel, jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []

    class Clipboard:
        def setText(self, text: str) -> None:
            held.append(text)

    monkeypatch.setattr("latentlab.ui.panels.quality.QGuiApplication.clipboard", Clipboard)
    panel.measure()
    jobs.started[-1].say(Done(measured()))
    deliver()
    for form in ("text", "csv", "json"):
        panel.controls.copy_wanted.emit(form)
    text, table, document = held
    assert "Mean squared error ↓" in text
    assert table.startswith("group,figure")
    assert json.loads(document)["measured"][0]["figures"]["reconstruction"]["mse"] == 0.00176


def test_the_theme_changes_the_colours_of_the_table(panel: QualityPanel) -> None:
    was = theme.current()
    (before,) = panel.view.widget().findChildren(QLabel)
    assert was.text in before.text()
    try:
        theme.use(theme.LIGHT if was.dark else theme.DARK)
        panel.show_theme()
        (after,) = panel.view.widget().findChildren(QLabel)
        assert theme.current().text in after.text()
    finally:
        theme.use(was)


def test_other_encodings_bring_other_bars(
    panel: QualityPanel, workspace: Workspace, engine: FakeEngine, qtbot: QtBot
) -> None:
    workspace.opened.encodings = replace(some_encodings(40), kl_per_dimension=None)
    panel.show_model()
    panel.show_state(workspace.state, None)
    qtbot.waitUntil(lambda: panel._known.dimensions is not None)
    assert panel._known.dimensions is not None
    assert panel._known.dimensions.unit == ""
    assert len(panel._known.dimensions.values_D) == DIM
    assert panel.view.chart.isVisible()
