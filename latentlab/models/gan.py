"""The first GAN (Goodfellow et al. 2014): a fully connected generator and discriminator.

Kept from the paper: dense layers, dropout in the discriminator. Not kept: maxout; batch normalisation, which came
later, keeps the generator from collapsing. Shapes: B batch, D latent, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from latentlab.models.adversarial import GeneratorArchitecture, GeneratorNetwork
from latentlab.models.layers import SLOPE

Units = Annotated[int, Field(ge=1, le=16_384)]


class GANArchitecture(GeneratorArchitecture):
    name: Literal["gan"] = "gan"
    hidden: tuple[Units, ...] = Field((256, 512, 1024), min_length=1, max_length=8)  # from the latent to the picture


class GAN(GeneratorNetwork):
    """The generator: dense layers with batch normalisation and LeakyReLU, then tanh."""

    Parameters = GANArchitecture
    architecture: GANArchitecture

    def __init__(self, architecture: GANArchitecture) -> None:
        super().__init__(architecture)
        a, layers, numbers = architecture, list[nn.Module](), architecture.latent_dim
        for units in a.hidden:
            layers += [nn.Linear(numbers, units, bias=False), nn.BatchNorm1d(units), nn.LeakyReLU(SLOPE, inplace=True)]
            numbers = units
        layers += [nn.Linear(numbers, a.channels * a.image_size**2), nn.Tanh()]
        self.generator = nn.Sequential(*layers, nn.Unflatten(1, (a.channels, a.image_size, a.image_size)))


class DenseDiscriminator(nn.Module):
    """Images (B, C, H, W) to logits (B,): the generator's layers in reverse, with dropout.

    With `spectral` every layer has spectral norm 1.
    """

    def __init__(self, a: GANArchitecture, *, spectral: bool = True, dropout: float = 0.3) -> None:
        super().__init__()
        layers, numbers = list[nn.Module]([nn.Flatten()]), a.channels * a.image_size**2
        for units in reversed(a.hidden):
            layers += [nn.Linear(numbers, units), nn.LeakyReLU(SLOPE, inplace=True), nn.Dropout(dropout)]
            numbers = units
        self.layers = nn.Sequential(*layers, nn.Linear(numbers, 1))
        if spectral:
            for layer in self.layers:
                if isinstance(layer, nn.Linear):
                    spectral_norm(layer)

    def forward(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        return torch.flatten(self.layers(images_BCHW))
