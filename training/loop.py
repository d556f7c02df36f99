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
import torch
from latentlab.core.errors import Failure, Interrupted
from latentlab.core.picture_folder import Progress
from latentlab.models.torch_model import NO_MEMORY_ON_CPU
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.data import Dataset
from training.data.source import silent
from training.memory import kept_memory
from training.objectives.objective import Losses, scheduled
from training.reports import EpochReport, StepReport
from training.run import Run
from training.stopping import StopRequest

NO_MEMORY = "no memory"
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
    with StopRequest() as stop, kept_memory():
        while run.epoch < config.epochs and not run.settled:
            losses = _epoch(run, stop, on_step)
            report = run.finish_epoch(losses)
            if on_epoch:
                on_epoch(report)
        if stop.requested:
            raise Interrupted(f"Stopped after the last epoch; the run is saved in {run.out}. Go on with --resume.")
    return run.finish(on_stage)


def _epoch(run: Run, stop: StopRequest, on_step: OnStep | None) -> dict[str, float]:
    """The rest of the current epoch; mean losses over its steps."""
    order = epoch_order(len(run.examples), run.config.seed, run.epoch)
    began, begun_at, seconds_before = time.perf_counter(), run.step_in_epoch, run.seconds
    pending: list[Losses] = []
    note = ""
    while run.step_in_epoch < run.steps_per_epoch:
        try:
            pending.append(_step(run, order))
        except torch.OutOfMemoryError:
            note = NO_MEMORY
        if note == NO_MEMORY:  # outside the handler, which keeps the tensors of the attempt alive
            note = run.take_less_memory()
            continue
        run.step += 1
        run.step_in_epoch += 1
        done = run.step_in_epoch - begun_at
        run.seconds = seconds_before + time.perf_counter() - began
        if run.step_in_epoch == run.steps_per_epoch or done % CHECK_EVERY == 0 or stop.requested or done == 1:
            run.losses.add(pending)
            if not run.losses.finite:
                raise Failure(_not_finite(run))
            note = " ".join([note, *run.listen(len(pending))]).strip()
            pending = []
            if on_step:
                on_step(run.step_report(note))
                note = ""
        if stop.requested:
            run.save_state()
            raise Interrupted(
                f"Stopped after step {run.step:,} of epoch {run.epoch + 1}; the run is saved in {run.out}. "
                "Go on with --resume."
            )
    return run.losses.taken()


def _step(run: Run, order: NDArray[np.int64]) -> Losses:
    """One step on the next batch of the epoch. Raises Failure where the CPU's memory is full."""
    size = run.batch_size
    chosen = order[run.step_in_epoch * size : (run.step_in_epoch + 1) * size]
    scheduled(run.objective.optimisers, _rate_factor(run.config, run.step, run.share))
    try:
        batch = run.examples.batch(chosen, run.device, flip=run.config.flip)
        losses = run.objective.step(batch, run.step, run.precision, run.config.gradient_clip)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        if NO_MEMORY_ON_CPU not in str(error):
            raise
        raise Failure(
            f"There is not enough memory for a batch of {size}; try --batch-size {max(2, size // 2)}. The run is kept "
            f"as it was after its last epoch, in {run.out}."
        ) from None
    run.average()
    return losses


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order in which epoch `epoch` visits `count` pictures."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def _rate_factor(config: TrainingConfig, step: int, share: float) -> float:
    """What the learning rate is multiplied with: a linear warm-up, then constant or half a cosine down to 1 %."""
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "constant":
        return warm
    return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def _not_finite(run: Run) -> str:
    names = ", ".join(f"{name} = {value:g}" for name, value in run.losses.recent.items() if not math.isfinite(value))
    return (
        f"Training stopped in epoch {run.epoch + 1} at step {run.step:,}: {names}. The last finite checkpoint is "
        f"{run.checkpoint}. Try a smaller learning rate, --precision float32 or gradient clipping."
    )
