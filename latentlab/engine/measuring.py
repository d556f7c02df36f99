"""Measuring a model as a job: with the encodings of its checkpoint, or with pictures of the user's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from latentlab.core.errors import SaveError
from latentlab.core.latent_model import LatentModel
from latentlab.core.measurement import Measurement, keep
from latentlab.core.pictures import Crop
from latentlab.core.requests import Report
from latentlab.engine.map_making import opened_model

COUNT = 1000  # pictures, and draws
READING = 0.2  # of the way


@dataclass(frozen=True)
class Measured:
    """`path` is where it is kept, `unkept` says why it could not be; `skipped` a line for each unusable file."""

    measurement: Measurement
    path: str = ""
    skipped: tuple[str, ...] = ()
    unkept: str = ""


def run(report: Report, path: str, checkpoint: str = "", **options: Any) -> Measured:
    """The job "latentlab.engine.measuring:run": measures what is in a file, and keeps the result beside it.

    `checkpoint`: the SHA-256 that is meant. `options`: those of `run_on`; device, trust and options: how it is read.
    Raises CheckpointError, DataError, OptionError.
    """
    from latentlab.formats.kept_encodings import with_kept_encodings

    how = {name: options.pop(name) for name in ("device", "trust", "options") if name in options}
    check(**{name: options[name] for name in ("crop", "count", "features") if name in options})
    model = with_kept_encodings(opened_model(report, path, checkpoint=checkpoint, **how))
    found = run_on(report, model, **options)
    try:
        return replace(found, path=str(keep(model.info, found.measurement)))
    except SaveError as error:  # it was measured all the same; the window shows it for as long as it is open
        return replace(found, unkept=str(error))


def run_on(
    report: Report,
    model: LatentModel,
    images: str = "",
    crop: str = "centre",
    count: int = COUNT,
    features: str = "pixels",
    seed: int = 0,
) -> Measured:
    """`images`: a folder or an `.npz`; the model's encodings if empty. `features`: "pixels" or "classifier", where
    draws are compared with pictures. Raises DataError, OptionError.
    """
    from latentlab.measure.quality import checked_features, measured
    from latentlab.measure.real_pictures import RealPictures, in_path, of_thumbnails

    check(crop, count, features)
    image = model.info.image
    real: RealPictures | None = None
    if images:
        real = in_path(Path(images), image, Crop.parse(crop), 2 * count, _reading(report))
    elif model.encodings is not None:
        report.progress(0, 1, "reading thumbnails")
        real = of_thumbnails(model.encodings, image, 2 * count, seed)
    begin = READING if images else 0.0  # of the way, reading is behind
    found = measured(
        model,
        real,
        count=count,
        features=checked_features(features),
        seed=seed,
        tell=lambda share, text: report.progress(begin + (1 - begin) * share, 1, text),
    )
    return Measured(found, skipped=() if real is None else real.skipped)


def check(crop: str = "centre", count: int = COUNT, features: str = "pixels") -> None:
    """Raises OptionError: said before the seconds that opening a model takes."""
    from latentlab.measure.quality import checked_count, checked_features

    checked_features(features)
    Crop.parse(crop)
    checked_count(count)


def _reading(report: Report) -> Any:
    def tell(done: int, total: int, text: str) -> None:
        report.progress(READING * done / max(total, 1), 1, f"{text}: {done:,} of {total:,}")

    return tell
