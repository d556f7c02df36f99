"""What the inversion of a picture found. It travels from the job to the window, which must not import torch for it.

Shapes: D latent, S side of the model's pictures, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentlab.core.spaces import FloatArray


@dataclass(frozen=True, eq=False)
class Inversion:
    latent: FloatArray  # (D,)
    original: NDArray[np.uint8]  # (S, S, C), as resized for the model
    reconstruction: NDArray[np.uint8]  # (S, S, C)
    mse: float  # in [0, 1] intensities
    started_mse: float  # of the best start, before optimisation
    start: str  # "encoder", "regressor", "encodings" or "prior"
    steps: int
    name: str = ""
