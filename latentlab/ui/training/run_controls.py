"""What one can do with a run: pause, resume, finish, open its model; and how far it is."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QProgressBar, QPushButton, QSpinBox, QToolButton, QVBoxLayout, QWidget

from latentlab.core.run_folder import RunReading
from latentlab.ui import theme
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.icons import icon
from latentlab.ui.tool_button import tool_button
from latentlab.ui.training.run_state import RunState

MOST_EPOCHS = 1_000_000
BAR_STEPS = 1000
AT_ONCE_MS = 1500  # a double click on Pause must not stop at once


class RunControls(QWidget):
    pause_wanted = Signal()
    resume_wanted = Signal(int)  # to which epoch
    finish_wanted = Signal()
    open_wanted = Signal()
    folder_wanted = Signal()
    copy_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder_of_epochs = ""  # for whose run the field of epochs was last set
        self._stops = False
        self.text = ElidedLabel()
        self.text.setFont(theme.tabular(self.text.font()))
        self.text.setAccessibleName("State of the run")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the run")
        self.pause_button = QPushButton("Pause")
        self.pause_button.setIcon(icon("mdi6.pause"))
        self.pause_button.clicked.connect(self.pause_wanted)
        self._at_once = QTimer(self, singleShot=True, interval=AT_ONCE_MS)
        self._at_once.timeout.connect(lambda: self.pause_button.setEnabled(True))
        self.resume_button = QPushButton("Resume")
        self.resume_button.setIcon(icon("mdi6.play"))
        self.epochs = QSpinBox()
        self.resume_button.clicked.connect(lambda: self.resume_wanted.emit(self.epochs.value()))
        theme.pad(self.epochs)
        self.epochs.setPrefix("to epoch ")
        self.epochs.setKeyboardTracking(False)
        self.epochs.setAccessibleName("Train until epoch")
        self.epochs.setToolTip("Train until this epoch")
        self.epochs.setFixedWidth(112)
        self.open_button = QPushButton("Open model")
        self.open_button.clicked.connect(self.open_wanted)
        self._make_menu()
        row = QHBoxLayout()
        row.setSpacing(theme.GRID_PX)
        row.addWidget(self.text, 1)
        for widget in (self.epochs, self.resume_button, self.pause_button):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(row)
        column.addWidget(self.bar)

    def _make_menu(self) -> None:
        """What is wanted less often."""
        self.more = tool_button("mdi6.dots-horizontal", "More about this run")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        menu = QMenu(self.more)
        self.finish_action = menu.addAction("Finish here", self.finish_wanted.emit)
        self.finish_action.setToolTip("End with the epochs that are done, and put the encodings into the checkpoint")
        menu.setToolTipsVisible(True)
        menu.addAction("Show its folder", self.folder_wanted.emit)
        menu.addAction("Copy the command that goes on with it", self.copy_wanted.emit)
        self.more.setMenu(menu)

    def show_run(self, state: RunState, reading: RunReading | None, busy: str, model: str) -> None:
        """`busy`: the name of another run at work. `model`: "none", "closed", "open", or "older" than the file."""
        self.text.setText(state.text)
        self.text.setToolTip(state.text)
        if state.share is None:
            self.bar.setRange(0, 0)
        else:
            self.bar.setRange(0, BAR_STEPS)
            self.bar.setValue(round(state.share * BAR_STEPS))
        self._show_pausing(state)
        resumable = reading is not None and state.kind in ("paused", "done") and bool(reading.family)
        self.resume_button.setVisible(resumable)
        self.epochs.setVisible(resumable)
        if resumable and reading is not None:
            self._show_resuming(state, reading, busy)
        done = reading.epochs_done if reading is not None else 0
        self.finish_action.setEnabled(done > 0 and state.kind in ("trains", "paused") and not busy)
        self._show_model(model, state.kind == "done")

    def _show_pausing(self, state: RunState) -> None:
        self.pause_button.setVisible(state.at_work)
        stops = state.kind == "stops"
        if stops != self._stops:
            self._stops = stops
            self.pause_button.setEnabled(not stops)
            if stops:
                self._at_once.start()
        self.pause_button.setText("Stop at once" if stops else "Pause")
        self.pause_button.setToolTip(
            "End without finishing the step; what was saved last can be resumed"
            if stops
            else "Finish the step, save and end; it can be resumed, here or from a shell"
        )

    def _show_resuming(self, state: RunState, reading: RunReading, busy: str) -> None:
        done = state.kind == "done"
        self.resume_button.setText("Train on" if done else "Resume")
        self.resume_button.setEnabled(not busy)
        self.resume_button.setToolTip(f"{busy} is being trained; pause it first" if busy else "Go on where it stopped")
        key = f"{reading.folder} {reading.epochs} {reading.epochs_done}"
        if key == self._folder_of_epochs:
            return
        self._folder_of_epochs = key
        with QSignalBlocker(self.epochs):
            self.epochs.setRange(reading.epochs_done + 1, MOST_EPOCHS)
            self.epochs.setValue(2 * reading.epochs_done if done else reading.epochs)

    def _show_model(self, model: str, done: bool) -> None:
        """What comes next stands out: the model of a run that is done, or a newer one than is open."""
        words = {
            "none": ("Open model", "It has no checkpoint yet"),
            "closed": ("Open model", "Map, sliders and all the rest show this model"),
            "open": ("Model open", "What is shown is the newest checkpoint of this run"),
            "older": ("Reload model", "A newer checkpoint has been saved"),
        }
        text, tip = words[model]
        self.open_button.setText(text)
        self.open_button.setToolTip(tip)
        self.open_button.setEnabled(model in ("closed", "older"))
        primary = model == "older" or (model == "closed" and done)
        if self.open_button.property("primary") != primary:
            self.open_button.setProperty("primary", primary)
            self.open_button.style().polish(self.open_button)
