"""A data set in memory: pictures as uint8 with what is known of each.

Shapes: N pictures of H x W x C (C is 1 or 3), A attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from latentlab.core.errors import DataError, OptionError
from latentlab.core.picture_folder import in_memory
from latentlab.core.pictures import resized

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Description:
    """What is known of some pictures, without them; as in `Dataset`."""

    labels: NDArray[np.int64] | None = None
    label_names: tuple[str, ...] = ()
    attributes: NDArray[np.float32] | None = None
    attribute_names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Dataset:
    """Raises DataError when its parts do not belong together."""

    name: str  # what `--data` named; the last part of a path
    images: NDArray[np.uint8]  # (N, H, W, C)
    labels: NDArray[np.int64] | None = None  # (N,), index into label_names; -1 unknown
    label_names: tuple[str, ...] = ()
    attributes: NDArray[np.float32] | None = None  # (N, A): 1 has it, 0 has it not, NaN unknown; or any number
    attribute_names: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # file name of each; empty: its index
    licence: str = ""
    may_ship_thumbnails: bool = True  # whether pictures of the data may go into a checkpoint
    test_idx: Indices | None = None  # held out by those who made the data
    skipped: tuple[str, ...] = field(default=(), repr=False)  # one line for each file that was not usable

    def __post_init__(self) -> None:
        images = self.images
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
            raise DataError(
                f"'{self.name}': images are {images.dtype} {images.shape}; uint8 (N, H, W, C) with 1 or 3 channels "
                "is needed."
            )
        if not images.size:
            raise DataError(f"'{self.name}' holds no usable picture.")
        for what, array in (("labels", self.labels), ("attributes", self.attributes), ("names", self.names or None)):
            if array is not None and len(array) != len(images):
                raise DataError(f"'{self.name}' has {len(images):,} pictures but {len(array):,} {what}.")
        if self.labels is not None and self.label_names and self.labels.max(initial=-1) >= len(self.label_names):
            raise DataError(
                f"'{self.name}': a label is {self.labels.max()}, but only {len(self.label_names)} classes are named."
            )
        if self.attributes is not None and self.attributes.shape != (len(images), len(self.attribute_names)):
            raise DataError(
                f"'{self.name}': attributes are {self.attributes.shape}, their names {len(self.attribute_names)}."
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def height(self) -> int:
        return int(self.images.shape[1])

    @property
    def width(self) -> int:
        return int(self.images.shape[2])

    @property
    def channels(self) -> int:
        return int(self.images.shape[3])

    def split(self, seed: int = 0, fraction: float = 0.1) -> tuple[Indices, Indices]:
        """(train, held out), both ascending; the same for the same seed, fraction and data.

        Data that comes with a test set of its own holds that out, whatever the seed; fraction 0 holds out nothing.
        """
        if not 0 <= fraction < 1:
            raise OptionError(f"The held-out fraction is {fraction}; it must be at least 0 and below 1.")
        everything = np.arange(len(self), dtype=np.int64)
        if fraction == 0:
            return everything, everything[:0]
        if self.test_idx is not None and 0 < len(self.test_idx) < len(self):
            held_out = np.sort(self.test_idx)
        else:
            count = min(max(1, round(len(self) * fraction)), len(self) - 1)
            held_out = np.sort(np.random.default_rng(seed).permutation(len(self))[:count])
        return np.setdiff1d(everything, held_out, assume_unique=True), held_out

    def at_size(self, size: int, allocate: Callable[[tuple[int, ...]], NDArray[np.uint8]] = in_memory) -> Dataset:
        """Square pictures of `size` pixels, anti-aliased; itself where they are."""
        if (self.height, self.width) == (size, size):
            return self
        images = allocate((len(self), size, size, self.channels))
        for index, picture in enumerate(self.images):
            images[index] = resized(picture, size)
        return replace(self, images=images)

    def subset(self, indices: Indices) -> Dataset:
        """The pictures at `indices`, in that order, with everything known of them."""
        test_idx = None
        if self.test_idx is not None:
            test_idx = np.flatnonzero(np.isin(indices, self.test_idx)).astype(np.int64)
        return replace(
            self,
            images=self.images[indices],
            labels=None if self.labels is None else self.labels[indices],
            attributes=None if self.attributes is None else self.attributes[indices],
            names=tuple(self.names[i] for i in indices) if self.names else (),
            test_idx=test_idx,
        )

    def described(self, indices: Indices) -> Description:
        """What is known of the pictures at `indices`, in that order; no picture is copied."""
        return Description(
            None if self.labels is None else self.labels[indices],
            self.label_names,
            None if self.attributes is None else self.attributes[indices],
            self.attribute_names,
        )

    def limited(self, count: int | None, seed: int = 0) -> Dataset:
        """At most `count` pictures, drawn at random under the seed, in their old order."""
        if count is None or count >= len(self):
            return self
        return self.subset(fewer(np.arange(len(self), dtype=np.int64), count, seed))


@dataclass(frozen=True, eq=False)
class Part:
    """Some pictures of a data set where they lie: only what is asked for is copied."""

    data: Dataset
    rows: Indices

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def name(self) -> str:
        return self.data.name

    def subset(self, indices: Indices) -> Dataset:
        """The pictures at `indices` of this part, in that order."""
        return self.data.subset(self.rows[indices])

    def limited(self, count: int, seed: int = 0) -> Dataset:
        """At most `count` of them, drawn at random under the seed, in their old order."""
        return self.data.subset(fewer(self.rows, count, seed))


def fewer(indices: Indices, count: int, seed: int = 0) -> Indices:
    """At most `count` of the indices, drawn at random under the seed, in their old order."""
    if count >= len(indices):
        return indices
    return indices[np.sort(np.random.default_rng(seed).permutation(len(indices))[:count])]
