"""Quality: the figures that a model comes with, and those that are measured now, with pictures or without."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from latentlab.core.atomic import displayed
from latentlab.core.figure_text import as_csv, as_json, as_text
from latentlab.core.figures import FigureTable, PerDimension, per_dimension, table_of
from latentlab.core.measurement import Measurement, evaluation, kept, latest
from latentlab.core.model_folders import holds_checkpoint
from latentlab.core.state import State
from latentlab.ui.computing import Computing
from latentlab.ui.messages import TextDialog
from latentlab.ui.notices import Action
from latentlab.ui.panel import Panel
from latentlab.ui.quality.controls import MeasureControls
from latentlab.ui.quality.table import FigureTableView
from latentlab.ui.running import RunningJob
from latentlab.ui.workspace import OpenedModel, Workspace

JOB = "latentlab.engine.measuring:run"
EMPTY = "Nothing is known of this model's quality yet. Measure it: that takes half a minute."
NOTHING_OPEN = "Open a model: its figures stand here, and it can be measured"
NEEDS_PICTURES = "This model carries nothing that it could be measured with: measure with pictures"
NEEDS_MORE = "Measure with pictures, best with some it was not trained on, for completeness and recall."


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the open model, beside what its header says."""

    dimensions: PerDimension | None = None
    measurements: tuple[Measurement, ...] = ()
    evaluated: dict[str, Any] = field(default_factory=dict)


class QualityPanel(Panel):
    key = "quality"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self._computing = Computing(self)
        self._stale = True  # what is known of the open model has not been read
        self._known = Known()
        self._job: RunningJob | None = None
        self.table = FigureTable()
        self.controls = MeasureControls()
        self.view = FigureTableView()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.controls)
        column.addWidget(self.view, 1)
        self.controls.wanted.connect(self.measure)
        self.controls.folder_wanted.connect(self.choose_folder)
        self.controls.archive_wanted.connect(self.choose_archive)
        self.controls.copy_wanted.connect(self.copy)
        self.controls.cancelled.connect(self.cancel)
        self.setAcceptDrops(True)
        self.view.chart.chosen.connect(lambda index: self.command_wanted.emit(f"sliders.go_to_dimension:{index}"))
        self.first_focus = self.controls.measure_button

    # --- drawing

    def show_model(self) -> None:
        self._stale = True
        self._known = Known()

    def show_state(self, new: State, old: State | None) -> None:
        if self._stale:  # only once the panel is seen: what is read and computed for it costs something
            self._stale = False
            self._show()
            self._read()

    def show_theme(self) -> None:
        if not self._stale:
            self._show()

    def _read(self) -> None:
        """What lies beside the checkpoint and in its encodings, on a thread."""
        opened = self.workspace.opened
        info, encodings = opened.info, opened.encodings

        def read() -> Known:
            return Known(per_dimension(encodings), kept(info), dict(evaluation(info)))

        def take(known: Known) -> None:
            current = self.workspace.opened
            if _same(current, opened) and current.encodings is encodings:
                self._known = known
                self._show()

        self._computing.start(read, take)

    def _show(self) -> None:
        info, known = self.workspace.opened.info, self._known
        self.table = table_of(info, known.dimensions, known.measurements, known.evaluated)
        self.controls.show_possible(self._not_alone(), "" if info.sha256 else NOTHING_OPEN, bool(self.table.groups))
        self.view.show_table(self.table, known.dimensions, self._hint())

    def _hint(self) -> str:
        info, known = self.workspace.opened.info, self._known
        reason = self._not_alone()
        if not info.sha256 or not self.table.groups:
            return f"{reason}." if reason else EMPTY
        return "" if known.measurements or known.evaluated or "samples" in info.figures else NEEDS_MORE

    def _not_alone(self) -> str:
        """Why the model cannot be measured without pictures; empty where it can."""
        opened = self.workspace.opened
        if not opened.info.sha256:
            return NOTHING_OPEN
        carries = opened.encodings is not None and len(opened.encodings) > 0
        return "" if carries or opened.info.spaces[0].drawable else NEEDS_PICTURES

    # --- measuring

    def measure(self) -> RunningJob | None:
        """With the thumbnails of the encodings, or with draws alone."""
        if reason := self._not_alone():
            self.workspace.notices.info(f"{reason}.")
            return None
        return self._start("Measuring the model", "")

    def choose_folder(self) -> None:
        """Asks for a folder of pictures to measure with."""
        settings = self.workspace.settings
        folder = QFileDialog.getExistingDirectory(self, "Measure with a folder of pictures", settings.open_folder)
        if folder:
            settings.open_folder = folder
            self.measure_with(Path(folder))

    def choose_archive(self) -> None:
        """Asks for an `.npz` to measure with."""
        settings = self.workspace.settings
        name, _ = QFileDialog.getOpenFileName(
            self, "Measure with an .npz of pictures", settings.open_folder, "Pictures (*.npz)"
        )
        if name:
            settings.open_folder = str(Path(name).parent)
            self.measure_with(Path(name))

    def measure_with(self, images: Path) -> RunningJob | None:
        """With the pictures of a folder, or of an `.npz`."""
        return self._start(f"Measuring with {displayed(images.name)}", str(images))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Pictures to measure with; a checkpoint, or a folder of one, is the window's to open."""
        if _pictures_in(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if (path := _pictures_in(event)) is not None:
            event.acceptProposedAction()
            self.measure_with(path)

    def cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self.controls.show_job(self._job)

    def _start(self, title: str, images: str) -> RunningJob | None:
        opened, notices = self.workspace.opened, self.workspace.notices
        if not opened.info.sha256:
            notices.info(f"{NOTHING_OPEN}.")
            return None
        if self._job is not None:
            notices.info("A model is being measured already; wait for it, or cancel it.")
            return None
        arguments: dict[str, Any] = {
            "path": opened.info.path,
            "checkpoint": opened.info.sha256,
            "images": images,
            **self.controls.options,
            **opened.for_jobs,
        }
        job = self.workspace.running.start(title, JOB, arguments)
        job.progress.connect(lambda _: self.controls.show_job(job))
        job.done.connect(lambda found: self._take(found, opened))
        job.ended.connect(self._end)
        self._job = job
        self.controls.show_job(job)
        return job

    def _end(self) -> None:
        self._job = None
        self.controls.show_job(None)

    def _take(self, found: Any, opened: OpenedModel) -> None:
        """`found` is a `latentlab.engine.measuring.Measured`."""
        notices, info = self.workspace.notices, opened.info
        name = displayed(Path(info.path).name) or info.family
        if _same(self.workspace.opened, opened):
            self._known = Known(
                self._known.dimensions, latest(self._known.measurements, found.measurement), self._known.evaluated
            )
            self._show()
            if not self.isVisible():
                notices.info(f"{name} has been measured.", Action("Show", lambda: self._raise()))
        elif found.path:
            notices.info(f"{name} has been measured; its figures stand there when it is opened again.")
        if found.unkept:
            notices.warn(f"The figures are not kept. {found.unkept} Copy them if you want them.")
        if found.skipped:
            text = "\n".join(found.skipped)
            notices.info(
                f"{len(found.skipped):,} files could not be used.",
                Action("Which", lambda: TextDialog("Files that were skipped", text, self).open()),
            )

    def _raise(self) -> None:
        self.command_wanted.emit(f"raise:{self.key}")

    # --- copying

    def copy(self, form: str) -> None:
        """All figures to the clipboard as "text", "csv" or "json"."""
        info = self.workspace.opened.info
        match form:
            case "csv":
                text = as_csv(self.table)
            case "json":
                text = as_json(info, self._known.measurements)
            case _:
                text = as_text(self.table, info)
        QGuiApplication.clipboard().setText(text)
        self.workspace.notices.info(f"The figures are on the clipboard as {form if form == 'text' else form.upper()}.")


def _pictures_in(event: QDropEvent) -> Path | None:
    """The one folder of pictures, or the `.npz`, that is dragged."""
    urls = [url for url in event.mimeData().urls() if url.isLocalFile()]
    path = Path(urls[0].toLocalFile()) if len(urls) == 1 else Path()
    if path.suffix == ".npz" or (len(urls) == 1 and path.is_dir() and not holds_checkpoint(path)):
        return path
    return None


def _same(one: OpenedModel, other: OpenedModel) -> bool:
    """Whether both are the same file, read the same way."""
    return (one.info.sha256, dict(one.info.reading)) == (other.info.sha256, dict(other.info.reading))
