"""Some of a data set's pictures where they lie, in memory or in a mapped file: nothing is copied but what is asked for.

Shapes: N pictures of the split, B of a batch, H W C of each, uint8.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]


class Rows:
    """The pictures `rows_N` of `pictures`, which are in memory."""

    def __init__(self, pictures: Pictures, rows_N: NDArray[np.int64]) -> None:
        self.pictures = pictures
        self.rows_N = rows_N

    @staticmethod
    def of(pictures: Pictures, rows_N: NDArray[np.int64]) -> Rows:
        return (MappedRows if isinstance(pictures, np.memmap) else Rows)(pictures, rows_N)

    def __len__(self) -> int:
        return len(self.rows_N)

    def take(self, chosen_B: NDArray[np.int64]) -> Pictures:
        """(B, H, W, C)"""
        # Not indexing by torch: it copies bytes one by one, and was forty times slower for pictures of 64 px.
        return np.asarray(np.take(self.pictures, self.rows_N[chosen_B], axis=0))

    def fetch(self, chosen_B: NDArray[np.int64]) -> None:
        """Begin to read what the next `take` will ask for, where that takes time."""

    def batches(self, at_once: int) -> Iterator[Pictures]:
        """All of them in order, at most `at_once` in memory."""
        for start in range(0, len(self), at_once):
            yield self.take(np.arange(start, min(start + at_once, len(self))))

    def __getitem__(self, part: slice) -> Pictures:
        return self.take(np.arange(*part.indices(len(self))))

    def only(self, chosen_B: NDArray[np.int64]) -> Rows:
        return type(self)(self.pictures, self.rows_N[chosen_B])


class MappedRows(Rows):
    """Of a mapped file; one batch can be fetched ahead on a thread of its own."""

    def __init__(self, pictures: Pictures, rows_N: NDArray[np.int64]) -> None:
        super().__init__(pictures, rows_N)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        self._ahead: tuple[bytes, Future[Pictures]] | None = None

    def take(self, chosen_B: NDArray[np.int64]) -> Pictures:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == chosen_B.tobytes():
            return ahead[1].result()
        return super().take(chosen_B)

    def fetch(self, chosen_B: NDArray[np.int64]) -> None:
        self._ahead = chosen_B.tobytes(), self._reader.submit(super().take, chosen_B)
