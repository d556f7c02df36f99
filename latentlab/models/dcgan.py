"""The deep convolutional GAN (Radford et al. 2016), for any image size, with spectral normalisation where asked.

The generator is what a checkpoint holds; the discriminator lives in the trainer only.
Shapes: B batch, D latent, C H W of images in [-1, 1], K numbers of a condition.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from latentlab.models.adversarial import GeneratorArchitecture, GeneratorNetwork
from latentlab.models.layers import SLOPE, Upsampling, halvings

COARSEST = 4
WIDEST = 8  # times the width: 512 channels for the paper's 64
INITIAL_SPREAD = 0.02


class DCGANArchitecture(GeneratorArchitecture):
    name: Literal["dcgan"] = "dcgan"


class Generator(nn.Module):
    """Latents (B, D) to images (B, C, H, W): strided transposed convolutions, batch normalisation, ReLU, tanh."""

    def __init__(self, a: GeneratorArchitecture) -> None:
        super().__init__()
        sizes = halvings(a.image_size, COARSEST)[::-1]
        widths = [a.width * min(2**stage, WIDEST) for stage in range(len(sizes) - 1)][::-1]
        first = nn.ConvTranspose2d(a.latent_dim, widths[0], sizes[0], 1, 0, bias=False)
        layers: list[nn.Module] = [first, nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)]
        channels = widths[0]
        for width, size in zip(widths[1:], sizes[1:-1], strict=True):
            layers += [Upsampling(channels, width, size), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
        layers += [Upsampling(channels, a.channels, sizes[-1]), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, latents_BD: Tensor) -> Tensor:
        images: Tensor = self.layers(latents_BD[:, :, None, None])
        return images


class Discriminator(nn.Module):
    """Images (B, C, H, W) to logits (B,): strided convolutions and LeakyReLU.

    With `spectral` every layer has spectral norm 1 (Miyato et al. 2018) and no batch normalisation is used. With
    `conditions` it judges picture and condition together, by a projection (Miyato and Koyama 2018, equation 3): the
    logit is psi(features) + <V condition, features>.
    """

    def __init__(
        self, image_size: int, channels: int, width: int, *, spectral: bool = True, conditions: int = 0
    ) -> None:
        super().__init__()
        sizes = halvings(image_size, COARSEST)
        layers: list[nn.Module] = []
        for stage in range(len(sizes) - 1):
            out = width * min(2**stage, WIDEST)
            normalised = not spectral and stage > 0
            # The kernel of 4 reaches over the odd last row that a size like 7 has.
            padding = 1 if sizes[stage] % 2 == 0 else 2
            layers.append(nn.Conv2d(channels, out, 4, 2, padding, bias=not normalised))
            # Without running statistics: it is never used after training, and buffers that a second forward pass
            # changes before the backward pass break it on several GPUs (pytorch #175024).
            layers += [nn.BatchNorm2d(out, track_running_stats=False)] if normalised else []
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
            channels = out
        layers += [nn.Conv2d(channels, 1, sizes[-1], 1, 0)]
        self.layers = nn.Sequential(*layers)
        self.projection = nn.Conv2d(channels, conditions, sizes[-1], 1, 0, bias=False) if conditions else None
        initialise(self)
        if spectral:
            for layer in [*self.layers, self.projection]:
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)

    def forward(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        if self.projection is None or condition_BK is None:
            return torch.flatten(self.layers(images_BCHW))
        features: Tensor = self.layers[:-1](images_BCHW)
        agreement_BK = self.projection(features).flatten(1)
        logits: Tensor = self.layers[-1](features).flatten() + (agreement_BK * condition_BK).sum(dim=1)
        return logits


class DCGAN(GeneratorNetwork):
    """The generator of the paper: with 64 px and width 64, its five layers."""

    Parameters = DCGANArchitecture

    def __init__(self, architecture: DCGANArchitecture) -> None:
        super().__init__(architecture)
        self.generator = Generator(architecture)
        initialise(self.generator)


def initialise(network: nn.Module) -> None:
    """The paper's: weights from N(0, 0.02^2), those of batch normalisation around 1.

    Without memory there is nothing to draw, and drawing on the meta device would import the compiler, a second long.
    """
    if next(network.parameters()).is_meta:
        return
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, INITIAL_SPREAD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, INITIAL_SPREAD)
