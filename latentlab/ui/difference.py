"""What changed between two pictures, made visible.

Shapes: H W C pictures, uint8.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Kind = Literal["signed", "absolute"]
AMPLIFICATIONS = (1, 2, 4, 8)


def difference(new: Picture, old: Picture, kind: Kind = "signed", amplified: int = 2) -> Picture:
    """(H, W, C): mid grey where nothing changed, lighter where `new` is lighter ("signed"); or black where nothing
    changed ("absolute"). Clipped at both ends after amplification."""
    change = new.astype(np.int16) - old.astype(np.int16)
    shown = 128 + change * amplified // 2 if kind == "signed" else np.abs(change) * amplified
    return np.clip(shown, 0, 255).astype(np.uint8)
