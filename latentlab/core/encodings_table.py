"""Encodings as a safetensors file stores them: arrays by name, and a note of what cannot be said in arrays.

Shapes: N encodings, D numbers in each, A attributes, K stored principal components.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from latentlab.core.encodings import EncodingSet, StoredPCA, Thumbnails
from latentlab.core.errors import CheckpointError
from latentlab.core.safetensors_table import Tensor


class EncodingsNote(BaseModel):
    """What cannot be said in arrays."""

    model_config = ConfigDict(extra="allow")
    count: Annotated[int, Field(ge=0)] = 0
    space: str = "z"
    label_names: list[str] = []
    attribute_names: list[str] = []
    predicted: list[str] = []
    samples: bool = False


def encoding_set(path: Path, note: EncodingsNote, arrays: dict[str, Tensor]) -> EncodingSet:
    """The encodings in a file's arrays. Raises CheckpointError where their shapes do not fit each other."""
    latents = arrays["latents"]
    if latents.ndim != 2 or latents.dtype.kind != "f":
        raise CheckpointError(f"{path}: its encodings are {latents.dtype} {latents.shape}, not numbers (N, D).")
    count, dim = latents.shape
    shapes: dict[str, tuple[int, ...]] = {
        "labels": (count,),
        "attributes": (count, len(note.attribute_names)),
        "thumbnail_offsets": (count + 1,),
        "kl_per_dimension": (dim,),
        "pca_mean": (dim,),
    }
    for name, shape in shapes.items():
        if name in arrays and arrays[name].shape != shape:
            raise CheckpointError(f"{path}: 'encodings/{name}' is {arrays[name].shape}; {shape} was expected.")
    return EncodingSet(
        latents=latents.astype(np.float32),
        space=note.space,
        labels=arrays["labels"].astype(np.int64) if "labels" in arrays else None,
        label_names=tuple(note.label_names),
        attributes=arrays["attributes"].astype(np.float32) if "attributes" in arrays else None,
        attribute_names=tuple(note.attribute_names),
        predicted=frozenset(note.predicted),
        names=_names(path, arrays, count),
        thumbnails=_thumbnails(path, arrays),
        pca=_pca(path, arrays, dim),
        kl_per_dimension=arrays["kl_per_dimension"].astype(np.float32) if "kl_per_dimension" in arrays else None,
        samples=note.samples,
    )


def _names(path: Path, arrays: dict[str, Tensor], count: int) -> tuple[str, ...]:
    if "names" not in arrays:
        return ()
    try:
        names = json.loads(arrays["names"].tobytes())
    except ValueError as error:
        raise CheckpointError(f"{path}: the names of its encodings are not sound JSON ({error}).") from error
    if not isinstance(names, list) or len(names) not in (0, count):
        raise CheckpointError(f"{path}: it names {len(names)} encodings but holds {count}.")
    return tuple(str(name) for name in names)


def _thumbnails(path: Path, arrays: dict[str, Tensor]) -> Thumbnails | None:
    if "thumbnails" not in arrays or "thumbnail_offsets" not in arrays:
        return None
    data, offsets = arrays["thumbnails"], arrays["thumbnail_offsets"].astype(np.int64)
    if data.dtype != np.uint8 or (np.diff(offsets) < 0).any() or offsets[0] < 0 or offsets[-1] > data.size:
        raise CheckpointError(f"{path}: the places of its thumbnails do not fit their {data.size:,} bytes.")
    return Thumbnails(data.view(np.uint8), offsets)


def _pca(path: Path, arrays: dict[str, Tensor], dim: int) -> StoredPCA | None:
    if not {"pca_mean", "pca_components", "pca_variance"} <= arrays.keys():
        return None
    components, variance = arrays["pca_components"], arrays["pca_variance"]
    if components.ndim != 2 or components.shape[1] != dim or variance.shape != components.shape[:1]:
        raise CheckpointError(f"{path}: its stored components {components.shape} do not fit latents of {dim}.")
    mean = arrays["pca_mean"]
    return StoredPCA(mean.astype(np.float32), components.astype(np.float32), variance.astype(np.float32))


def note_and_arrays(encodings: EncodingSet) -> tuple[EncodingsNote, dict[str, Tensor]]:
    """What a file stores of encodings: what is said in JSON, and the arrays by name."""
    note = EncodingsNote(
        count=len(encodings),
        space=encodings.space,
        label_names=list(encodings.label_names),
        attribute_names=list(encodings.attribute_names),
        predicted=sorted(encodings.predicted),
        samples=encodings.samples,
    )
    arrays: dict[str, Tensor | None] = {
        "latents": encodings.latents,
        "labels": None if encodings.labels is None else encodings.labels.astype(np.int32),
        "attributes": encodings.attributes,
        "kl_per_dimension": encodings.kl_per_dimension,
    }
    if encodings.names:
        names = json.dumps(encodings.names, ensure_ascii=False).encode()
        arrays["names"] = np.frombuffer(names, np.uint8)
    if encodings.thumbnails is not None:
        arrays["thumbnails"] = np.frombuffer(bytes(encodings.thumbnails.data), np.uint8)
        arrays["thumbnail_offsets"] = encodings.thumbnails.offsets
    if encodings.pca is not None:
        arrays["pca_mean"] = encodings.pca.mean
        arrays["pca_components"] = encodings.pca.components
        arrays["pca_variance"] = encodings.pca.variance
    return note, {name: value for name, value in arrays.items() if value is not None}
