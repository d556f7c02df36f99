"""How typical a latent is: under the prior, and beside the encodings one has.

Shapes: N encodings, D latent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from latentlab.core.encodings import EncodingSet, StoredPCA
from latentlab.core.errors import OptionError
from latentlab.core.spaces import UNIFORM_BOUND, FloatArray, LatentSpace

UNIFORM_DRAWS = 4000


@dataclass(frozen=True)
class Nearest:
    """The encoding closest to a latent."""

    index: int
    distance: float  # Euclidean, in latent units
    sigmas: float  # the same in units of the encodings' root mean square deviation from their mean


class Typicality:
    """Measures latents of one space; what it needs of the encodings is computed once (30 ms for 10,000 x 128)."""

    def __init__(self, space: LatentSpace, encodings: EncodingSet | None = None) -> None:
        self._space = space
        self._latents_ND: FloatArray | None = None
        pca: StoredPCA | None = None
        if encodings is not None and encodings.dim == space.dim and len(encodings):
            finite_N = np.isfinite(encodings.latents).all(axis=1)
            self._index_N = np.flatnonzero(finite_N)
            if len(self._index_N):
                self._latents_ND = encodings.latents if finite_N.all() else encodings.latents[finite_N]
                self._squares_N = np.einsum("nd,nd->n", self._latents_ND, self._latents_ND)
                centre_D = self._latents_ND.mean(axis=0)
                self._spread = float(np.sqrt(max(float(self._squares_N.mean() - centre_D @ centre_D), 1e-12)))
                pca = encodings.principal
        self._pca = pca
        self.by_encodings = False  # whether a latent is ranked among them
        self._far_N: FloatArray | None = None  # ascending squared distances that a latent is ranked among
        if space.prior == "uniform":
            self._far_N = np.sort(np.square(space.sample(UNIFORM_DRAWS)).sum(axis=1))
        elif space.prior == "empirical" and self._latents_ND is not None:
            self._far_N = np.sort(self._mahalanobis(self._latents_ND))
            self.by_encodings = True

    def percentile(self, latent: FloatArray) -> float:
        """What share of the prior, 0 to 100, lies closer to its densest place than `latent` (D,).

        50 is as typical as can be, 99 as far out as one draw in a hundred. Normal: the chi-square law of the squared
        norm. Uniform: the norm beside those of draws, and 100 outside of the cube. Empirical: the Mahalanobis distance
        beside those of the encodings, or by the prior's own mean and deviation where there are no encodings. Raises
        OptionError for a latent of another size.
        """
        if latent.shape != (self._space.dim,):
            raise OptionError(f"A latent of shape {latent.shape} is not one of {self._space.dim} numbers.")
        dim = self._space.dim
        if not np.isfinite(latent).all():
            return 100.0
        if self._space.prior == "uniform" and self._far_N is not None:
            if float(np.abs(latent).max()) > UNIFORM_BOUND * (1 + 1e-6):
                return 100.0
            return _share_below(self._far_N, float(latent @ latent))
        if self._space.prior == "empirical" and self._far_N is not None:
            return _share_below(self._far_N, float(self._mahalanobis(latent[None, :])[0]))
        away = (latent - self._space.centre).astype(np.float64)
        if self._space.std is not None:
            away = away / np.maximum(self._space.std, 1e-6)
        return 100.0 * chi_square_cdf(float(away @ away), dim)

    def nearest(self, latent: FloatArray) -> Nearest | None:
        """The closest encoding (D,); None where there is none, or `latent` is not finite."""
        if self._latents_ND is None or not np.isfinite(latent).all():
            return None
        found = int(np.argmin(self._squares_N - 2 * (self._latents_ND @ latent)))
        # The expanded square loses digits near 0; the one distance that is shown is taken exactly.
        distance = float(np.linalg.norm(self._latents_ND[found] - latent))
        return Nearest(int(self._index_N[found]), distance, distance / self._spread)

    def _mahalanobis(self, latents_ND: FloatArray) -> FloatArray:
        """(N,) squared, over the principal components; those without variance count with a floor."""
        assert self._pca is not None
        floor = max(float(self._pca.variance.max(initial=0.0)) * 1e-4, 1e-12)
        coordinates_NK = self._pca.transform(latents_ND)
        within_N = (coordinates_NK**2 / np.maximum(self._pca.variance, floor)).sum(axis=1)
        # What lies outside the kept components is measured with the smallest variance that was kept.
        rest_N = np.square(latents_ND - self._pca.mean).sum(axis=1) - np.square(coordinates_NK).sum(axis=1)
        outside_N = np.maximum(rest_N, 0) / max(float(self._pca.variance.min(initial=floor)), floor)
        return np.asarray(within_N + outside_N, np.float32)


def _share_below(ascending_N: FloatArray, value: float) -> float:
    return 100.0 * float(np.searchsorted(ascending_N, value)) / len(ascending_N)


def chi_square_cdf(x: float, dim: int) -> float:
    """P(X <= x) of a chi-square variable with `dim` degrees of freedom, to 1e-10 (scipy would cost its import).

    The regularised incomplete gamma function by its series below the mean, by its continued fraction above
    (Press et al., Numerical Recipes, 6.2); Wilson-Hilferty where so many terms would be needed that it is exact enough.
    """
    if x <= 0:
        return 0.0
    if dim > 20_000:
        spread = 2 / (9 * dim)
        return 0.5 * math.erfc(-((x / dim) ** (1 / 3) - (1 - spread)) / math.sqrt(2 * spread))
    a, y = dim / 2, x / 2
    scale = math.exp(a * math.log(y) - y - math.lgamma(a))
    if y < a + 1:
        term = total = 1 / a
        n = a
        while abs(term) > abs(total) * 1e-12:
            n += 1
            term *= y / n
            total += term
        return min(1.0, total * scale)
    tiny = 1e-300
    b = y + 1 - a
    c = 1 / tiny
    d = 1 / b
    fraction = d
    for i in range(1, 10_000):
        weight = -i * (i - a)
        b += 2
        d = weight * d + b
        d = 1 / (d if abs(d) > tiny else tiny)
        c = b + weight / c
        c = c if abs(c) > tiny else tiny
        fraction *= d * c
        if abs(d * c - 1) < 1e-12:
            break
    return max(0.0, 1 - fraction * scale)
