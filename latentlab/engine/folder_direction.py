"""A direction from folders of pictures, with something and without it: a job. Shapes: N pictures, D latent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.atomic import displayed
from latentlab.core.direction_making import pictures_direction
from latentlab.core.directions import Direction
from latentlab.core.errors import DataError, OptionError
from latentlab.core.latent_model import LatentModel
from latentlab.core.pictures import Crop
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray
from latentlab.engine.map_making import opened_model

SEARCH_STEPS = 150  # of the optimisation: half of what one picture gets that is looked at
SEARCHED_AT_MOST = 20  # pictures of a folder, where each must be searched for: that takes seconds a picture


@dataclass(frozen=True, eq=False)
class FolderDirection:
    direction: Direction
    with_it: int  # pictures
    without: int  # pictures, or encodings of the model
    skipped: tuple[str, ...] = ()  # a line for each file that could not be used


def run(
    report: Report, path: str, with_folder: str, name: str, without_folder: str = "",
    against: FloatArray | None = None, crop: str = "centre", **how: Any,
) -> FolderDirection:  # fmt: skip
    """The job "latentlab.engine.folder_direction:run": from the pictures of `without_folder` to those of `with_folder`.

    Without the second, from the encodings `against` (N, D). Where the model has no encoder each picture is searched
    for, 20 of each folder at most. `how`: checkpoint (the SHA-256 that is meant), device, trust, options. Raises
    CheckpointError, DataError, OptionError.
    """
    model = opened_model(report, path, **how)
    made, skipped = folders_direction(model, report, Path(with_folder), without_folder, name, against, Crop.parse(crop))
    return FolderDirection(made[0], made[1], made[2], skipped)


def folders_direction(
    model: LatentModel, report: Report, with_folder: Path, without_folder: Path | str, name: str,
    against: FloatArray | None, crop: Crop,
) -> tuple[tuple[Direction, int, int], tuple[str, ...]]:  # fmt: skip
    """((the direction, how many have it, how many have it not), a line for each file that could not be used)."""
    if not without_folder and (against is None or not len(against)):
        raise DataError(
            "This model carries no encodings to compare with: name a second folder, of pictures without it."
        )
    if not without_folder and not model.info.encoder:
        raise OptionError("This model has no encoder: name a second folder too, of pictures without it.")
    parts = 2 if without_folder else 1
    with_ND, skipped = _latents_of(model, with_folder, _Part(report, 0, parts), crop)
    if not without_folder:
        assert against is not None
        made = pictures_direction(with_ND, against, name, model.info, against_encodings=True)
        return (made, len(with_ND), len(against)), skipped
    without_ND, more = _latents_of(model, Path(without_folder), _Part(report, 1, parts), crop)
    made = pictures_direction(with_ND, without_ND, name, model.info)
    return (made, len(with_ND), len(without_ND)), skipped + more


@dataclass(frozen=True)
class _Part:
    """A report of one of several parts of a job."""

    whole: Report
    index: int
    of: int

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.whole.progress((self.index + done / max(total, 1e-9)) / self.of, 1.0, text)

    def partial(self, value: Any) -> None:
        """Pictures on the way are of no use here, but a cancelled job ends at them too."""


def _latents_of(model: LatentModel, folder: Path, report: Report, crop: Crop) -> tuple[FloatArray, tuple[str, ...]]:
    from latentlab.measure.encoding import encode_folder

    if model.info.encoder:
        encodings, skipped = encode_folder(model, folder, crop=crop, report=report)
        return encodings.latents, skipped
    return _searched(model, folder, report, crop)


def _searched(model: LatentModel, folder: Path, report: Report, crop: Crop) -> tuple[FloatArray, tuple[str, ...]]:
    from latentlab.core.picture_folder import listed, read_all
    from latentlab.measure.inversion import invert
    from latentlab.models.inverter import load_inverter
    from latentlab.models.torch_model import TorchModel

    if not isinstance(model, TorchModel):
        raise OptionError("This model has no encoder, and its latents cannot be searched for: no folder can be used.")
    listing = listed(folder)
    if len(listing.files) > SEARCHED_AT_MOST:
        listing = listing.subset(np.linspace(0, len(listing.files) - 1, SEARCHED_AT_MOST).astype(np.int64))
    pictures, usable, reasons = read_all(listing.files, model.info.image.height, crop, lambda *_: None)
    if not len(usable):
        raise DataError(f"No picture in {displayed(folder)} can be used; the first: {reasons[0]}")
    inverter = load_inverter(Path(model.info.path)) if model.info.format == "native" else None
    found: list[FloatArray] = []
    for index, picture in enumerate(pictures):
        each = _Part(report, index, len(pictures))
        found.append(invert(model, picture, steps=SEARCH_STEPS, inverter=inverter, report=each).latent)
        report.progress(index + 1, len(pictures), f"searching: {index + 1} of {len(pictures)}")
    return np.stack(found), listing.skipped + tuple(reasons)
