"""The pictures of one split as uint8 with what is known of them; batches come out by indexing.

On the CPU they stay where the data set has them, in memory or mapped; another device has its own.
Shapes: N pictures, B batch, A attributes, H W C of a picture in memory, C H W of images in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.augmenting import augmented
from training.config import Augmentation
from training.data import Dataset, Indices
from training.data.rows import Rows
from training.objectives.objective import Batch


@dataclass(frozen=True, eq=False)
class Examples:
    images: Tensor | Rows  # uint8 (N, H, W, C)
    labels: Tensor | None
    attributes: Tensor | None  # float32 (N, A)

    @classmethod
    def of(cls, data: Dataset, indices: Indices, device: torch.device) -> Self:
        """Pictures are copied only to a device with memory of its own, and only where they are not mapped."""
        labels, attributes = data.labels, data.attributes
        stay = device.type == "cpu" or isinstance(data.images, np.memmap)
        rows = Rows.of(data.images, indices)
        return cls(
            images=rows if stay else torch.from_numpy(data.images[indices]).to(device),
            labels=None if labels is None else torch.from_numpy(labels[indices]).to(device),
            attributes=None if attributes is None else torch.from_numpy(attributes[indices]).to(device),
        )

    def on(self, device: torch.device) -> Self:
        """The same on another device."""
        images, labels, attributes = self.images, self.labels, self.attributes
        return type(self)(
            images if isinstance(images, Rows) else images.to(device),
            None if labels is None else labels.to(device),
            None if attributes is None else attributes.to(device),
        )

    def spread(self, count: int) -> Self:
        """At most `count` from all over the split: data are often sorted by class."""
        chosen = np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(np.int64)
        images, labels, attributes = self.images, self.labels, self.attributes
        index = torch.from_numpy(chosen)
        return type(self)(
            images.only(chosen) if isinstance(images, Rows) else images[index],
            None if labels is None else labels[index],
            None if attributes is None else attributes[index],
        )

    def __len__(self) -> int:
        return len(self.images)

    def pictures(self) -> NDArray[np.uint8]:
        """All of them, (N, H, W, C), in memory."""
        images = self.images
        return images.take(np.arange(len(images))) if isinstance(images, Rows) else images.cpu().numpy()

    def fetch(self, chosen: NDArray[np.int64]) -> None:
        """Begin to read what the next `batch` will ask for, where that takes time."""
        if isinstance(self.images, Rows) and len(chosen):
            self.images.fetch(chosen)

    def batch(self, chosen: NDArray[np.int64], device: torch.device, *, augment: Iterable[Augmentation] = ()) -> Batch:
        """Changed at random where `augment` says how; draws from the global random numbers then."""
        images, labels, attributes = self.images, self.labels, self.attributes
        if isinstance(images, Rows):
            taken = torch.from_numpy(images.take(chosen))
        else:
            taken = images[torch.from_numpy(chosen).to(images.device)]
        # Pictures lie in memory as (H, W, C): the permuted view already is channels_last, nothing is moved.
        looked_at = taken.to(device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        index = torch.from_numpy(chosen)
        return Batch(
            augmented(looked_at, augment).contiguous(memory_format=torch.channels_last),
            None if labels is None else labels[index.to(labels.device)].to(device),
            None if attributes is None else attributes[index.to(attributes.device)].to(device),
        )
