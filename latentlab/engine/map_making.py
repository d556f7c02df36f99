"""Encodings for a checkpoint that carries none: of a folder of pictures, or draws from its prior. As jobs.

What is made is kept beside the checkpoint, where every later opening finds it. Shapes: N encodings, D latent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.decoding_in_time import slices_in_time
from latentlab.core.encodings import EncodingSet, Thumbnails
from latentlab.core.encodings_file import write_encodings
from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.latent_model import LatentModel
from latentlab.core.pictures import Crop
from latentlab.core.requests import Report

DRAWS = 2000
FEWEST_DRAWS = 64
DRAWING_S = 60.0  # a slow model draws as many as fit
PIECE = 32


@dataclass(frozen=True, eq=False)
class Made:
    """`path` is where the encodings are kept, `skipped` a line for each file that could not be used."""

    encodings: EncodingSet
    path: str
    skipped: tuple[str, ...] = ()


def run_folder(report: Report, path: str, folder: str, crop: str = "centre", **how: Any) -> Made:
    """The job "latentlab.engine.map_making:run_folder": every picture of a folder encoded, with its labels.

    `how`: checkpoint (the SHA-256 that is meant), device, trust, options, limit. Raises CheckpointError, DataError,
    OptionError, SaveError.
    """
    from latentlab.measure.encoding import encode_folder

    limit = how.pop("limit", None)
    model = opened_model(report, path, **how)
    encodings, skipped = encode_folder(model, Path(folder), crop=Crop.parse(crop), limit=limit, report=report)
    return _kept(report, model, encodings, Path(folder).name, skipped)


def run_draws(report: Report, path: str, count: int = DRAWS, seed: int = 0, **how: Any) -> Made:
    """The job "latentlab.engine.map_making:run_draws": draws from the prior with their pictures.

    `how` as of `run_folder`. Raises CheckpointError, OptionError, SaveError.
    """
    model = opened_model(report, path, **how)
    space = model.info.spaces[0]
    if not space.drawable:
        raise OptionError("Draws from this model's prior are no pictures; encode a folder of pictures instead.")
    return _kept(report, model, drawn(model, count, seed, report), f"draws of seed {seed}")


def drawn(model: LatentModel, count: int, seed: int, report: Report, seconds: float = DRAWING_S) -> EncodingSet:
    """`count` draws, or as many as can be decoded in that time: at least 64. Of each class alike, where it is asked."""
    from latentlab.measure.encoding import coded_thumbnails, components

    latents_ND, classes = model.sample(count, seed), model.info.conditional or ()
    labels_N = np.arange(count) % len(classes) if classes else None
    coded: list[bytes] = []
    for part, wanted in slices_in_time(count, PIECE, FEWEST_DRAWS, seconds):
        report.progress(part.start, wanted, f"drawing: {part.start:,} of {wanted:,}")
        asked = None if labels_N is None else labels_N[part].tolist()
        piece = coded_thumbnails(model.decode(latents_ND[part], condition=asked))
        coded += [piece.coded(index) for index in range(len(piece))]
    latents_ND = latents_ND[: len(coded)]
    offsets = np.concatenate([[0], np.cumsum([len(code) for code in coded])]).astype(np.int64)
    return EncodingSet(
        latents_ND,
        model.info.spaces[0].name,
        labels=None if labels_N is None else labels_N[: len(coded)],
        label_names=classes,
        names=tuple(f"sample {index} of seed {seed}" for index in range(len(coded))),
        thumbnails=Thumbnails(np.frombuffer(b"".join(coded), np.uint8), offsets),
        pca=components(latents_ND),
        samples=True,
    )


def opened_model(
    report: Report,
    path: str,
    checkpoint: str = "",
    device: str = "auto",
    trust: bool = False,
    options: Mapping[str, Any] | None = None,
) -> LatentModel:
    """What a job works on, as the file alone gives it. Raises CheckpointError, OptionError."""
    from latentlab.formats import found
    from latentlab.formats.reading import checked_options, open_file

    if not path:
        raise OptionError("The model lives in the process that called explore(). Give it images=… there.")
    report.progress(0, 0, "opening the model")
    model = open_file(found(Path(path)), checked_options(device, trust, options or {}))
    if checkpoint and model.info.sha256 != checkpoint:
        raise CheckpointError(f"{path} has changed since it was opened. Open it again.")
    return model


def _kept(
    report: Report, model: LatentModel, encodings: EncodingSet, made_from: str, skipped: tuple[str, ...] = ()
) -> Made:
    report.progress(1, 1, "saving")
    path = write_encodings(model.info, encodings, made_from)
    return Made(encodings, str(path), skipped)
