"""The training loop: the same for every family. Data stays in memory as uint8 and is batched by indexing.

Shapes: N pictures, B batch, C H W of images in [-1, 1] inside, uint8 (N, H, W, C) in memory.
The order of an epoch follows from (seed, epoch), so that a run resumes in its middle bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.core.errors import Failure, Interrupted
from latentlab.core.picture_folder import Progress
from latentlab.models.torch_model import NO_MEMORY_ON_CPU
from training.config import TrainingConfig
from training.data import Dataset
from training.data.source import silent
from training.holding import held
from training.losses import apart, means_of
from training.memory import kept_memory
from training.objectives.objective import Losses, scheduled
from training.processes import ALONE, Processes, is_lost
from training.reports import EpochReport, StepReport
from training.run import Run
from training.stopping import StopRequest

CHECK_EVERY = 50  # steps between two looks at the losses: each look waits for the device
TELL_EVERY_S = 2.0  # seconds between two reports of slow steps

OnStep = Callable[[StepReport], None]
OnEpoch = Callable[[EpochReport], None]


def train(
    config: TrainingConfig,
    data: Dataset,
    out: Path,
    *,
    resume: bool = False,
    processes: Processes = ALONE,
    on_step: OnStep | None = None,
    on_epoch: OnEpoch | None = None,
    on_stage: Progress = silent,
) -> Path:
    """Trains, or goes on with, the run in folder `out`; returns the path of its checkpoint.

    SIGINT and SIGTERM finish the step, save and raise Interrupted. A loss that is not finite raises Failure; the last
    finite checkpoint stays. `on_stage` hears of the work after the last epoch. One of several `processes` trains its
    part of every batch; only the first writes. The folder is held meanwhile. Raises OptionError, also where another
    trainer holds it, CheckpointError, SaveError.
    """
    with held(out) if processes.first else nullcontext():
        begin = Run.resumed if resume else Run.begun
        run = begin(config, data, out, processes)
        _epochs(run, on_step, on_epoch)
        checkpoint, ending = run.checkpoint, run.ending
        del run  # its networks and optimisers make room
        ending.write(on_stage)
        return checkpoint


def _epochs(run: Run, on_step: OnStep | None, on_epoch: OnEpoch | None) -> None:
    """The epochs that are left. Raises Interrupted, Failure."""
    try:
        with StopRequest() as stop, kept_memory():
            while run.epoch < run.config.epochs and not run.settled:
                losses = _epoch(run, stop, on_step)
                report = run.finish_epoch(losses)
                if on_epoch:
                    on_epoch(report)
            if stop.requested:
                raise Interrupted(f"Stopped after the last epoch; the run is saved in {run.out}. Go on with --resume.")
    except RuntimeError as error:
        if run.processes.count == 1 or not is_lost(error):
            raise
        raise Failure(
            f"Another process of this run ended; what was saved last is in {run.out}: add --resume."
        ) from None


def _epoch(run: Run, stop: StopRequest, on_step: OnStep | None) -> dict[str, float]:
    """The rest of the current epoch; mean losses over its steps."""
    order = epoch_order(len(run.examples), run.config.seed, run.epoch)
    began, seconds_before = time.perf_counter(), run.seconds
    told_at = began
    tell = True
    notes: list[str] = []
    while run.step_in_epoch < run.steps_per_epoch:
        full = False
        try:
            run.pending.append(apart(_step(run, order)))
        except torch.OutOfMemoryError:
            full = True
        if full:  # outside the handler, which keeps the tensors of the attempt alive
            notes += run.noted([run.take_less_memory()])
            continue
        run.step += 1
        run.step_in_epoch += 1
        now = time.perf_counter()
        run.seconds = seconds_before + now - began
        # Added up, and listened to, at the same steps whatever the clock says: a run is the same every time.
        add_up = run.step_in_epoch == run.steps_per_epoch or run.step_in_epoch % CHECK_EVERY == 0
        if add_up or tell:
            notes = _told(run, add_up, notes, on_step)
            told_at = now
        tell = now - told_at > TELL_EVERY_S
        save = run.processes.first and 0 < 60 * run.config.save_every_minutes < now - run.saved_at
        stopped, save, tell = run.processes.any([stop.requested, save, tell])
        if save or stopped:
            _save(run, stopped)
    return run.losses.taken()


def _told(run: Run, add_up: bool, notes: list[str], on_step: OnStep | None) -> list[str]:
    """The losses since they were last added up are looked at, and told with the notes; the notes not told yet."""
    losses = _finite(run, means_of(run.pending, run.processes))
    notes = [*notes, *(run.add_up(losses) if add_up else [])]
    if on_step is None:
        return notes
    on_step(run.step_report(losses, " ".join(notes)))
    return []


def _save(run: Run, stopped: bool) -> None:
    """A state within an epoch; raises Interrupted where the run is to stop."""
    _finite(run, means_of(run.pending, run.processes))
    run.save_state()
    if stopped:
        raise Interrupted(
            f"Stopped after step {run.step:,} of epoch {run.epoch + 1}; the run is saved in {run.out}. "
            "Go on with --resume."
        )


def _step(run: Run, order: NDArray[np.int64]) -> Losses:
    """One step on the next batch of the epoch. Raises Failure where the CPU's memory is full."""
    size = run.batch_size
    begin = run.step_in_epoch * size
    chosen, following = (run.processes.own(order[b : b + size]) for b in (begin, begin + size))
    scheduled(run.objective.optimisers, _rate_factor(run.config, run.step, run.share))
    try:
        with run.processes.drawing():
            batch = run.examples.batch(chosen, run.device, augment=run.config.augment)
            if len(following) == len(chosen):
                run.examples.fetch(following)
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


def _finite(run: Run, losses: dict[str, float]) -> dict[str, float]:
    """The losses. Raises Failure where one is not finite; all processes find the same."""
    broken = ", ".join(f"{name} = {value:g}" for name, value in losses.items() if not math.isfinite(value))
    if broken and not run.processes.first:
        raise Interrupted("The first process says why.")
    if broken:
        raise Failure(
            f"Training stopped in epoch {run.epoch + 1} at step {run.step:,}: {broken}. The last finite checkpoint is "
            f"{run.checkpoint}. Try a smaller learning rate, --precision float32 or gradient clipping."
        )
    return losses
