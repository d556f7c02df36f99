"""What the generators of all GANs have in common: a prior, draws from it, no encoder.

A checkpoint holds the generator; the discriminator lives in the trainer only.
Shapes: B batch, D latent, C H W of images in [-1, 1], K numbers of a condition.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from latentlab.core.spaces import LatentSpace
from latentlab.models.family import Architecture, Network


class GeneratorArchitecture(Architecture):
    latent_dim: int = Field(100, ge=1, le=100_000)
    prior: Literal["normal", "uniform"] = "normal"


class GeneratorNetwork(Network):
    """`generator` makes the pictures. They are inverted by a regressor and by optimisation: there is no encoder."""

    Parameters: ClassVar[type[Architecture]] = GeneratorArchitecture
    encodes = False
    architecture: GeneratorArchitecture
    generator: nn.Module

    @property
    def spaces(self) -> tuple[LatentSpace, ...]:
        return (LatentSpace("z", (self.architecture.latent_dim,), self.architecture.prior),)

    def draw(self, count: int, device: torch.device) -> Tensor:
        """(count, D) from the prior, with the global random numbers."""
        latents_BD = torch.randn(count, self.architecture.latent_dim, device=device)
        return latents_BD if self.architecture.prior == "normal" else torch.rand_like(latents_BD).mul_(2).sub_(1)

    def decode(self, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        images: Tensor = self.generator(latents_BD)
        return images
