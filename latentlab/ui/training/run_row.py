"""The run that is trained, in the status line: so that one can look at something else meanwhile."""

from __future__ import annotations

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QWidget

from latentlab.ui import theme
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.icons import icon
from latentlab.ui.training.run_state import state_of
from latentlab.ui.training.training import Training

REDRAW_MS = 400  # each new text may lay out the whole window
NAME_PX = 150
BAR_STEPS = 1000


class RunRow(QWidget):
    """ "digits-vae  45 %", a bar and Pause; hidden while nothing is trained."""

    def __init__(self, training: Training | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._training = training
        self._soon = QTimer(self, singleShot=True, interval=REDRAW_MS)
        self._soon.timeout.connect(self.refresh)
        self.text = ElidedLabel()
        self.text.setProperty("role", "caption")
        self.text.setFont(theme.caption_font(self.text))
        self.text.setFixedWidth(NAME_PX)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(96)
        self.bar.setAccessibleName("Progress of the training")
        self.pause_button = QToolButton()
        self.pause_button.setIcon(icon("mdi6.pause-circle-outline"))
        self.pause_button.setIconSize(QSize(14, 14))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID_PX, 0, theme.GRID_PX, 0)
        row.setSpacing(theme.GRID_PX)
        for widget in (self.text, self.bar, self.pause_button):
            row.addWidget(widget)
        if training is not None:
            self.pause_button.clicked.connect(training.pause)
            training.changed.connect(self._refresh_soon)
        self.refresh()

    def refresh(self) -> None:
        run = self._training.at_work if self._training is not None else None
        self.setVisible(run is not None)
        if run is None:
            return
        state = state_of(None, run)
        share = run.progress.share
        self.text.setText(run.name if share is None else f"{run.name}  {share:.0%}")
        self.setToolTip(f"Training {run.name}: {state.text} (Ctrl+0)")
        self.bar.setRange(0, 0 if share is None else BAR_STEPS)
        if share is not None:
            self.bar.setValue(round(share * BAR_STEPS))
        said = f"Pause the training of {run.name}"
        self.pause_button.setToolTip(said)
        self.pause_button.setAccessibleName(said)
        self.pause_button.setEnabled(not run.stopping)

    def _refresh_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()
