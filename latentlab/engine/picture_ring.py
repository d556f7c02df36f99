"""Pictures from the engine's process through memory that both processes see.

A pipe holds some 200 KB: a picture of 512 px goes through it in 0.9 ms, through here in 0.06 (docs/decisions/0012).
The memory has no name and ends with the two processes, however they end. One side writes, the other reads in the
same order; where there is no room the picture goes through the pipe instead, so that nobody ever waits.
Shapes: B H W C of pictures.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import tempfile
from dataclasses import dataclass
from typing import Self

import numpy as np

from latentlab.core.latent_model import Images

CAPACITY = 16 << 20  # bytes; more would only leave the processor's cache
FROM_BYTES = 1 << 17  # smaller pictures are as fast inside their message
TAIL = struct.Struct("<Q")  # how far the reader is, at the very beginning of the memory
BEGIN = 64


@dataclass(frozen=True)
class Placed:
    """Where a picture lies: `begin` and `end` count bytes since the start, without turning round."""

    begin: int
    end: int
    shape: tuple[int, ...]


class PictureRing:
    """Both ends of the memory; `create` in the process that reads, `attached` in the one that writes."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, BEGIN + CAPACITY)
        self._head = 0

    @classmethod
    def create(cls) -> Self | None:
        """None where the system has no such memory; everything then goes through the pipe."""
        if sys.platform == "win32":
            return None
        descriptor = -1
        try:
            if hasattr(os, "memfd_create"):
                descriptor = os.memfd_create("latentlab")
            else:
                with tempfile.TemporaryFile() as file:
                    descriptor = os.dup(file.fileno())
            os.ftruncate(descriptor, BEGIN + CAPACITY)
            return cls(descriptor)
        except OSError:
            if descriptor >= 0:
                os.close(descriptor)
            return None

    @classmethod
    def attached(cls, descriptor: str) -> Self | None:
        return cls(int(descriptor)) if descriptor else None

    def place(self, images: Images) -> Placed | None:
        """Copies pictures in; None where they are small, too large, or the reader has not made room yet."""
        size = images.nbytes
        if not FROM_BYTES <= size <= CAPACITY // 2 or images.dtype != np.uint8:
            return None
        begin = self._head
        if begin % CAPACITY + size > CAPACITY:  # in one piece: leave the rest of this turn empty
            begin += CAPACITY - begin % CAPACITY
        (tail,) = TAIL.unpack_from(self._memory)
        if begin + size - tail > CAPACITY:
            return None
        place = BEGIN + begin % CAPACITY
        np.frombuffer(self._memory, np.uint8, size, place)[:] = images.reshape(-1)
        self._head = begin + size
        return Placed(begin, self._head, images.shape)

    def take(self, placed: Placed) -> Images:
        """Copies pictures out, (B, H, W, C), and makes room."""
        size = placed.end - placed.begin
        place = BEGIN + placed.begin % CAPACITY
        images = np.frombuffer(self._memory, np.uint8, size, place).reshape(placed.shape).copy()
        TAIL.pack_into(self._memory, 0, placed.end)
        return images

    def close(self) -> None:
        self._memory.close()
        os.close(self.descriptor)
