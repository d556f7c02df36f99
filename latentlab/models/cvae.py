"""The conditional VAE (Sohn et al. 2015): encoder and decoder are both told the class, the attributes, or both.

What is asked for need not be in the latent, which is left to hold the rest: the hand that wrote a digit, the pose.
Shapes: B batch, D latent, K numbers of a condition, C H W of images in [-1, 1] or of feature maps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from latentlab.models.conditioning import Conditional, signed
from latentlab.models.family import Architecture
from latentlab.models.vae import PRIOR, VAE, AutoencoderArchitecture, ConvDecoder, ConvEncoder

NARROWEST = 1e-6  # a spread that is divided by
WIDEST_RATIO = 5.0  # of the spreads of a class and of all


class CVAEArchitecture(AutoencoderArchitecture, Conditional):
    name: Literal["cvae"] = "cvae"


class ToldLayers(nn.Module):
    """Layers that are told a condition: after each batch normalisation it sets a gain and a shift of every channel.

    A condition that entered once, at the picture's side, would have faded where the features are made of it; and one
    that only shifted could not silence what the latent says (de Vries et al. 2017, Perez et al. 2018).
    """

    def __init__(self, layers: Iterable[nn.Module], conditions: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.told = nn.ModuleDict(
            {
                str(index): nn.Linear(conditions, 2 * layer.num_features, bias=False)
                for index, layer in enumerate(self.layers)
                if isinstance(layer, nn.BatchNorm2d)
            }
        )

    def forward(self, maps_BCHW: Tensor, said_BK: Tensor) -> Tensor:
        for index, layer in enumerate(self.layers):
            maps_BCHW = layer(maps_BCHW)
            if str(index) in self.told:
                gain, shift = self.told[str(index)](said_BK)[:, :, None, None].chunk(2, dim=1)
                maps_BCHW = maps_BCHW * (1 + gain) + shift
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
    """Without a condition, `encode` and `decode` are of an unknown class with unknown attributes.

    With an empirical prior the latent is counted from where the encodings of its condition lie, and a class in their
    spread: a measured p(z | condition). Training leaves much of the class in the latent; draws that know
    nothing of the class would argue with what is asked for.
    """

    Parameters: ClassVar[type[Architecture]] = CVAEArchitecture
    of_prior: ClassVar[tuple[str, ...]] = (*PRIOR, "offsets", "log_ratios")
    architecture: CVAEArchitecture
    offsets: Tensor  # (K, D): what a condition adds to the centre
    log_ratios: Tensor  # (classes, D), at least one row: of a class's spread along the axes to that of all

    def __init__(self, architecture: CVAEArchitecture) -> None:
        super().__init__(architecture)
        if architecture.prior == "empirical":
            self.offsets = nn.Buffer(torch.zeros(architecture.conditions, architecture.latent_dim))
            self.log_ratios = nn.Buffer(torch.zeros(max(1, architecture.classes), architecture.latent_dim))

    def parts(self) -> tuple[nn.Module, nn.Module]:
        a, outputs = self.architecture, self.numbers_per_latent * self.architecture.latent_dim
        if a.network == "conv":
            return ToldConvEncoder(a, outputs), ToldConvDecoder(a)
        return ToldMLPEncoder(a, outputs), ToldMLPDecoder(a)

    def encoded(self, images_BCHW: Tensor, condition_BK: Tensor | None) -> Tensor:
        said_BK = self._said(images_BCHW, condition_BK)
        told: Tensor = self.encoder(images_BCHW, said_BK)
        if self.architecture.prior == "empirical":
            mean_BD, log_variance_BD = told.float().chunk(2, dim=1)
            told = torch.cat([mean_BD - said_BK @ self.offsets, log_variance_BD], dim=1)
        return told

    def decoded(self, codes_BD: Tensor, condition_BK: Tensor | None) -> Tensor:
        said_BK = self._said(codes_BD, condition_BK)
        if self.architecture.prior == "empirical":
            codes_BD = codes_BD + said_BK @ self.offsets
        logits: Tensor = self.decoder(codes_BD, said_BK)
        return logits

    def posterior(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> tuple[Tensor, Tensor]:
        mean_BD, log_variance_BD = super().posterior(images_BCHW, condition_BK)
        ratio_BD = self._log_ratio(mean_BD, condition_BK)
        return (
            (mean_BD, log_variance_BD)
            if ratio_BD is None
            else (mean_BD / ratio_BD.exp(), log_variance_BD - 2 * ratio_BD)
        )

    def logits(self, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        ratio_BD = self._log_ratio(latents_BD, condition_BK)
        return super().logits(latents_BD if ratio_BD is None else latents_BD * ratio_BD.exp(), condition_BK)

    def with_fitted_prior(self, means_ND: Tensor, variances_ND: Tensor, asked_NK: Tensor | None = None) -> Self:
        """The same model with a prior of the encodings of each condition: a mean for each, a spread for each class.

        `asked_NK`: the condition of each encoding; the mean is linear in it (of classes: the mean of each).
        """
        said_NK = self._said(means_ND, asked_NK).double()
        off_NK, off_ND = said_NK - said_NK.mean(0), means_ND.double() - means_ND.double().mean(0)
        offsets_KD = torch.linalg.pinv(off_NK) @ off_ND
        within_ND = means_ND.double() - said_NK @ offsets_KD
        fitted = super().with_fitted_prior(within_ND, variances_ND)
        fitted.offsets = offsets_KD.float()
        axes, spread_D = fitted.axes.double(), fitted.spread.double().clamp_min(NARROWEST)
        for label in range(self.architecture.classes):
            of_class_N = said_NK[:, label] > 0
            if of_class_N.sum() > self.architecture.latent_dim:
                along_D = (within_ND[of_class_N] @ axes).var(0) + (variances_ND[of_class_N].double() @ axes**2).mean(0)
                ratio_D = (along_D.sqrt() / spread_D).clamp(1 / WIDEST_RATIO, WIDEST_RATIO)
                fitted.log_ratios[label] = ratio_D.log().float()
        return fitted

    def _log_ratio(self, beside: Tensor, condition_BK: Tensor | None) -> Tensor | None:
        """(B, D); None where the prior is the same for every class."""
        if self.architecture.prior == "normal" or not self.architecture.classes:
            return None
        return self._said(beside, condition_BK)[:, : self.architecture.classes] @ self.log_ratios

    def _said(self, beside: Tensor, condition_BK: Tensor | None) -> Tensor:
        if condition_BK is None:
            return beside.new_zeros(len(beside), self.architecture.conditions)
        return signed(condition_BK, self.architecture.classes).to(beside.dtype)
