"""The native checkpoint: one safetensors file with weights, a JSON header and what the map shows.

The header is one JSON document under the metadata key `latentlab`; weights lie under `weights/`, encodings under
`encodings/`. Header and encodings are read with numpy alone. The SHA-256 covers the canonical header without the
hash itself, the table of tensors and their bytes; it names the checkpoint everywhere else.

A file is untrusted: its size, tables and header are bounded and checked before anything is allocated from them.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from latentlab.core.atomic import atomic_file
from latentlab.core.encodings import EncodingSet
from latentlab.core.encodings_table import EncodingsNote, encoding_set, note_and_arrays
from latentlab.core.errors import CheckpointError, in_plain_words
from latentlab.core.latent_model import ImageShape, ModelInfo
from latentlab.core.safetensors_table import (
    Table,
    Tensor,
    TensorEntry,
    contents,
    laid_out,
    packed_file,
    read_arrays,
    read_table,
    unique_keys,
)
from latentlab.core.spaces import LatentSpace

METADATA_KEY = "latentlab"
FORMAT_VERSION = 1
ENDING = ".safetensors"

Size = Annotated[int, Field(ge=1, le=8192)]


class SpaceSpec(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str = "z"
    shape: Annotated[list[Annotated[int, Field(ge=1, le=1_000_000)]], Field(min_length=1, max_length=3)]
    prior: Literal["normal", "uniform", "empirical"] = "normal"
    std: Annotated[list[Annotated[float, Field(ge=0, allow_inf_nan=False)]], Field(max_length=100_000)] | None = None


class ImageSpec(BaseModel):
    model_config = ConfigDict(extra="allow")
    height: Size
    width: Size
    channels: Literal[1, 3]


class Header(BaseModel):
    """Unknown keys are kept and written back."""

    model_config = ConfigDict(extra="allow")
    format_version: int = FORMAT_VERSION
    family: str
    architecture: dict[str, Any]  # "name" and the parameters the network is built from
    spaces: Annotated[list[SpaceSpec], Field(min_length=1)]
    image: ImageSpec
    encoder: bool = False
    invertible: bool = False
    conditional: bool = False  # on the classes
    conditional_attributes: list[str] = []  # what else the network is told of, in the order of its inputs
    classes: list[str] = []
    attributes: list[str] = []
    training: dict[str, Any] = {}
    figures: dict[str, Any] = {}
    licence: str = ""
    encodings: EncodingsNote = EncodingsNote()
    sha256: str = ""


def is_native(path: Path) -> bool:
    """Whether the file declares itself a latentlab checkpoint; False, never an error, for anything else."""
    try:
        return METADATA_KEY in read_table(path).metadata
    except CheckpointError:
        return False


def read_header(path: Path) -> Header:
    """The validated header. Raises CheckpointError; a newer format version is refused by name."""
    return _header(path, read_table(path))


def read_encodings(path: Path) -> EncodingSet | None:
    """What the map shows; None when the file carries none."""
    table = read_table(path)
    note = _header(path, table).encodings
    arrays = read_arrays(path, table, "encodings/")
    if "latents" not in arrays:
        return None
    return encoding_set(path, note, arrays)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Every tensor under `weights/`, by the rest of its name, in the dtype it was stored in."""
    return read_arrays(path, read_table(path), "weights/")


def verify(path: Path) -> str:
    """The SHA-256 of the content; CheckpointError when it is not the one the header states."""
    table = read_table(path)
    header = _header(path, table)
    document = json.loads(table.metadata[METADATA_KEY])
    with (
        path.open("rb") as file,
        _mapped(file.fileno(), path) as content,
        memoryview(content) as view,
        view[table.data_begin :] as data,
    ):
        found = _sha256(document, table.tensors, [data])
    if found != header.sha256:
        raise CheckpointError(
            f"{path} is damaged: its content has the SHA-256 {found[:12]}…, its header says "
            f"{header.sha256[:12] or 'none'}…. Copy or download the file again."
        )
    return found


def write_checkpoint(
    path: Path,
    header: Header,
    weights: Mapping[str, Tensor],
    encodings: EncodingSet | None = None,
    *,
    half: bool = False,
) -> Header:
    """Writes the file atomically; the returned header carries the SHA-256. `half` stores floats in float16 (shipping).

    Raises SaveError; the file that was there before is then untouched.
    """
    tensors: dict[str, Tensor] = {f"weights/{name}": value for name, value in weights.items()}
    if encodings is not None:
        note, arrays = note_and_arrays(encodings)
        header = header.model_copy(update={"encodings": note})
        tensors |= {f"encodings/{name}": value for name, value in arrays.items()}
    tensors = {name: _stored(value, half, name) for name, value in tensors.items()}
    entries = laid_out(tensors)
    sha256 = _sha256(json.loads(header.model_dump_json()), entries, contents(tensors, entries))
    header = header.model_copy(update={"sha256": sha256})
    with atomic_file(path) as file:
        file.writelines(packed_file({METADATA_KEY: header.model_dump_json()}, tensors))
    return header


def model_info(path: Path, header: Header) -> ModelInfo:
    return ModelInfo(
        path=str(path),
        format="native",
        family=header.family,
        image=ImageShape(header.image.height, header.image.width, header.image.channels),
        spaces=tuple(_space(path, spec) for spec in header.spaces),
        encoder=header.encoder,
        conditional=tuple(header.classes) if header.conditional else None,
        conditional_attributes=tuple(header.conditional_attributes),
        invertible=header.invertible,
        training=header.training,
        figures=header.figures,
        licence=header.licence,
        sha256=header.sha256,
    )


def _space(path: Path, spec: SpaceSpec) -> LatentSpace:
    space = LatentSpace(spec.name, tuple(spec.shape), spec.prior)
    if spec.std is None:
        return space
    if len(spec.std) != space.dim:
        raise CheckpointError(f"{path}: the space '{spec.name}' has {space.dim} numbers, its prior {len(spec.std)}.")
    return replace(space, std=np.array(spec.std, np.float32))


# --- reading ---------------------------------------------------------------------------------------------------


def _header(path: Path, table: Table) -> Header:
    if METADATA_KEY not in table.metadata:
        raise CheckpointError(
            f"{path} is a safetensors file, but not a latentlab checkpoint: it has no '{METADATA_KEY}' metadata."
        )
    try:
        document = json.loads(table.metadata[METADATA_KEY], object_pairs_hook=unique_keys)
        version = document.get("format_version", 0)
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise CheckpointError(
                f"{path} has format version {version}; this latentlab reads up to {FORMAT_VERSION}. Update latentlab."
            )
        return Header.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        why = in_plain_words(first["msg"])
        where = ".".join(str(part) for part in first["loc"])
        raise CheckpointError(
            f"{path} has an unusable header: '{where}' is {first.get('input')!r:.60} ({why})."
        ) from error
    except (ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} has an unusable header: {error}.") from error


def _mapped(descriptor: int, path: Path) -> mmap.mmap:
    try:
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}.") from error


# --- writing ---------------------------------------------------------------------------------------------------


def _stored(value: Tensor, half: bool, name: str) -> Tensor:
    # Variances and KL span more than float16 can hold, and cost nothing.
    keeps_precision = re.search(r"variance|kl_per|running_var", name) is not None
    if half and value.dtype == np.float32 and not keeps_precision:
        return np.asarray(value.astype(np.float16), order="C")
    return np.asarray(value, order="C")


def _sha256(document: dict[str, Any], entries: Mapping[str, TensorEntry], data: Iterable[memoryview]) -> str:
    # The document as it stands in the file, not as this version would write it: defaults may be added later.
    document = {key: value for key, value in document.items() if key != "sha256"}
    table = [[e.name, e.dtype, list(e.shape), e.begin, e.end] for e in sorted(entries.values(), key=lambda e: e.name)]
    digest = hashlib.sha256(json.dumps([document, table], sort_keys=True, separators=(",", ":")).encode())
    for piece in data:
        digest.update(piece)
    return digest.hexdigest()
