"""Fetching a data set from the network so that its folder holds all of it or nothing of it.

torchvision checks the hash of what it downloads, but not of what it unpacks: killed in between, it leaves files that
are too short and that it takes for whole ever after. So all is fetched and unpacked beside, and moved when complete.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from latentlab.core.errors import Failure

STAGE = ".latentlab-download"
SILENT_S = 30.0  # a server that says nothing for so long is given up

# What torchvision raises: no network, no such file, a wrong hash, an archive that cannot be unpacked.
FAULTS = (OSError, RuntimeError, ValueError, EOFError, HTTPException)


def fetched(name: str, root: Path, open_at: Callable[[Path, bool], object]) -> None:
    """Sees to it that `root` holds the data set; `open_at(folder, download)` opens it as torchvision does.

    Raises Failure; what was in `root` is then untouched.
    """
    try:
        open_at(root, False)
    except FAULTS:
        pass
    else:
        return
    stage = root / STAGE
    try:
        with _cleared(stage), _patient():
            open_at(stage, True)
            _move_into(root, stage)
    except FAULTS as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise Failure(
            f"'{name}' could not be downloaded to {root}: {said.rstrip('.')}. Look at the connection and the room on "
            "the disk, then try again; or put the files there yourself."
        ) from error


@contextmanager
def _cleared(stage: Path) -> Iterator[None]:
    """An empty folder, which is gone afterwards; what one that was killed has left is cleared away."""
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def _patient() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _move_into(root: Path, stage: Path) -> None:
    """A folder that is not there yet moves as a whole, what is there is replaced file by file."""
    for path in stage.iterdir():
        target = root / path.name
        if path.is_dir() and target.is_dir():
            _move_into(target, path)
        else:
            path.replace(target)
