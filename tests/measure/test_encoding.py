"""Encoding many pictures, and folders of them, as a map needs it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.core.errors import DataError, OptionError
from latentlab.measure.encoding import coded_thumbnails, encode_folder, encode_pictures
from latentlab.models.dcgan import DCGAN, DCGANArchitecture
from latentlab.models.torch_model import TorchModel, model_of
from latentlab.models.vae import VAE, VAEArchitecture


class Notes:
    def __init__(self) -> None:
        self.done: list[float] = []

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.done.append(done / total)

    def partial(self, value: object) -> None:
        raise AssertionError("encoding has no intermediate results")


@pytest.fixture(scope="module")
def model() -> TorchModel:
    torch.manual_seed(0)
    return model_of(VAE(VAEArchitecture(image_size=16, channels=3, latent_dim=5, width=4)))


def test_latents_components_and_kl(model: TorchModel) -> None:
    images = np.random.default_rng(0).integers(0, 255, (300, 16, 16, 3), dtype=np.uint8)
    seen: list[tuple[int, int]] = []
    encodings = encode_pictures(model, images, lambda done, total: seen.append((done, total)))
    assert encodings.latents.shape == (300, 5)
    np.testing.assert_allclose(encodings.latents, model.encode(images), rtol=1e-4, atol=1e-5)
    assert seen == [(256, 300), (300, 300)]
    assert encodings.pca is not None
    assert encodings.pca.components.shape == (5, 5)
    assert encodings.kl_per_dimension is not None
    assert (encodings.kl_per_dimension >= 0).all()


def test_a_model_without_encoder_says_so() -> None:
    gan = model_of(DCGAN(DCGANArchitecture(image_size=16, channels=1, latent_dim=4, width=4)))
    with pytest.raises(OptionError, match="no encoder"):
        encode_pictures(gan, np.zeros((1, 16, 16, 1), np.uint8))


def test_nothing_to_encode(model: TorchModel) -> None:
    with pytest.raises(DataError, match="no picture"):
        encode_pictures(model, np.zeros((0, 16, 16, 3), np.uint8))


def test_thumbnails_are_small_pictures_in_order() -> None:
    images = np.zeros((3, 100, 100, 3), np.uint8)
    images[1] = 255
    thumbnails = coded_thumbnails(images, 32)
    assert len(thumbnails) == 3
    opened = [np.asarray(Image.open(io.BytesIO(thumbnails.coded(index)))) for index in range(3)]
    assert opened[0].shape == (32, 32, 3)
    assert [int(picture.mean()) for picture in opened] == [0, 255, 0]
    grey = coded_thumbnails(np.full((1, 8, 8, 1), 128, np.uint8))
    assert Image.open(io.BytesIO(grey.coded(0))).size == (8, 8)


def test_a_folder_with_classes_and_a_damaged_picture(model: TorchModel, tmp_path: Path) -> None:
    for index, name in enumerate(("cats", "dogs", "dogs")):
        (tmp_path / name).mkdir(exist_ok=True)
        Image.new("RGB", (30, 20), (index * 80, 0, 0)).save(tmp_path / name / f"{index}.png")
    (tmp_path / "dogs" / "broken.png").write_bytes(b"")
    notes = Notes()
    encodings, skipped = encode_folder(model, tmp_path, report=notes)
    assert encodings.label_names == ("cats", "dogs")
    assert encodings.labels is not None
    assert encodings.labels.tolist() == [0, 1, 1]
    assert encodings.names == ("cats/0.png", "dogs/1.png", "dogs/2.png")
    assert len(skipped) == 1
    assert "broken.png" in skipped[0]
    assert encodings.thumbnails is not None
    assert notes.done == sorted(notes.done)
    assert notes.done[-1] == 1
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no picture"):
        encode_folder(model, tmp_path / "empty")
