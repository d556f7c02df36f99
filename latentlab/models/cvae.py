"""The conditional VAE (Sohn et al. 2015): encoder and decoder are both told the class, the attributes, or both.

What is asked for need not be in the latent, which is left to hold the rest: the hand that wrote a digit, the pose.
Shapes: B batch, D latent, K numbers of a condition, C H W of images in [-1, 1] or of feature maps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from latentlab.models.conditioning import Conditional, signed
from latentlab.models.family import Architecture
from latentlab.models.vae import VAE, AutoencoderArchitecture, ConvDecoder, ConvEncoder


class CVAEArchitecture(AutoencoderArchitecture, Conditional):
    name: Literal["cvae"] = "cvae"


class ToldLayers(nn.Module):
    """Layers that are told a condition: after each batch normalisation it moves every channel of the feature maps.

    A condition that entered once, at the picture's side, would have faded where the features are made of it.
    """

    def __init__(self, layers: Iterable[nn.Module], conditions: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.shifts = nn.ModuleDict(
            {
                str(index): nn.Linear(conditions, layer.num_features, bias=False)
                for index, layer in enumerate(self.layers)
                if isinstance(layer, nn.BatchNorm2d)
            }
        )

    def forward(self, maps_BCHW: Tensor, said_BK: Tensor) -> Tensor:
        for index, layer in enumerate(self.layers):
            maps_BCHW = layer(maps_BCHW)
            if str(index) in self.shifts:
                maps_BCHW = maps_BCHW + self.shifts[str(index)](said_BK)[:, :, None, None]
        return maps_BCHW


class ToldConvEncoder(nn.Module):
    """Images (B, C, H, W) and what is said of them (B, K) to `outputs` numbers each."""

    def __init__(self, a: CVAEArchitecture, outputs: int) -> None:
        super().__init__()
        plain = ConvEncoder(a, outputs)
        self.layers = ToldLayers(plain.layers, a.conditions)
        self.moments = nn.Linear(plain.moments.in_features + a.conditions, outputs)

    def forward(self, images_BCHW: Tensor, said_BK: Tensor) -> Tensor:
        features = self.layers(images_BCHW, said_BK).flatten(1)
        moments: Tensor = self.moments(torch.cat([features, said_BK.to(features.dtype)], dim=1))
        return moments


class ToldConvDecoder(nn.Module):
    """Latents (B, D) and what is asked for (B, K) to logits (B, C, H, W)."""

    def __init__(self, a: CVAEArchitecture) -> None:
        super().__init__()
        plain = ConvDecoder(a, a.latent_dim + a.conditions)
        self.start = plain.start
        self.project = plain.project
        self.layers = ToldLayers(plain.layers, a.conditions)

    def forward(self, latents_BD: Tensor, said_BK: Tensor) -> Tensor:
        first = self.project(torch.cat([latents_BD, said_BK], dim=1)).unflatten(1, self.start)
        logits: Tensor = self.layers(first, said_BK)
        return logits


class ToldMLPEncoder(nn.Module):
    """The fully connected encoder with the condition beside the pixels."""

    def __init__(self, a: CVAEArchitecture, outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(a.pixels + a.conditions, a.hidden)
        self.moments = nn.Linear(a.hidden, outputs)

    def forward(self, images_BCHW: Tensor, said_BK: Tensor) -> Tensor:
        moments: Tensor = self.moments(torch.relu(self.hidden(torch.cat([images_BCHW.flatten(1), said_BK], dim=1))))
        return moments


class ToldMLPDecoder(nn.Module):
    """The fully connected decoder with the condition beside the latent."""

    def __init__(self, a: CVAEArchitecture) -> None:
        super().__init__()
        self.hidden = nn.Linear(a.latent_dim + a.conditions, a.hidden)
        self.pixels = nn.Linear(a.hidden, a.pixels)
        self.image = (a.channels, a.image_size, a.image_size)

    def forward(self, latents_BD: Tensor, said_BK: Tensor) -> Tensor:
        logits: Tensor = self.pixels(torch.relu(self.hidden(torch.cat([latents_BD, said_BK], dim=1))))
        return logits.view(-1, *self.image)


class CVAE(VAE):
    """Without a condition, `encode` and `decode` are of an unknown class with unknown attributes."""

    Parameters: ClassVar[type[Architecture]] = CVAEArchitecture
    architecture: CVAEArchitecture

    def parts(self) -> tuple[nn.Module, nn.Module]:
        a, outputs = self.architecture, self.numbers_per_latent * self.architecture.latent_dim
        if a.network == "conv":
            return ToldConvEncoder(a, outputs), ToldConvDecoder(a)
        return ToldMLPEncoder(a, outputs), ToldMLPDecoder(a)

    def encoded(self, images_BCHW: Tensor, condition_BK: Tensor | None) -> Tensor:
        told: Tensor = self.encoder(images_BCHW, self._said(images_BCHW, condition_BK))
        return told

    def decoded(self, codes_BD: Tensor, condition_BK: Tensor | None) -> Tensor:
        logits: Tensor = self.decoder(codes_BD, self._said(codes_BD, condition_BK))
        return logits

    def _said(self, beside: Tensor, condition_BK: Tensor | None) -> Tensor:
        if condition_BK is None:
            return beside.new_zeros(len(beside), self.architecture.conditions)
        return signed(condition_BK, self.architecture.classes).to(beside.dtype)
