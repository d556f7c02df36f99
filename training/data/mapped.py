"""Pictures that are too many for memory: decoded once into a file that is mapped.

The file has no name once it is open, so that it goes with the process. The system keeps in memory what it has room for.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.core.errors import DataError

Pictures = NDArray[np.uint8]
Allocate = Callable[[tuple[int, ...]], Pictures]

MEMORY_SHARE = 0.5  # of what is free: networks, optimisers and their steps need the rest
DISK_SHARE = 0.95


def room_for(scratch: Path | None, mapped: bool | None) -> Allocate:
    """Where pictures of a shape are put: in memory while they take at most half of what is free, else in a mapped file.

    `mapped` True or False decides it whatever their size. `scratch`: the folder of the file; None: the system's. What
    is allocated raises DataError where neither has room.
    """

    def allocate(shape: tuple[int, ...]) -> Pictures:
        needed = math.prod(shape)
        if is_mapped(needed, mapped):
            return _in_a_file(shape, scratch)
        try:
            return np.empty(shape, np.uint8)
        except MemoryError as error:
            raise DataError(
                f"{shape[0]:,} pictures need {needed / 2**30:.1f} GiB; use --mapped, --image-size or --limit."
            ) from error

    return allocate


def is_mapped(needed: int, mapped: bool | None) -> bool:
    """Whether `needed` bytes of pictures are left in a file: as said, else when they take half of the free memory."""
    return mapped if mapped is not None else needed > MEMORY_SHARE * free_memory()


def free_memory() -> int:
    """Bytes that could be used now without swapping; where the system does not say, all it has, or 4 GiB."""
    try:
        for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 4 * 2**30


def _in_a_file(shape: tuple[int, ...], scratch: Path | None) -> Pictures:
    folder = _existing(scratch or Path(tempfile.gettempdir()))
    needed = math.prod(shape)
    try:
        free = shutil.disk_usage(folder).free
        if needed > DISK_SHARE * free:
            raise DataError(
                f"{shape[0]:,} pictures need {needed / 2**30:.1f} GiB, and neither memory nor the disk of {folder} "
                f"({free / 2**30:.1f} GiB free) has room; use --image-size or --limit, or another --out."
            )
        with tempfile.TemporaryFile(dir=folder, prefix=".latentlab-") as file:
            return np.memmap(file, np.uint8, "w+", shape=shape)
    except OSError as error:
        raise DataError(f"A file for {shape[0]:,} pictures cannot be made in {folder}: {error.strerror}.") from error


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next((place for place in (folder, *folder.absolute().parents) if place.is_dir()), Path.cwd())
