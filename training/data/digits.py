"""The 1,797 handwritten digits that come with scikit-learn (E. Alpaydin, C. Kaynak, UCI 1998)."""

from __future__ import annotations

import numpy as np

from training.data.dataset import Dataset
from training.data.source import Request

TOP = 16  # its pictures count ink from 0 to 16


def load(_request: Request) -> Dataset:
    """8 px, grey."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = np.rint(found.images * (255.0 / TOP)).astype(np.uint8)[..., None]
    return Dataset(
        name="digits",
        images=images,
        labels=found.target.astype(np.int64),
        label_names=tuple(str(digit) for digit in range(10)),
        licence="Optical Recognition of Handwritten Digits, UCI, CC BY 4.0",
    )
