"""What the sliders move along: the raw dimensions, or the principal components in units of sigma.

Shapes: N encodings, D latent, M sliders of a basis. Coordinates of dimensions are latent units, of components sigmas.
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from latentlab.core.encodings import EncodingSet, StoredPCA
from latentlab.core.spaces import FloatArray, LatentSpace

ROWS_FOR_RANGES = 2000  # percentiles of more encodings say the same
PERCENTILES = (0.5, 99.5)
WIDER = 1.15
PRIOR_SIGMAS = 3.0
COMPONENT_SIGMAS = 3.0
MOST_FOR_COMPONENTS = 4096  # dimensions whose covariance is decomposed where no components are stored
FLAT = 1e-6  # a component with less than this share of the first one's sigma leads nowhere

Indices = NDArray[np.int64]


def no_components(encodings: EncodingSet | None, space: str) -> str:
    """Why there are no components to move along in a space; empty where there are."""
    if encodings is None or not len(encodings):
        return "Components need encodings: encode a folder of pictures first"
    if encodings.pca is None and encodings.dim > MOST_FOR_COMPONENTS:
        return f"Components of {encodings.dim:,} dimensions would take too long; up to {MOST_FOR_COMPONENTS:,} do not"
    if encodings.space != space:
        return f"The encodings lie in the space {encodings.space}, not {space}"
    return ""


class Basis(Protocol):
    count: int
    first_number: int  # of slider 0 among all that can be locked and named (SliderChoice)
    unit: str

    @property
    def order(self) -> Indices:
        """(M,) most informative first."""

    def title(self, index: int) -> str: ...
    def about(self, index: int) -> str: ...
    def share(self, index: int) -> float:
        """0 to 1: how informative beside the most informative one."""

    def range_of(self, index: int) -> tuple[float, float]: ...
    def coordinates(self, latent: FloatArray) -> FloatArray:
        """(M,) of a latent (D,)."""

    def offsets(self, edit: FloatArray) -> FloatArray:
        """(M,) what adding `edit` (D,) to a latent adds to its coordinates."""

    def placed(self, latent: FloatArray, indices: Indices, values: FloatArray) -> FloatArray:
        """A new latent (D,) with those coordinates, all others as they were."""

    def drawn(self, seed: int) -> FloatArray:
        """(M,) coordinates of a draw from the prior or the data."""


class Dimensions:
    """The numbers of the latent as they are."""

    first_number = 0
    unit = ""

    def __init__(self, space: LatentSpace, encodings: EncodingSet | None) -> None:
        self._space = space
        self._encodings = encodings if encodings is not None and len(encodings) else None
        self.count = space.dim
        self._ranges: dict[int, tuple[float, float]] = {}

    @cached_property
    def order(self) -> Indices:
        if self._encodings is None:
            return np.arange(self.count)
        return np.argsort(-self._encodings.informativeness, kind="stable")

    def title(self, index: int) -> str:
        return f"dim {index + 1}"

    def about(self, index: int) -> str:
        if self._encodings is None:
            return f"Dimension {index + 1} of {self.count:,}"
        kind, unit = ("KL", " nats") if self._encodings.kl_per_dimension is not None else ("variance", "")
        return f"Dimension {index + 1} of {self.count:,}: {kind} {self._encodings.informativeness[index]:.3g}{unit}"

    def share(self, index: int) -> float:
        if self._encodings is None:
            return 0.0
        said = self._encodings.informativeness
        most = float(said[self.order[0]])
        return float(said[index]) / most if most > 0 else 0.0

    def range_of(self, index: int) -> tuple[float, float]:
        """The prior's range and the data's, whichever reaches further; computed for the rows one sees."""
        if index not in self._ranges:
            self._ranges[index] = self._range_of(index)
        return self._ranges[index]

    def _range_of(self, index: int) -> tuple[float, float]:
        low, high = self._prior_range(index)
        if self._encodings is not None:
            rows = self._encodings.latents
            column = rows[:: max(1, len(rows) // ROWS_FOR_RANGES), index]
            column = column[np.isfinite(column)]
            if len(column):
                least, most = np.percentile(column, PERCENTILES)
                middle, half = (least + most) / 2, (most - least) / 2 * WIDER
                low, high = min(low, float(middle - half)), max(high, float(middle + half))
        if low < 0 < high:  # zero in the middle, so that the ticks of all rows stand in one line
            low, high = -max(-low, high), max(-low, high)
        return low, high

    def _prior_range(self, index: int) -> tuple[float, float]:
        space = self._space
        if space.prior == "uniform":
            return space.bounds
        centre = float(space.centre[index])
        sigma = float(space.std[index]) if space.std is not None else 1.0
        return centre - PRIOR_SIGMAS * sigma, centre + PRIOR_SIGMAS * sigma

    def coordinates(self, latent: FloatArray) -> FloatArray:
        return latent

    def offsets(self, edit: FloatArray) -> FloatArray:
        return edit

    def placed(self, latent: FloatArray, indices: Indices, values: FloatArray) -> FloatArray:
        moved = latent.copy()
        moved[indices] = values
        return moved

    def drawn(self, seed: int) -> FloatArray:
        draws_ND = self._space.sample(1, seed)
        return np.asarray(draws_ND[0], np.float32)


class Components:
    """Principal components of the encodings, each in units of its own standard deviation."""

    unit = "σ"

    def __init__(self, pca: StoredPCA) -> None:
        sigma = pca.sigma
        useful = int((sigma > FLAT * max(float(sigma[0]), FLAT)).sum()) if len(sigma) else 0
        self._mean = pca.mean
        self._components_MD = pca.components[:useful]
        self._sigma_M = sigma[:useful]
        self._all_variance = float(pca.variance.sum()) or 1.0
        self.count = useful
        self.first_number = int(pca.components.shape[1])

    @property
    def order(self) -> Indices:
        return np.arange(self.count)

    def title(self, index: int) -> str:
        return f"PC {index + 1}"

    def about(self, index: int) -> str:
        part = float(self._sigma_M[index]) ** 2 / self._all_variance
        return f"Principal component {index + 1}: {part:.1%} of the variance; 1 σ is {self._sigma_M[index]:.3g}"

    def share(self, index: int) -> float:
        return float(self._sigma_M[index] / self._sigma_M[0]) ** 2

    def range_of(self, _index: int) -> tuple[float, float]:
        return -COMPONENT_SIGMAS, COMPONENT_SIGMAS

    def coordinates(self, latent: FloatArray) -> FloatArray:
        return self.offsets(latent - self._mean)

    def offsets(self, edit: FloatArray) -> FloatArray:
        return np.asarray(self._components_MD @ edit / self._sigma_M, np.float32)

    def placed(self, latent: FloatArray, indices: Indices, values: FloatArray) -> FloatArray:
        steps = (values - self.coordinates(latent)[indices]) * self._sigma_M[indices]
        return np.asarray(latent + steps @ self._components_MD[indices], np.float32)

    def drawn(self, seed: int) -> FloatArray:
        return np.random.default_rng(seed).standard_normal(self.count).astype(np.float32)
