"""An `.npz` of pictures as a data set, and a data set as an `.npz`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.atomic import atomic_file
from latentlab.core.picture_archive import read_archive
from latentlab.core.picture_folder import portable_name
from training.data.dataset import Dataset
from training.data.mapped import is_mapped
from training.data.source import Request

Array = NDArray[Any]


def load(request: Request) -> Dataset:
    """Raises DataError: not an .npz, object arrays, false or excessive sizes, arrays of the wrong kind."""
    path = Path(request.data)
    found = read_archive(path, lambda needed: is_mapped(needed, request.mapped))
    left, top, right, bottom = request.crop.rectangle(found.images.shape[2], found.images.shape[1])
    images = found.images[:, top:bottom, left:right]
    return Dataset(
        name=portable_name(path.stem),
        images=images if isinstance(images, np.memmap) else np.ascontiguousarray(images),
        labels=found.labels,
        label_names=found.label_names,
        attributes=found.attributes,
        attribute_names=found.attribute_names,
        names=found.names,
        licence=found.licence,
    )


def save(path: Path, data: Dataset) -> None:
    """Writes what `load` reads, atomically. Raises SaveError. A test set of its own is not kept apart."""
    words = {"label_names": data.label_names, "attribute_names": data.attribute_names, "names": data.names}
    arrays: dict[str, Array] = {"images": data.images}
    arrays |= {name: np.array(value) for name, value in words.items() if value}
    arrays |= {name: value for name in ("labels", "attributes") if (value := getattr(data, name)) is not None}
    if data.licence:
        arrays["licence"] = np.array([data.licence])
    with atomic_file(path) as file:  # not through memory, which may be smaller than the pictures
        np.savez(file, **arrays)  # type: ignore[arg-type]
