"""Encodings kept beside the checkpoint they were made with: `faces.pth.encodings.safetensors`.

For checkpoints that carry none, or not the wanted ones. The file names the checkpoint by its SHA-256 and says how it
was read, so that encodings of another version or reading are refused. It is untrusted as the checkpoint is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from latentlab.core.atomic import displayed
from latentlab.core.beside import found_beside, write_beside
from latentlab.core.encodings import EncodingSet
from latentlab.core.encodings_table import EncodingsNote, encoding_set, note_and_arrays
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import ModelInfo
from latentlab.core.safetensors_table import packed_file, read_arrays, read_table, unique_keys

ENDING = ".encodings.safetensors"
METADATA_KEY = "latentlab-encodings"
VERSION = 1


class Label(BaseModel):
    """What the file says of itself."""

    model_config = ConfigDict(extra="allow")
    version: int = VERSION
    checkpoint: str  # SHA-256
    reading: dict[str, str] = {}  # activation and range, where the checkpoint says neither
    made_from: str = ""  # the folder's name, or "draws of seed 0"
    note: EncodingsNote = EncodingsNote()


@dataclass(frozen=True, eq=False)
class Beside:
    """What was found beside a checkpoint: encodings, or a sentence that says why they are not used."""

    encodings: EncodingSet | None = None
    warning: str = ""


def write_encodings(info: ModelInfo, encodings: EncodingSet, made_from: str = "") -> Path:
    """Keeps encodings beside the checkpoint of `info`, or in the data folder; where. Raises SaveError."""
    note, arrays = note_and_arrays(encodings)
    label = Label(checkpoint=info.sha256, reading=dict(info.reading), made_from=made_from, note=note)
    data = b"".join(packed_file({METADATA_KEY: label.model_dump_json()}, arrays))
    return write_beside(Path(info.path), ENDING, data)


def encodings_beside(info: ModelInfo) -> Beside:
    """What lies beside the checkpoint of `info`; nothing is raised: a checkpoint opens without its encodings too."""
    path = found_beside(Path(info.path), ENDING) if info.path else None
    if path is None:
        return Beside()
    try:
        return Beside(_fitting(path, info))
    except (CheckpointError, OSError, MemoryError) as error:
        said = str(error) if isinstance(error, CheckpointError) else f"{displayed(path)} cannot be read: {error}."
        return Beside(warning=f"{said} The encodings beside the checkpoint are not used; make them again.")


def _fitting(path: Path, info: ModelInfo) -> EncodingSet:
    """Raises CheckpointError: damaged, or made with another checkpoint, reading or space."""
    table = read_table(path)
    label = _label(path, table.metadata)
    if label.version > VERSION:
        raise CheckpointError(f"{displayed(path)} has version {label.version}; this latentlab reads up to {VERSION}.")
    if label.checkpoint != info.sha256:
        raise CheckpointError(f"{displayed(path)} was made with another version of this checkpoint.")
    if label.reading != dict(info.reading):
        raise CheckpointError(f"{displayed(path)} was made while this checkpoint was read with {_said(label.reading)}.")
    arrays = read_arrays(path, table, "")
    if "latents" not in arrays:
        raise CheckpointError(f"{displayed(path)} holds no latents.")
    encodings = encoding_set(path, label.note, arrays)
    space = next((space for space in info.spaces if space.name == encodings.space), None)
    if space is None or space.dim != encodings.dim:
        raise CheckpointError(f"{displayed(path)} holds latents of {encodings.dim} numbers in '{encodings.space}'.")
    return encodings


def _label(path: Path, metadata: Mapping[str, str]) -> Label:
    if METADATA_KEY not in metadata:
        raise CheckpointError(f"{displayed(path)} is a safetensors file, but holds no encodings of latentlab.")
    try:
        return Label.model_validate(json.loads(metadata[METADATA_KEY], object_pairs_hook=unique_keys))
    except (ValidationError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{displayed(path)} has an unusable header ({str(error).splitlines()[0]}).") from error


def _said(reading: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in reading.items()) or "nothing said of it"
