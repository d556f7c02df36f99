"""The status line: model, device, decode time, how typical, nearest encoding; at the right what runs."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QStatusBar, QToolButton, QWidget

from latentlab.core.requests import Decoded
from latentlab.ui import theme
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.icons import icon
from latentlab.ui.notices import Notices
from latentlab.ui.running import Running, RunningJob
from latentlab.ui.standing import Place
from latentlab.ui.training.run_row import RunRow
from latentlab.ui.training.training import Training
from latentlab.ui.workspace import OpenedModel

JOBS_SHOWN = 2


class StatusLine(QStatusBar):
    messages_wanted = Signal()

    def __init__(
        self, running: Running, notices: Notices, training: Training | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._running = running
        self._notices = notices
        self.model = _label("Model", ElidedLabel())  # the tool bar says it too: it gives way
        self.device = _label("Device")
        self.decode = _steady(_label("Time of the last decode"), "8888.8 ms")
        self.typical = _steady(_label("How typical the current latent is"), "near the mean")
        self.nearest = _steady(_label("Nearest encoding"), "nearest sample #88888, 88.88 σ")
        for label in (self.model, self.device, self.decode, self.typical, self.nearest):
            self.addWidget(label)
        self.run = RunRow(training)
        self.addPermanentWidget(self.run)
        self.run.refresh()  # a status bar shows what it is given
        self._rows: dict[RunningJob, JobRow] = {}
        jobs = QWidget()
        self._jobs = QHBoxLayout(jobs)
        self._jobs.setContentsMargins(0, 0, 0, 0)
        self._jobs.setSpacing(0)
        self.addPermanentWidget(jobs)
        self._more = _label("Further jobs")
        self.addPermanentWidget(self._more)
        self._messages = QToolButton()
        self._messages.setIcon(icon("mdi6.bell-outline", "secondary"))
        self._messages.setIconSize(QSize(14, 14))
        self._messages.setToolTip("Messages of this session")
        self._messages.setAccessibleName("Messages of this session")
        self._messages.clicked.connect(self.messages_wanted)
        self.addPermanentWidget(self._messages)
        running.changed.connect(self.show_jobs)
        notices.added.connect(self._count_messages)
        self._count_messages()
        self.show_jobs()

    def show_model(self, opened: OpenedModel, name: str) -> None:
        self.model.setText(name)
        self.model.updateGeometry()
        self.model.setToolTip(f"{opened.info.path}\n{opened.info.family}, SHA-256 {opened.info.sha256[:12]}…")

    def show_decoded(self, reply: Decoded) -> None:
        self.device.setText(reply.device)
        if len(reply.images) == 1:
            self.decode.setText(f"{reply.decode_ms:.1f} ms")

    def show_engine(self, text: str) -> None:
        """In place of the device while the engine starts."""
        self.device.setText(text)

    def show_place(self, place: Place) -> None:
        self.typical.setText(place.word)
        self.typical.setToolTip(place.explained)
        self.nearest.setText("" if place.nearest is None else f"nearest {place.name}, {place.nearest.sigmas:.2f} σ")

    def show_jobs(self) -> None:
        running = self._running.running
        for job in [job for job in self._rows if job not in running]:
            row = self._rows.pop(job)
            self._jobs.removeWidget(row)
            row.hide()
            row.deleteLater()
        for job in running[:JOBS_SHOWN]:
            if job not in self._rows:
                self._rows[job] = JobRow(job)
                self._jobs.addWidget(self._rows[job])
            self._rows[job].refresh()
        further = len(running) - JOBS_SHOWN
        self._more.setText(f"and {further} more" if further > 0 else "")

    def _count_messages(self) -> None:
        self._messages.setVisible(bool(self._notices.log))


class JobRow(QWidget):
    """ "t-SNE 62 %", a bar where the total is known, and Cancel."""

    def __init__(self, job: RunningJob) -> None:
        super().__init__()
        self._job = job
        self._text = ElidedLabel()  # a long one would make the window wider than its screen
        self._text.setProperty("role", "caption")
        self._text.setFont(theme.caption_font(self._text))
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(96)
        self._bar.setAccessibleName(f"Progress of {job.title}")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID_PX, 0, theme.GRID_PX, 0)
        row.setSpacing(theme.GRID_PX)
        row.addWidget(self._text)
        row.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignVCenter)
        self._cancel = QToolButton()
        self._cancel.setIcon(icon("mdi6.close-circle-outline"))
        self._cancel.setIconSize(QSize(14, 14))
        self._cancel.setToolTip(f"Cancel {job.title}")
        self._cancel.setAccessibleName(f"Cancel {job.title}")
        self._cancel.clicked.connect(job.cancel)
        self._cancel.setVisible(job.cancellable)
        row.addWidget(self._cancel)
        self.refresh()

    def refresh(self) -> None:
        latest = self._job.latest
        words = [self._job.title, latest.text]
        if self._job.cancelling:
            words.append("cancelling…")
        elif latest.total > 0:
            words.append(f"{100 * min(1.0, latest.done / latest.total):.0f} %")
        said = "  ".join(word for word in words if word)
        if said != self._text.text():
            self._text.setText(said)
            self._text.setToolTip(said)
            self._text.updateGeometry()
        self._bar.setRange(0, 1000 if latest.total > 0 else 0)
        if latest.total > 0:
            self._bar.setValue(round(1000 * latest.done / latest.total))
        self._cancel.setEnabled(not self._job.cancelling)


def _label(name: str, label: QLabel | None = None) -> QLabel:
    label = QLabel() if label is None else label
    label.setProperty("role", "caption")
    label.setFont(theme.caption_font(label))
    label.setAccessibleName(name)
    label.setContentsMargins(theme.GRID_PX, 0, theme.GRID_PX, 0)
    label.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
    return label


def _steady(label: QLabel, longest: str) -> QLabel:
    """Of one size, that of the longest text it will hold: a line of text that jumps is not read.

    And each text that may be of another size makes Qt lay out the whole window anew: during a drag, with every picture.
    """
    label.setText(longest)
    label.setFixedSize(label.sizeHint())
    label.clear()
    return label
