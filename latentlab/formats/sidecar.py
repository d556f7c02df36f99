"""The small JSON documents that lie beside weights: what a library wrote there, and what a user said of the file.

They are untrusted as the weights are: bounded, and of no other type than a table.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError

BYTES_AT_MOST = 1 << 20


def read_table_beside(weights: Path, name: str) -> dict[str, Any] | None:
    """The JSON object in the file `name` beside the weights; None where there is none. Raises CheckpointError."""
    return read_table_at(weights.parent / name)


def read_table_at(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is no such regular file. Raises CheckpointError."""
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > BYTES_AT_MOST:
            raise CheckpointError(f"{displayed(path)} is larger than {BYTES_AT_MOST:,} bytes, so it is no description.")
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise CheckpointError(f"{displayed(path)} cannot be read: {error.strerror}. Check its permissions.") from None
    except (ValueError, RecursionError):
        raise CheckpointError(f"{displayed(path)} is not sound JSON. Copy or download it again.") from None
    if not isinstance(document, dict):
        raise CheckpointError(f"{displayed(path)} holds no JSON object, so it describes nothing.")
    return document
