"""An exponential moving average of a network's weights, batch-norm statistics included: what is shown and kept."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from latentlab.models.family import Network


class Averaged:
    """`network` holds the average. The decay grows with the steps, so that the first weights are soon forgotten."""

    def __init__(self, network: Network, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, network: Network) -> None:
        weight = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        floats: list[Tensor] = []
        latest: list[Tensor] = []
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.is_floating_point():
                floats.append(mine)
                latest.append(theirs)
            else:
                mine.copy_(theirs)
        torch._foreach_lerp_(floats, latest, weight)

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "network": self.network.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]
        self.network.load_state_dict(state["network"])
