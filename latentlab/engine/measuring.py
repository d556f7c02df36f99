"""Measuring a model as a job: with the encodings of its checkpoint, or with pictures of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentlab.core.errors import SaveError
from latentlab.core.measurement import Measurement, keep
from latentlab.core.pictures import Crop
from latentlab.core.requests import Report
from latentlab.engine.map_making import opened_model

COUNT = 1000  # pictures, and draws


@dataclass(frozen=True)
class Measured:
    """`path` is where it is kept, empty where it could not be; `skipped` a line for each file that was not usable."""

    measurement: Measurement
    path: str = ""
    skipped: tuple[str, ...] = ()


def run(
    report: Report,
    path: str,
    images: str = "",
    crop: str = "centre",
    count: int = COUNT,
    features: str = "pixels",
    seed: int = 0,
    **how: Any,
) -> Measured:
    """The job "latentlab.engine.measuring:run". `images`: a folder or an `.npz`; the checkpoint's encodings if empty.

    `features`: "pixels" or "classifier", where draws are compared with pictures. `how`: checkpoint (the SHA-256 that
    is meant), device, trust, options. Raises CheckpointError, DataError, OptionError.
    """
    from latentlab.formats.kept_encodings import with_kept_encodings
    from latentlab.measure.quality import checked_count, checked_features, measured
    from latentlab.measure.real_pictures import in_path, of_thumbnails

    features, cropping = checked_features(features), Crop.parse(crop)
    checked_count(count)
    model = with_kept_encodings(opened_model(report, path, **how))
    image = model.info.image
    if images:
        real = in_path(Path(images), image, cropping, 2 * count, _reading(report))
    elif model.encodings is not None:
        report.progress(0, 1, "reading thumbnails")
        real = of_thumbnails(model.encodings, image, 2 * count, seed)
    else:
        real = None
    begin = 0.2 if images else 0.0  # of the way, reading is behind
    found = measured(
        model,
        real,
        count=count,
        features=features,
        seed=seed,
        tell=lambda share, text: report.progress(begin + (1 - begin) * share, 1, text),
    )
    skipped = () if real is None else real.skipped
    try:
        return Measured(found, str(keep(model.info, found)), skipped)
    except SaveError:  # it was measured all the same; the window shows it for as long as it is open
        return Measured(found, "", skipped)


def _reading(report: Report) -> Any:
    def tell(done: int, total: int, text: str) -> None:
        report.progress(0.2 * done / max(total, 1), 1, f"{text}: {done:,} of {total:,}")

    return tell
