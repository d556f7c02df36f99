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
        self._of: Network | None = None
        self._floats: tuple[list[Tensor], list[Tensor]] = [], []
        self._counters: tuple[list[Tensor], list[Tensor]] = [], []

    @torch.no_grad()
    def update(self, network: Network) -> None:
        weight = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        mine, theirs = self._pairs(network)
        torch._foreach_lerp_(mine, theirs, weight)
        for counter, latest in zip(*self._counters, strict=True):
            counter.copy_(latest)

    def _pairs(self, network: Network) -> tuple[list[Tensor], list[Tensor]]:
        """Weights and floating-point buffers of both; collected once, since that takes as long as averaging them."""
        if self._of is not network or self._floats[1][0].device != next(network.parameters()).device:
            pairs = list(zip(self.network.state_dict().values(), network.state_dict().values(), strict=True))
            floats = [pair for pair in pairs if pair[0].is_floating_point()]
            counters = [pair for pair in pairs if not pair[0].is_floating_point()]
            self._floats = [mine for mine, _ in floats], [theirs for _, theirs in floats]
            self._counters = [mine for mine, _ in counters], [theirs for _, theirs in counters]
            self._of = network
        return self._floats

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "network": self.network.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]
        self.network.load_state_dict(state["network"])
