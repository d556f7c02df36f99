"""A folder of pictures as a data set; how folders are understood is in `latentlab.core.picture_folder`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentlab.core.errors import DataError
from latentlab.core.picture_folder import listed, portable_name, read_all
from training.data.dataset import Dataset
from training.data.mapped import room_for
from training.data.source import Request

DEFAULT_SIZE = 64  # px


def load(request: Request) -> Dataset:
    """Raises DataError: no picture, or none that can be used, or a table that is not understood."""
    folder = Path(request.data)
    listing = listed(folder)
    if request.limit is not None and request.limit < len(listing.files):
        order = np.random.default_rng(request.seed).permutation(len(listing.files))
        listing = listing.subset(np.sort(order[: request.limit]))
    room = room_for(request.scratch, request.mapped)
    size = request.size or DEFAULT_SIZE
    pictures, usable, reasons = read_all(listing.files, size, request.crop, request.report, room)
    skipped = listing.skipped + tuple(reasons)
    if not len(usable):
        raise DataError(f"No picture in {folder} can be used. {len(skipped):,} were tried; the first: {skipped[0]}")
    kept = listing.subset(usable)
    return Dataset(
        name=portable_name(folder.resolve().name or str(folder)),
        images=pictures,
        labels=kept.labels,
        label_names=kept.label_names,
        attributes=kept.attributes,
        attribute_names=kept.attribute_names,
        names=kept.names,
        licence=_licence(folder),
        skipped=skipped,
    )


def _licence(folder: Path) -> str:
    """The first line of LICENCE.txt beside the pictures, where there is one."""
    for name in ("LICENCE.txt", "LICENSE.txt", "LICENCE", "LICENSE"):
        file = folder / name
        if file.is_file():
            lines = file.read_text("utf-8", "replace").strip().splitlines()
            return lines[0][:200] if lines else ""
    return ""
