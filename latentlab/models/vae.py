"""The variational autoencoder: a convolutional or a fully connected encoder and decoder (Kingma and Welling 2014).

Shapes: B batch, D latent, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from latentlab.models.family import Architecture, Network
from latentlab.models.layers import ResidualBlock, Upsampling, halvings

# Wider than any posterior needs, and exp(10) is still far from overflow in float32.
LOG_VARIANCE_BOUND = 10.0
# The coarsest feature map: 64 -> 4, 28 -> 4 (7 would leave the linear layers with most of the parameters).
COARSEST = 4
WIDEST = 8  # no layer has more than this many times `width` channels


class VAEArchitecture(Architecture):
    name: Literal["vae"] = "vae"
    network: Literal["conv", "mlp"] = "conv"
    residual: int = Field(1, ge=0, le=8)  # residual blocks per resolution, conv only
    hidden: int = Field(400, ge=1, le=16_384)  # mlp only: one hidden layer of so many units

    @property
    def pixels(self) -> int:
        return self.channels * self.image_size**2


class ConvEncoder(nn.Module):
    """Images (B, C, H, W) to moments (B, 2 D): means, then log-variances."""

    def __init__(self, a: VAEArchitecture) -> None:
        super().__init__()
        sizes = halvings(a.image_size, COARSEST)
        layers: list[nn.Module] = []
        channels = a.channels
        for width in _widths(a.width, len(sizes) - 1):
            layers.append(nn.Conv2d(channels, width, 3, 2, 1))
            layers += [ResidualBlock(width) for _ in range(a.residual)]
            layers += [nn.BatchNorm2d(width), nn.SiLU()]
            channels = width
        self.layers = nn.Sequential(*layers)
        self.moments = nn.Linear(channels * sizes[-1] ** 2, 2 * a.latent_dim)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        moments: Tensor = self.moments(self.layers(images_BCHW).flatten(1))
        return moments


class ConvDecoder(nn.Module):
    """Latents (B, D) to logits (B, C, H, W).

    No residual blocks at full size: there they would take most of the time and add little.
    """

    def __init__(self, a: VAEArchitecture) -> None:
        super().__init__()
        sizes = halvings(a.image_size, COARSEST)[::-1]
        widths = _widths(a.width, len(sizes) - 1)[::-1]
        self.start = (widths[0], sizes[0], sizes[0])
        self.project = nn.Linear(a.latent_dim, widths[0] * sizes[0] ** 2)
        layers: list[nn.Module] = []
        channels = widths[0]
        for width, size in zip([*widths[1:], widths[-1]], sizes[1:], strict=True):
            layers += [ResidualBlock(channels) for _ in range(a.residual)]
            layers += [nn.BatchNorm2d(channels), nn.SiLU(), Upsampling(channels, width, size)]
            channels = width
        layers += [nn.BatchNorm2d(channels), nn.SiLU(), nn.Conv2d(channels, a.channels, 3, 1, 1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, latents_BD: Tensor) -> Tensor:
        logits: Tensor = self.layers(self.project(latents_BD).unflatten(1, self.start))
        return logits


class MLPEncoder(nn.Module):
    """784-400-20 for `hidden` 400 and 28 px: the fully connected encoder of the VAE paper and of PyTorch's example."""

    def __init__(self, a: VAEArchitecture) -> None:
        super().__init__()
        self.hidden = nn.Linear(a.pixels, a.hidden)
        self.moments = nn.Linear(a.hidden, 2 * a.latent_dim)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        moments: Tensor = self.moments(torch.relu(self.hidden(images_BCHW.flatten(1))))
        return moments


class MLPDecoder(nn.Module):
    def __init__(self, a: VAEArchitecture) -> None:
        super().__init__()
        self.hidden = nn.Linear(a.latent_dim, a.hidden)
        self.pixels = nn.Linear(a.hidden, a.pixels)
        self.image = (a.channels, a.image_size, a.image_size)

    def forward(self, latents_BD: Tensor) -> Tensor:
        logits: Tensor = self.pixels(torch.relu(self.hidden(latents_BD)))
        return logits.unflatten(1, self.image)


class VAE(Network):
    """Encoder and decoder. `decode` gives the mean of the likelihood, tanh(logits / 2) = 2 sigmoid(logits) - 1."""

    Parameters = VAEArchitecture
    encodes = True

    def __init__(self, architecture: VAEArchitecture) -> None:
        super().__init__(architecture)
        conv = architecture.network == "conv"
        self.encoder: nn.Module = ConvEncoder(architecture) if conv else MLPEncoder(architecture)
        self.decoder: nn.Module = ConvDecoder(architecture) if conv else MLPDecoder(architecture)

    def posterior(self, images_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log-variances, float32 (B, D) each, of q(z|x)."""
        mean_BD, log_variance_BD = self.encoder(images_BCHW).float().chunk(2, dim=1)
        return mean_BD, log_variance_BD.clamp(-LOG_VARIANCE_BOUND, LOG_VARIANCE_BOUND)

    def encode(self, images_BCHW: Tensor, condition_B: Tensor | None = None) -> Tensor:
        return self.posterior(images_BCHW)[0]

    def logits(self, latents_BD: Tensor) -> Tensor:
        logits: Tensor = self.decoder(latents_BD)
        return logits

    def decode(self, latents_BD: Tensor, condition_B: Tensor | None = None) -> Tensor:
        return torch.tanh(self.logits(latents_BD).float() / 2)


def _widths(width: int, stages: int) -> list[int]:
    """Channels of each stage from fine to coarse: doubling, at most `WIDEST` times the width."""
    return [width * min(2**stage, WIDEST) for stage in range(stages)]
