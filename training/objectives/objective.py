"""What the loop asks of a family's objective.

Shapes: B batch, C H W of images in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from torch import Generator, Tensor, nn, optim

from latentlab.core.registry import Entry, Registry
from latentlab.models.family import Architecture, Network
from training.config import Options
from training.precision import Precision

Losses = dict[str, Tensor]  # scalars without gradient, left on the device until an epoch ends

OBJECTIVES = Registry(
    "family to train",
    Entry("vae", "Variational autoencoder", "training.objectives.vae:VAEObjective"),
    Entry("dcgan", "Deep convolutional GAN", "training.objectives.gan:GANObjective"),
)


class Objective(Protocol):
    """Owns the networks and their optimisers. `network` is what a checkpoint holds and what is averaged."""

    judged_by: ClassVar[str | None]  # the held-out loss of which the lowest is best; None: the last epoch is

    network: Network
    modules: dict[str, nn.Module]  # everything with weights, the network included
    optimisers: dict[str, optim.Optimizer]

    def make_optimisers(self) -> None:
        """Called once the networks are on their device."""

    def step(self, images_BCHW: Tensor, step: int, precision: Precision, clip: float | None) -> Losses:
        """One update of every network from one batch."""

    def evaluate(self, network: Network, images_BCHW: Tensor, generator: Generator) -> Losses:
        """Held-out losses of a batch, as means over it; empty where there are none."""

    def compile(self) -> None:
        """Compile what the step calls; the weights and their names stay."""


ObjectiveClass = Callable[[Architecture, Options], Objective]


def scheduled(optimisers: dict[str, optim.Optimizer], factor: float) -> None:
    """Every learning rate set to `factor` times what it was made with."""
    for optimiser in optimisers.values():
        for group in optimiser.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
