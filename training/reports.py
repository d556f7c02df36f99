"""What the loop tells of a step and of an epoch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepReport:
    epoch: int  # from 1
    step: int
    step_in_epoch: int
    steps_per_epoch: int
    images_per_second: float
    losses: dict[str, float]
    note: str = ""  # something to be said once


@dataclass(frozen=True)
class EpochReport:
    epoch: int  # from 1
    epochs: int
    step: int
    seconds: float
    images_per_second: float
    train: dict[str, float]
    held_out: dict[str, float]
