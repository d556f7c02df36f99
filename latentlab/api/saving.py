"""`save_session`: work that was begun in Python goes on in the window, at a latent, with directions, edits and a walk.

Shapes: K keyframes, D latent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from latentlab.core.atomic import displayed
from latentlab.core.condition import Condition, One, each_completed
from latentlab.core.direction_making import check_directions
from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.errors import OptionError
from latentlab.core.first_state import first_state
from latentlab.core.given import as_latents
from latentlab.core.latent_model import LatentModel, ModelInfo, check_model
from latentlab.core.project_file import ENDING, save
from latentlab.core.space_switching import everywhere, in_space
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.core.state import NO_STRENGTHS, NamedLatent, State, at

NAME = "from Python"


def save_session(
    path: Path | str,
    model: LatentModel,
    latent: ArrayLike | None = None,
    *,
    directions: Mapping[str, Direction] | Iterable[Direction] | None = None,
    strengths: Mapping[str, float] = NO_STRENGTHS,
    keyframes: ArrayLike | None = None,
    condition: One = None,
    space: str | None = None,
    name: str = NAME,
) -> None:
    """Writes a session that the window opens, as `latentlab work.latentlab` does, on the checkpoint of `model`.

    `model`: what `open_model` returned. `latent`: (D,), where the window begins; without it, where it begins with that
    checkpoint. `directions`: what its attributes are, those of the model unless given. `strengths`: how far along each
    of them the latent is moved; the sliders and locks then work from there. `keyframes`: (K, D), of the walk.
    `condition`: a class, a table of attributes, or both, of a conditional model. `space`: of the latents, else the
    model's first. `name`: of the latent. Raises OptionError, SaveError.
    """
    check_model(model, "save_session")
    info = model.info
    if not displayed(path).endswith(ENDING):
        raise OptionError(f"{displayed(path)} would not open as a session; give it a name that ends in {ENDING}.")
    if not info.path:
        raise OptionError("This model is in no file, and a session names the file of its model. Open one that is.")
    where = info.asked_space(space)
    known = model.directions if directions is None else _named(directions)
    check_directions(known.values(), info)
    start = in_space(first_state(info, model.encodings), info, where.name)
    if latent is not None:
        start = at(start, _latents(latent, where, "The latent", at_most=1)[0], name)
    own = everywhere(start, lambda state: replace(state, directions=_of(known, state.space)))
    asked = _asked(condition, info) if condition is not None or latent is not None else start.condition
    save(path, replace(_moved(own, strengths, keyframes, where), condition=asked), info.path)


def _moved(state: State, strengths: Mapping[str, float], keyframes: ArrayLike | None, where: LatentSpace) -> State:
    for name, strength in strengths.items():
        _ = state.directions[name]  # says what there is where this is not
        if not math.isfinite(strength):
            raise OptionError(f"The strength of '{name}' is {strength}; it must be a number.")
    moved = replace(state, strengths=MappingProxyType({name: float(strength) for name, strength in strengths.items()}))
    if keyframes is None:
        return moved
    latents_KD = _latents(keyframes, where, "Keyframes")
    named = tuple(NamedLatent(latent_D, f"keyframe {number}") for number, latent_D in enumerate(latents_KD, 1))
    return replace(moved, walk=replace(moved.walk, keyframes=named))


def _latents(given: ArrayLike, where: LatentSpace, noun: str, at_most: int | None = None) -> FloatArray:
    latents_ND = as_latents(given, where.shape, noun)
    if at_most is not None and len(latents_ND) != at_most:
        raise OptionError(f"{noun} is one, ({where.dim},); these are {len(latents_ND)}. Others can be keyframes.")
    if not np.isfinite(latents_ND).all():
        raise OptionError(f"{noun}: NaN or Inf cannot be kept in a session.")
    return latents_ND


def _named(directions: Mapping[str, Direction] | Iterable[Direction]) -> DirectionSet:
    return DirectionSet(directions.values() if isinstance(directions, Mapping) else directions)


def _of(directions: DirectionSet, space: str) -> DirectionSet:
    return DirectionSet(direction for direction in directions.values() if direction.space == space)


def _asked(condition: One, info: ModelInfo) -> Condition | None:
    """Whole, with names as numbers; None of a model that takes none. Raises OptionError."""
    (asked,) = each_completed(condition, 1, info.conditional or (), info.conditional_attributes)
    return asked if info.takes_condition else None
