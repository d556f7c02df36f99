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
from contextvars import ContextVar
from pathlib import Path

from latentlab.core.errors import OptionError
from latentlab.core.locking import locked
from training.commanding import LOCK, made_folder

SINCE = "%Y-%m-%d %H:%M:%S"
# What whoever calls holds already: `latentlab-train` holds a folder while data is read, and `train` holds it again.
# Another thread of the same process is another trainer, and does not see this.
_ours: ContextVar[frozenset[Path]] = ContextVar("_ours", default=frozenset())


@contextmanager
def held(out: Path) -> Iterator[None]:
    """While entered, this trainer alone trains in folder `out`, which is made, and goes again if nothing came of it.

    Entered again within, it does nothing. Raises OptionError where another trainer holds it, SaveError. On a disk
    without locks nothing is held.
    """
    where = out.resolve()
    if where in _ours.get():
        yield
        return
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    made_folder(out)
    descriptor = _taken(out)
    if descriptor is not None:
        _sign(descriptor)
    entered = _ours.set(_ours.get() | {where})
    try:
        yield
    finally:
        _ours.reset(entered)
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
