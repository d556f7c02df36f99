"""A training run on the terminal: a progress bar with speed, losses and time left, and one line for each epoch."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from rich import progress as bars
from rich.console import Console

from latentlab.core.errors import Interrupted, LatentlabError, OptionError, did_you_mean
from latentlab.core.picture_folder import Progress
from training.board import Board
from training.commanding import Order, remember
from training.data import Dataset, load
from training.holding import held
from training.launching import is_first, started_by_torchrun
from training.loop import train
from training.processes import Processes, launched
from training.reporting import JsonLines
from training.reports import EpochReport, StepReport

SKIPPED_SHOWN = 5
PROGRESS = ("bar", "json", "none")
FEW_STEPS = 200  # of a whole run, with which no network learns much: a small folder of pictures with a large batch


class Watcher(Protocol):
    """Who is told how a run goes."""

    def stage(self, done: int, total: int, text: str) -> None: ...
    def chosen(self, text: str) -> None: ...
    def skipped(self, files: Sequence[str]) -> None: ...
    def step(self, report: StepReport) -> None: ...
    def epoch(self, report: EpochReport) -> None: ...
    def finished(self, checkpoint: Path) -> None: ...
    def failed(self, status: int, text: str) -> None: ...


class Silence:
    """Says nothing: of a process that is not the first, and on request."""

    def stage(self, done: int, total: int, text: str) -> None:
        pass

    def chosen(self, text: str) -> None:
        pass

    def skipped(self, files: Sequence[str]) -> None:
        pass

    def step(self, report: StepReport) -> None:
        pass

    def epoch(self, report: EpochReport) -> None:
        pass

    def finished(self, checkpoint: Path) -> None:
        pass

    def failed(self, status: int, text: str) -> None:
        pass


class PathAlone(Silence):
    """Says nothing but where the checkpoint is."""

    def finished(self, checkpoint: Path) -> None:
        print(checkpoint)  # noqa: T201


class TrainingBar:
    """Feeds a rich progress bar; without a terminal only the lines of the epochs are printed."""

    def __init__(self, console: Console, epochs: int) -> None:
        self.console = console
        self.epochs = epochs
        self.progress = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(bar_width=None),
            bars.MofNCompleteColumn(),
            bars.TextColumn("{task.fields[told]}"),
            bars.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: bars.TaskID | None = None
        self._stage = ""
        self._evaluated = False  # whether held-out losses were told

    def stage(self, done: int, total: int, text: str) -> None:
        """Loading before, encoding after: a bar of its own for each."""
        if text != self._stage:
            self._stage = text
            self._begin(text, total)
        if self._task is not None:
            self.progress.update(self._task, completed=done)

    def chosen(self, text: str) -> None:
        """What was not asked for but follows from the data, and why."""
        self.console.print(text, highlight=False, soft_wrap=True)

    def skipped(self, files: Sequence[str]) -> None:
        tell_skipped(files, self.console)

    def step(self, report: StepReport) -> None:
        if self._stage != "training":
            self._stage = "training"
            self._begin("training", self.epochs * report.steps_per_epoch)
        assert self._task is not None
        if report.note:
            self.console.print(report.note, highlight=False, soft_wrap=True)
        self.progress.update(
            self._task,
            description=f"epoch {report.epoch}/{self.epochs}",
            completed=(report.epoch - 1) * report.steps_per_epoch + report.step_in_epoch,
            told=f"{report.images_per_second:,.0f} images/s  {_losses(report.losses)}",
        )

    def epoch(self, report: EpochReport) -> None:
        self._evaluated = self._evaluated or bool(report.held_out)
        if self._evaluated and not report.held_out and report.epoch < report.epochs:
            return  # of hundreds of epochs a line only where there is more to say
        held_out = f"  held out: {_losses(report.held_out)}" if report.held_out else ""
        self.console.print(
            f"epoch {report.epoch}/{report.epochs}  {report.images_per_second:,.0f} images/s  "
            f"{_losses(report.train)}{held_out}",
            highlight=False,
            soft_wrap=True,
        )

    def finished(self, checkpoint: Path) -> None:
        self.progress.stop()
        print(checkpoint)  # noqa: T201

    def failed(self, status: int, text: str) -> None:
        """The command line says why."""

    def _begin(self, text: str, total: int) -> None:
        if self._task is not None:
            self.progress.remove_task(self._task)
        self._task = self.progress.add_task(text, total=total, told="")


def train_and_show(order: Order, progress: str = "bar") -> None:
    """Loads the data, trains, and tells how it goes: `progress` is bar, json or none.

    Raises what loading and training raise. SIGTERM is taken as an interrupt also where the loop does not listen: while
    data is read and encodings written.
    """
    if progress not in PROGRESS:
        raise OptionError(f"--progress cannot be '{progress}'.{did_you_mean(progress, PROGRESS)}")
    board = Board.checked(order.out) if order.config.tensorboard else None
    watcher, shown = _watcher(order, progress)
    try:
        with shown, _terminated_as_interrupt(), held(order.out) if is_first(os.environ) else nullcontext():
            watcher.finished(_trained(order, watcher, board))
    except LatentlabError as error:
        watcher.failed(error.exit_status, str(error))
        raise


def _watcher(order: Order, progress: str) -> tuple[Watcher, AbstractContextManager[Any]]:
    if not is_first(os.environ):
        return Silence(), nullcontext()
    if progress == "bar":
        bar = TrainingBar(Console(stderr=True), order.config.epochs)
        return bar, bar.progress
    return JsonLines() if progress == "json" else PathAlone(), nullcontext()


def _trained(order: Order, watcher: Watcher, board: Board | None) -> Path:
    try:
        data, processes = _joined(order, watcher)
    except KeyboardInterrupt:
        raise Interrupted("Stopped while reading the data; no run was begun.") from None
    watchers: list[Watcher | Board] = [watcher]
    if processes.first:
        watcher.skipped(data.skipped)
        if order.why:
            watcher.chosen(order.why)
        remember(order)
        watchers += [board] if board else []

    def on_step(report: StepReport) -> None:
        report = forewarned(report, order.config.epochs)
        for each in watchers:
            each.step(report)

    def on_epoch(report: EpochReport) -> None:
        for each in watchers:
            each.epoch(report)

    try:
        return train(
            order.config,
            data,
            order.out,
            resume=order.resume,
            processes=processes,
            on_step=on_step,
            on_epoch=on_epoch,
            on_stage=watcher.stage,
        )
    except KeyboardInterrupt:
        raise Interrupted(f"Stopped at once; what was saved last is in {order.out}. Go on with --resume.") from None
    finally:
        if board:
            board.close()
        processes.leave()


def forewarned(report: StepReport, epochs: int) -> StepReport:
    """The first step's report says it where the whole run is too short to learn much."""
    steps = report.steps_per_epoch * epochs
    if report.step != 1 or steps >= FEW_STEPS:
        return report
    said = (
        f"This run has only {'1 step' if steps == 1 else f'{steps} steps'} ({report.steps_per_epoch} an epoch): too "
        "few to learn much. Give it more epochs, or a smaller batch size."
    )
    return replace(report, note=f"{said} {report.note}".rstrip())


def _joined(order: Order, watcher: Watcher) -> tuple[Dataset, Processes]:
    """The data and the processes that train on it. Data that cannot be used is said once, before others are started."""
    if started_by_torchrun(os.environ):
        processes = launched(order.config)
        with processes.first_before_others():
            return _data(order, watcher), processes
    data = _data(order, watcher)
    return data, launched(order.config)


@contextmanager
def _terminated_as_interrupt() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _data(order: Order, watcher: Watcher) -> Dataset:
    note = order.note
    data = load(
        note.data,
        size=note.image_size,
        crop=note.crop,
        root=note.root,
        download=order.download,
        limit=note.limit,
        seed=order.config.seed,
        mapped=note.mapped,
        scratch=order.out.parent,
        report=watcher.stage,
    )
    return data if note.thumbnails is None else replace(data, may_ship_thumbnails=note.thumbnails)


@contextmanager
def staged() -> Iterator[Progress]:
    """A bar for work that is no training; what it gives is told how far the work is."""
    bar = TrainingBar(Console(stderr=True), epochs=0)
    with bar.progress:
        yield bar.stage


def tell_skipped(files: Sequence[str], console: Console | None = None) -> None:
    """How many files were not usable, and the first of them."""
    console = console or Console(stderr=True)
    if files:
        many = "1 file was" if len(files) == 1 else f"{len(files):,} files were"
        console.print(f"{many} skipped:", highlight=False)
        for line in files[:SKIPPED_SHOWN]:
            console.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)
        if len(files) > SKIPPED_SHOWN:
            console.print(f"  and {len(files) - SKIPPED_SHOWN:,} more")


def _losses(losses: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in losses.items())
