"""Figures of merit that need no download.

Shapes: N pictures or features, D latent or feature numbers, H W C of pictures. Pictures are uint8 (N, H, W, C) or
float in [0, 1]; intensities count in [0, 1]. Features are float (N, D).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.errors import DataError
from latentlab.core.spaces import FloatArray

Pictures = NDArray[np.uint8] | FloatArray

ACTIVE = 0.01  # Burda et al. 2016: a unit is active when its mean varies more than this over the data
SSIM_SIDE, SSIM_SIGMA = 11, 1.5  # Wang et al. 2004
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
NEIGHBOURS = 3  # precision and recall: Kynkäänniemi et al. 2019
CHUNK = 1024


# --- of reconstructions ----------------------------------------------------------------------------------------


def mse(a: Pictures, b: Pictures) -> FloatArray:
    """(N,) mean squared difference of each pair, in squared intensities."""
    difference = _unit(a) - _unit(b)
    return np.asarray(np.square(difference).reshape(len(difference), -1).mean(axis=1), np.float32)


def psnr(a: Pictures, b: Pictures) -> FloatArray:
    """(N,) decibels; 100 at most, where two pictures are the same."""
    return np.asarray(-10 * np.log10(np.maximum(mse(a, b).astype(np.float64), 1e-10)), np.float32)


def ssim(a: Pictures, b: Pictures) -> FloatArray:
    """(N,) mean structural similarity over windows of 11 px (fewer where the picture is smaller), -1 to 1.

    Wang et al. 2004, Gaussian windows of sigma 1.5, constants for a range of 1, mean over channels.
    """
    if a.shape != b.shape:
        raise DataError(f"Pictures of {a.shape} cannot be compared with {b.shape}.")
    side = min(SSIM_SIDE, *a.shape[1:3])
    side -= 1 - side % 2
    places = torch.arange(side, dtype=torch.float64) - side // 2  # variances are small differences of squares
    bell = torch.exp(-places.square() / (2 * SSIM_SIGMA**2))
    bell = bell / bell.sum()
    rows, columns = _sliding(bell, a.shape[1]), _sliding(bell, a.shape[2]).T
    found = [
        _ssim(_planes(a[i : i + 256]).double(), _planes(b[i : i + 256]).double(), rows, columns)
        for i in range(0, len(a), 256)
    ]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def _sliding(window: Tensor, length: int) -> Tensor:
    """(length - side + 1, length): a matrix whose product is the convolution. The window is the same both ways, and
    two products are 20 times faster than a convolution in float64.
    """
    side = len(window)
    matrix = torch.zeros(length - side + 1, length, dtype=window.dtype)
    for place in range(len(matrix)):
        matrix[place, place : place + side] = window
    return matrix


def _ssim(x: Tensor, y: Tensor, rows: Tensor, columns: Tensor) -> FloatArray:
    """Of planes (B, C, H, W)."""

    def blurred(planes: Tensor) -> Tensor:
        return rows @ planes @ columns

    mean_x, mean_y = blurred(x), blurred(y)
    var_x = blurred(x * x) - mean_x.square()
    var_y = blurred(y * y) - mean_y.square()
    both = blurred(x * y) - mean_x * mean_y
    similarity = (2 * mean_x * mean_y + SSIM_C1) * (2 * both + SSIM_C2)
    similarity = similarity / ((mean_x.square() + mean_y.square() + SSIM_C1) * (var_x + var_y + SSIM_C2))
    result: FloatArray = similarity.mean(dim=(1, 2, 3)).float().numpy()
    return result


def sharpness(pictures: Pictures) -> FloatArray:
    """(N,) variance of the Laplacian; compare with the data's, more is sharper."""
    planes = _planes(pictures).mean(dim=1, keepdim=True)
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
    edges = F.conv2d(planes, kernel)
    result: FloatArray = edges.flatten(1).var(dim=1, unbiased=False).numpy()
    return result


# --- of a posterior --------------------------------------------------------------------------------------------


def kl_per_dimension(mean_ND: FloatArray, log_variance_ND: FloatArray) -> FloatArray:
    """(D,) nats, mean over the data: KL of each posterior from N(0, 1)."""
    kl_ND = -0.5 * (1 + log_variance_ND - np.square(mean_ND) - np.exp(log_variance_ND))
    return np.asarray(kl_ND.mean(axis=0, dtype=np.float64), np.float32)


def active_units(mean_ND: FloatArray) -> int:
    """How many dimensions vary with the data: Var of the posterior's mean above 0.01 (Burda et al. 2016)."""
    return int((mean_ND.var(axis=0) > ACTIVE).sum())


# --- of samples beside data ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spread:
    """Kynkäänniemi et al. 2019 (precision, recall) and Naeem et al. 2020 (density, coverage), k = 3 neighbours."""

    precision: float  # share of samples within the data's manifold
    recall: float  # share of data within the samples' manifold
    density: float  # how deep within; can exceed 1
    coverage: float  # share of data with a sample among its neighbours


def spread(real_ND: FloatArray, generated_ND: FloatArray, k: int = NEIGHBOURS) -> Spread:
    """Both of at least k + 1 rows, better of equal numbers. Raises DataError for fewer."""
    if min(len(real_ND), len(generated_ND)) <= k:
        raise DataError(f"Precision and recall need more than {k} pictures on both sides.")
    real, generated = torch.from_numpy(real_ND).float(), torch.from_numpy(generated_ND).float()
    real_radius, generated_radius = _radii(real, k), _radii(generated, k)
    precise, inside, recalled, covered = 0, 0, torch.zeros(len(real), dtype=torch.bool), torch.zeros(len(real)).bool()
    for start in range(0, len(generated), CHUNK):
        distance = torch.cdist(generated[start : start + CHUNK], real)
        radius = generated_radius[start : start + CHUNK]
        within_real = distance <= real_radius
        precise += int(within_real.any(dim=1).sum())
        inside += int(within_real.sum())
        recalled |= (distance <= radius[:, None]).any(dim=0)
        covered |= within_real.any(dim=0)
    return Spread(
        precision=precise / len(generated),
        recall=float(recalled.float().mean()),
        density=inside / (k * len(generated)),
        coverage=float(covered.float().mean()),
    )


def _radii(features: Tensor, k: int) -> Tensor:
    """The distance of each to its k-th neighbour."""
    chunks = (features[start : start + CHUNK] for start in range(0, len(features), CHUNK))
    return torch.cat([torch.cdist(chunk, features).topk(k + 1, largest=False).values[:, -1] for chunk in chunks])


@dataclass(frozen=True)
class FrechetDistance:
    """Never without the space it was measured in: numbers of different spaces do not compare."""

    value: float
    space: str  # e.g. "64 features of a classifier of 'mnist' (held-out accuracy 0.99)"
    real: int  # pictures
    generated: int

    def __str__(self) -> str:
        return f"{self.value:.3f} in {self.space}, {self.real:,} real and {self.generated:,} generated"


def frechet_distance(real_ND: FloatArray, generated_ND: FloatArray, space: str) -> FrechetDistance:
    """Between the Gaussians of two sets of features; Heusel et al. 2017. Raises DataError for fewer than two rows."""
    if min(len(real_ND), len(generated_ND)) < 2:
        raise DataError("A Fréchet distance needs at least two pictures on both sides.")
    if not space:
        raise DataError("A Fréchet distance needs the name of its feature space.")
    (mean_a, cov_a), (mean_b, cov_b) = _moments(real_ND), _moments(generated_ND)
    # tr sqrt(A B) = sum of the square roots of the eigenvalues of sqrt(A) B sqrt(A), which is symmetric.
    values, vectors = np.linalg.eigh(cov_a)
    root_a = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root_a @ cov_b @ root_a), 0)).sum()
    value = float(np.square(mean_a - mean_b).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)
    return FrechetDistance(max(value, 0.0), space, len(real_ND), len(generated_ND))


def _moments(features_ND: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = features_ND.astype(np.float64)
    return rows.mean(axis=0), np.atleast_2d(np.cov(rows, rowvar=False))


# --- pictures --------------------------------------------------------------------------------------------------


def _unit(pictures: Pictures) -> FloatArray:
    if pictures.dtype == np.uint8:
        return pictures.astype(np.float32) / np.float32(255)
    return pictures.astype(np.float32, copy=False)


def _planes(pictures: NDArray[Any]) -> Tensor:
    """float32 (N, C, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(_unit(pictures).transpose(0, 3, 1, 2)))
