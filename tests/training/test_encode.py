"""What a finished run's checkpoint holds, with and without an encoder."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from latentlab.core.checkpoint_file import read_encodings, read_header, verify
from latentlab.measure.classifier import targets_of
from latentlab.measure.inversion import invert
from latentlab.models import torch_model
from latentlab.models.inverter import load_inverter
from latentlab.models.loading import load_native
from latentlab.models.torch_model import TorchModel
from training.config import config_from
from training.data import Dataset, load
from training.data.rows import Rows
from training.encode import write_encodings
from training.loop import train


@pytest.fixture(scope="module")
def avatars() -> Dataset:
    data = load("avatars", size=16, limit=60)
    return dataclasses.replace(data, names=tuple(f"face {index}" for index in range(60)))


@pytest.fixture(scope="module")
def vae_run(avatars: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = config_from(
        family="vae", epochs=1, batch_size=16, architecture={"latent_dim": 6, "width": 4}, encodings=40, threads=1
    )
    return train(config, avatars, tmp_path_factory.mktemp("vae"))


@pytest.fixture(scope="module")
def gan_run(avatars: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = config_from(
        family="dcgan", epochs=2, batch_size=16, architecture={"latent_dim": 6, "width": 4}, encodings=30, threads=1
    )
    return train(config, avatars, tmp_path_factory.mktemp("gan"))


def test_a_vae_keeps_encodings_of_the_data(vae_run: Path, avatars: Dataset) -> None:
    encodings = read_encodings(vae_run)
    assert encodings is not None
    assert len(encodings) == 40
    assert not encodings.samples
    assert not encodings.predicted
    assert encodings.attribute_names == avatars.attribute_names
    assert encodings.label_names == avatars.label_names
    assert encodings.kl_per_dimension is not None
    assert encodings.pca is not None
    shown = [avatars.names.index(name) for name in encodings.names]
    model = load_native(vae_run, "cpu")
    np.testing.assert_allclose(encodings.latents, model.encode(avatars.images[shown]), rtol=1e-3, atol=1e-4)
    assert avatars.attributes is not None
    np.testing.assert_array_equal(encodings.attributes, avatars.attributes[shown])
    assert encodings.thumbnails is not None
    picture = np.asarray(Image.open(io.BytesIO(encodings.thumbnails.coded(7))).convert("RGB")).astype(float)
    assert np.abs(picture - avatars.images[shown[7]]).mean() < 12
    verify(vae_run)


def test_data_that_may_not_travel_is_shown_as_reconstructions(avatars: Dataset, tmp_path: Path) -> None:
    private = dataclasses.replace(avatars, may_ship_thumbnails=False)
    config = config_from(
        family="vae", epochs=1, batch_size=16, architecture={"latent_dim": 4, "width": 4}, encodings=5, threads=1
    )
    path = train(config, private, tmp_path / "run")
    encodings, model = read_encodings(path), load_native(path, "cpu")
    assert encodings is not None
    assert encodings.thumbnails is not None
    shown = np.asarray(Image.open(io.BytesIO(encodings.thumbnails.coded(0))).convert("RGB")).astype(float)
    original = avatars.images[avatars.names.index(encodings.names[0])].astype(float)
    reconstruction = model.decode(encodings.latents[0])[0].astype(float)
    assert np.abs(shown - reconstruction).mean() < 8 < np.abs(shown - original).mean()


def test_a_gan_keeps_samples_that_are_marked_as_predicted(gan_run: Path, avatars: Dataset) -> None:
    header, encodings = read_header(gan_run), read_encodings(gan_run)
    assert encodings is not None
    assert len(encodings) == 30
    assert encodings.samples
    assert not header.encoder
    assert header.invertible
    assert encodings.predicted == {"class", *encodings.attribute_names}
    assert {"Skin_Tone", "Head_Turn"} <= set(encodings.attribute_names) <= set(avatars.attribute_names)
    assert encodings.labels is not None
    assert encodings.attributes is not None
    assert np.isfinite(encodings.attributes).all()
    yes_no = [a for a, name in enumerate(encodings.attribute_names) if name not in ("Skin_Tone", "Head_Turn")]
    assert ((encodings.attributes[:, yes_no] >= 0) & (encodings.attributes[:, yes_no] <= 1)).all()
    model = load_native(gan_run, "cpu")
    np.testing.assert_allclose(encodings.latents, model.sample(30, seed=0), atol=1e-3)
    verify(gan_run)


def test_a_gan_can_invert_pictures(gan_run: Path, avatars: Dataset) -> None:
    inverter = load_inverter(gan_run)
    assert inverter is not None
    found = invert(load_native(gan_run, "cpu"), avatars.images[0], steps=10, inverter=inverter)
    assert found.start == "regressor"
    assert found.mse <= found.started_mse
    assert 0 < read_header(gan_run).figures["inverter"]["mse"] < 1


@pytest.mark.parametrize("family", ["vae", "dcgan"])
def test_no_more_pictures_are_in_memory_than_go_through_the_network(
    family: str, avatars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are kept: those drawn of a GAN, and those of the data, which may be larger than memory."""
    monkeypatch.setattr(torch_model, "PIXELS_AT_ONCE", 8 * 16**2)
    taken: list[int] = []
    take, decode = Rows.take, TorchModel.decode

    def taking(self: Rows, chosen_B: NDArray[np.int64]) -> NDArray[np.uint8]:
        taken.append(len(chosen_B))
        return take(self, chosen_B)

    def decoding(self: TorchModel, latents: NDArray[np.float32], **how: Any) -> NDArray[np.uint8]:
        taken.append(len(latents))
        return decode(self, latents, **how)

    monkeypatch.setattr(Rows, "take", taking)
    monkeypatch.setattr(TorchModel, "decode", decoding)
    monkeypatch.setattr("training.inverting.BATCH", 8)
    config = config_from(
        family=family, epochs=1, batch_size=8, architecture={"latent_dim": 4, "width": 4}, encodings=40, threads=1
    )
    path = train(config, avatars, tmp_path / "run")
    taken.clear()
    write_encodings(path, avatars, config)
    encodings = read_encodings(path)
    assert encodings is not None
    assert len(encodings) == 40
    assert encodings.thumbnails is not None
    assert len(encodings.thumbnails) == 40
    assert sum(taken) >= 40
    assert max(taken) <= 8


def test_no_encodings_when_none_are_wanted(avatars: Dataset, tmp_path: Path) -> None:
    config = config_from(
        family="vae", epochs=1, batch_size=16, architecture={"latent_dim": 4, "width": 4}, encodings=0, threads=1
    )
    assert read_encodings(train(config, avatars, tmp_path / "run")) is None


def test_what_a_classifier_can_learn_from() -> None:
    images = np.zeros((40, 8, 8, 1), np.uint8)
    rare = np.zeros(40, np.float32)
    rare[:3] = 1
    half = np.arange(40, dtype=np.float32) % 2
    columns = np.stack([rare, half, np.ones(40, np.float32), np.linspace(0, 5, 40).astype(np.float32)], axis=1)
    data = Dataset("some", images, attributes=columns, attribute_names=("rare", "half", "all", "number"))
    targets = targets_of(data)
    assert targets is not None
    assert targets.names == ("half", "number")
    assert targets_of(Dataset("none", images)) is None
    assert targets_of(Dataset("one class", images, labels=np.zeros(40, np.int64))) is None
