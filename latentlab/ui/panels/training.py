"""Training: start a run, watch it, pause and resume it, and open any run to see how it went.

The work is done by `latentlab-train` in a process of its own; a run is its folder, whoever started it.
"""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent, QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.run_folder import is_run
from latentlab.core.training_offer import as_typed, resuming
from latentlab.ui import theme
from latentlab.ui.icons import icon
from latentlab.ui.notices import Action
from latentlab.ui.panel import Panel
from latentlab.ui.training.following import RunFollowing
from latentlab.ui.training.progress import StepPoints
from latentlab.ui.training.run_state import is_elsewhere, state_of
from latentlab.ui.training.setup_form import SetupForm
from latentlab.ui.training.training import NOT_INSTALLED, RunAtWork, RunEnd, Training
from latentlab.ui.training.watch_page import WatchPage
from latentlab.ui.workspace import Workspace

REDRAW_MS = 120  # a small run says more in a second than one can read
LATER_MS = 3000
ASKING = "Asking the trainer what it offers…"


class TrainingPanel(Panel):
    key = "training"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.training: Training | None = workspace.training
        self.following = RunFollowing(self)
        self.following.changed.connect(self._redraw_soon)
        self.following.refused.connect(self._refuse)
        self._points: dict[Path, StepPoints] = {}  # between epochs, of runs that were trained here
        self._said: dict[Path, list[str]] = {}
        self._failures: dict[Path, str] = {}
        self._ended_ns: dict[Path, int] = {}  # when a process of ours last ended that trained a run
        self._opened_ns = 0  # when the checkpoint that is open was written
        self._soon = QTimer(self, singleShot=True, interval=REDRAW_MS)
        self._soon.timeout.connect(self._redraw)
        self._later = QTimer(self, singleShot=True, interval=LATER_MS)
        self._later.timeout.connect(self._redraw)
        self.setAcceptDrops(True)
        self._build()
        if self.training is not None:
            self.training.changed.connect(self._redraw_soon)
            self.training.ended.connect(self._end)
            self.training.offered.connect(self._show_offer)
        application = QGuiApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.close_panel)

    def _top_row(self) -> QHBoxLayout:
        """Which run is watched, and what leads elsewhere."""
        self.run_button = QToolButton()
        self.run_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.run_button.setIcon(icon("mdi6.folder-open-outline"))
        self.run_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.run_button.setToolTip("Open a run: its curves, pictures and map. Or drop its folder here")
        self.run_button.setAccessibleName("Open a run")
        self.runs_menu = QMenu(self.run_button)
        self.runs_menu.aboutToShow.connect(self._fill_runs)
        self.run_button.setMenu(self.runs_menu)
        self.new_button = QPushButton("New run")
        self.new_button.setIcon(icon("mdi6.plus"))
        self.new_button.setToolTip("Train another model")
        self.new_button.clicked.connect(self.set_up)
        self.back_button = QPushButton("Back")
        self.back_button.setToolTip("To the run that was watched")
        self.back_button.clicked.connect(lambda: self._turn_to(self.watch))
        top = QHBoxLayout()
        top.setContentsMargins(theme.PADDING_PX - 5, theme.GRID_PX, theme.PADDING_PX, 4)
        top.addWidget(self.run_button)
        top.addStretch()
        top.addWidget(self.back_button)
        for widget in (self.watch.controls.open_button, self.watch.controls.more, self.new_button):
            top.addWidget(widget)
        return top

    def _build(self) -> None:
        self.watch = WatchPage()
        top = self._top_row()
        self.words = QLabel(ASKING)
        self.words.setProperty("role", "caption")
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words.setWordWrap(True)
        self.words.setContentsMargins(theme.PADDING_PX, 0, theme.PADDING_PX, 0)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.words)
        self.form: SetupForm | None = None
        if self.training is not None:
            self.form = SetupForm(self.training, self.workspace.settings)
            self.form.begun.connect(self._begin)
            self.pages.addWidget(self.form)
        self._listen_to_controls()
        self.pages.addWidget(self.watch)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.pages, 1)
        self.setMinimumSize(QSize(300, 260))
        self._turn_to(self.words)
        if self.training is None:
            self.words.setText(NOT_INSTALLED)

    def _listen_to_controls(self) -> None:
        controls = self.watch.controls
        controls.pause_wanted.connect(self.pause)
        controls.resume_wanted.connect(self.resume)
        controls.finish_wanted.connect(self.finish)
        controls.open_wanted.connect(self.open_model)
        controls.folder_wanted.connect(self._show_folder)
        controls.copy_wanted.connect(self._copy_resuming)

    # --- pages

    def _turn_to(self, page: QWidget) -> None:
        self.pages.setCurrentWidget(page)
        watching = page is self.watch
        self.new_button.setVisible(watching and self.form is not None)
        self.watch.controls.open_button.setVisible(watching)
        self.watch.controls.more.setVisible(watching)
        self.back_button.setVisible(not watching and self.following.folder is not None)
        folder = self.following.folder
        self.run_button.setText(f" {folder.name}" if watching and folder else " Open a run")
        self.following.watch(watching and self.isVisible())
        self.first_focus = page

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.training is not None:
            self.training.ask_offer()
        self.following.watch(self.pages.currentWidget() is self.watch)
        self._redraw()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.following.watch(False)
        self.watch.scrubber.stop()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DeferredDelete:
            self.close_panel()
        return super().event(event)

    def close_panel(self) -> None:
        """Nothing is read any more."""
        self._soon.stop()
        self._later.stop()
        self.following.close()
        self.watch.close_page()

    def _show_offer(self) -> None:
        training, form = self.training, self.form
        if training is None or form is None:
            return
        if training.offer is None:
            self.words.setText(training.refusal)
            return
        form.show_offer(training.offer)
        form.show_busy(training.at_work.name if training.at_work else "")
        if self.pages.currentWidget() is self.words:
            self._turn_to(form)

    # --- the window's calls

    def show_model(self) -> None:
        self._opened_ns = 0
        reading = self.following.reading
        if reading is not None and self.workspace.opened.info.path == str(reading.checkpoint):
            self._opened_ns = reading.checkpoint_ns
        self._redraw_soon()

    def show_theme(self) -> None:
        self.watch.show_theme()

    # --- drawing

    def _redraw_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _redraw(self) -> None:
        training, folder, reading = self.training, self.following.folder, self.following.reading
        run = training.at_work if training is not None else None
        if run is not None:
            self._keep(run)
        if self.form is not None:
            self.form.show_busy(run.name if run else "")
        if folder is None or not self.isVisible():
            return
        own = run if run is not None and run.folder == folder else None
        busy = run.name if run is not None and own is None else ""
        notes = self._said.get(folder, [])
        points = self._points.get(folder, StepPoints())
        failure = self._failures.get(folder, "")
        elsewhere = reading is not None and is_elsewhere(reading, self._ended_ns.get(folder, 0), time.time_ns())
        if elsewhere and own is None:  # until it has been quiet for a while
            self._later.start()
        state = state_of(reading, own, elsewhere)
        self.watch.show_run(reading, state, points, busy, self._model(), notes, failure)

    def _keep(self, run: RunAtWork) -> None:
        """What the process says of a run that its folder does not hold."""
        reading = self.following.reading
        if not run.progress.epochs and reading is not None and reading.folder == run.folder:
            run.progress.epochs = reading.epochs
        self._points[run.folder] = run.progress.points
        self._said[run.folder] = run.progress.notes

    def _model(self) -> str:
        reading = self.following.reading
        if reading is None or not reading.checkpoint_ns:
            return "none"
        if self.workspace.opened.info.path != str(reading.checkpoint):
            return "closed"
        if not self._opened_ns:  # opened before its run was
            self._opened_ns = reading.checkpoint_ns
        return "older" if reading.checkpoint_ns > self._opened_ns else "open"

    # --- runs

    def _fill_runs(self) -> None:
        menu = self.runs_menu
        menu.clear()
        for name in self.workspace.settings.recent_runs:
            folder = Path(name)
            action = menu.addAction(f"{folder.name}", lambda folder=folder: self.open_run(folder))  # type: ignore[misc]
            action.setToolTip(name)
        menu.setToolTipsVisible(True)
        if self.workspace.settings.recent_runs:
            menu.addSeparator()
        menu.addAction(icon("mdi6.folder-open-outline"), "Open a run…", self.choose_run)

    def choose_run(self) -> None:
        settings = self.workspace.settings
        name = QFileDialog.getExistingDirectory(self, "Open a run: its folder", settings.runs_folder)
        if name:
            self.open_run(Path(name))

    def open_run(self, folder: Path) -> None:
        """Shows the run in a folder, whether it is at work or not, and whoever started it."""
        self._watch(folder)

    def _watch(self, folder: Path, expected: bool = False) -> None:
        self.watch.forget()
        self._opened_ns = 0
        self.following.follow(folder, expected)
        self._turn_to(self.watch)
        self._redraw()

    def _refuse(self, why: str) -> None:
        self.workspace.notices.error(why)
        if self.form is not None and self.training is not None and self.training.offer is not None:
            self._turn_to(self.form)
        else:
            self._turn_to(self.words)

    def set_up(self) -> None:
        """The form of another run."""
        if self.form is not None and self.training is not None:
            self._turn_to(self.form if self.training.offer is not None else self.words)
            if self.training.offer is not None:
                self.form.begin_anew()

    def _begin(self, arguments: list[str], folder: Path) -> None:
        assert self.training is not None
        self._failures.pop(folder, None)
        self._points.pop(folder, None)
        self.training.begin(arguments, folder)
        self.workspace.settings.add_recent_run(folder)
        self._watch(folder, expected=True)

    # --- what one does with a run

    def pause(self) -> None:
        if self.training is not None:
            self.training.pause()

    def resume(self, epochs: int) -> None:
        """Goes on with the run that is watched, until `epochs` are done."""
        reading, training = self.following.reading, self.training
        if reading is None or training is None or training.at_work is not None:
            return
        self._failures.pop(reading.folder, None)
        run = training.begin(resuming(reading.family, reading.folder, epochs), reading.folder, epochs)
        run.progress.points = self._points.get(reading.folder, run.progress.points)
        self.workspace.settings.add_recent_run(reading.folder)
        self._redraw()

    def finish(self) -> None:
        """Ends the run with the epochs that are done; its model gets its map."""
        training, reading = self.training, self.following.reading
        if training is None or reading is None:
            return
        if training.at_work is None:
            self.resume(reading.epochs_done)
        elif training.at_work.folder == reading.folder:
            training.at_work.finish = True
            if not training.at_work.stopping:
                training.pause()

    def open_model(self) -> None:
        """The run's checkpoint becomes the model of the window."""
        reading = self.following.reading
        if reading is not None and reading.checkpoint_ns:
            self._opened_ns = reading.checkpoint_ns
            self.command_wanted.emit(f"open:{reading.checkpoint}")

    def _end(self, end: RunEnd) -> None:
        run = end.run
        self._ended_ns[run.folder] = time.time_ns()
        self._keep(run)
        watched = run.folder == self.following.folder
        begun = is_run(run.folder)
        if end.kind == "failed" and watched and not begun and self.form is not None:
            self.following.folder = None
            self._turn_to(self.form)
            self.form.say(end.text)
            return
        if end.kind == "failed":
            self._failures[run.folder] = end.text
            if not self.isVisible():
                self.workspace.notices.error(f"Training {run.name}: {end.text}", details=end.details)
        elif end.kind == "done" and not self.isVisible():
            checkpoint = run.progress.checkpoint
            opening = Action("Open model", lambda: self.command_wanted.emit(f"open:{checkpoint}"))
            self.workspace.notices.info(f"Training {run.name} is done.", opening)
        if run.finish and end.kind == "paused" and run.progress.epochs_done and self.training is not None:
            family = run.arguments[0]
            self.training.begin(resuming(family, run.folder, run.progress.epochs_done), run.folder)
        self.following.look()
        self._redraw()

    def _show_folder(self) -> None:
        if self.following.folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.following.folder)))

    def _copy_resuming(self) -> None:
        reading = self.following.reading
        if reading is not None:
            QGuiApplication.clipboard().setText(as_typed(resuming(reading.family, reading.folder)))
            self.workspace.notices.info("Copied the command that goes on with this run.")

    # --- drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if (path := _dropped(event)) is not None and (is_run(path) or self._takes_data(path)):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped(event)
        if path is None:
            return
        event.acceptProposedAction()
        if is_run(path):
            QTimer.singleShot(0, self, lambda: self.open_run(path))
        elif self.form is not None:
            self.form.set_data(str(path))

    def _takes_data(self, path: Path) -> bool:
        return self.pages.currentWidget() is self.form and (path.is_dir() or path.suffix == ".npz")


def _dropped(event: QDropEvent) -> Path | None:
    urls = [url for url in event.mimeData().urls() if url.isLocalFile()]
    return Path(urls[0].toLocalFile()) if len(urls) == 1 else None
