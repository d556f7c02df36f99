"""A training run on the terminal: a progress bar with speed, losses and time left, and one line for each epoch."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich import progress as bars
from rich.console import Console

from latentlab.core.errors import Interrupted
from latentlab.core.picture_folder import Progress
from training.commanding import Order, remember
from training.data import Dataset, load
from training.loop import train
from training.run import EpochReport, StepReport

SKIPPED_SHOWN = 5


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

    def stage(self, done: int, total: int, text: str) -> None:
        """Loading before, encoding after: a bar of its own for each."""
        if text != self._stage:
            self._stage = text
            self._begin(text, total)
        if self._task is not None:
            self.progress.update(self._task, completed=done)

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
            completed=report.step,
            told=f"{report.images_per_second:,.0f} images/s  {_losses(report.losses)}",
        )

    def epoch(self, report: EpochReport) -> None:
        held_out = f"  held out: {_losses(report.held_out)}" if report.held_out else ""
        self.console.print(
            f"epoch {report.epoch}/{report.epochs}  {report.images_per_second:,.0f} images/s  "
            f"{_losses(report.train)}{held_out}",
            highlight=False,
            soft_wrap=True,
        )

    def _begin(self, text: str, total: int) -> None:
        if self._task is not None:
            self.progress.remove_task(self._task)
        self._task = self.progress.add_task(text, total=total, told="")


def train_and_show(order: Order) -> Path:
    """Loads the data, trains, shows; the path of the checkpoint. Raises what loading and training raise.

    SIGTERM is taken as an interrupt also where the loop does not listen: while data is read and encodings written.
    """
    console = Console(stderr=True)
    bar = TrainingBar(console, order.config.epochs)
    with bar.progress, _terminated_as_interrupt():
        try:
            data = _data(order, bar)
        except KeyboardInterrupt:
            raise Interrupted("Stopped while reading the data; no run was begun.") from None
        tell_skipped(data, console)
        remember(order)
        try:
            return train(
                order.config,
                data,
                order.out,
                resume=order.resume,
                on_step=bar.step,
                on_epoch=bar.epoch,
                on_stage=bar.stage,
            )
        except KeyboardInterrupt:
            raise Interrupted(f"Stopped at once; what was saved last is in {order.out}. Go on with --resume.") from None


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


def _data(order: Order, bar: TrainingBar) -> Dataset:
    note = order.note
    data = load(
        note.data,
        size=note.image_size,
        crop=note.crop,
        root=Path(note.root) if note.root else None,
        download=order.download,
        limit=note.limit,
        seed=order.config.seed,
        report=bar.stage,
    )
    return data if note.thumbnails is None else replace(data, may_ship_thumbnails=note.thumbnails)


@contextmanager
def staged() -> Iterator[Progress]:
    """A bar for work that is no training; what it gives is told how far the work is."""
    bar = TrainingBar(Console(stderr=True), epochs=0)
    with bar.progress:
        yield bar.stage


def tell_skipped(data: Dataset, console: Console | None = None) -> None:
    """How many files were not usable, and the first of them."""
    console = console or Console(stderr=True)
    if data.skipped:
        many = "1 file was" if len(data.skipped) == 1 else f"{len(data.skipped):,} files were"
        console.print(f"{many} skipped:", highlight=False)
        for line in data.skipped[:SKIPPED_SHOWN]:
            console.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)
        if len(data.skipped) > SKIPPED_SHOWN:
            console.print(f"  and {len(data.skipped) - SKIPPED_SHOWN:,} more")


def _losses(losses: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in losses.items())
