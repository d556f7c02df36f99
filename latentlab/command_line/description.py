"""What `latentlab info` prints of a checkpoint. Native ones are read without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import METADATA_KEY, model_info, read_encodings, read_header, verify
from latentlab.core.encodings import EncodingSet
from latentlab.core.encodings_file import encodings_beside
from latentlab.core.latent_model import ModelInfo
from latentlab.core.safetensors_table import read_table
from latentlab.formats import Options, found
from latentlab.formats.reading import open_whole

HAS_IT = 0.5  # attributes are 1 or 0; predicted ones lie between


def describe(path: Path, options: Options) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The document of `info`, and what is to be said beside it: a guessed activation, a tensor with NaN, …

    Raises CheckpointError, also where the content does not fit its hash.
    """
    file = found(path)
    if file.kind == "safetensors" and METADATA_KEY in read_table(file.path).metadata:
        verify(file.path)
        info, encodings = model_info(file.path, read_header(file.path)), read_encodings(file.path)
        beside = encodings_beside(info)
        encodings = beside.encodings or encodings
        return document_of(info, encodings), (*info.warnings, *([beside.warning] if beside.warning else []))
    model = open_whole(file, options)
    return document_of(model.info, model.encodings), model.info.warnings


def document_of(info: ModelInfo, encodings: EncodingSet | None) -> dict[str, Any]:
    image = info.image
    return {
        "path": displayed(info.path),
        "format": info.format,
        "family": info.family,
        "image": {"height": image.height, "width": image.width, "channels": image.channels},
        "spaces": [{"name": space.name, "shape": list(space.shape), "prior": space.prior} for space in info.spaces],
        "encoder": info.encoder,
        "conditional": None if info.conditional is None else list(info.conditional),
        "conditional_attributes": list(info.conditional_attributes),
        "encodings": None if encodings is None else _encodings(encodings),
        "training": {"data": None, "epochs": None, "seed": None, **info.training},
        "figures": info.figures,
        "licence": info.licence,
        "sha256": info.sha256,
    }


def _encodings(encodings: EncodingSet) -> dict[str, Any]:
    return {
        "count": len(encodings),
        "labels": _labels(encodings),
        "attributes": [
            {
                "name": name,
                "predicted": name in encodings.predicted,
                "positives": int(np.count_nonzero(encodings.attribute(name) > HAS_IT)),
            }
            for name in encodings.attribute_names
        ],
    }


def _labels(encodings: EncodingSet) -> list[str]:
    if encodings.label_names or encodings.labels is None:
        return list(encodings.label_names)
    return [str(label) for label in np.unique(encodings.labels) if label >= 0]
