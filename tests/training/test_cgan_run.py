"""A conditional GAN from the data to the map: what was asked for each stored sample is known, and is drawn again."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.core.checkpoint_file import read_encodings, read_header
from latentlab.core.condition import Condition, condition_of_encoding
from latentlab.measure.inversion import invert
from latentlab.models.inverter import load_inverter
from latentlab.models.loading import load_native
from training.config import config_from
from training.data import Dataset, load
from training.encode import evenly
from training.loop import train


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits", limit=240)


@pytest.fixture(scope="module")
def checkpoint(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = config_from(
        family="cgan",
        epochs=10,
        batch_size=24,
        evaluate_every=20,
        architecture={"latent_dim": 6, "width": 8},
        objective={"learning_rate": 2e-3},
        encodings=40,
        threads=1,
    )
    return train(config, digits, tmp_path_factory.mktemp("cgan"))


def test_samples_are_asked_for_all_classes_evenly_and_not_guessed(checkpoint: Path) -> None:
    header, encodings = read_header(checkpoint), read_encodings(checkpoint)
    assert encodings is not None
    assert encodings.labels is not None
    assert header.conditional
    assert encodings.samples
    assert np.bincount(encodings.labels).tolist() == [4] * 10
    assert encodings.label_names == tuple("0123456789")
    assert "class" not in encodings.predicted


def test_a_click_on_a_sample_shows_its_class(checkpoint: Path) -> None:
    """Of the ten pictures a latent can become, the stored thumbnail is the one of the class that is then asked for."""
    model, encodings = load_native(checkpoint, "cpu"), read_encodings(checkpoint)
    assert encodings is not None
    assert encodings.thumbnails is not None
    assert model.info.conditional is not None
    found = []
    for index in range(len(encodings)):
        coded = Image.open(io.BytesIO(encodings.thumbnails.coded(index))).convert("L").resize((8, 8))
        latents = np.repeat(encodings.latents[index][None], 10, axis=0)
        drawn = model.decode(latents, condition=list(range(10)))[..., 0].astype(float)
        nearest = int(np.abs(drawn - np.asarray(coded, float)).mean(axis=(1, 2)).argmin())
        found.append(condition_of_encoding(encodings, index, model.info.conditional, ()) == Condition(nearest))
    assert np.mean(found) > 0.7  # thumbnails are compressed; one in ten is chance


def test_a_picture_is_inverted_as_the_class_it_is_asked_for(checkpoint: Path, digits: Dataset) -> None:
    model, inverter = load_native(checkpoint, "cpu"), load_inverter(checkpoint)
    assert inverter is not None
    found = [invert(model, digits.images[0], steps=8, inverter=inverter, condition=c) for c in (1, 8)]
    assert all(one.mse <= one.started_mse for one in found)
    assert not np.array_equal(found[0].reconstruction, found[1].reconstruction)
    again = model.decode(found[1].latent, condition=8)[0]
    assert np.array_equal(again, found[1].reconstruction)


def test_as_many_of_each_class() -> None:
    labels = np.array([0] * 90 + [1] * 9 + [-1, 3])
    chosen = evenly(labels, len(labels), 30, seed=1)
    assert np.bincount(labels[chosen], minlength=4).tolist() == [10, 10, 0, 10]
    assert not np.array_equal(chosen, evenly(labels, len(labels), 30, seed=2))
    unknown = evenly(None, 50, 400, seed=1)
    assert set(unknown) <= set(range(50))
    assert len(set(unknown)) > 40
