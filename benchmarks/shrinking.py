"""Pictures at the size in which they are judged, so that models of larger pictures face the same classifier."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

JUDGED_PX = 64


def shrunk(images_NHWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Twice, four times… as large ones as means of squares; others as they are."""
    count, side, _, channels = images_NHWC.shape
    times = side // JUDGED_PX
    if times < 2 or side % JUDGED_PX:
        return images_NHWC
    squares = images_NHWC.reshape(count, JUDGED_PX, times, JUDGED_PX, times, channels)
    return np.asarray(squares.mean(axis=(2, 4), dtype=np.float32).round(), np.uint8)
