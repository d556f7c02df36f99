"""What a checkpoint holds beside its weights once training is over: encodings with all that is known of them.

With an encoder: posterior means of the data. Without: draws from the prior, what a classifier of the data says of
them (marked as predicted), and a regressor that inverts pictures. Shapes: N pictures, D latent, A attributes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.checkpoint_file import model_info, read_header, read_weights, write_checkpoint
from latentlab.core.encodings import EncodingSet
from latentlab.core.picture_folder import Progress
from latentlab.core.spaces import FloatArray
from latentlab.measure.classifier import (
    Augmentation,
    Classifier,
    Predictions,
    Targets,
    attribute_aucs,
    equal_error_threshold,
    fit_classifier,
    is_yes_no,
)
from latentlab.measure.encoding import coded_thumbnails, components, encode_pictures
from latentlab.measure.metrics import active_units, mse
from latentlab.models.inverter import HEADER_KEY, PREFIX, Inverter
from latentlab.models.loading import network_from, weights_of
from latentlab.models.torch_model import TorchModel
from training.config import TrainingConfig
from training.data import Dataset
from training.data.source import silent
from training.inverting import STEPS_AT_MOST, fit_inverter
from training.precision import Precision

ENOUGH = 10  # positives, and negatives, that an attribute needs before anyone may predict it
WORTH_SAYING = 0.7  # held-out AUC below which a prediction is left out
JUDGED = 1000  # held-out pictures that inversion is measured on


def write_encodings(path: Path, data: Dataset, config: TrainingConfig, report: Progress = silent) -> None:
    """Adds encodings (and, without an encoder, an inverter) to the native checkpoint at `path`, atomically.

    Raises CheckpointError, SaveError; the checkpoint without encodings then stays.
    """
    header, weights = read_header(path), dict(read_weights(path))
    network = network_from(path, header, weights)
    precision = Precision.choose(_device(config), config.precision)
    model = TorchModel(network, model_info(path, header), device=str(precision.device))
    changes: dict[str, Any] = {}
    if not network.encodes:
        steps = min(STEPS_AT_MOST, max(20, int(header.training.get("steps", STEPS_AT_MOST)) // 2))
        train_idx, held_out_idx = data.split(config.seed, config.held_out)
        inverter = fit_inverter(
            network, data.images[train_idx], steps, seed=config.seed, precision=precision, report=report
        )
        weights |= {f"{PREFIX}{name}": value for name, value in weights_of(inverter).items()}
        changes[HEADER_KEY] = inverter.architecture.model_dump(mode="json") | {"steps": steps}
        held_out = data.images[held_out_idx if len(held_out_idx) else train_idx][:JUDGED]
        model = TorchModel(network, model.info, device=str(precision.device))
        changes["figures"] = header.figures | {"inverter": {"mse": inversion_error(model, inverter, held_out)}}
    encodings, figures = encodings_of(model, data, config, report)
    if config.encodings == 0:
        encodings = None
    changes["figures"] = changes.get("figures", header.figures) | figures
    write_checkpoint(path, header.model_copy(update=changes), weights, encodings, half=config.half)


def encodings_of(
    model: TorchModel, data: Dataset, config: TrainingConfig, report: Progress = silent
) -> tuple[EncodingSet | None, dict[str, Any]]:
    """(at most `config.encodings` encodings with labels, attributes, names, thumbnails; figures worth keeping)."""
    if config.encodings == 0:
        return None, {}
    if model.info.encoder:
        return _of_data(model, data, config, report)
    return _of_samples(model, data, config, report)


def inversion_error(model: TorchModel, inverter: Inverter, images: NDArray[np.uint8]) -> float:
    """Mean squared error in [0, 1] intensities of pictures and what the generator draws for the regressor's answer."""
    import torch

    with torch.inference_mode():
        inputs = torch.from_numpy(images.copy()).permute(0, 3, 1, 2).float().div(127.5).sub(1)
        codes = np.concatenate([inverter(chunk).numpy() for chunk in inputs.split(256)])  # type: ignore[no-untyped-call]
    return round(float(mse(model.decode_float(model.info.spaces[0].clip(codes)), images).mean()), 6)


# --- with an encoder -------------------------------------------------------------------------------------------


def _of_data(
    model: TorchModel, data: Dataset, config: TrainingConfig, report: Progress
) -> tuple[EncodingSet, dict[str, Any]]:
    shown = data.limited(config.encodings, config.seed)
    encodings = encode_pictures(model, shown.images, lambda done, total: report(done, total, "encoding"))
    pictures = shown.images if data.may_ship_thumbnails else model.decode(encodings.latents)
    encodings = replace(
        encodings,
        labels=shown.labels,
        label_names=shown.label_names,
        attributes=shown.attributes,
        attribute_names=shown.attribute_names,
        names=shown.names,
        thumbnails=coded_thumbnails(pictures, config.thumbnail_size),
    )
    return encodings, {"active_units": active_units(encodings.latents)}


# --- without ---------------------------------------------------------------------------------------------------


def _of_samples(
    model: TorchModel, data: Dataset, config: TrainingConfig, report: Progress
) -> tuple[EncodingSet, dict[str, Any]]:
    space = model.info.spaces[0]
    latents_ND = space.sample(config.encodings, seed=config.seed)
    pictures = model.decode(latents_ND)
    encodings = EncodingSet(
        latents_ND,
        space.name,
        pca=components(latents_ND),
        thumbnails=coded_thumbnails(pictures, config.thumbnail_size),
        samples=True,
    )
    targets = _targets(data)
    if targets is None:
        return encodings, {}
    train_idx, held_out_idx = data.split(config.seed, config.held_out)
    precision = Precision.choose(model.device, config.precision)
    steps = int(read_steps(model))
    classifier = fit_classifier(
        data.images[train_idx],
        targets.rows(train_idx),
        steps=min(steps, 1500),
        augmentation=Augmentation(flip=config.flip),
        seed=config.seed,
        device=model.device,
        bfloat16=precision.name == "bfloat16",
        on_step=lambda done, total: report(done, total, "learning the attributes"),
    )
    judged = held_out_idx if len(held_out_idx) else train_idx
    return _predicted(encodings, classifier, pictures, data.subset(judged))


def read_steps(model: TorchModel) -> int:
    """How many steps the classifier may take: as many as the generator had, 20 at least."""
    return max(20, int(model.info.training.get("steps", 1500)))


def _predicted(
    encodings: EncodingSet, classifier: Classifier, pictures: NDArray[np.uint8], held_out: Dataset
) -> tuple[EncodingSet, dict[str, Any]]:
    """What the classifier says of the samples; only what it can tell on held-out pictures."""
    known, said = classifier.predict(held_out.images), classifier.predict(pictures)
    figures: dict[str, Any] = {}
    predicted: set[str] = set()
    labels = None
    if said.labels is not None and known.labels is not None and held_out.labels is not None:
        labels = said.labels.astype(np.int64)
        sure = held_out.labels >= 0
        figures["accuracy"] = round(float((known.labels == held_out.labels)[sure].mean()), 4) if sure.any() else None
        predicted.add("class")
    columns, names = _attributes(classifier, known, said, held_out, figures)
    predicted |= set(names)
    encodings = replace(
        encodings,
        labels=labels,
        label_names=held_out.label_names if labels is not None else (),
        attributes=np.stack(columns, axis=1) if columns else None,
        attribute_names=tuple(names),
        predicted=frozenset(predicted),
    )
    return encodings, {"classifier": figures} if figures else {}


def _attributes(
    classifier: Classifier, known: Predictions, said: Predictions, held_out: Dataset, figures: dict[str, Any]
) -> tuple[list[FloatArray], list[str]]:
    """Columns and names. A yes-no attribute becomes a probability that is one half at the equal error threshold."""
    columns: list[FloatArray] = []
    names: list[str] = []
    if held_out.attributes is None or not classifier.names:
        return columns, names
    truth_NA = held_out.attributes[:, [held_out.attribute_names.index(name) for name in classifier.names]]
    aucs = attribute_aucs(known, truth_NA)
    for a, name in enumerate(classifier.names):
        truth = truth_NA[:, a]
        finite = np.isfinite(truth)
        if classifier.quantity[a]:
            columns.append(said.attributes_NA[:, a])
            names.append(name)
            continue
        auc = aucs[a]
        if auc is None or auc < WORTH_SAYING:
            continue
        threshold = equal_error_threshold(known.attributes_NA[finite, a], truth[finite] == 1)
        columns.append(np.asarray(1 / (1 + np.exp(threshold - said.attributes_NA[:, a])), np.float32))
        names.append(name)
        figures[name] = round(auc, 4)
    return columns, names


def _targets(data: Dataset) -> Targets | None:
    """What a classifier can learn from; attributes of which nearly all or nearly no picture has it are left out."""
    labels = data.labels if data.labels is not None and len(np.unique(data.labels[data.labels >= 0])) > 1 else None
    chosen = [] if data.attributes is None else [a for a in range(data.attributes.shape[1]) if _learnable(data, a)]
    if labels is None and not chosen:
        return None
    return Targets(
        labels=labels,
        classes=0 if labels is None else max(len(data.label_names), int(labels.max()) + 1),
        attributes_NA=data.attributes[:, chosen] if data.attributes is not None and chosen else None,
        names=tuple(data.attribute_names[a] for a in chosen),
    )


def _learnable(data: Dataset, a: int) -> bool:
    assert data.attributes is not None
    values = data.attributes[:, a]
    values = values[np.isfinite(values)]
    if not is_yes_no(values):
        return len(values) >= ENOUGH and bool(values.std() > 0)
    positives = int(values.sum())
    return min(positives, len(values) - positives) >= ENOUGH


def _device(config: TrainingConfig) -> Any:
    from latentlab.models.device import chosen_device

    return chosen_device(config.device)
