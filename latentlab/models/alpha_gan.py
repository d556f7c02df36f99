"""The alpha-GAN (Rosca et al. 2017): a GAN with an encoder, whose encodings are taught to lie where the prior lies.

The encoder gives a point, no distribution. Both discriminators live in the trainer only.
Shapes: B batch, D latent, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from latentlab.models.layers import SLOPE
from latentlab.models.vae import Autoencoder, AutoencoderArchitecture


class AlphaGANArchitecture(AutoencoderArchitecture):
    name: Literal["alpha-gan"] = "alpha-gan"


class AlphaGAN(Autoencoder):
    """Encoder and generator: the networks of the VAE without its variances."""

    Parameters = AlphaGANArchitecture

    def encode(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        return self.turned(self.encoder(images_BCHW).float())


class CodeDiscriminator(nn.Module):
    """Latents (B, D), in standard deviations of the prior, to logits (B,): is it a draw, or the code of a picture?

    Without batch normalisation, which would hide from it where a whole batch lies.
    """

    def __init__(self, latent_dim: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, 1),
        )

    def forward(self, latents_BD: Tensor) -> Tensor:
        logits: Tensor = self.layers(latents_BD)
        return logits.flatten()


def spread_of(network: Autoencoder) -> Tensor | float:
    """Standard deviations of the prior, (D,), or 1."""
    return network.spread if network.architecture.prior == "empirical" else 1.0


def drawn(network: Autoencoder, count: int, device: torch.device) -> Tensor:
    """(count, D) from the prior, with the global random numbers."""
    return torch.randn(count, network.architecture.latent_dim, device=device) * spread_of(network)
