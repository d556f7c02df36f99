"""Figures of a checkpoint on data it was not trained on; `latentlab-train evaluate`.

Shapes: N pictures, D latent, H W C of pictures (uint8).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.atomic import atomic_write
from latentlab.core.checkpoint_file import Header, read_header
from latentlab.core.errors import CheckpointError, DataError, OptionError
from latentlab.core.manifold_parzen import POINTS_AT_MOST
from latentlab.core.picture_folder import Progress
from latentlab.core.spaces import LatentSpace
from latentlab.measure.encoding import encode_pictures, told_of
from latentlab.measure.figures import classifier_space, inversion_error, of_draws, of_reconstruction, pixel_space
from latentlab.models.inverter import load_inverter
from latentlab.models.loading import load_native
from latentlab.models.torch_model import TorchModel
from training.commanding import DATA_NOTE
from training.data import Dataset, load
from training.data.dataset import Part
from training.data.source import silent
from training.data_note import DataNote
from training.encode import JUDGED
from training.judging import of_conditions
from training.latent_figures import of_continuity, of_denoising, of_likelihood
from training.precision import Precision
from training.predicting import learned

CHECKPOINT = "checkpoint.safetensors"
PICTURES = 5000  # held-out ones at most
CLASSIFIER_STEPS = 1000
IMPORTANCE_SAMPLES = 100  # per picture; Burda et al. 2016 use 5,000


def evaluate(
    checkpoint: Path,
    data: str | None,
    *,
    out: Path | None = None,
    root: Path | None = None,
    crop: str | None = None,
    limit: int | None = None,
    samples: int = 2000,
    importance_samples: int = IMPORTANCE_SAMPLES,
    seed: int = 0,
    device: str = "auto",
    report: Progress = silent,
) -> tuple[dict[str, Any], Path]:
    """(figures, the file they were saved in). Raises CheckpointError, DataError, OptionError, SaveError."""
    if not 4 <= samples <= 100_000:
        raise OptionError(f"--samples {samples}: between 4 and 100,000 draws are judged.")
    if not 1 <= importance_samples <= 100_000:
        raise OptionError(f"--importance-samples {importance_samples}: between 1 and 100,000 per picture.")
    path = checkpoint / CHECKPOINT if checkpoint.is_dir() else checkpoint
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint {path}; name a .safetensors file, or the folder of a run.")
    header = read_header(path)
    dataset = _loaded(path, header, data, root, crop, limit, report)
    model = load_native(path, device)
    train, held_out = _split(header, dataset)
    figures: dict[str, Any] = {
        "checkpoint": path.name,
        "sha256": header.sha256,
        "data": dataset.name,
        "held_out": len(held_out),
    }
    if model.info.encoder:
        report(0, 1, "estimating likelihoods")
        figures |= of_encoder(model, header, train, held_out, importance_samples, seed)
    elif (inverter := load_inverter(path)) is not None:
        judged = held_out.limited(JUDGED)
        figures["inverter"] = {"mse": inversion_error(model, inverter, judged.images, judged)}
    # A conditional model is asked for what pictures of the data are.
    like = train.subset(np.random.default_rng(seed).integers(0, len(train), samples))
    latents_ND = _prior_without(model, train).sample(samples, seed=seed)
    drawn = model.decode(latents_ND, condition=told_of(model.info, like, samples))
    figures["samples"] = of_samples(model, drawn, train, held_out, report, like)
    written = out or path.parent / "evaluation.json"
    atomic_write(written, json.dumps(figures, indent=2).encode())
    return figures, written


def _prior_without(model: TorchModel, train: Part) -> LatentSpace:
    """Its prior without what was held out: a checkpoint's encodings, which draws are made around, are of all data."""
    space = model.info.spaces[0]
    if not space.is_drawn_around:
        return space
    return space.drawn_around(encode_pictures(model, train.limited(POINTS_AT_MOST).images).latents)


def of_encoder(
    model: TorchModel, header: Header, train: Part, held_out: Dataset, importance_samples: int, seed: int
) -> dict[str, Any]:
    """Reconstruction of held-out pictures, and whichever of denoising, likelihood and continuity the model has."""
    judged = held_out.limited(PICTURES)
    found = {
        "reconstruction": of_reconstruction(model, judged.images, judged),
        "denoising": of_denoising(model, header, held_out),
        "likelihood": of_likelihood(model, header, train, held_out, importance_samples, seed),
        "continuity": of_continuity(model, held_out),
    }
    return {name: values for name, values in found.items() if values}


def of_samples(
    model: TorchModel,
    drawn: NDArray[np.uint8],
    train: Part,
    held_out: Dataset,
    report: Progress = silent,
    asked: Dataset | None = None,
) -> dict[str, Any]:
    """Draws from the prior beside held-out data, in a named feature space.

    `asked`: the pictures whose classes and attributes a conditional model was asked for.
    """
    # At random: data often come sorted by class.
    real, some = held_out.limited(max(len(drawn), 4)).images, train.limited(PICTURES).images
    precision = Precision.choose(model.device, "auto")
    classifier = learned(
        train.data,
        rows=train.rows,
        steps=min(CLASSIFIER_STEPS, max(20, 10 * len(train) // 128)),
        flip=False,
        seed=0,
        device=model.device,
        bfloat16=precision.name == "bfloat16",
        report=report,
    )
    if classifier is None:
        space = pixel_space(some, f"'{train.name}'")
    else:
        space = classifier_space(classifier, f"'{train.name}'")
    figures = of_draws(drawn, real, some, space)
    return figures | (
        {} if classifier is None or asked is None else of_conditions(model, classifier, drawn, asked, held_out)
    )


def _loaded(
    path: Path,
    header: Header,
    data: str | None,
    root: Path | None,
    crop: str | None,
    limit: int | None,
    report: Progress,
) -> Dataset:
    """The data named, or the data of the run, read as it was in training."""
    trained = header.training
    note = _note(path)
    name = data or (note.data if note else str(trained.get("data", "")))
    if not name:
        raise OptionError("The checkpoint does not say what it was trained on; name it with --data.")
    image = header.image
    found = load(
        name,
        size=image.height,
        crop=crop or str(trained.get("crop") or "centre"),
        root=root or (note.root if note else None),
        limit=limit or trained.get("limit"),
        seed=int(trained.get("seed", 0)),
        report=report,
    )
    if found.channels != image.channels:
        raise DataError(f"'{name}' has {found.channels} channels, the model draws {image.channels}.")
    return found


def _note(path: Path) -> DataNote | None:
    try:
        return DataNote.model_validate_json((path.parent / DATA_NOTE).read_text("utf-8"))
    except (OSError, ValueError):
        return None  # not in a run's folder: what the header says is used


def _split(header: Header, data: Dataset) -> tuple[Part, Dataset]:
    """(what it was trained on, what it was not). Raises DataError where nothing was held out."""
    fraction = float(header.training.get("held_out", 0.1)) or 0.1
    train_idx, held_out_idx = data.split(int(header.training.get("seed", 0)), fraction)
    if not len(held_out_idx) or not len(train_idx):
        raise DataError(f"'{data.name}' leaves no held-out pictures to measure on; use more.")
    return Part(data, train_idx), data.subset(held_out_idx)
