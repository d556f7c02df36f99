"""Pictures through shared memory arrive unchanged, and never overwrite what has not been read."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator

import numpy as np
import pytest

from latentlab.engine.picture_ring import CAPACITY, FROM_BYTES, PictureRing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends pictures through the pipe")


@pytest.fixture
def ends() -> Iterator[tuple[PictureRing, PictureRing]]:
    """(the reading end, the writing end)"""
    reader = PictureRing.create()
    assert reader is not None
    writer = PictureRing.attached(str(os.dup(reader.descriptor)))
    assert writer is not None
    yield reader, writer
    writer.close()
    reader.close()


def picture(number: int, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((1, size, size, 3), number % 251, np.uint8)


def test_many_pictures_of_changing_size_go_round_the_ring(ends: tuple[PictureRing, PictureRing]) -> None:
    reader, writer = ends
    written = 0
    for number in range(100):
        sent = picture(number, 400 + 7 * number)
        placed = writer.place(sent)
        assert placed is not None
        written += sent.nbytes
        np.testing.assert_array_equal(reader.take(placed), sent)
    assert written > 3 * CAPACITY


def test_a_full_ring_refuses_instead_of_overwriting(ends: tuple[PictureRing, PictureRing]) -> None:
    reader, writer = ends
    waiting = deque()
    for number in range(1000):
        placed = writer.place(picture(number, 600))
        if placed is None:
            break
        waiting.append((number, placed))
    assert 2 < len(waiting) <= CAPACITY / (600 * 600 * 3)
    while waiting:  # everything that waits is intact, and room comes back
        number, placed = waiting.popleft()
        np.testing.assert_array_equal(reader.take(placed), picture(number, 600))
    assert writer.place(picture(1, 600)) is not None


def test_small_and_huge_pictures_are_left_to_the_pipe(ends: tuple[PictureRing, PictureRing]) -> None:
    _, writer = ends
    assert writer.place(np.zeros((1, 64, 64, 3), np.uint8)) is None
    assert writer.place(np.zeros((1, FROM_BYTES // 3 + 1, 1, 3), np.uint8)) is not None
    assert writer.place(np.zeros((CAPACITY, 1, 1, 1), np.uint8)) is None
