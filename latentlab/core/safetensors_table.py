"""The table of a safetensors file: what its first bytes declare, checked before anything is read by it.

Needs numpy alone, and is stricter than the library: duplicate keys are refused too.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.errors import CheckpointError

HEADER_LIMIT = 100_000_000  # bytes; the safetensors library's own limit
DTYPES: dict[str, type[np.generic]] = {
    "F32": np.float32, "F16": np.float16, "F64": np.float64, "I64": np.int64, "I32": np.int32, "I16": np.int16,
    "I8": np.int8, "U8": np.uint8, "BOOL": np.bool_,
}  # fmt: skip

Tensor = NDArray[np.generic]


@dataclass(frozen=True)
class TensorEntry:
    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int  # bytes from the start of the data
    end: int


@dataclass(frozen=True)
class Table:
    """What the first bytes of a safetensors file declare, checked against the file's size."""

    metadata: dict[str, str]
    tensors: dict[str, TensorEntry]
    data_begin: int


def read_table(path: Path) -> Table:
    """The table of a safetensors file. Raises CheckpointError for every way in which it can be unsound."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a FIFO would wait for ever
            raise CheckpointError(f"{path} is not a file. Name the .safetensors file itself.")
        size = status.st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 10 or length > min(HEADER_LIMIT, size - 8):
                raise unsound(path, f"its header claims {length:,} bytes in a file of {size:,}")
            document = json.loads(file.read(length), object_pairs_hook=unique_keys)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror}. Check the path and its permissions."
        ) from error
    except (ValueError, RecursionError) as error:
        raise unsound(path, f"its header is not sound JSON ({error})") from error
    if not isinstance(document, dict):
        raise unsound(path, "its header is not a JSON object")
    metadata = document.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise unsound(path, "its metadata is not text")
    tensors = {name: _entry(path, name, entry) for name, entry in document.items()}
    end = 0
    for entry in sorted(tensors.values(), key=lambda item: (item.begin, item.end)):
        if entry.begin != end:
            raise unsound(path, f"the bytes of '{entry.name}' overlap others or leave a hole")
        end = entry.end
    if 8 + length + end != size:
        raise unsound(path, f"it has {size - 8 - length:,} bytes of tensors where {end:,} are declared")
    return Table(metadata, tensors, 8 + length)


def read_arrays(path: Path, table: Table, prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, by the rest of their names, in the dtype they were stored in."""
    arrays: dict[str, Tensor] = {}
    with path.open("rb") as file:
        for name, entry in table.tensors.items():
            if not name.startswith(prefix):
                continue
            if entry.dtype not in DTYPES:
                raise CheckpointError(f"{path}: tensor '{name}' has the dtype {entry.dtype}, which is not supported.")
            file.seek(table.data_begin + entry.begin)
            flat = np.fromfile(file, DTYPES[entry.dtype], math.prod(entry.shape))
            if flat.nbytes != entry.end - entry.begin:
                raise unsound(path, f"it ended within '{name}'")
            arrays[name.removeprefix(prefix)] = flat.reshape(entry.shape)
    return arrays


def laid_out(tensors: Mapping[str, Tensor]) -> dict[str, TensorEntry]:
    """Where each tensor lies in a file, in the order they lie there."""
    entries, offset = {}, 0
    # Widest items first, as the safetensors library lays them out: every tensor is then aligned.
    for name in sorted(tensors, key=lambda key: (-tensors[key].itemsize, key)):
        value = tensors[name]
        dtype = next(code for code, kind in DTYPES.items() if value.dtype == kind)
        entries[name] = TensorEntry(name, dtype, value.shape, offset, offset + value.nbytes)
        offset += value.nbytes
    return entries


def contents(tensors: Mapping[str, Tensor], entries: Mapping[str, TensorEntry]) -> Iterator[memoryview]:
    """The bytes of each tensor as they follow each other in the file; those in memory, not a copy."""
    for name in entries:
        yield np.ascontiguousarray(tensors[name]).reshape(-1).view(np.uint8).data


def packed_file(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> Iterator[bytes | memoryview]:
    """A safetensors file, piece by piece: as a whole it would be a second copy of everything in it."""
    entries = laid_out(tensors)
    document = {"__metadata__": dict(metadata)} | {
        entry.name: {"dtype": entry.dtype, "shape": list(entry.shape), "data_offsets": [entry.begin, entry.end]}
        for entry in entries.values()
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    yield from contents(tensors, entries)


def unsound(path: Path, cause: str) -> CheckpointError:
    return CheckpointError(f"{path} is not a sound safetensors file: {cause}. Copy or download it again.")


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For json.loads: two entries of one name are a way to show a reader one thing and a checker another."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key appears twice")
    return document


def _entry(path: Path, name: str, entry: Any) -> TensorEntry:
    match entry:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(begin), int(end)]}:
            if all(type(size) is int and 0 <= size < 2**48 for size in shape) and 0 <= begin <= end:
                known = DTYPES.get(dtype)
                if known is not None and math.prod(shape) * np.dtype(known).itemsize != end - begin:
                    raise unsound(path, f"'{name}' declares {dtype} {shape} but holds {end - begin:,} bytes")
                return TensorEntry(name, dtype, tuple(shape), begin, end)
    raise unsound(path, f"the entry of '{name}' is not understood")
