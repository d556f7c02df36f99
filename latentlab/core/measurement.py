"""What was measured of a checkpoint, on what, and when; kept beside the checkpoint as `FILE.figures.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from latentlab.core.beside import found_beside, write_beside
from latentlab.core.latent_model import ModelInfo

ENDING = ".figures.json"
VERSION = 1
BYTES_LIMIT = 4_000_000
EVALUATION = "evaluation.json"  # what `latentlab-train evaluate` writes into the checkpoint's folder

# "encodings": with what the checkpoint carries; "pictures": with pictures of the user's.
Kind = Literal["encodings", "pictures"]


class Measurement(BaseModel):
    """`figures` by section and name, as `latentlab-train evaluate` writes them; numbers per dimension are lists."""

    model_config = ConfigDict(frozen=True, extra="allow")
    kind: Kind
    source: str = Field(max_length=2000)  # words: what it was measured on
    figures: dict[str, dict[str, Any]]
    notes: tuple[str, ...] = ()  # sentences: what could not be measured, and what else there is to know
    measured_at: str = ""  # local time, ISO 8601 to the minute

    def __repr__(self) -> str:
        return f"<measured on {self.source or 'nothing'}: {', '.join(self.figures)}>"

    def __str__(self) -> str:
        """One line for each number; those per dimension are left to `figures`."""
        told = [
            f"{section}.{name}: {value}"
            for section, numbers in self.figures.items()
            for name, value in numbers.items()
            if isinstance(value, int | float | str)
        ]
        return "\n".join([f"Measured on {self.source or 'nothing'}", *told, *self.notes])


class Kept(BaseModel):
    """The document beside a checkpoint."""

    model_config = ConfigDict(extra="allow")
    version: int = VERSION
    checkpoint: str  # SHA-256
    reading: dict[str, str] = {}  # activation and range, where the checkpoint says neither
    measurements: list[Measurement] = []


def keep(info: ModelInfo, measurement: Measurement) -> Path:
    """Beside the checkpoint, or in the data folder; replaces an older one of its kind. Raises SaveError."""
    others = [earlier for earlier in kept(info) if earlier.kind != measurement.kind]
    document = Kept(checkpoint=info.sha256, reading=dict(info.reading), measurements=[*others, measurement])
    return write_beside(Path(info.path), ENDING, document.model_dump_json(indent=1).encode())


def kept(info: ModelInfo) -> tuple[Measurement, ...]:
    """What lies beside the checkpoint; nothing where it is damaged or of another version or reading of it.

    Nothing is raised: a checkpoint opens without its measurements too, and they can be made again.
    """
    path = found_beside(Path(info.path), ENDING) if info.path else None
    if path is None or (data := _read(path)) is None:
        return ()
    try:
        document = Kept.model_validate_json(data)
    except ValidationError:
        return ()
    same = document.checkpoint == info.sha256 and document.reading == dict(info.reading)
    return tuple(document.measurements) if same and document.version <= VERSION else ()


def evaluation(info: ModelInfo) -> Mapping[str, Any]:
    """What `latentlab-train evaluate` said of this very checkpoint; empty where it said nothing."""
    data = _read(Path(info.path).with_name(EVALUATION)) if info.path else None
    if data is None:
        return {}
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    fits = isinstance(document, dict) and bool(info.sha256) and document.get("sha256") == info.sha256
    return document if fits else {}


def latest(measurements: Sequence[Measurement], measurement: Measurement) -> tuple[Measurement, ...]:
    """With `measurement` in place of an earlier one of its kind."""
    return (*(earlier for earlier in measurements if earlier.kind != measurement.kind), measurement)


def _read(path: Path) -> bytes | None:
    try:
        if not path.is_file() or path.stat().st_size > BYTES_LIMIT:
            return None
        return path.read_bytes()
    except OSError:
        return None
