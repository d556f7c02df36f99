"""Where the work on a model begins: a picture worth looking at, at once.

Shapes: N encodings, D latent.
"""

from __future__ import annotations

import numpy as np

from latentlab.core.condition import condition_of_encoding, default_condition
from latentlab.core.encodings import EncodingSet
from latentlab.core.latent_model import ModelInfo
from latentlab.core.space_switching import first_place
from latentlab.core.state import State, Walk

# Encodings near the mean decode to averages, far ones badly; this far out (as a share of all) faces have character.
TYPICAL_SHARE = 0.35
ADDED_FIRST = "Eyeglasses"  # the first thing a newcomer adds should not be there already


def first_state(info: ModelInfo, encodings: EncodingSet | None) -> State:
    """At a typical real encoding, or at a draw from the prior where there are none."""
    classes, attributes = info.conditional or (), info.conditional_attributes
    if encodings is not None and (index := first_encoding(encodings)) is not None:
        space = encodings.space
        place = np.array(encodings.latents[index], np.float32)
        name = encodings.name_of(index)
        condition = condition_of_encoding(encodings, index, classes, attributes)
    else:
        space = info.spaces[0].name
        place, name = first_place(info.spaces[0])
        condition = default_condition(len(classes), len(attributes))
    # Straight lines between draws of a GAN's normal prior pass through its untypical middle.
    spherical = not info.encoder and info.space(space).prior == "normal"
    walk = Walk(interpolation="spherical" if spherical else "linear")
    return State(
        origin=place, base=place, checkpoint=info.sha256, space=space, name=name, condition=condition, walk=walk
    )


def first_encoding(encodings: EncodingSet) -> int | None:
    """The index of a finite encoding at a typical distance from the mean; None where none is finite."""
    finite_N = np.isfinite(encodings.latents).all(axis=1)
    if not finite_N.any():
        return None
    if ADDED_FIRST in encodings.attribute_names:
        without_N = finite_N & (encodings.attribute(ADDED_FIRST) <= 0)
        finite_N = without_N if without_N.any() else finite_N
    candidates = np.flatnonzero(finite_N)
    away_N = np.linalg.norm(encodings.latents[candidates] - encodings.latents[candidates].mean(axis=0), axis=1)
    return int(candidates[np.argsort(away_N)[int(TYPICAL_SHARE * (len(candidates) - 1))]])
