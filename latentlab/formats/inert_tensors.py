"""Tensors out of a pickle that was read inertly: their bytes are found and bounded, PyTorch's loaders are not asked.

A tensor in a plain pickle is a call of `_rebuild_tensor_v2` with a storage; the storage is a call of `_load_from_bytes`
with a file of its own in PyTorch's old format: four pickles and the numbers.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.formats.inert_pickle import Call, Name, Reader, Stored
from latentlab.formats.sniff import LEGACY_TORCH

DTYPES = {
    "FloatStorage": "<f4", "HalfStorage": "<f2", "DoubleStorage": "<f8", "BFloat16Storage": "<u2", "LongStorage": "<i8",
    "IntStorage": "<i4", "ByteStorage": "|u1", "BoolStorage": "|u1",
}  # fmt: skip
PARAMETERS = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
TENSOR, STORAGE = "torch._utils._rebuild_tensor_v2", "torch.storage._load_from_bytes"


class Tensors:
    """Of one file of so many bytes. Storages that several tensors share are read once."""

    def __init__(self, reader: Reader, size: int) -> None:
        self._reader = reader
        self._left = size
        self._storages: dict[int, tuple[str, NDArray[Any]]] = {}

    def tensor(self, value: Any) -> Tensor | None:
        """A copy in float32 (integers as they are); None for what is no tensor. Raises ValueError."""
        arguments = arguments_of(value, *PARAMETERS)
        if arguments:
            return self.tensor(arguments[0])
        arguments = arguments_of(value, TENSOR)
        if not arguments:
            return None
        storage, offset, size, stride = arguments[:4]
        kind, numbers = self._storage(storage)
        sizes, strides = _whole(size), _whole(stride)
        if not isinstance(offset, int) or offset < 0 or len(sizes) != len(strides) or math.prod(sizes) > len(numbers):
            raise ValueError("a tensor claims more than its storage holds")
        last = offset + sum((count - 1) * step for count, step in zip(sizes, strides, strict=True))
        if math.prod(sizes) and last >= len(numbers):
            raise ValueError("a tensor claims more than its storage holds")
        self._left -= math.prod(sizes) * numbers.itemsize
        if self._left < 0:
            raise ValueError("its tensors claim more than the file holds")
        seen = np.lib.stride_tricks.as_strided(
            numbers[offset:], sizes, [step * numbers.itemsize for step in strides], writeable=False
        )
        made = torch.from_numpy(np.array(seen, order="C"))
        if kind == "BFloat16Storage":
            return made.view(torch.bfloat16).float()
        return made.float() if made.is_floating_point() else made

    def _storage(self, value: Any) -> tuple[str, NDArray[Any]]:
        if id(value) not in self._storages:
            self._storages[id(value)] = self._read(arguments_of(value, STORAGE))
        return self._storages[id(value)]

    def _read(self, arguments: tuple[Any, ...]) -> tuple[str, NDArray[Any]]:
        data = arguments[0] if arguments else None
        encoded = arguments_of(data, "_codecs.encode")  # how bytes were written before there was a step for them
        if len(encoded) == 2 and isinstance(encoded[0], str) and encoded[1] == "latin1":
            data = encoded[0].encode("latin1")
        if not isinstance(data, bytes) or not data.startswith(LEGACY_TORCH[:14]):
            raise ValueError("a storage that is not PyTorch's")
        source = io.BytesIO(data)
        _, _, _, found, keys = [self._reader.read(source) for _ in range(5)]
        identity: Any = found.identity if isinstance(found, Stored) else ()
        kind = identity[1] if isinstance(identity, tuple) and len(identity) in (5, 6) else None
        if not isinstance(kind, Name) or kind.module != "torch" or kind.name not in DTYPES:
            raise ValueError("a storage of an unknown kind")
        if keys != [identity[2]] or (len(identity) == 6 and identity[5] is not None):
            raise ValueError("a storage that is part of another one")
        dtype = np.dtype(DTYPES[kind.name])
        count = int.from_bytes(source.read(8), "little")
        if count != identity[4] or count * dtype.itemsize > len(data) - source.tell():
            raise ValueError("a storage that claims more than the file holds")
        return kind.name, np.frombuffer(data, dtype, count, source.tell())


def arguments_of(value: Any, *called: str) -> tuple[Any, ...]:
    """What one of these functions would have been called with; empty for anything else."""
    if isinstance(value, Call) and isinstance(value.called, Name) and value.called.whole in called:
        return value.arguments if isinstance(value.arguments, tuple) else ()
    return ()


def _whole(value: Any) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > 8:
        raise ValueError("a tensor without a size")
    if not all(isinstance(number, int) and 0 <= number < 1 << 40 for number in value):
        raise ValueError("a tensor of an impossible size")
    return value
