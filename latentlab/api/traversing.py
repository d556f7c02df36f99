"""`traverse`: latents along single dimensions, components or directions, the others held still.

Shapes: R rows (one for each way), T latents in a row, D latent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import OptionError, did_you_mean
from latentlab.core.given import as_count, as_latents
from latentlab.core.latent_model import LatentModel, check_model
from latentlab.core.spaces import FloatArray, LatentSpace

Basis = Literal["dimensions", "components"]
REACH_AT_MOST = 100.0


@dataclass(frozen=True, eq=False)
class Traversal:
    names: tuple[str, ...]  # (R,) "dimension 12", "component 1", "Eyeglasses"
    amounts: FloatArray  # (T,) from -reach to reach
    latents: FloatArray  # (R, T, D); `model.decode(traversal.latents.reshape(-1, D))` draws them row by row


def traverse(
    model: LatentModel,
    latent: ArrayLike | None = None,
    along: str | Sequence[str] = (),
    *,
    rows: int = 8,
    basis: Basis = "dimensions",
    reach: float = 3.0,
    columns: int = 9,
    seed: int = 0,
) -> Traversal:
    """What single dimensions, principal components or directions do to a latent (D,) of the model's first space.

    `latent`: where it begins, else the draw of `seed`. `along`: "dimension 12", "component 1" (both counted from 1) or
    the name of a direction, one or several; without it the `rows` most informative dimensions (by KL, else by variance)
    or the first components, as `basis` says. Each goes from -`reach` to `reach` in `columns` steps: sigmas of the
    encodings (else of the prior) that are added to the latent, or strengths of a direction. Raises OptionError.
    """
    check_model(model, "traverse")
    if not 0 < reach <= REACH_AT_MOST:
        raise OptionError(f"The reach is {reach:g}; it must be above 0 and at most {REACH_AT_MOST:g}.")
    if as_count(columns, "The number of columns", 1000) < 2:
        raise OptionError(f"The number of columns is {columns}; a traversal needs 2 or more.")
    if basis not in get_args(Basis):
        raise OptionError(f"There is no basis '{basis}'.{did_you_mean(basis, get_args(Basis))}")
    space = model.info.spaces[0]
    starts_BD = as_latents(model.sample(1, seed) if latent is None else latent, space.shape, "The latent")
    if len(starts_BD) != 1:
        raise OptionError(f"A traversal begins at one latent, ({space.dim},); these are {len(starts_BD)}.")
    named = (along,) if isinstance(along, str) else tuple(along)
    names = named or _first_names(model, space, basis, as_count(rows, "The number of rows", 1000))
    ways_RD = np.stack([_way(model, space, name) for name in names])
    amounts_T = np.linspace(-reach, reach, columns).astype(np.float32)
    return Traversal(names, amounts_T, starts_BD[0] + amounts_T[None, :, None] * ways_RD[:, None])


def _first_names(model: LatentModel, space: LatentSpace, basis: Basis, rows: int) -> tuple[str, ...]:
    encodings = _encodings(model, space)
    if not rows:
        raise OptionError("The number of rows is 0; a traversal needs 1 or more.")
    if basis == "components":
        count = min(rows, len(_needed(encodings).principal.components))
        return tuple(f"component {number}" for number in range(1, count + 1))
    order_D = np.arange(space.dim) if encodings is None else np.argsort(-encodings.informativeness, kind="stable")
    return tuple(f"dimension {number + 1}" for number in order_D[:rows])


def _way(model: LatentModel, space: LatentSpace, name: str) -> FloatArray:
    """(D,) one sigma of a dimension or component, or a direction at strength 1."""
    numbered = re.fullmatch(r"(dimension|component) (\d{1,7})", name)
    if numbered is None or name in model.directions:
        direction = model.directions[name]
        if direction.space != space.name:
            raise OptionError(f"'{name}' is a direction of {direction.space}; a traversal goes through {space.name}.")
        return direction.vector
    encodings, index = _encodings(model, space), int(numbered[2]) - 1
    if numbered[1] == "component":
        pca = _needed(encodings).principal
        if not 0 <= index < len(pca.components):
            raise OptionError(f"There is no {name}; components go from 1 to {len(pca.components)}.")
        return np.asarray(pca.sigma[index] * pca.components[index], np.float32)
    if not 0 <= index < space.dim:
        raise OptionError(f"There is no {name}; dimensions go from 1 to {space.dim:,}.")
    way_D = np.zeros(space.dim, np.float32)
    way_D[index] = _sigma(space, encodings, index)
    return way_D


def _sigma(space: LatentSpace, encodings: EncodingSet | None, index: int) -> float:
    if encodings is not None:
        column_N = encodings.latents[:, index]
        spread = float(column_N[np.isfinite(column_N)].std()) if np.isfinite(column_N).any() else 0.0
        if spread:
            return spread
    if space.std is not None:
        return float(space.std[index])
    return float(1 / np.sqrt(3)) if space.prior == "uniform" else 1.0


def _encodings(model: LatentModel, space: LatentSpace) -> EncodingSet | None:
    found = model.encodings
    return found if found is not None and len(found) > 1 and found.space == space.name else None


def _needed(encodings: EncodingSet | None) -> EncodingSet:
    if encodings is None:
        raise OptionError("Principal components need encodings, and this model has none; use dimensions.")
    return encodings
