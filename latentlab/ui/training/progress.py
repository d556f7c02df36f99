"""How far a run is that the trainer tells of line by line (`--progress json`). No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SKIPPED_SHOWN = 2
POINTS_AT_MOST = 3000  # of a curve between epochs; more are thinned out, from the beginning on


@dataclass(eq=False)
class StepPoints:
    """The losses between epochs: when, in epochs and in steps, and what."""

    epochs: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    losses: list[dict[str, float]] = field(default_factory=list)

    def add(self, epoch: float, step: int, losses: Mapping[str, Any]) -> None:
        self.epochs.append(epoch)
        self.steps.append(step)
        self.losses.append({name: value for name, value in losses.items() if isinstance(value, int | float)})
        if len(self.steps) > POINTS_AT_MOST:
            for points in (self.epochs, self.steps, self.losses):
                del points[::2]


@dataclass
class RunProgress:
    """`epochs` is how many there are to be; `share` how much of the training is done, 0 to 1, None before it begins."""

    epochs: int = 0
    epoch: int = 0  # the one that is trained, from 1
    epochs_done: int = 0
    share: float | None = None
    images_per_second: float = 0.0
    left_s: float | None = None  # until the training is done; None while that cannot be said
    stage: str = ""  # what is done before the first epoch or after the last: "encoding"
    stage_share: float | None = None
    notes: list[str] = field(default_factory=list)
    checkpoint: str = ""  # once all is done
    failure: str = ""
    points: StepPoints = field(default_factory=StepPoints)
    _began: tuple[float, float] | None = None  # (seconds, share) at the first step

    def hear(self, event: Mapping[str, Any], now_s: float) -> None:
        """Takes one line in; what it does not know is left alone."""
        match event.get("event"):
            case "stage":
                total = event.get("total") or 0
                self.stage = str(event.get("text", ""))
                self.stage_share = min(1.0, event.get("done", 0) / total) if total else None
            case "skipped":
                self.notes.append(skipped_in_words([str(line) for line in event.get("files") or ()]))
            case "step":
                self._step(event, now_s)
            case "epoch":
                self.epochs = event.get("epochs") or self.epochs
                self.epoch = self.epochs_done = event.get("epoch", self.epoch)
                self.images_per_second = event.get("images_per_second") or self.images_per_second
                self._advance(self.epoch / self.epochs if self.epochs else 0.0, now_s)
            case "finished":
                self.stage, self.checkpoint = "", str(event.get("checkpoint", ""))
            case "failed":
                self.failure = str(event.get("text", ""))

    def _step(self, event: Mapping[str, Any], now_s: float) -> None:
        self.stage, self.stage_share = "", None
        within = event.get("step_in_epoch", 0) / max(1, event.get("steps_per_epoch") or 1)
        self.epoch = event.get("epoch", 1)
        self.images_per_second = event.get("images_per_second") or 0.0
        passed = self.epoch - 1 + within
        self.points.add(passed, event.get("step", 0), event.get("losses") or {})
        if note := event.get("note"):
            self.notes.append(str(note))
        if self.epochs:
            self._advance(passed / self.epochs, now_s)

    def _advance(self, share: float, now_s: float) -> None:
        self.share = min(1.0, share)
        if self._began is None:
            self._began = (now_s, self.share)
        began_s, began = self._began
        if self.share > began:
            self.left_s = (now_s - began_s) * (1 - self.share) / (self.share - began)


def skipped_in_words(lines: Sequence[str]) -> str:
    """How many files a run does without, and why the first of them; each line is of a file."""
    if len(lines) == 1:
        return f"1 file was skipped: {lines[0]}"
    first = "; ".join(line.removesuffix(".") for line in lines[:SKIPPED_SHOWN])
    return f"{len(lines):,} files were skipped. The first: {first}."


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "2 h 5 min": as people say how long something takes."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
