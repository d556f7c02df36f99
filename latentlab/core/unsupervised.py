"""Directions that need no labels: principal components (GANSpace) and the first layer's weights (SeFa).

Shapes: N latents, D numbers in each, K directions, O outputs of a layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from latentlab.core.directions import Direction
from latentlab.core.encodings import StoredPCA, largest_positive
from latentlab.core.errors import DataError, OptionError
from latentlab.core.spaces import UNIFORM_BOUND, FloatArray, LatentSpace

PCA, SEFA = "PCA", "SeFa"
LARGEST = 4096  # numbers in a latent whose covariance is decomposed: beyond it that takes minutes
LARGEST_OF_WEIGHTS = 1024  # the same in the engine, where the picture under the pointer waits for it
NO_LENGTH = 1e-9


@dataclass(frozen=True, eq=False)
class Component:
    """A direction that was found without labels; components of one kind are orthogonal, the largest share first."""

    direction: Direction
    share: float  # 0 to 1: of the variance, or of how strongly the first layer answers


def first_weights_of(model: object, space: str) -> FloatArray:
    """(O, D): how each output of the first layer after a latent of `space` changes with it.

    Raises OptionError, in one sentence, where that layer cannot be named or is not linear in the latent.
    """
    read: Callable[[str], FloatArray] | None = getattr(model, "first_weights", None)
    if read is None:
        raise OptionError("This model does not let its weights be read, so they say nothing of directions.")
    return read(space)


def principal_components(
    latents_ND: FloatArray, count: int = 10, *, space: str = "z", checkpoint: str = "", pca: StoredPCA | None = None
) -> list[Component]:
    """The first components of encodings, or of draws in w (GANSpace, Härkönen et al. 2020, section 3.1).

    Strength 1 is one standard deviation. `pca`: fitted before. Raises DataError, OptionError for what cannot be fitted.
    """
    dim = latents_ND.shape[1]
    if pca is None:
        _check_size(dim, "Principal components", LARGEST)
        pca = StoredPCA.fit(latents_ND, count)
    rows_ND = latents_ND[np.isfinite(latents_ND).all(axis=1)]
    if len(rows_ND) < 2:
        raise DataError("Principal components need two latents at least; encode more pictures.")
    total = max(float(rows_ND.var(axis=0, ddof=1, dtype=np.float64).sum()), NO_LENGTH)
    shares_K = np.clip(pca.variance / total, 0, 1)
    return [
        Component(
            Direction(
                f"PC {k + 1}",
                np.asarray(pca.components[k] * pca.sigma[k], np.float32),
                space,
                f"{PCA}, {percent(share)} of the variance",
                examples=len(rows_ND),
                checkpoint=checkpoint,
            ),
            share,
        )
        for k, share in enumerate(shares_K[:count].tolist())
    ]


def weight_components(weights_OD: FloatArray, count: int, space: LatentSpace, checkpoint: str = "") -> list[Component]:
    """The eigenvectors of A^T A, largest eigenvalue first, for the weights A (O, D) of the layers a latent reaches.

    Along them the first layer's answer changes most (SeFa: Shen and Zhou 2021, equations 4 to 6). Rows of A have length
    1 first, as in the authors' code, so that no output counts more because of its scale, which the normalisation that
    follows takes away anyway. Strength 1 is one standard deviation of the prior. Raises OptionError, DataError.
    """
    _check_size(space.dim, "Directions of the weights", LARGEST_OF_WEIGHTS)
    lengths_O = np.linalg.norm(weights_OD, axis=1)
    alive_O = ~(lengths_O <= NO_LENGTH)  # NaN is not dead, but found out below
    rows_OD = weights_OD[alive_O] / lengths_O[alive_O, None]
    if not len(rows_OD) or not np.isfinite(rows_OD).all():
        raise DataError("The first layer's weights are all zero, or not finite, so they say nothing of directions.")
    values_D, vectors_DD = np.linalg.eigh((rows_OD.T @ rows_OD).astype(np.float64))
    values_D, axes_DD = np.maximum(values_D[::-1], 0), largest_positive(vectors_DD.T[::-1])
    total = float(values_D.sum())
    made = []
    for k in range(min(count, len(values_D))):
        axis_D = axes_DD[k]
        share = float(values_D[k]) / total
        vector = np.asarray(axis_D * _sigma(space, axis_D.astype(np.float32)), np.float32)
        method = f"{SEFA}, {percent(share)} of the first layer"
        made.append(Component(Direction(f"{SEFA} {k + 1}", vector, space.name, method, checkpoint=checkpoint), share))
    return made


def percent(share: float) -> str:
    """ "18 %"; with a decimal below ten."""
    return f"{share:.0%}".replace("%", " %") if share >= 0.0995 else f"{share * 100:.1f} %"


def _sigma(space: LatentSpace, axis_D: FloatArray) -> float:
    """The prior's standard deviation along a unit vector (D,)."""
    if space.draws is not None:
        found = float((space.draws @ axis_D).std())
    elif space.prior == "uniform":
        found = UNIFORM_BOUND / math.sqrt(3)
    elif space.prior == "empirical" and space.std is not None:
        found = float(np.linalg.norm(space.std * axis_D))
    else:
        found = 1.0
    return found if found > NO_LENGTH else 1.0


def _check_size(dim: int, what: str, most: int) -> None:
    if dim > most:
        raise OptionError(f"{what} of {dim:,} dimensions would take too long; up to {most:,} do not.")
