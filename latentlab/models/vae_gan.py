"""The VAE/GAN (Larsen et al. 2016): a VAE whose decoder is a generator. The discriminator lives in the trainer only."""

from __future__ import annotations

from typing import Literal

from latentlab.models.vae import VAE, AutoencoderArchitecture


class VAEGANArchitecture(AutoencoderArchitecture):
    name: Literal["vae-gan"] = "vae-gan"


class VAEGAN(VAE):
    Parameters = VAEGANArchitecture
