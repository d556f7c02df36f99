"""Draws from the prior as the commands make them: truncated where truncation means something.

Shapes: B draws, D latent.
"""

from __future__ import annotations

from collections.abc import Callable
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
    edited: Callable[[FloatArray], FloatArray],
) -> tuple[FloatArray, str]:
    """(B, D) of (count, seed) each, edited, and the space they end up in: `ModelInfo.drawn_through`."""
    info = model.info
    origin, to = info.drawn_through(info.spaces[0].name, truncation)
    here = truncation if to == origin else 1.0
    latents_BD = edited(np.concatenate([model.sample(count, seed, here) for count, seed in draws]))
    if to == origin:
        return latents_BD, to
    mapped_BD = cast(MapsSpaces, model).to_space(latents_BD, origin, to, condition=condition)
    return info.space(to).truncated(mapped_BD, truncation), to
