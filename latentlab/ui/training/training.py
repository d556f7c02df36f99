"""Training: the trainer's commands as the window sees them. Their messages cross into the GUI thread here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal

from latentlab.core.errors import DataError, LatentlabError
from latentlab.core.trainer import (
    INTERRUPTED,
    LISTING,
    Trainer,
    TrainerCommand,
    TrainerEnded,
    TrainerLine,
    TrainerMessage,
)
from latentlab.ui.training.progress import RunProgress

if TYPE_CHECKING:
    from latentlab.core.training_offer import TrainingOffer

WATCHED = ("--progress", "json")
NOT_INSTALLED = "The trainer is not installed here. Install latentlab with its trainer: pip install latentlab"

Answered = Callable[[TrainerEnded, str], None]  # how a question ended, and what was printed


@dataclass
class RunAtWork:
    """The run that is trained at the moment."""

    folder: Path
    arguments: list[str]
    progress: RunProgress
    stopping: bool = False
    at_once: bool = False  # asked to stop a second time
    finish: bool = False  # the model is to be completed once it has stopped
    command: TrainerCommand | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.folder.name


@dataclass(frozen=True)
class RunEnd:
    """How a run ended: `kind` is done, paused or failed; `text` says why where it failed."""

    run: RunAtWork
    kind: str
    text: str = ""
    details: str = ""


class Training(QObject):
    """One run at a time, and short questions beside it (`list`, `--print-config`)."""

    changed = Signal()  # `at_work` is another, or has got further
    ended = Signal(object)  # RunEnd
    offered = Signal()  # `offer` or `refusal` is known
    _said = Signal(object, object)  # (RunAtWork or _Question, TrainerMessage)

    def __init__(
        self, trainer: Trainer, parent: QObject | None = None, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._trainer = trainer
        self._clock_s = clock_s
        self._closed = False
        self._offering = False
        self.offer: TrainingOffer | None = None
        self.refusal = ""  # why there is no offer
        self.at_work: RunAtWork | None = None
        self._said.connect(self._take, Qt.ConnectionType.QueuedConnection)

    # --- what there is

    def ask_offer(self) -> None:
        """`offered` follows, once; later calls do nothing unless it was refused."""
        if self._offering or self.offer is not None:
            return
        if not self._trainer.installed:
            self.refusal = NOT_INSTALLED
            self.offered.emit()
            return
        self._offering = True
        self.ask(LISTING, self._take_offer)

    def ask(self, arguments: Sequence[str], answered: Answered) -> None:
        """Runs a command that prints something and ends; `answered` is called on the GUI thread."""
        question = _Question(answered)
        question.command = self._trainer.start(arguments, lambda message: self._hear(question, message))

    def _take_offer(self, ended: TrainerEnded, printed: str) -> None:
        from latentlab.core.training_offer import TrainingOffer  # not at start-up

        self._offering = False
        try:
            if ended.status:
                raise DataError(f"The trainer cannot be asked what it offers: {ended.text}")
            self.offer, self.refusal = TrainingOffer.parsed(printed), ""
        except LatentlabError as error:
            self.refusal = str(error)
        self.offered.emit()

    # --- a run

    def begin(self, arguments: Sequence[str], folder: Path, epochs: int = 0) -> RunAtWork:
        """Starts a run, or goes on with one; there is none at work when this is called."""
        assert self.at_work is None
        run = RunAtWork(folder, [*arguments], RunProgress(epochs=epochs))
        self.at_work = run
        run.command = self._trainer.start([*arguments, *WATCHED], lambda message: self._hear(run, message))
        self.changed.emit()
        return run

    def pause(self) -> None:
        """The run finishes its step, is saved and ends; `ended` follows. A second time: it ends at once."""
        run = self.at_work
        if run is None or run.command is None:
            return
        run.at_once = run.stopping
        run.stopping = True
        run.command.stop()
        self.changed.emit()

    def close(self) -> None:
        """Stops what runs, as `pause` does; no signal is emitted any more. Returns within 3 s."""
        self._closed = True
        self._trainer.close()

    # --- messages

    def _hear(self, source: RunAtWork | _Question, message: TrainerMessage) -> None:
        """On the trainer's thread. A run that is still being saved may outlive the window."""
        with suppress(RuntimeError):
            self._said.emit(source, message)

    def _take(self, source: RunAtWork | _Question, message: TrainerMessage) -> None:
        if self._closed:
            return
        if isinstance(source, _Question):
            source.take(message)
        elif isinstance(message, TrainerLine):
            if (event := _event(message.text)) is not None:
                source.progress.hear(event, self._clock_s())
                self.changed.emit()
        else:
            if source is self.at_work:
                self.at_work = None
            self.changed.emit()
            self.ended.emit(_end_of(source, message))


class _Question:
    def __init__(self, answered: Answered) -> None:
        self._answered = answered
        self._lines: list[str] = []
        self.command: TrainerCommand | None = None

    def take(self, message: TrainerMessage) -> None:
        if isinstance(message, TrainerLine):
            self._lines.append(message.text)
        else:
            self._answered(message, "\n".join(self._lines))


def _event(text: str) -> dict[str, Any] | None:
    """A line of `--progress json`; None for anything else that was printed."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _end_of(run: RunAtWork, ended: TrainerEnded) -> RunEnd:
    if ended.status == 0:
        return RunEnd(run, "done")
    if ended.status == INTERRUPTED or run.stopping:
        return RunEnd(run, "paused", run.progress.failure or ended.text)
    return RunEnd(run, "failed", run.progress.failure or ended.text, ended.details)
