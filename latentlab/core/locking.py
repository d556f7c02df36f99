"""Locks on files that the system frees with the process that holds them, however it ends: none is ever left behind.

The package filelock was weighed, which torch brings along: only its latest versions leave what is written in the file
as it is, and we write there who holds it; and where a disk knows no locks it falls back on the file's existence, which
a killed process leaves behind.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

# Beyond what is ever written: on Windows others could not read what is locked.
PLACE = 2**30
HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


def locked(path: Path) -> int | None:
    """A descriptor that holds the lock of a file, made where there is none, until it is closed.

    None where another process has it. Raises OSError where the file cannot be made, or the disk knows no locks.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except OSError as error:
            os.close(descriptor)
            if error.errno in HELD:
                return None
            raise
        os.close(descriptor)  # who held it before has removed the file: the next one is another


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock of the file."""
    if not path.exists():
        return True
    try:
        descriptor = locked(path)
    except OSError:
        return False
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, PLACE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
