"""An `.npz` of pictures: `images` uint8, and what is said of each. Never unpickled.

Every array is judged by what its header declares before a byte of it is inflated. Shapes: N pictures of H x W x C
(C is 1 or 3), A attributes.
"""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.errors import DataError
from latentlab.core.pictures import ENDINGS

KNOWN = ("images", "labels", "attributes", "attribute_names", "label_names", "names", "licence")
PACKED_ENDINGS = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz")
RATIO_LIMIT = 100  # an honest set of pictures deflates less; a bomb about 1,000 times
FREE_BYTES = 64 * 2**20  # below this any ratio will do
BYTES_LIMIT = 64 * 2**30
LOCAL_HEADER = struct.Struct("<26x2H")  # of a zip entry: the lengths of its name and of what follows the name

Array = NDArray[Any]
Mapped = Callable[[int], bool]  # whether so many bytes of pictures are left in the file


@dataclass(frozen=True, eq=False)
class PictureArchive:
    """What an `.npz` holds; its parts have the same length."""

    images: NDArray[np.uint8]  # (N, H, W, C)
    labels: NDArray[np.int64] | None = None  # (N,), index into label_names; -1 unknown
    label_names: tuple[str, ...] = ()
    attributes: NDArray[np.float32] | None = None  # (N, A)
    attribute_names: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    licence: str = ""


def in_memory(_needed: int) -> bool:
    """Nothing is left in the file."""
    return False


def read_archive(path: Path, mapped: Mapped = in_memory) -> PictureArchive:
    """Raises DataError: not an .npz, object arrays, false or excessive sizes, arrays of the wrong kind.

    Pictures that are stored without compression are mapped instead of read where `mapped` says so of their bytes.
    """
    if path.suffix.lower() in ENDINGS:
        raise DataError(f"{path} is a single picture; name the folder that it lies in.")
    if path.suffix.lower() in PACKED_ENDINGS:
        raise DataError(f"{path} is packed; unpack it and name the folder of its pictures.")
    arrays = _read(path, mapped)
    if "images" not in arrays:
        raise DataError(f"{path} holds no array 'images'; it has {', '.join(arrays) or 'none that are known'}.")
    images = _pictures(path, arrays["images"])
    labels = _numbers(path, arrays, "labels", (len(images),))
    if labels is not None and not np.equal(np.mod(labels, 1), 0).all():
        raise DataError(f"{path}: 'labels' must be whole numbers, the index of a class.")
    names = _words(arrays, "attribute_names")
    attributes = _numbers(path, arrays, "attributes", (len(images), None))
    if attributes is not None and not names:
        names = tuple(f"attribute {index + 1}" for index in range(attributes.shape[1]))
    return PictureArchive(
        images=images,
        labels=None if labels is None else labels.astype(np.int64),
        label_names=_label_names(arrays, labels),
        attributes=None if attributes is None else attributes.astype(np.float32),
        attribute_names=names if attributes is not None else (),
        names=_words(arrays, "names"),
        licence="".join(_words(arrays, "licence")[:1]),
    )


def declared_count(path: Path) -> int | None:
    """How many pictures an archive says it holds, none of them read; None where it does not say. Raises OSError."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("images.npy") as file:
            shape, _, _ = _header(file)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, ValueError, EOFError, SyntaxError):
        return None
    return int(shape[0]) if shape else None


def _read(path: Path, mapped: Mapped) -> dict[str, Array]:
    """The known arrays. Raises DataError before anything is allocated from a false size."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            return {
                name: _array(path, archive, info, name, mapped if name == "images" else in_memory)
                for name, info in members.items()
                if name in KNOWN and info.filename.endswith(".npy")
            }
    except zipfile.BadZipFile as error:
        if path.read_bytes()[:6] == b"\x93NUMPY":
            raise DataError(f"{path} is a single array; save it with np.savez('faces.npz', images=…).") from error
        raise DataError(f"{path} is not a sound .npz file ({error}); save it again with np.savez.") from error
    except (NotImplementedError, RuntimeError, EOFError) as error:  # an unknown compression; encrypted; cut short
        raise DataError(f"{path} cannot be read ({error}); save it again with np.savez.") from error


def _array(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, mapped: Mapped) -> Array:
    stored = min(info.compress_size, path.stat().st_size)
    if info.file_size > min(RATIO_LIMIT * stored + FREE_BYTES, BYTES_LIMIT):
        raise DataError(
            f"{path}: '{name}' claims {info.file_size / 1e9:,.1f} GB from {stored / 1e6:,.1f} MB in the file; refused. "
            "If it is sound, save it with np.savez (not compressed)."
        )
    with archive.open(info) as file:
        try:
            shape, fortran, dtype = _header(file)
        except (ValueError, EOFError, TypeError, SyntaxError) as error:
            raise DataError(f"{path}: the header of '{name}' is not understood ({error}).") from error
        if dtype.hasobject:
            raise DataError(f"{path}: '{name}' holds Python objects, which can run code; save plain numbers or text.")
        needed = math.prod(shape) * dtype.itemsize
        if any(size < 0 for size in shape) or needed > info.file_size:
            raise DataError(
                f"{path}: '{name}' claims {shape} {dtype} = {needed / 1e9:,.1f} GB, the file holds "
                f"{info.file_size / 1e6:,.1f} MB of it; refused."
            )
        if info.compress_type == zipfile.ZIP_STORED and not fortran and needed and mapped(needed):
            # A stored entry lies in the archive as it is: what was read of it so far is its header.
            offset = _begin_of(path, info) + file.tell()
            return np.memmap(path, dtype, "r", offset, shape)
        content = bytearray(needed)
        _fill(path, file, memoryview(content), name)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _begin_of(path: Path, info: zipfile.ZipInfo) -> int:
    """Where the content of an entry begins in the archive; the central directory does not say it."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(LOCAL_HEADER.size)
        if len(header) < LOCAL_HEADER.size:
            raise DataError(f"{path} ended within '{info.filename}'; copy or save it again.")
        name_length, extra_length = LOCAL_HEADER.unpack(header)
    return info.header_offset + LOCAL_HEADER.size + int(name_length) + int(extra_length)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"version {version[0]}.{version[1]} of the format")


def _fill(path: Path, file: IO[bytes], target: memoryview, name: str) -> None:
    done = 0
    while done < len(target):
        piece = file.read(min(2**20, len(target) - done))
        if not piece:
            raise DataError(f"{path} ended within '{name}'; copy or save it again.")
        target[done : done + len(piece)] = piece
        done += len(piece)


def _pictures(path: Path, images: Array) -> NDArray[np.uint8]:
    if images.dtype != np.uint8:
        raise DataError(
            f"{path}: 'images' are {images.dtype}; save uint8 from 0 to 255, e.g. (255 * images).astype('uint8')."
        )
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or not images.size:
        raise DataError(f"{path}: 'images' are {images.shape}; (N, H, W) or (N, H, W, C) is needed.")
    if images.shape[3] not in (1, 3):
        hint = "move the channels to the end" if images.shape[1] in (1, 3) else "keep 1 or 3 channels"
        raise DataError(f"{path}: 'images' are {images.shape}, {images.shape[3]} channels; {hint}.")
    return images


def _numbers(path: Path, arrays: dict[str, Array], name: str, shape: tuple[int | None, ...]) -> Array | None:
    if name not in arrays:
        return None
    array = arrays[name]
    if array.dtype.kind not in "biuf":
        raise DataError(f"{path}: '{name}' are {array.dtype}; numbers are needed.")
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    if not fits:
        wanted = ", ".join("A" if size is None else f"{size:,}" for size in shape)
        raise DataError(f"{path}: '{name}' are {array.shape}; ({wanted}) is needed, one for each picture.")
    return array


def _words(arrays: dict[str, Array], name: str) -> tuple[str, ...]:
    return tuple(str(word) for word in arrays[name].ravel()) if name in arrays else ()


def _label_names(arrays: dict[str, Array], labels: Array | None) -> tuple[str, ...]:
    named = _words(arrays, "label_names")
    if named or labels is None:
        return named
    count = int(labels.max(initial=-1)) + 1
    if not 0 < count <= 1_000_000:
        raise DataError(f"The largest label is {count - 1:,}; labels count classes from 0.")
    return tuple(str(index) for index in range(count))
