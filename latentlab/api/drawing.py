"""Latents as the commands make them: draws, truncated where truncation means something, and edits.

Shapes: B draws, D latent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

from latentlab.core.condition import Asked
from latentlab.core.latent_model import LatentModel, MapsSpaces
from latentlab.core.spaces import FloatArray


def drawn(
    model: LatentModel,
    draws: list[tuple[int, int]],
    truncation: float,
    condition: Asked,
    moved: Callable[[FloatArray], FloatArray],
    around: bool | None = None,
) -> tuple[FloatArray, str]:
    """(B, D) of (count, seed) each, `moved`, and the space they end up in: `ModelInfo.drawn_through`.

    `around`: encodings or from the prior, as for `LatentModel.sample`.
    """
    info = model.info
    origin, to = info.drawn_through(info.spaces[0].name, truncation)
    here = truncation if to == origin else 1.0
    latents_BD = moved(np.concatenate([model.sample(count, seed, here, around=around) for count, seed in draws]))
    if to == origin:
        return latents_BD, to
    mapped_BD = cast(MapsSpaces, model).to_space(latents_BD, origin, to, condition=condition)
    return info.space(to).truncated(mapped_BD, truncation), to


def edited(
    model: LatentModel, latents_BD: FloatArray, strengths: Mapping[str, float], keep: Sequence[str]
) -> FloatArray:
    """(B, D) moved along each attribute, those in `keep` held. Raises OptionError for one that is not known."""
    if not strengths and not keep:
        return latents_BD  # directions are not fitted for nothing
    for name in (*strengths, *keep):
        model.directions[name]
    for name, strength in strengths.items():
        latents_BD = model.directions[name].apply(latents_BD, strength, keep)
    return latents_BD
