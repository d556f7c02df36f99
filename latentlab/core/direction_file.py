"""Directions as JSON, to be kept and shared: name, space, vector, method, examples, AUC, checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.directions import Direction
from latentlab.core.errors import DataError, in_plain_words

VERSION = 1
SIZE_LIMIT = 200_000_000  # bytes; thousands of directions of 512 numbers are far below


class SavedDirection(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    space: str = "z"
    vector: Annotated[list[FiniteFloat], Field(min_length=1)]
    method: str = ""
    examples: Annotated[int, Field(ge=0)] = 0
    auc: Annotated[float, Field(ge=0, le=1)] | None = None
    predicted: bool = False
    checkpoint: str = ""  # SHA-256


class SavedDirections(BaseModel):
    kind: Literal["latentlab directions"] = "latentlab directions"
    version: int = VERSION
    directions: list[SavedDirection]


def save_directions(path: Path | str, directions: Iterable[Direction] | Mapping[str, Direction]) -> None:
    """Writes the file atomically: some directions, or all of a `DirectionSet`. Raises SaveError."""
    saved = [
        SavedDirection(
            name=direction.name,
            space=direction.space,
            vector=direction.vector.tolist(),
            method=direction.method,
            examples=direction.examples,
            auc=direction.auc,
            predicted=direction.predicted,
            checkpoint=direction.checkpoint,
        )
        for direction in (directions.values() if isinstance(directions, Mapping) else directions)
    ]
    atomic_write(path, SavedDirections(directions=saved).model_dump_json(indent=1).encode())


def load_directions(path: Path | str, dim: int | None = None, space: str | None = None) -> list[Direction]:
    """The directions of a file; one written by hand may also be a list of directions, or one alone.

    Raises DataError, also for a direction that does not have `dim` numbers or belongs to another space.
    """
    shown = displayed(path)
    saved = _checked(_document(Path(path), shown), shown)
    for direction in saved:
        if dim is not None and len(direction.vector) != dim:
            raise DataError(
                f"{shown}: '{direction.name}' has {len(direction.vector)} numbers, the open model {dim}. "
                "Directions fit only the model they were made with."
            )
        if space is not None and direction.space != space:
            raise DataError(f"{shown}: '{direction.name}' belongs to the space {direction.space}, not to {space}.")
    return [
        Direction(
            d.name, np.array(d.vector, np.float32), d.space, d.method, d.examples, d.auc, d.predicted, d.checkpoint
        )
        for d in saved
    ]


def _document(path: Path, shown: str) -> Any:
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise DataError(f"{shown} is larger than any file of directions; choose another file.")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{shown} cannot be read: {error.strerror}. Check the path and its permissions.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{shown} is not JSON, so it holds no directions ({error}). Choose another file.") from error


def _checked(document: Any, shown: str) -> list[SavedDirection]:
    """Of our own document, of a list of directions, or of one alone."""
    if isinstance(document, list):
        document = {"directions": document}
    elif isinstance(document, dict) and "vector" in document:
        document = {"directions": [document]}
    if isinstance(document, dict) and isinstance(version := document.get("version"), int) and version > VERSION:
        raise DataError(f"{shown} has version {version}; this latentlab reads up to {VERSION}. Update latentlab.")
    try:
        return SavedDirections.model_validate(document).directions
    except ValidationError as error:
        first = error.errors()[0]
        why = in_plain_words(first["msg"])
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise DataError(f"{shown} does not hold directions: {where}: {why}. Choose another file.") from error
