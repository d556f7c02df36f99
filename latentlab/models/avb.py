"""Adversarial variational Bayes (Mescheder et al. 2017): an encoder that is given noise and may say any distribution.

Its posterior has samples and moments but no density. The adversary that tells it from the prior lives in the trainer.
Shapes: B batch, D latent, S samples of the noise, N numbers of the noise, R responses, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from latentlab.models.layers import SLOPE
from latentlab.models.vae import Autoencoder, AutoencoderArchitecture, ConvEncoder, MLPEncoder

DRAWS = 512  # of the noise, from which moments are estimated
SEED = 20_170_117


class AVBArchitecture(AutoencoderArchitecture):
    name: Literal["avb"] = "avb"
    noise_dim: int = Field(32, ge=1, le=4096)
    responses: int = Field(32, ge=1, le=1024)  # functions of the noise that every picture weighs in its own way
    noise_hidden: int = Field(128, ge=1, le=4096)


class ImplicitEncoder(nn.Module):
    """z = a_0(x) + sum over r of a_r(x) * v_r(noise), per dimension.

    The paper's encoder (section 6 and its equation for the moments), but every response sees the same noise: the
    moments given a picture follow from those of the responses, which no picture changes.
    """

    def __init__(self, a: AVBArchitecture) -> None:
        super().__init__()
        self.shape = (a.responses + 1, a.latent_dim)
        outputs = (a.responses + 1) * a.latent_dim
        self.weights: nn.Module = ConvEncoder(a, outputs) if a.network == "conv" else MLPEncoder(a, outputs)
        self.responses = nn.Sequential(
            nn.Linear(a.noise_dim, a.noise_hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(a.noise_hidden, a.noise_hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(a.noise_hidden, a.responses * a.latent_dim),
        )

    def weighed(self, images_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """a_0 (B, D) and a_r (B, R, D), float32."""
        weights: Tensor = self.weights(images_BCHW).float().unflatten(1, self.shape)
        # Sums of many responses keep the scale of one.
        return weights[:, 0], weights[:, 1:] / (self.shape[0] - 1) ** 0.5

    def answered(self, noise_SN: Tensor) -> Tensor:
        """v (S, R, D), float32."""
        # bfloat16 would leave gaps between the latents of one picture, which the adversary finds.
        with torch.autocast(noise_SN.device.type, enabled=False):
            answers: Tensor = self.responses(noise_SN).unflatten(1, (self.shape[0] - 1, self.shape[1]))
        return answers


class Adversary(nn.Module):
    """T(x, z): pictures (B, C, H, W) and latents (B, D) to logits (B,): from the encoder, or from the reference?

    At its best it is log q(z|x) - log r(z|x). Without batch normalisation of the latents, which would hide where a
    whole batch lies.
    """

    def __init__(self, a: AVBArchitecture, hidden: int) -> None:
        super().__init__()
        self.images: nn.Module = ConvEncoder(a, hidden) if a.network == "conv" else MLPEncoder(a, hidden)
        self.latents = nn.Sequential(nn.Linear(a.latent_dim, hidden), nn.LeakyReLU(SLOPE), nn.Linear(hidden, hidden))
        self.both = nn.Sequential(
            nn.LeakyReLU(SLOPE), nn.Linear(hidden, hidden), nn.LeakyReLU(SLOPE), nn.Linear(hidden, 1)
        )

    def features(self, images_BCHW: Tensor) -> Tensor:
        """(B, F): they serve both kinds of latents."""
        features: Tensor = self.images(images_BCHW)
        return features

    def judged(self, features_BF: Tensor, latents_BD: Tensor) -> Tensor:
        logits: Tensor = self.both(features_BF + self.latents(latents_BD))
        return logits.flatten().float()

    def forward(self, images_BCHW: Tensor, latents_BD: Tensor) -> Tensor:
        return self.judged(self.features(images_BCHW), latents_BD)


class AVB(Autoencoder):
    """The decoder is the VAE's. `encode` gives the mean of the posterior, over the same draws of noise every time."""

    Parameters = AVBArchitecture
    architecture: AVBArchitecture

    def parts(self) -> tuple[nn.Module, nn.Module]:
        return ImplicitEncoder(self.architecture), super().parts()[1]

    @property
    def implicit(self) -> ImplicitEncoder:
        assert isinstance(self.encoder, ImplicitEncoder)
        return self.encoder

    def noise(self, count: int, device: torch.device, generator: torch.Generator | None = None) -> Tensor:
        """(count, N) from N(0, I); with a generator (of the CPU) the same on every device."""
        source = device if generator is None else generator.device
        return torch.randn(count, self.architecture.noise_dim, generator=generator, device=source).to(device)

    def sampled(self, images_BCHW: Tensor, noise_BN: Tensor) -> Tensor:
        """One draw (B, D) from each picture's posterior."""
        start_BD, weights_BRD = self.implicit.weighed(images_BCHW)
        return self.turned(start_BD + (weights_BRD * self.implicit.answered(noise_BN)).sum(1))

    def samples(self, images_BCHW: Tensor, noise_SN: Tensor) -> Tensor:
        """S draws (S, B, D) from each picture's posterior; all pictures share the noise."""
        start_BD, weights_BRD = self.implicit.weighed(images_BCHW)
        drawn_SBD = start_BD + torch.einsum("brd,srd->sbd", weights_BRD, self.implicit.answered(noise_SN))
        return self.turned(drawn_SBD)

    def moments(self, images_BCHW: Tensor, noise_SN: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Means and variances (B, D) of the posteriors, estimated over draws of the noise; in the axes of training."""
        answers_SRD = self.implicit.answered(self._own_noise(images_BCHW.device) if noise_SN is None else noise_SN)
        start_BD, weights_BRD = self.implicit.weighed(images_BCHW)
        with torch.autocast(images_BCHW.device.type, enabled=False):
            mean_RD = answers_SRD.mean(0)
            off_DRS = (answers_SRD - mean_RD).permute(2, 1, 0)
            covariance_DRR = off_DRS @ off_DRS.mT / len(answers_SRD)
            mean_BD = start_BD + (weights_BRD * mean_RD).sum(1)
            weights_DBR = weights_BRD.permute(2, 0, 1)
            variance_DB = ((weights_DBR @ covariance_DRR) * weights_DBR).sum(2)
        return mean_BD, variance_DB.T.clamp_min(0)

    def encode(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        return self.turned(self.moments(images_BCHW)[0])

    def _own_noise(self, device: torch.device) -> Tensor:
        draws = np.random.default_rng(SEED).standard_normal((DRAWS, self.architecture.noise_dim))
        return torch.from_numpy(draws.astype(np.float32)).to(device)
