"""What a checkpoint holds beside its weights once training is over: encodings with all that is known of them.

With an encoder: posterior means of the data. Without: draws from the prior, what a classifier of the data says of
them (marked as predicted), and a regressor that inverts pictures. Shapes: N pictures, D latent, A attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.checkpoint_file import model_info, read_header, read_weights, write_checkpoint
from latentlab.core.condition import Asked, Described
from latentlab.core.encodings import EncodingSet
from latentlab.core.latent_model import ModelInfo
from latentlab.core.picture_folder import Progress
from latentlab.core.spaces import FloatArray
from latentlab.measure.classifier import Classifier, Predictions
from latentlab.measure.encoding import coded_thumbnails, components, encode_described, told_of
from latentlab.measure.figures import inversion_error
from latentlab.measure.metrics import active_units
from latentlab.models.inverter import HEADER_KEY, PREFIX
from latentlab.models.loading import network_from, weights_of
from latentlab.models.torch_model import TorchModel, pictures_at_once
from training.config import TrainingConfig
from training.data import Dataset
from training.data.dataset import fewer
from training.data.rows import Rows
from training.data.source import silent
from training.inverting import STEPS_AT_MOST, fit_inverter
from training.memory import give_back, kept_memory
from training.precision import Precision
from training.predicting import learned, predicted

CLASSIFIER_STEPS = 1500  # at most; never more than the generator had
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
        asked_NK = model.conditions(told_of(model.info, data.described(train_idx), len(train_idx)), len(train_idx))
        pictures = Rows.of(data.images, train_idx)
        with kept_memory():
            inverter = fit_inverter(
                network, pictures, steps, asked_NK, seed=config.seed, precision=precision, report=report
            )
        weights |= {f"{PREFIX}{name}": value for name, value in weights_of(inverter).items()}
        changes[HEADER_KEY] = inverter.architecture.model_dump(mode="json") | {"steps": steps}
        held_out = data.subset(fewer(held_out_idx if len(held_out_idx) else train_idx, JUDGED))
        model = TorchModel(network, model.info, device=str(precision.device))
        error = inversion_error(model, inverter, held_out.images, held_out)
        changes["figures"] = header.figures | {"inverter": {"mse": error}}
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


# --- with an encoder -------------------------------------------------------------------------------------------


def _of_data(
    model: TorchModel, data: Dataset, config: TrainingConfig, report: Progress
) -> tuple[EncodingSet, dict[str, Any]]:
    chosen = fewer(np.arange(len(data), dtype=np.int64), config.encodings, config.seed)
    rows, known = Rows.of(data.images, chosen), data.described(chosen)
    encodings = encode_described(model, rows, known, lambda done, total: report(done, total, "encoding"))
    if data.may_ship_thumbnails:
        pictures = rows.batches(pictures_at_once(data.height))
    else:
        pictures = decoded(model, encodings.latents, told_of(model.info, known, len(rows)))
    encodings = replace(
        encodings,
        names=tuple(data.names[index] for index in chosen) if data.names else (),
        thumbnails=coded_thumbnails(chain.from_iterable(pictures), config.thumbnail_size),
    )
    return encodings, {"active_units": active_units(encodings.latents)}


def decoded(model: TorchModel, latents_ND: FloatArray, told: Asked) -> Iterator[NDArray[np.uint8]]:
    """The pictures in batches (B, H, W, C), no more than one of them in memory."""
    at_once = pictures_at_once(model.info.image.height)
    for start in range(0, len(latents_ND), at_once):
        asked = told[start : start + at_once] if isinstance(told, Sequence) else told
        yield model.decode(latents_ND[start : start + at_once], condition=asked)


# --- without ---------------------------------------------------------------------------------------------------


def _of_samples(
    model: TorchModel, data: Dataset, config: TrainingConfig, report: Progress
) -> tuple[EncodingSet, dict[str, Any]]:
    train_idx, held_out_idx = data.split(config.seed, config.held_out)
    give_back()
    classifier = _classifier(model, data, train_idx, config, report)
    space = model.info.spaces[0]
    latents_ND = space.sample(config.encodings, seed=config.seed)
    # A conditional generator is asked for what pictures of the data are.
    like = data.described(evenly(data.labels, len(data), config.encodings, config.seed))
    said: list[Predictions] = []

    def looked_at(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        said.extend([] if classifier is None else [classifier.predict(pictures).without_features()])
        return pictures

    drawn = map(looked_at, decoded(model, latents_ND, told_of(model.info, like, config.encodings)))
    thumbnails = coded_thumbnails(chain.from_iterable(drawn), config.thumbnail_size)
    encodings = EncodingSet(latents_ND, space.name, pca=components(latents_ND), thumbnails=thumbnails, samples=True)
    if classifier is None:
        return _as_asked(encodings, model.info, like), {}
    judged = held_out_idx if len(held_out_idx) else train_idx
    encodings, figures = predicted(encodings, Predictions.joined(said), classifier, data, judged)
    return _as_asked(encodings, model.info, like), figures


def _classifier(
    model: TorchModel, data: Dataset, rows: NDArray[np.int64], config: TrainingConfig, report: Progress
) -> Classifier | None:
    """Of all that is known of the pictures, trained for no longer than the generator was."""
    trained_for = int(model.info.training.get("steps", CLASSIFIER_STEPS))
    return learned(
        data,
        rows=rows,
        steps=min(CLASSIFIER_STEPS, max(20, trained_for)),
        flip="flip" in config.augment,
        seed=config.seed,
        device=model.device,
        bfloat16=Precision.choose(model.device, config.precision).name == "bfloat16",
        report=report,
    )


def evenly(labels_N: NDArray[np.int64] | None, pictures: int, count: int, seed: int) -> NDArray[np.int64]:
    """`count` indices of `pictures` at random, as many of each class as of any other where classes are known."""
    rng = np.random.default_rng(seed)
    if labels_N is None or (labels_N < 0).all():
        return rng.integers(0, pictures, count)
    classes = np.unique(labels_N[labels_N >= 0])
    turns = -(-count // len(classes))
    of_each = [rng.choice(np.flatnonzero(labels_N == label), turns) for label in classes]
    return np.stack(of_each, axis=1).ravel()[:count]


def _as_asked(encodings: EncodingSet, info: ModelInfo, asked: Described) -> EncodingSet:
    """What a conditional generator was asked for in place of what a classifier says of it."""
    if info.conditional:
        encodings = replace(
            encodings,
            labels=asked.labels,
            label_names=asked.label_names,
            predicted=encodings.predicted - {"class"},
        )
    columns = {name: encodings.attribute(name) for name in encodings.attribute_names}
    if asked.attributes is not None:
        told = (name for name in info.conditional_attributes if name in asked.attribute_names)
        columns |= {name: asked.attributes[:, asked.attribute_names.index(name)] for name in told}
    return replace(
        encodings,
        attributes=np.stack(list(columns.values()), axis=1).astype(np.float32) if columns else None,
        attribute_names=tuple(columns),
        predicted=encodings.predicted - set(info.conditional_attributes),
    )


def _device(config: TrainingConfig) -> Any:
    from latentlab.models.device import chosen_device

    return chosen_device(config.device)
