"""Traversal sheets: a row for each of the most active dimensions, for every family."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from latentlab.core.errors import CheckpointError
from latentlab.core.registry import FAMILIES
from latentlab.core.spaces import LatentSpace
from latentlab.models.family import Architecture, Network, architecture_from
from training.traversals import SIGMAS, prior_sigma, write_traversals

GAP, SIDE = 2, 8


def cells(path: Path) -> np.ndarray:
    """(rows, columns, SIDE, SIDE)"""
    pixels = np.asarray(Image.open(path).convert("L"))[GAP:, GAP:]
    rows, columns = (size // (SIDE + GAP) for size in pixels.shape)
    return pixels.reshape(rows, SIDE + GAP, columns, SIDE + GAP).transpose(0, 2, 1, 3)[:, :, :SIDE, :SIDE]


class Painter(Network):
    """Dimension d of the latent is the brightness of row d of the picture; the encoder reads it back."""

    encodes = True

    def __init__(self) -> None:
        super().__init__(Architecture(name="painter", image_size=SIDE, channels=1, latent_dim=3))
        self.loudness = torch.nn.Parameter(torch.tensor([0.01, 1.0, 0.1]))

    def decode(self, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        images = torch.zeros(len(latents_BD), 1, SIDE, SIDE)
        images[:, 0, :3] = (latents_BD * self.loudness)[:, :, None] / 4
        return images

    def encode(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        return images_BCHW[:, 0, :3, 0] * 4 / self.loudness


class Generator(Painter):
    encodes = False


def test_the_dimension_that_changes_the_picture_most_comes_first(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    write_traversals(tmp_path, 3, Generator(), np.empty((0, SIDE, SIDE, 1), np.uint8))
    found = cells(tmp_path / "traversals-0003.png")
    assert found.shape[:2] == (3, len(SIGMAS))
    assert torch.equal(before, torch.get_rng_state())
    for row, line in enumerate((1, 2, 0)):  # by loudness
        brightness = found[row, :, line, 0].astype(int)
        assert (np.diff(brightness) >= 0).all()
        assert brightness[-1] > brightness[0]
        others = [n for n in range(3) if n != line]
        assert len(np.unique(found[row][:, others])) == 1  # the others stay at the centre
    expected = [round((1 + sigma / 4) * 127.5) for sigma in SIGMAS]
    assert np.abs(found[0, :, 1, 0].astype(int) - expected).max() <= 1


def test_with_an_encoder_the_pictures_say_what_is_active(tmp_path: Path) -> None:
    pictures = np.full((20, SIDE, SIDE, 1), 128, np.uint8)
    pictures[::2, 2] = 160  # only row 2 varies
    write_traversals(tmp_path, 1, Painter(), pictures)
    found = cells(tmp_path / "traversals-0001.png")
    assert np.ptp(found[0, :, 2, 0].astype(int)) > 60
    assert np.ptp(found[1:].astype(int), axis=1).max() == 0


def test_sigma_is_the_priors() -> None:
    assert prior_sigma(LatentSpace("z", (2,))).tolist() == [1, 1]
    assert prior_sigma(LatentSpace("z", (2,), "uniform")).tolist() == pytest.approx([3**-0.5] * 2)
    measured = LatentSpace("z", (2,), "empirical", std=np.array([2, 3], np.float32))
    assert prior_sigma(measured).tolist() == [2, 3]


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_family_has_traversals(family: str, tmp_path: Path) -> None:
    shape = {"image_size": SIDE, "channels": 1, "latent_dim": 3, "width": 4}
    try:
        network_class, architecture = architecture_from({"name": family, **shape})
    except CheckpointError:  # a conditional one is asked for classes
        network_class, architecture = architecture_from({"name": family, **shape, "classes": 2})
    torch.manual_seed(0)
    network = network_class(architecture).eval()
    pictures = np.random.default_rng(0).integers(0, 256, (6, SIDE, SIDE, 1), dtype=np.uint8)
    asked = torch.eye(2)[[0, 1, 0, 1, 0, 1]] if hasattr(architecture, "classes") else None
    write_traversals(tmp_path, 1, network, pictures, asked)
    assert cells(tmp_path / "traversals-0001.png").shape[:2] == (3, len(SIGMAS))
