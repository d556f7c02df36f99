"""The conditional GAN (Mirza and Osindero 2014) with the DCGAN's layers: a class, attributes, or both are asked for.

The generator is given the latent and an embedding of the condition side by side, the discriminator judges both by a
projection. Shapes: B batch, D latent, E embedding, K numbers of a condition, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from latentlab.models.adversarial import GeneratorArchitecture, GeneratorNetwork
from latentlab.models.conditioning import Conditional
from latentlab.models.dcgan import Generator, initialise


class CGANArchitecture(GeneratorArchitecture, Conditional):
    name: Literal["cgan"] = "cgan"
    embedding: int = Field(32, ge=1, le=4096)  # E; how much a condition weighs beside the latent's D numbers


class CGAN(GeneratorNetwork):
    """`decode` without a condition is of an unknown class with unknown attributes."""

    Parameters = CGANArchitecture
    architecture: CGANArchitecture

    def __init__(self, architecture: CGANArchitecture) -> None:
        super().__init__(architecture)
        self.embedding = nn.Linear(architecture.conditions, architecture.embedding, bias=False)
        self.generator = Generator(architecture, architecture.latent_dim + architecture.embedding)
        initialise(self.generator)
        if not self.embedding.weight.is_meta:
            nn.init.normal_(self.embedding.weight)  # as large as the latent's numbers

    def decode(self, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        said_BK = latents_BD.new_zeros(len(latents_BD), self.architecture.conditions)
        if condition_BK is not None:
            said_BK = said(condition_BK, self.architecture.classes).to(latents_BD.dtype)
        images: Tensor = self.generator(torch.cat([latents_BD, self.embedding(said_BK)], dim=1))
        return images


def said(condition_BK: Tensor, classes: int) -> Tensor:
    """The rows of a condition with its attributes from -1 (has it not) to 1 (has it): what is unknown is 0."""
    return torch.cat([condition_BK[:, :classes], condition_BK[:, classes:] * 2 - 1], dim=1)
