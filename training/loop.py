"""The training loop: the same for every family. Data stays in memory as uint8 and is batched by indexing.

Shapes: N pictures, B batch, C H W of images in [-1, 1] inside, uint8 (N, H, W, C) in memory.
The order of an epoch follows from (seed, epoch), so that a run resumes in its middle bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.core.errors import Failure, Interrupted
from latentlab.core.picture_folder import Progress
from training.config import TrainingConfig
from training.data import Dataset
from training.data.source import silent
from training.objectives.objective import Losses, scheduled
from training.run import EpochReport, Run, StepReport
from training.stopping import StopRequest

CHECK_EVERY = 50  # steps between two looks at the losses: each look waits for the device

OnStep = Callable[[StepReport], None]
OnEpoch = Callable[[EpochReport], None]


def train(
    config: TrainingConfig,
    data: Dataset,
    out: Path,
    *,
    resume: bool = False,
    on_step: OnStep | None = None,
    on_epoch: OnEpoch | None = None,
    on_stage: Progress = silent,
) -> Path:
    """Trains, or goes on with, the run in folder `out`; returns the path of its checkpoint.

    SIGINT and SIGTERM finish the step, save and raise Interrupted. A loss that is not finite raises Failure; the last
    finite checkpoint stays. `on_stage` hears of the work after the last epoch. Raises OptionError, CheckpointError,
    SaveError.
    """
    run = Run.resumed(config, data, out) if resume else Run.begun(config, data, out)
    with StopRequest() as stop:
        while run.epoch < config.epochs:
            losses = _epoch(run, stop, on_step)
            report = run.finish_epoch(losses)
            if on_epoch:
                on_epoch(report)
    return run.finish(on_stage)


def _epoch(run: Run, stop: StopRequest, on_step: OnStep | None) -> dict[str, float]:
    """The rest of the current epoch; mean losses over its steps."""
    order = epoch_order(len(run.examples), run.config.seed, run.epoch)
    size = run.batch_size
    steps = run.steps_per_epoch
    begin = time.perf_counter()
    pending: list[Losses] = []
    done_here = 0
    while run.step_in_epoch < steps:
        chosen = order[run.step_in_epoch * size : (run.step_in_epoch + 1) * size]
        scheduled(run.objective.optimisers, _rate_factor(run.config, run.step, steps))
        batch = run.examples.batch(chosen, run.device, flip=run.config.flip)
        pending.append(run.objective.step(batch, run.step, run.precision, run.config.gradient_clip))
        run.average()
        run.step += 1
        run.step_in_epoch += 1
        done_here += 1
        last = run.step_in_epoch == steps
        if last or done_here % CHECK_EVERY == 0 or stop.requested or (on_step and done_here == 1):
            run.losses.add(pending)
            pending = []
            if not run.losses.finite:
                raise Failure(_not_finite(run))
            if on_step:
                rate = done_here * size / (time.perf_counter() - begin)
                on_step(StepReport(run.epoch + 1, run.step, run.step_in_epoch, steps, rate, run.losses.recent))
        if stop.requested:
            run.save_state()
            raise Interrupted(
                f"Stopped after step {run.step:,} of epoch {run.epoch + 1}; the run is saved in {run.out}. "
                "Go on with --resume."
            )
    run.seconds += time.perf_counter() - begin
    return run.losses.taken()


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order in which epoch `epoch` visits `count` pictures."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def _rate_factor(config: TrainingConfig, step: int, steps_per_epoch: int) -> float:
    """What the learning rate is multiplied with: a linear warm-up, then constant or half a cosine down to 1 %."""
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "constant":
        return warm
    progress = min(1.0, step / (steps_per_epoch * config.epochs))
    return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def _not_finite(run: Run) -> str:
    names = ", ".join(f"{name} = {value:g}" for name, value in run.losses.recent.items() if not math.isfinite(value))
    return (
        f"Training stopped in epoch {run.epoch + 1} at step {run.step:,}: {names}. The last finite checkpoint is "
        f"{run.checkpoint}. Try a smaller learning rate, --precision float32 or gradient clipping."
    )
