"""`measure_model`: the figures of a model, from Python.

Shapes: N pictures, H W C of them, A attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from latentlab.core.errors import DataError
from latentlab.core.latent_model import LatentModel, check_model
from latentlab.core.measurement import Measurement
from latentlab.core.pictures import Crop
from latentlab.core.requests import Report


def measure_model(
    model: LatentModel,
    images: ArrayLike | str | PathLike[str] | None = None,
    *,
    labels: ArrayLike | None = None,
    attributes: Mapping[str, ArrayLike] | ArrayLike | None = None,
    count: int = 1000,
    features: str = "pixels",
    crop: str = "centre",
    seed: int = 0,
    report: Report | None = None,
) -> Measurement:
    """Reconstruction error, KL per dimension, continuity, completeness, precision, recall, Fréchet distance, sharpness.

    `images`: a folder, an `.npz`, or an array (N, H, W), (N, H, W, C) or (N, C, H, W), uint8 or float in [0, 1];
    without them the thumbnails of the model's encodings, where it has any. At most `count` (32 to 20,000) are
    measured on, as many are drawn, and as many more say what real pictures would reach. `features`: where draws are
    compared: "pixels" (64 principal components) or "classifier" (trained on the labels of the pictures first).
    `measurement.figures` holds numbers by section and name, `source` and `notes` say what they rest on; distances
    of different feature spaces do not compare. Raises DataError, OptionError.
    """
    from latentlab.measure.quality import checked_count, checked_features, measured

    check_model(model, "measure_model")
    checked_count(count)
    chosen = checked_features(features)
    real = _real(model, images, labels, attributes, 2 * count, Crop.parse(crop), seed, report)

    def tell(share: float, text: str) -> None:
        if report is not None:
            report.progress(share, 1, text)

    return measured(model, real, count=count, features=chosen, seed=seed, tell=tell)


def _real(
    model: LatentModel,
    images: Any,
    labels: ArrayLike | None,
    attributes: Mapping[str, ArrayLike] | ArrayLike | None,
    count: int,
    crop: Crop,
    seed: int,
    report: Report | None,
) -> Any:
    from latentlab.api.exploring import known_of, some_pictures
    from latentlab.measure.real_pictures import given, in_path, of_thumbnails

    image, encodings = model.info.image, model.encodings
    if images is None or isinstance(images, str | PathLike):
        if labels is not None or attributes is not None:
            raise DataError("Labels and attributes describe an array of images; a folder and an .npz bring their own.")
        if images is None:
            return None if encodings is None else of_thumbnails(encodings, image, count, seed)

        def reading(done: int, total: int, text: str) -> None:
            if report is not None:
                report.progress(0, 1, f"{text}: {done:,} of {total:,}")

        return in_path(Path(images), image, crop, count, reading)
    pictures = some_pictures(images)
    return given(pictures, image, known_of(labels, attributes, len(pictures)), count)
