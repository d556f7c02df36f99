"""Snapshots of unsaved work, for after a crash. Each running session holds a lock on a file of its own.

The system frees the lock with the process, however it ends; so a snapshot whose lock is free was left by a crash, and
one whose lock is held belongs to another window that is open.
"""

from __future__ import annotations

import errno
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from latentlab.core import project_file
from latentlab.core.errors import SaveError
from latentlab.core.locking import is_free, locked
from latentlab.core.settings import data_folder
from latentlab.core.state import State

FOLDER = "snapshots"
LOCK = ".lock"
TORN_S = 3600.0  # no snapshot takes so long to write


@dataclass(frozen=True)
class LeftBehind:
    """The unsaved work of a session that ended without saying goodbye."""

    path: Path  # for project_file.load
    saved_at: float  # seconds since the epoch


class Snapshots:
    """The snapshot of this process; `open` takes the lock, `close` leaves nothing behind."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or data_folder() / FOLDER
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock: int | None = None

    @property
    def path(self) -> Path:
        return self.folder / f"{self._name}{project_file.ENDING}"

    def open(self) -> None:
        """Raises SaveError when the folder cannot be used: work is then not autosaved, which should be said."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = locked(self._lock_path)
            if self._lock is None:  # whoever looks just now whether it is free
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        except OSError as error:
            raise SaveError(
                f"Unsaved work cannot be kept in {self.folder} ({error.strerror}). Save the session yourself, or set "
                "LATENTLAB_DATA_HOME to a folder you may write to."
            ) from error

    def write(self, state: State, checkpoint_path: str = "") -> None:
        """Replaces the snapshot; may run in a worker. Raises SaveError."""
        if self._lock is not None:
            project_file.save(self.path, state, checkpoint_path)

    def discard(self) -> None:
        """The work was saved: there is nothing to recover."""
        with suppress(OSError):
            self.path.unlink()

    def close(self) -> None:
        """A clean end."""
        self.discard()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
            with suppress(OSError):
                self._lock_path.unlink()

    def left_behind(self) -> list[LeftBehind]:
        """Snapshots of sessions that crashed, the newest first; those of windows that are open are not among them."""
        found = []
        for path in sorted(self.folder.glob(f"*{project_file.ENDING}")):
            if path != self.path and is_free(path.with_suffix(LOCK)):
                with suppress(OSError):
                    found.append(LeftBehind(path, path.stat().st_mtime))
        self._clear_torn()
        for lock in self.folder.glob(f"*{LOCK}"):
            if lock != self._lock_path and not lock.with_suffix(project_file.ENDING).exists() and is_free(lock):
                with suppress(OSError):
                    lock.unlink()
        return sorted(found, key=lambda item: -item.saved_at)

    def _clear_torn(self) -> None:
        """What a process that was killed while it wrote has left; another window may be writing at this moment."""
        for path in self.folder.glob(".latentlab-*.tmp"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > TORN_S:
                    path.unlink()

    def forget(self, left: LeftBehind) -> None:
        """Removes a snapshot that was recovered or refused."""
        for path in (left.path, left.path.with_suffix(LOCK)):
            with suppress(OSError):
                path.unlink()

    @property
    def _lock_path(self) -> Path:
        return self.folder / f"{self._name}{LOCK}"
