"""Figures of a checkpoint on data it was not trained on; `latentlab-train evaluate`.

Shapes: N pictures, D latent, H W C of pictures (uint8).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.atomic import atomic_write
from latentlab.core.checkpoint_file import Header, read_header
from latentlab.core.encodings import StoredPCA
from latentlab.core.errors import CheckpointError, DataError, OptionError
from latentlab.core.picture_folder import Progress
from latentlab.core.spaces import FloatArray
from latentlab.measure.encoding import encode_pictures, told_of
from latentlab.measure.latent_quality import completeness
from latentlab.measure.metrics import active_units, frechet_distance, mse, psnr, sharpness, spread, ssim
from latentlab.models.inverter import load_inverter
from latentlab.models.loading import load_native
from latentlab.models.torch_model import TorchModel
from training.commanding import DATA_NOTE, DataNote
from training.data import Dataset, load
from training.data.source import silent
from training.encode import inversion_error
from training.judging import of_conditions
from training.latent_figures import of_continuity, of_denoising, of_likelihood
from training.precision import Precision
from training.predicting import learned

CHECKPOINT = "checkpoint.safetensors"
PICTURES = 5000  # held-out ones at most
PIXEL_COMPONENTS = 64
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
        raise CheckpointError(f"There is no checkpoint {path}.")
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
        figures["reconstruction"] = of_reconstruction(model, held_out.limited(PICTURES))
        report(0, 1, "estimating likelihoods")
        found = {
            "denoising": of_denoising(model, header, held_out),
            "likelihood": of_likelihood(model, header, train, held_out, importance_samples, seed),
            "continuity": of_continuity(model, held_out),
        }
        figures |= {name: values for name, values in found.items() if values}
    elif (inverter := load_inverter(path)) is not None:
        figures["inverter"] = {"mse": inversion_error(model, inverter, held_out.limited(1000))}
    # A conditional model is asked for what pictures of the data are.
    like = train.subset(np.random.default_rng(seed).integers(0, len(train), samples))
    drawn = model.decode(model.sample(samples, seed=seed), condition=told_of(model.info, like, samples))
    figures["samples"] = of_samples(model, drawn, train, held_out, report, like)
    written = out or path.parent / "evaluation.json"
    atomic_write(written, json.dumps(figures, indent=2).encode())
    return figures, written


def of_reconstruction(model: TorchModel, data: Dataset) -> dict[str, Any]:
    """Means over the pictures, and what the posterior tells."""
    images, told = data.images, told_of(model.info, data, len(data))
    encodings = encode_pictures(model, images, condition=told)
    decoded = model.decode_float(encodings.latents, condition=told)
    figures: dict[str, Any] = {
        "pictures": len(images),
        "mse": _rounded(mse(decoded, images).mean()),
        "psnr_db": _rounded(psnr(decoded, images).mean()),
        "ssim": _rounded(ssim(decoded, images).mean()),
        "sharpness_ratio": _rounded(sharpness(decoded).mean() / max(float(sharpness(images).mean()), 1e-12)),
        "active_units": active_units(encodings.latents),
        "latent_dim": encodings.dim,
    }
    if encodings.kl_per_dimension is not None:
        figures["kl_nats"] = _rounded(encodings.kl_per_dimension.sum())
        figures["kl_per_dimension"] = [_rounded(value) for value in encodings.kl_per_dimension]
    return figures


def of_samples(
    model: TorchModel,
    drawn: NDArray[np.uint8],
    train: Dataset,
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
        train,
        steps=min(CLASSIFIER_STEPS, max(20, 10 * len(train) // 128)),
        flip=False,
        seed=0,
        device=model.device,
        bfloat16=precision.name == "bfloat16",
        report=report,
    )
    if classifier is None:
        basis = StoredPCA.fit(_flat(some), PIXEL_COMPONENTS)
        space = f"{len(basis.components)} principal components of the pixels of '{train.name}'"
        of_real, of_drawn, of_train = (basis.transform(_flat(part)) for part in (real, drawn, some))
    else:
        space = f"{classifier.space} of '{train.name}'"
        of_real, of_drawn, of_train = (classifier.predict(part).features_NF for part in (real, drawn, some))
    return {
        "drawn": len(drawn),
        "real": len(real),
        "feature_space": space,
        "frechet_distance": _rounded(frechet_distance(of_real, of_drawn, space).value),
        "completeness": _rounded(completeness(of_real, of_drawn)),
        "completeness_of_training_data": _rounded(completeness(of_real, of_train)),
        "frechet_distance_of_training_data": _rounded(frechet_distance(of_real, of_train, space).value),
        "sharpness_ratio": _rounded(sharpness(drawn).mean() / max(float(sharpness(real).mean()), 1e-12)),
        **{name: _rounded(value) for name, value in asdict(spread(of_real, of_drawn)).items()},
        **({} if classifier is None or asked is None else of_conditions(model, classifier, drawn, asked, held_out)),
    }


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
        root=root or (Path(note.root) if note and note.root else None),
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


def _split(header: Header, data: Dataset) -> tuple[Dataset, Dataset]:
    """(what it was trained on, what it was not). Raises DataError where nothing was held out."""
    fraction = float(header.training.get("held_out", 0.1)) or 0.1
    train_idx, held_out_idx = data.split(int(header.training.get("seed", 0)), fraction)
    if not len(held_out_idx) or not len(train_idx):
        raise DataError(f"'{data.name}' leaves no held-out pictures to measure on; use more.")
    return data.subset(train_idx), data.subset(held_out_idx)


def _flat(images: NDArray[np.uint8]) -> FloatArray:
    return np.asarray(images.reshape(len(images), -1) / np.float32(255), np.float32)


def _rounded(value: Any) -> float:
    return float(f"{float(value):.6g}")
