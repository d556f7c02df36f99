"""Means of the losses over an epoch, read from the device rarely; and the held-out losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from latentlab.models.family import Network
from latentlab.models.torch_model import pictures_at_once
from training.examples import Examples
from training.objectives.objective import Losses, Objective
from training.processes import ALONE, Processes


def apart(losses: Losses) -> Losses:
    """The same values in a block of memory of their own, made once all that the step needed is free again.

    Each loss was made between two feature maps. What is kept of fifty steps would keep as many holes in the heap
    from being used whole: a process grew by 130 MB within an epoch.
    """
    if not losses:
        return {}
    return dict(zip(losses, torch.stack([value.float() for value in losses.values()]).unbind(), strict=True))


def means_of(losses: Sequence[Losses], processes: Processes = ALONE) -> dict[str, float]:
    """Means over steps and processes; waits for the device once for all of them."""
    if not losses:
        return {}
    names = list(losses[0])
    values = torch.stack([torch.stack([step[name].float() for name in names]) for step in losses])
    means = values.cpu().double().mean(0)
    processes.average([means])
    return dict(zip(names, means.tolist(), strict=True))


class MeanLosses:
    """Sums so far. `recent` are the means over what was read last."""

    def __init__(self) -> None:
        self.count = 0
        self.sums: dict[str, float] = {}
        self.recent: dict[str, float] = {}

    def add(self, means: Mapping[str, float], steps: int) -> None:
        self.count += steps
        self.recent = dict(means)
        for name, mean in means.items():
            self.sums[name] = self.sums.get(name, 0.0) + mean * steps

    def taken(self) -> dict[str, float]:
        """The means; the sums begin anew."""
        means = {name: total / max(1, self.count) for name, total in self.sums.items()}
        self.count, self.sums = 0, {}
        return means

    def state_dict(self) -> dict[str, Any]:
        return {"count": self.count, "sums": self.sums}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.count, self.sums = state["count"], dict(state["sums"])


@torch.inference_mode()
def evaluated(objective: Objective, network: Network, examples: Examples, seed: int) -> dict[str, float]:
    """Held-out losses, means over the pictures, with random numbers of their own; in float32."""
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    sums: dict[str, float] = {}
    at_once = pictures_at_once(network.architecture.image_size)
    for start in range(0, len(examples), at_once):
        batch = examples.batch(np.arange(start, min(start + at_once, len(examples))), device)
        for name, value in objective.evaluate(network, batch, generator).items():
            sums[name] = sums.get(name, 0.0) + float(value) * len(batch)
    return {name: total / len(examples) for name, total in sums.items()}
