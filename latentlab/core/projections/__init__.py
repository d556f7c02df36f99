"""Projections: a layout of encodings in two dimensions, and the way back.

Shapes: N encodings, M other latents, D latent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray


@dataclass(frozen=True, eq=False)
class Inverse:
    """Latents for places on a map, with the honest cue of how much they are a guess."""

    latents: FloatArray  # (M, D)
    nearest: NDArray[np.int64]  # (M,) index of the nearest encoding on the map
    distance: FloatArray  # (M,) to it, in units of the map's typical spacing (median nearest-neighbour distance)
    exact: bool  # True where the map has a true inverse (PCA plane), False for neighbours' averages


class Projection(Protocol):
    """Constructor stores parameters; `fit` learns and sets `layout_` (N, 2) float32.

    An encoding that is not finite has no place: its row of the layout is NaN. `notes` say in sentences where the map is
    less than what was asked for: rows left out, perplexity lowered, another method used.
    """

    layout_: FloatArray
    notes: tuple[str, ...]

    def fit(self, latents_ND: FloatArray, report: Report | None = None) -> Projection:
        """May be long: reports progress and partial layouts (N, 2), and is cancelled by the report raising."""

    def transform(self, latents_MD: FloatArray) -> FloatArray:
        """(M, 2) where other latents belong on the map; within a frame for one latent."""

    def inverse(self, places_M2: FloatArray, near: FloatArray | None = None) -> Inverse:
        """Latents for places; `near` (D,) gives what the map does not determine (the other components)."""

    @property
    def axes(self) -> tuple[str, str]:
        """What the two axes are called."""

    def arrays(self) -> dict[str, Any]:
        """What is needed to carry a fitted projection to another process (picklable)."""
