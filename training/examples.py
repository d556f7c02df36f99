"""The pictures of one split in memory, as uint8, with what is known of them; batches come out by indexing.

Shapes: N pictures, B batch, A attributes, H W C of a picture in memory, C H W of images in [-1, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data import Dataset, Indices
from training.objectives.objective import Batch


@dataclass(frozen=True, eq=False)
class Examples:
    images: Tensor  # uint8 (N, H, W, C)
    labels: Tensor | None
    attributes: Tensor | None  # float32 (N, A)

    @classmethod
    def of(cls, data: Dataset, indices: Indices, device: torch.device) -> Self:
        labels, attributes = data.labels, data.attributes
        return cls(
            images=torch.from_numpy(data.images[indices]).to(device),
            labels=None if labels is None else torch.from_numpy(labels[indices]).to(device),
            attributes=None if attributes is None else torch.from_numpy(attributes[indices]).to(device),
        )

    def on(self, device: torch.device) -> Self:
        """The same on another device."""
        labels, attributes = self.labels, self.attributes
        return type(self)(
            self.images.to(device),
            None if labels is None else labels.to(device),
            None if attributes is None else attributes.to(device),
        )

    def spread(self, count: int) -> Self:
        """At most `count` from all over the split: data are often sorted by class."""
        chosen = torch.from_numpy(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(np.int64))
        labels, attributes = self.labels, self.attributes
        return type(self)(
            self.images[chosen],
            None if labels is None else labels[chosen],
            None if attributes is None else attributes[chosen],
        )

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, chosen: NDArray[np.int64], device: torch.device, *, flip: bool = False) -> Batch:
        """Mirrored left to right at random where asked; draws from the global random numbers then."""
        index = torch.from_numpy(chosen).to(self.images.device)
        # Pictures lie in memory as (H, W, C): the permuted view already is channels_last, nothing is moved.
        images = self.images[index].to(device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        if flip:
            mirrored = (torch.rand(len(chosen)) < 0.5).to(device)
            images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        labels, attributes = self.labels, self.attributes
        return Batch(
            images,
            None if labels is None else labels[index].to(device),
            None if attributes is None else attributes[index].to(device),
        )
