"""Tiny checkpoints with encodings, labels and attributes; a picture to edit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.core.checkpoint_file import Header, ImageSpec, SpaceSpec, write_checkpoint
from latentlab.core.encodings import EncodingSet
from latentlab.models.family import architecture_from
from latentlab.models.loading import weights_of

DIM = 5


def write_tiny(path: Path, family: str = "vae", size: int = 16) -> Path:
    network_class, architecture = architecture_from(
        {"name": family, "image_size": size, "channels": 3, "latent_dim": DIM, "width": 4}
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = network_class(architecture).eval()
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((60, DIM)).astype(np.float32)
    attributes = (latents[:, :2] > 0).astype(np.float32)
    encodings = EncodingSet(
        latents,
        labels=(latents[:, 2] > 0).astype(np.int64),
        label_names=("low", "high"),
        attributes=attributes,
        attribute_names=("Eyeglasses", "Smiling"),
        predicted=frozenset({"Smiling"}),
    )
    header = Header(
        family=family,
        architecture=architecture.model_dump(mode="json"),
        spaces=[SpaceSpec(name=s.name, shape=list(s.shape), prior=s.prior) for s in network.spaces],
        image=ImageSpec(height=size, width=size, channels=3),
        encoder=network.encodes,
        attributes=["Eyeglasses", "Smiling"],
        training={"data": "noise", "epochs": 1, "seed": 7},
        licence="none",
    )
    write_checkpoint(path, header, weights_of(network), encodings)
    return path


@pytest.fixture(scope="session")
def vae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("vae") / "tiny.safetensors")


@pytest.fixture(scope="session")
def gan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("gan") / "tiny.safetensors", "dcgan")


@pytest.fixture
def face(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 255, (40, 30, 3), np.uint8)).save(tmp_path / "face.png")
    return tmp_path / "face.png"
