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
    """(B, D) of (count, seed) each, edited, and the space they are in.

    A generator that maps its latents, as StyleGAN maps z to w, brings z to one length first, so that truncation has
    no effect there: draws are truncated in w instead (Karras et al. 2019, section B).
    """
    first = model.info.spaces[0].name
    to = next((to for origin, to in model.info.mappings if origin == first), None)
    here = truncation if to is None else 1.0
    latents_BD = edited(np.concatenate([model.sample(count, seed, here) for count, seed in draws]))
    if to is None or truncation == 1:
        return latents_BD, first
    centre_D = model.info.space(to).centre
    mapped_BD = cast(MapsSpaces, model).to_space(latents_BD, first, to, condition=condition)
    return np.asarray(centre_D + np.float32(truncation) * (mapped_BD - centre_D), np.float32), to
