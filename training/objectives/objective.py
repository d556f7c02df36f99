"""What the loop asks of a family's objective, and what it hands over.

Shapes: B batch, A attributes, C H W of images in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from torch import Generator, Tensor, nn, optim

from latentlab.core.registry import Entry, Registry
from latentlab.models.family import Architecture, Network
from training.options import Options
from training.precision import Precision

Losses = dict[str, Tensor]  # scalars without gradient, left on the device until an epoch ends

OBJECTIVES = Registry(
    "family to train",
    Entry("ae", "Autoencoder", "training.objectives.ae:AEObjective"),
    Entry("dae", "Denoising autoencoder", "training.objectives.dae:DAEObjective"),
    Entry("vae", "Variational autoencoder", "training.objectives.vae:VAEObjective"),
    Entry("cvae", "Conditional variational autoencoder", "training.objectives.cvae:CVAEObjective"),
    Entry("avb", "Adversarial variational Bayes", "training.objectives.avb:AVBObjective"),
    Entry("gan", "Fully connected GAN", "training.objectives.gan:DenseGANObjective"),
    Entry("dcgan", "Deep convolutional GAN", "training.objectives.gan:GANObjective"),
    Entry("cgan", "Conditional GAN", "training.objectives.gan:CGANObjective"),
    Entry("vae-gan", "VAE/GAN: a VAE judged by a discriminator", "training.objectives.vae_gan:VAEGANObjective"),
    Entry("alpha-gan", "Alpha-GAN: a GAN with an encoder", "training.objectives.alpha_gan:AlphaGANObjective"),
)


@dataclass(frozen=True, eq=False)
class Batch:
    images: Tensor  # float32 (B, C, H, W) in [-1, 1], channels last in memory
    labels: Tensor | None = None  # int64 (B,), -1 unknown
    attributes: Tensor | None = None  # float32 (B, A): 1 has it, 0 has it not, NaN unknown; or any number

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Known:
    """What is known of the data beside its pictures."""

    classes: int = 0
    attributes: int = 0


class Objective(Protocol):
    """Owns the networks and their optimisers. `network` is what a checkpoint holds and what is averaged."""

    judged_by: ClassVar[str | None]  # the held-out loss of which the lowest is best; None: the last epoch is

    network: Network
    modules: dict[str, nn.Module]  # everything with weights, the network included
    optimisers: dict[str, optim.Optimizer]

    def make_optimisers(self) -> None:
        """Called once the networks are on their device."""

    def step(self, batch: Batch, step: int, precision: Precision, clip: float | None) -> Losses:
        """One update of every network from one batch."""

    def evaluate(self, network: Network, batch: Batch, generator: Generator) -> Losses:
        """Held-out losses of a batch without gradient, as means over it; empty where there are none."""

    def compile(self) -> None:
        """Compile what the step calls; the weights and their names stay."""


@runtime_checkable
class GivesDamaged(Protocol):
    """An objective whose network is given damaged pictures and asked for the whole ones."""

    def damaged(self, images_BCHW: Tensor, generator: Generator | None = None) -> Tensor:
        """What the encoder sees in place of the pictures."""


ObjectiveClass = Callable[[Architecture, Options, Known], Objective]


def adam(parameters: Iterable[nn.Parameter], rate: float, betas: tuple[float, float]) -> optim.Adam:
    """Adam over at least one parameter, all on one device; in one kernel where torch has one for the device."""
    held = list(parameters)
    return optim.Adam(held, rate, betas=betas, fused=held[0].device.type in ("cpu", "cuda"))


def scheduled(optimisers: dict[str, optim.Optimizer], factor: float) -> None:
    """Every learning rate set to `factor` times what it was made with."""
    for optimiser in optimisers.values():
        for group in optimiser.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
