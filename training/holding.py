"""One trainer in one run's folder at a time: the first process of a run holds a lock that no kill leaves behind.

Others that belong to the same run (torchrun, --devices) hold nothing: the first one speaks for them. No torch here.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from latentlab.core.errors import OptionError
from latentlab.core.locking import locked
from training.commanding import LOCK, made_folder

SINCE = "%Y-%m-%d %H:%M:%S"


@contextmanager
def held(out: Path) -> Iterator[None]:
    """While entered, this process alone trains in folder `out`, which is made, and goes again if nothing came of it.

    Raises OptionError where another process does, SaveError. On a disk without locks nothing is held.
    """
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    made_folder(out)
    descriptor = _taken(out)
    if descriptor is not None:
        _sign(descriptor)
    try:
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                (out / LOCK).unlink()  # before another one can have it
            os.close(descriptor)
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()  # what holds something stays


def check_free(out: Path) -> None:
    """Raises OptionError where another process trains in `out`."""
    if (out / LOCK).exists():
        descriptor = _taken(out)
        if descriptor is not None:
            os.close(descriptor)


def _taken(out: Path) -> int | None:
    try:
        descriptor = locked(out / LOCK)
    except OSError:
        return None  # a disk without locks, or read-only: what is written next says so
    if descriptor is None:
        raise OptionError(
            f"{out} is being trained by {_who(out)}. Wait until it ends or stop it; or choose another --out."
        )
    return descriptor


def _sign(descriptor: int) -> None:
    note = {"process": os.getpid(), "machine": socket.gethostname(), "since": time.strftime(SINCE)}
    with suppress(OSError):  # of a full disk; it holds all the same
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, json.dumps(note).encode())


def _who(out: Path) -> str:
    try:
        note = json.loads((out / LOCK).read_text("utf-8"))
        machine = "" if note["machine"] == socket.gethostname() else f" on {note['machine']}"
        return f"process {int(note['process'])}{machine}, since {note['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
