"""What is kept beside a checkpoint of someone else: how it is read, the encodings made of it.

`faces.pth` has `faces.pth.latentlab.json` beside it. Where its folder cannot be written to, the application's data
folder takes the document, under a name that holds a hash of the checkpoint's path.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from latentlab.core.atomic import atomic_write
from latentlab.core.bundled import assets_folder
from latentlab.core.errors import SaveError
from latentlab.core.settings import data_folder

FOLDER = "beside"
NAME_AT_MOST = 80  # characters of the checkpoint's own name


def path_beside(checkpoint: Path, ending: str) -> Path:
    return checkpoint.with_name(checkpoint.name + ending)


def path_elsewhere(checkpoint: Path, ending: str) -> Path:
    """In the application's data folder."""
    whole = os.fsencode(os.path.realpath(checkpoint))
    name = checkpoint.name.encode("ascii", "replace").decode().replace("?", "_")[:NAME_AT_MOST]
    return data_folder() / FOLDER / f"{name}-{hashlib.sha256(whole).hexdigest()[:16]}{ending}"


def found_beside(checkpoint: Path, ending: str) -> Path | None:
    """The document that was written last; None where there is none."""
    # One in the data folder is the newer: writing beside the checkpoint removes it.
    for path in (path_elsewhere(checkpoint, ending), path_beside(checkpoint, ending)):
        with suppress(OSError):
            if path.is_file():
                return path
    return None


def write_beside(checkpoint: Path, ending: str, data: bytes) -> Path:
    """Where it was written: beside the checkpoint, or else in the data folder. Raises SaveError."""
    path, elsewhere = path_beside(checkpoint, ending), path_elsewhere(checkpoint, ending)
    try:
        if checkpoint.absolute().parent == assets_folder():
            raise SaveError("The folder of the bundled models is not the user's.")
        atomic_write(path, data)
    except SaveError:
        try:
            elsewhere.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SaveError(
                f"Neither {path.parent} nor {elsewhere.parent} can be written to ({error.strerror}). "
                "Set LATENTLAB_DATA_HOME to a folder you may write to."
            ) from error
        atomic_write(elsewhere, data)
        return elsewhere
    with suppress(OSError):
        elsewhere.unlink(missing_ok=True)
    return path
