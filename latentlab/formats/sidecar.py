"""The small JSON documents that lie beside weights: what a library wrote there, and what a user said of the file.

They are untrusted as the weights are: bounded, and of no other type than a table.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError

if TYPE_CHECKING:
    from latentlab.formats.sniff import Found

BYTES_AT_MOST = 1 << 20


def read_table_beside(weights: Path, name: str) -> dict[str, Any] | None:
    """The JSON object in the file `name` beside the weights; None where there is none. Raises CheckpointError."""
    return read_table_at(weights.parent / name)


def described(file: Found, name: str) -> dict[str, Any]:
    """The same for a file that was found; a native checkpoint of a foreign network holds it. {} where there is none.

    Raises CheckpointError.
    """
    held = file.held(name)
    return (read_table_beside(file.path, name) or {}) if held is None else held


def read_text_beside(weights: Path, pattern: str) -> str:
    """The text of the one file beside the weights that is called so; "" where there is none, or more than one.

    Raises CheckpointError.
    """
    try:
        fitting = [path for path in weights.parent.glob(pattern) if path.is_file()]
        return _bounded(fitting[0]).decode("utf-8-sig", "replace") if len(fitting) == 1 else ""
    except OSError as error:
        raise CheckpointError(f"The {pattern} beside {displayed(weights)} cannot be read: {error.strerror}.") from None


def read_table_at(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is no such regular file. Raises CheckpointError."""
    try:
        if not path.is_file():
            return None
        document = json.loads(_bounded(path).decode("utf-8-sig"))
    except OSError as error:
        raise CheckpointError(f"{displayed(path)} cannot be read: {error.strerror}. Check its permissions.") from None
    except (ValueError, RecursionError):
        raise CheckpointError(f"{displayed(path)} is not sound JSON. Copy or download it again.") from None
    if not isinstance(document, dict):
        raise CheckpointError(f"{displayed(path)} holds no JSON object, so it describes nothing.")
    return document


def _bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(BYTES_AT_MOST + 1)
    if len(data) > BYTES_AT_MOST:
        raise CheckpointError(f"{displayed(path)} is larger than {BYTES_AT_MOST:,} bytes, so it is no description.")
    return data
