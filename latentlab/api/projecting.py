"""`project`: the map of a model's encodings, from Python and for `latentlab map`.

Shapes: N encodings, M places, A attributes, H W C of pictures, D latent.
"""

from __future__ import annotations

import csv
import inspect
import io
from collections.abc import Callable
from typing import Any

import numpy as np

from latentlab.core.condition import Asked
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import DataError, OptionError, did_you_mean
from latentlab.core.latent_model import Images, LatentModel, check_model
from latentlab.core.projections import Projection
from latentlab.core.registry import PROJECTIONS
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray

EDGE = 1.0  # percent of the encodings that may lie outside of a lattice on each side
FARTHEST = 4.0  # spacings: where a map has no true inverse, nothing is drawn farther from every encoding


def project(
    model: LatentModel,
    projection: str = "pca",
    *,
    x: str | int = "",
    y: str | int = "",
    report: Report | None = None,
    **parameters: Any,
) -> Projection:
    """A fitted map of the model's encodings, as the window draws it.

    `projection`: "pca" (`x`, `y`: components from 1), "tsne" (`perplexity`, `iterations`, `seed`, …), "umap"
    (`neighbours`, `min_dist`, `seed`, …; needs the extra `maps`) or "plane" (`x`, `y`: names of directions, or
    "dimension 12"). The result has `layout_` float32 (N, 2), NaN for an encoding that is not finite, and `notes`;
    `transform(latents)` float32 (M, 2) says where other latents belong, `inverse(places)` gives `latents` (M, D) with
    the `distance` to the nearest encoding. Raises OptionError, and DataError for a model without encodings.
    """
    check_model(model, "project")
    encodings = mapped(model)
    chosen: Callable[..., Projection] = PROJECTIONS[projection].load()
    axes = {name: value for name, value in (("x", x), ("y", y)) if value != ""}
    if projection == "pca":
        parameters = {"pca": encodings.principal, **axes, **parameters}
    elif projection == "plane":
        if len(axes) < 2:
            raise OptionError("A plane needs two axes: x and y, names of attributes or 'dimension 12'.")
        parameters = {"directions": model.directions, **axes, **parameters}
    elif axes:
        raise OptionError(f"The map {projection} has no axes that could be chosen; leave x and y out.")
    else:  # draws lie on a shell, where angles say more than distances
        parameters = {"spherical": encodings.samples, **parameters}
    known = inspect.signature(chosen).parameters
    for name in parameters:
        if name not in known:
            raise OptionError(f"The map {projection} has no parameter '{name}'.{did_you_mean(name, known)}")
    return chosen(**parameters).fit(encodings.latents, report)


def mapped(model: LatentModel) -> EncodingSet:
    """The encodings of a model. Raises DataError where there are none."""
    if model.encodings is None or not len(model.encodings):
        raise DataError("This model has no encodings to map. Encode pictures first: latentlab encode FILE --images …")
    return model.encodings


def lattice(
    model: LatentModel, projection: Projection, columns: int = 20, *, condition: Asked = None
) -> tuple[Images, FloatArray]:
    """Pictures in a grid over the map, row by row from the top, and their places: uint8 (M, H, W, C), float32 (M, 2).

    White where the map has no true inverse and every encoding is far. It spans all but the outermost percent of the
    encodings on each side; rows are as far apart as columns.
    """
    finite_N2 = projection.layout_[np.isfinite(projection.layout_).all(axis=1)]
    low_2, high_2 = np.percentile(finite_N2, [EDGE, 100 - EDGE], axis=0)
    width, height = np.maximum(high_2 - low_2, 1e-6)
    rows = int(np.clip(round(columns * height / width), 1, 4 * columns))
    along_X = low_2[0] + (np.arange(columns) + 0.5) * width / columns
    down_Y = high_2[1] - (np.arange(rows) + 0.5) * height / rows
    places_M2 = np.stack(np.meshgrid(along_X, down_Y), axis=-1).reshape(-1, 2).astype(np.float32)
    found = projection.inverse(places_M2)
    images = model.decode(found.latents, condition=condition)
    if not found.exact:
        images[found.distance > FARTHEST] = 255
    return images, places_M2


def as_csv(encodings: EncodingSet, projection: Projection) -> str:
    """One line for each encoding: index, name, label, its place (empty where it has none), and its attributes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["index", "name", "label", "x", "y", *encodings.attribute_names])
    for index, place in enumerate(projection.layout_):
        row = [] if encodings.attributes is None else encodings.attributes[index].tolist()
        numbers = [_number(value) for value in (*place.tolist(), *row)]
        writer.writerow([index, encodings.name_of(index), encodings.label_of(index), *numbers])
    return out.getvalue()


def _number(value: float) -> str:
    return f"{value:.7g}" if np.isfinite(value) else ""
