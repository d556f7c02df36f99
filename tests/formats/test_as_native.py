"""Foreign networks that are one of our own families, written as native checkpoints that draw the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from latentlab.api.converting import write_native
from latentlab.core.checkpoint_file import verify
from latentlab.core.encodings import EncodingSet
from latentlab.formats import Options, open_checkpoint


def vae_state() -> dict[str, torch.Tensor]:
    """As in pytorch/examples, for 8 x 8 pixels."""
    layers = {"fc1": (64, 30), "fc21": (30, 5), "fc22": (30, 5), "fc3": (5, 30), "fc4": (30, 64)}
    return nn.ModuleDict({name: nn.Linear(*sizes) for name, sizes in layers.items()}).state_dict()


def dcgan_state() -> dict[str, torch.Tensor]:
    """As in pytorch/examples, for 16 x 16 pixels."""
    network = nn.Module()
    network.main = nn.Sequential(
        nn.ConvTranspose2d(7, 8, 4, 1, 0, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
        nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    for index in (1, 4):  # so that the running statistics matter
        network.main[index].running_mean.uniform_(-1, 1)
    return network.state_dict()


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def written(path: Path, state: dict[str, torch.Tensor]) -> Path:
    torch.save(state, path)
    return path


@pytest.mark.parametrize(("family", "state"), [("vae", vae_state), ("dcgan", dcgan_state)])
def test_converted_checkpoints_draw_and_encode_the_same(tmp_path: Path, family: str, state: object) -> None:
    source, target = written(tmp_path / "source.pth", state()), tmp_path / "native.safetensors"
    header = write_native(source, target, Options(device="cpu"))
    assert (header.family, header.training["converted_from"]) == (family, f"pytorch/examples {family.upper()}")
    verify(target)
    foreign, native = open_checkpoint(source, device="cpu"), open_checkpoint(target, device="cpu")
    assert native.info.format == "native"
    latents = foreign.sample(5, seed=2)
    np.testing.assert_allclose(native.decode_float(latents), foreign.decode_float(latents), atol=1e-6)
    if family == "vae":
        images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), np.uint8)
        np.testing.assert_allclose(native.encode(images), foreign.encode(images), atol=1e-5)


def test_encodings_go_into_the_converted_checkpoint(tmp_path: Path) -> None:
    source, target = written(tmp_path / "source.pth", vae_state()), tmp_path / "native.safetensors"
    encodings = EncodingSet(
        np.zeros((3, 5), np.float32), attributes=np.eye(3, 1, dtype=np.float32), attribute_names=("A",)
    )
    header = write_native(source, target, Options(device="cpu"), encodings)
    assert header.attributes == ["A"]
    kept = open_checkpoint(target, device="cpu").encodings
    assert kept is not None
    assert kept.attribute("A").tolist() == [1, 0, 0]


def test_another_activation_than_the_familys_is_kept(tmp_path: Path) -> None:
    source, target = written(tmp_path / "vae.pt", vae_state()), tmp_path / "native.safetensors"
    header = write_native(source, target, Options(device="cpu", activation="tanh"))
    assert (header.family, header.architecture["name"], header.architecture["activation"]) == ("vae", "foreign", "tanh")
    foreign = open_checkpoint(source, device="cpu", options={"activation": "tanh"})
    native = open_checkpoint(target, device="cpu")
    latents = foreign.sample(5, seed=2)
    np.testing.assert_allclose(native.decode_float(latents), foreign.decode_float(latents), atol=1e-6)
    assert not np.allclose(open_checkpoint(source, device="cpu").decode_float(latents), native.decode_float(latents))
