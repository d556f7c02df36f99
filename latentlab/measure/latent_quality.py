"""How good a latent space is: what it explains of data, how evenly pictures change in it, and whether it has gaps.

Shapes: B pictures, K draws for each, S draws a proposal is fitted to, D latent, N rows, F features, C H W of images in
[-1, 1], H W C of pictures in [0, 1]. Nats, natural logarithms; intensities count in [0, 1]. Everything in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from latentlab.core.errors import DataError
from latentlab.core.spaces import FloatArray
from latentlab.measure.metrics import spread

LOG_2PI = math.log(2 * math.pi)
NARROWEST = 1e-6  # variance added to a fitted proposal: a posterior that is a point still has a density
PIXELS_AT_ONCE = 2**21  # decoded together while likelihoods are counted
MSE_LOG_SIGMA = -0.5 * math.log(2.0)  # squared errors, summed, are this Gaussian's exponent


# --- what a latent space explains ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Proposal:
    """A Gaussian for each picture to draw latents from: mean (B, D), lower triangular factor of its covariance."""

    mean_BD: Tensor
    factor_BDD: Tensor

    @classmethod
    def diagonal(cls, mean_BD: Tensor, log_variance_BD: Tensor) -> Self:
        """The posterior of a VAE."""
        return cls(mean_BD, torch.diag_embed((0.5 * log_variance_BD).exp()))

    @classmethod
    def fitted(cls, samples_SBD: Tensor) -> Self:
        """To draws of a posterior that has no density. Raises DataError for fewer draws than dimensions + 2."""
        count, _, dim = samples_SBD.shape
        if count < dim + 2:
            raise DataError(f"A Gaussian of {dim} dimensions needs at least {dim + 2} draws; these are {count}.")
        mean_BD = samples_SBD.mean(0)
        off_SBD = (samples_SBD - mean_BD).double()
        covariance_BDD = torch.einsum("sbd,sbe->bde", off_SBD, off_SBD) / (count - 1)
        scale_B11 = covariance_BDD.diagonal(dim1=1, dim2=2).mean(1)[:, None, None].clamp_min(NARROWEST)
        identity_DD = torch.diag(torch.ones(dim, dtype=torch.float64, device=covariance_BDD.device))
        factor_BDD = torch.linalg.cholesky(covariance_BDD + 1e-4 * scale_B11 * identity_DD)
        return cls(mean_BD, factor_BDD.float())

    def draw(self, count: int, generator: Generator) -> Tensor:
        """(count, B, D); the generator is of the CPU, so that draws are the same on every device."""
        noise_KBD = torch.randn(count, *self.mean_BD.shape, generator=generator).to(self.mean_BD.device)
        drawn_KBD: Tensor = self.mean_BD + torch.einsum("bde,kbe->kbd", self.factor_BDD, noise_KBD)
        return drawn_KBD

    def log_density(self, latents_KBD: Tensor) -> Tensor:
        """(K, B)"""
        off_BDK = (latents_KBD - self.mean_BD).permute(1, 2, 0)
        white_BDK = torch.linalg.solve_triangular(self.factor_BDD, off_BDK, upper=False)
        log_volume_B = self.factor_BDD.diagonal(dim1=1, dim2=2).log().sum(1)
        dim = self.mean_BD.shape[1]
        log_BK: Tensor = -0.5 * white_BDK.square().sum(1) - log_volume_B[:, None] - 0.5 * dim * LOG_2PI
        return log_BK.T


@dataclass(frozen=True)
class Likelihood:
    """p(x|z) of a decoder's logits: "bce" is Bernoulli per intensity, "gaussian" has one sigma for all pixels.

    A Gaussian is a density: its nats compare with other Gaussians' only.
    """

    kind: str
    log_sigma: float = MSE_LOG_SIGMA  # of intensities in [0, 1]

    def log(self, logits_NCHW: Tensor, targets_NCHW: Tensor) -> Tensor:
        """(N,) of pictures in [0, 1], summed over pixels."""
        if self.kind == "bce":
            return -F.binary_cross_entropy_with_logits(logits_NCHW, targets_NCHW, reduction="none").flatten(1).sum(1)
        errors_NP = (torch.sigmoid(logits_NCHW) - targets_NCHW).flatten(1) * math.exp(-self.log_sigma)
        constant = errors_NP.shape[1] * (self.log_sigma + 0.5 * LOG_2PI)
        return -0.5 * errors_NP.square().sum(1) - constant


def log_prior(latents_KBD: Tensor, std_D: Tensor | None = None) -> Tensor:
    """(K, B) of N(0, 1), or of N(0, std^2) per dimension."""
    dim = latents_KBD.shape[-1]
    if std_D is None:
        return -0.5 * (latents_KBD.square().sum(-1) + dim * LOG_2PI)
    scaled_KBD = latents_KBD / std_D
    return -0.5 * (scaled_KBD.square().sum(-1) + dim * LOG_2PI) - std_D.log().sum()


@dataclass(frozen=True, eq=False)
class Explained:
    """Of each picture, in nats. `nll_B` lies below `negative_elbo_B`, and nearer to -log p(x) the larger K is."""

    negative_elbo_B: FloatArray
    nll_B: FloatArray
    effective_B: FloatArray  # how many draws carry the weight, 1 to K: near 1 the proposal misses the posterior


@torch.inference_mode()
def explained(
    logits: Callable[[Tensor], Tensor],
    likelihood: Likelihood,
    images_BCHW: Tensor,
    proposal: Proposal,
    draws: int,
    generator: Generator,
    std_D: Tensor | None = None,
) -> Explained:
    """Importance-weighted -log p(x) = -log mean_k p(x|z_k) p(z_k) / q(z_k|x); Burda et al. 2016, equation 8.

    `logits` decodes (N, D) to (N, C, H, W). The negative ELBO is the mean of the same K draws' -log weights.
    """
    targets_BCHW = images_BCHW.float().add(1).mul(0.5)
    latents_KBD = proposal.draw(draws, generator)
    log_weight_KB = log_prior(latents_KBD, std_D) - proposal.log_density(latents_KBD)
    pixels = max(1, targets_BCHW[0].numel() * len(targets_BCHW))
    at_once = max(1, PIXELS_AT_ONCE // pixels)
    for start in range(0, draws, at_once):
        chunk_KBD = latents_KBD[start : start + at_once]
        many = targets_BCHW.repeat(len(chunk_KBD), 1, 1, 1)
        log_NK = likelihood.log(logits(chunk_KBD.flatten(0, 1)).float(), many)
        log_weight_KB[start : start + at_once] += log_NK.view(len(chunk_KBD), -1)
    nll_B = math.log(draws) - log_weight_KB.logsumexp(0)
    share_KB = log_weight_KB.softmax(0)
    return Explained(
        negative_elbo_B=(-log_weight_KB.mean(0)).cpu().numpy(),
        nll_B=nll_B.cpu().numpy(),
        effective_B=(1 / share_KB.square().sum(0)).cpu().numpy(),
    )


# --- how evenly pictures change --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Continuity:
    """Along straight paths between pairs of encodings, each cut into equal steps."""

    change_per_unit: float  # root mean square change of an intensity per unit of latent, mean over all steps
    steepest: float  # the largest step's change over its path's mean, mean over paths: 1 is perfectly even


def continuity(
    decode: Callable[[FloatArray], FloatArray], latents_ND: FloatArray, paths: int = 64, steps: int = 16, seed: int = 0
) -> Continuity:
    """`decode` gives pictures (N, H, W, C) in [0, 1]. Raises DataError for fewer than two different latents."""
    rng = np.random.default_rng(seed)
    ends_2PD = np.stack([latents_ND[rng.integers(0, len(latents_ND), paths)] for _ in range(2)])
    lengths_P = np.linalg.norm(ends_2PD[1] - ends_2PD[0], axis=1)
    ends_2PD, lengths_P = ends_2PD[:, lengths_P > 0], lengths_P[lengths_P > 0]
    if not len(lengths_P):
        raise DataError("Paths need encodings that differ.")
    slopes: list[float] = []
    steepest: list[float] = []
    for start_D, end_D, length in zip(*ends_2PD, lengths_P, strict=True):
        share_T1 = np.linspace(0, 1, steps + 1, dtype=np.float32)[:, None]
        pictures = decode(np.asarray(start_D + share_T1 * (end_D - start_D), np.float32))
        change_T = np.sqrt(np.square(np.diff(pictures, axis=0)).reshape(steps, -1).mean(axis=1, dtype=np.float64))
        slopes.append(float(change_T.mean() * steps / length))
        if change_T.mean() > 0:
            steepest.append(float(change_T.max() / change_T.mean()))
    return Continuity(float(np.mean(slopes)), float(np.mean(steepest)) if steepest else 1.0)


# --- whether it has gaps ---------------------------------------------------------------------------------------


def completeness(real_NF: FloatArray, decoded_NF: FloatArray) -> float:
    """Share of draws that decode to something like the data: their features lie within the data's manifold.

    The manifold is the union of balls around the features of real pictures, each out to its third neighbour
    (Kynkäänniemi et al. 2019, improved precision, in the space the features are of).
    """
    return spread(real_NF, decoded_NF).precision


def box_uniform(latents_ND: FloatArray, count: int, seed: int = 0) -> FloatArray:
    """(count, D) drawn evenly from the smallest box around the encodings: what lies between them counts as well."""
    low_D, high_D = latents_ND.min(axis=0), latents_ND.max(axis=0)
    return np.random.default_rng(seed).uniform(low_D, high_D, (count, latents_ND.shape[1])).astype(np.float32)
