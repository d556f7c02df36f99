"""The session file `.latentlab`: JSON with the State and which checkpoint it belongs to."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.errors import DataError, in_plain_words
from latentlab.core.state import State
from latentlab.core.state_document import Mismatch, state_from, to_document

ENDING = ".latentlab"
KIND = "latentlab session"
VERSION = 1
SIZE_LIMIT = 500_000_000  # bytes


class CheckpointPlace(BaseModel):
    model_config = ConfigDict(extra="allow")
    path: str = ""  # absolute, as it was when saved
    relative: str = ""  # from the session file's folder, for when both have moved together
    sha256: str = ""


class Document(BaseModel):
    model_config = ConfigDict(extra="allow")
    kind: Literal["latentlab session"] = "latentlab session"
    version: int = VERSION
    checkpoint: CheckpointPlace = CheckpointPlace()
    state: dict[str, Any]


@dataclass(frozen=True, eq=False)
class SavedSession:
    """A session as it was read. `document` goes back into `save`, so that keys this version does not know survive."""

    state: State
    checkpoint_path: str  # where the checkpoint is found now; where it was when it is found nowhere
    document: dict[str, Any] = field(default_factory=dict)


def save(
    path: Path | str, state: State, checkpoint_path: Path | str = "", document: dict[str, Any] | None = None
) -> None:
    """Writes the session atomically. Raises SaveError."""
    place = {"path": "", "relative": "", "sha256": state.checkpoint}
    if str(checkpoint_path):
        place["path"] = str(Path(checkpoint_path).absolute())
        try:
            place["relative"] = os.path.relpath(checkpoint_path, Path(path).absolute().parent)
        except ValueError:  # on another drive
            place["relative"] = ""
    new = {"kind": KIND, "version": VERSION, "checkpoint": place, "state": to_document(state)}
    atomic_write(path, json.dumps(_over(document or {}, new), separators=(",", ":")).encode())


def load(path: Path | str) -> SavedSession:
    """Reads a session. Raises DataError: unreadable, damaged, foreign, or of a newer version."""
    shown = displayed(path)
    document = _read(Path(path), shown)
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise DataError(f"{shown} is JSON, but not a latentlab session. Choose another file.")
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise DataError(f"{shown} has version {version}; this latentlab reads up to {VERSION}. Update latentlab.")
    try:
        checked = Document.model_validate(document)
        state = state_from(checked.state)
    except ValidationError as error:
        first = error.errors()[0]
        why = in_plain_words(first["msg"])
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"The session {shown} is damaged: {where}: {why}. Open another copy of it.") from error
    except (Mismatch, RecursionError) as error:
        raise DataError(f"The session {shown} is damaged: {error}. Open another copy of it.") from error
    return SavedSession(state, _found(checked.checkpoint, Path(path)), document)


def _read(path: Path, shown: str) -> Any:
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise DataError(f"{shown} is larger than any session; choose another file.")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{shown} cannot be read: {error.strerror}. Check the path and its permissions.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{shown} is not a sound session: it is not JSON ({error}). Open another copy of it."
        ) from error


def _found(place: CheckpointPlace, session: Path) -> str:
    beside = session.absolute().parent / place.relative if place.relative else None
    try:
        if beside is not None and beside.exists() and not (place.path and Path(place.path).exists()):
            return str(Path(os.path.normpath(beside)))
    except (OSError, ValueError):
        pass
    return place.path


ITS_OWN = ("strengths", "names", "elsewhere")  # whose keys are the user's names, not ours


def _over(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """`new`, and of `old` whatever keys `new` does not have; deep in objects, not in lists nor the user's own names."""
    merged = dict(new)
    for key, value in old.items():
        if key not in new:
            merged[key] = value
        elif isinstance(value, dict) and isinstance(new[key], dict) and key not in ITS_OWN:
            merged[key] = _over(value, new[key])
    return merged
