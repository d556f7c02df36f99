"""What a run is doing, in words, and what one can do about it. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab.ui.training.progress import duration
from latentlab.ui.training.training import RunAtWork

if TYPE_CHECKING:
    from latentlab.core.run_folder import RunReading

QUIET_S, QUIET_EPOCHS = 15.0, 3  # a folder that has not changed for so long is not trained on any more
LONG_S = 3.0  # below this, how long is left is not worth saying


@dataclass(frozen=True)
class RunState:
    """`share` of the bar, None for one that only moves.

    `kind` is none, begins, trains, stops, elsewhere, paused or done.
    """

    kind: str
    text: str
    share: float | None = 0.0

    @property
    def at_work(self) -> bool:
        return self.kind in ("begins", "trains", "stops")


def is_elsewhere(reading: RunReading, ended_ns: int, now_ns: int) -> bool:
    """Whether somebody else trains this run: its folder has changed so lately that it may change again.

    `ended_ns`: when a process of ours last ended that trained it.
    """
    newest_ns = max((written_ns for written_ns, _ in reading.stamp), default=0)
    epoch_s = reading.seconds / max(1, reading.epochs_done)
    lately_ns = int(1e9 * max(QUIET_S, QUIET_EPOCHS * epoch_s))
    return not reading.done and newest_ns > ended_ns and now_ns - newest_ns < lately_ns


def state_of(reading: RunReading | None, run: RunAtWork | None, elsewhere: bool = False) -> RunState:
    """`run` is the process of this very run, where it is at work."""
    if run is not None:
        return _working(run)
    if reading is None:
        return RunState("none", "")
    if reading.done:
        return RunState("done", f"done: {_epochs(reading.epochs_done)} in {duration(reading.seconds)}", 1.0)
    share = reading.epochs_done / reading.epochs if reading.epochs else 0.0
    if elsewhere:
        return RunState("elsewhere", f"{reading.epochs_done} of {reading.epochs} epochs done, trained elsewhere", share)
    if not reading.epochs_done:
        return RunState("paused", "stopped before its first epoch was done", share)
    return RunState("paused", f"paused after epoch {reading.epochs_done} of {reading.epochs}", share)


def _working(run: RunAtWork) -> RunState:
    progress = run.progress
    if run.stopping:
        how = "stopping at once" if run.at_once else "pausing: the step is finished and saved"
        return RunState("stops", how, progress.share)
    if progress.stage:
        return RunState("trains" if progress.share else "begins", progress.stage, progress.stage_share)
    if progress.share is None:
        return RunState("begins", "the trainer starts", None)
    of = f" of {progress.epochs}" if progress.epochs else ""
    words = [f"epoch {progress.epoch}{of}"]
    if progress.images_per_second:
        words.append(f"{progress.images_per_second:,.0f} images/s")
    if progress.left_s is not None and progress.left_s > LONG_S:
        words.append(f"about {duration(progress.left_s)} left")
    return RunState("trains", " · ".join(words), progress.share)


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count:,} epochs"
