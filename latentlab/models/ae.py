"""The autoencoder and the denoising autoencoder: the VAE's encoder and decoder without its variances, and no prior.

Nothing in their training says where latents lie, so draws follow the encodings: the spaces are empirical.
Shapes: B batch, D latent, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from latentlab.models.family import Architecture
from latentlab.models.vae import Autoencoder, AutoencoderArchitecture


class AEArchitecture(AutoencoderArchitecture):
    name: Literal["ae"] = "ae"
    prior: Literal["empirical"] = "empirical"


class DAEArchitecture(AutoencoderArchitecture):
    name: Literal["dae"] = "dae"
    prior: Literal["empirical"] = "empirical"


class AE(Autoencoder):
    """The encoder tells one latent per picture; `decode` gives the picture (Hinton and Salakhutdinov 2006)."""

    Parameters: ClassVar[type[Architecture]] = AEArchitecture
    has_prior: ClassVar[bool] = False

    def encode(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        return self.turned(self.encoder(images_BCHW).float())


class DAE(AE):
    """An autoencoder that was given damaged pictures and asked for the clean ones (Vincent et al. 2008)."""

    Parameters = DAEArchitecture
