"""Damaged and hostile variants of every format: each opens, or is refused with one typed error; nothing else.

LATENTLAB_MUTATIONS says how many variants of each file are tried; few by default.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from latentlab.core.errors import CheckpointError
from latentlab.formats import open_checkpoint
from tests.formats.saving import save
from tests.formats.test_autoencoder_kl import made_up
from tests.formats.test_disentangling_vae import Burgess
from tests.formats.test_foreign import ExampleVAE
from tests.formats.test_pythae import MLP
from tests.formats.test_pytorch_vae_collection import VanillaVAE

VARIANTS = int(os.environ.get("LATENTLAB_MUTATIONS", "40"))
SECONDS_AT_MOST = 5.0


def generator() -> nn.Module:
    network = nn.Module()
    network.main = nn.Sequential(
        nn.ConvTranspose2d(5, 4, 4, 1, 0, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
        nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    return network


def chain() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 64))


def pythae(folder: Path) -> Path:
    config = {"name": "VAEConfig", "input_dim": [1, 8, 8], "latent_dim": 3}
    (folder / "model_config.json").write_text(json.dumps(config))
    torch.save({"model_state_dict": MLP(64, 3, 4).state_dict()}, folder / "model.pt")
    return folder / "model.pt"


def autoencoder_kl(folder: Path) -> Path:
    config = {"_class_name": "AutoencoderKL", "norm_num_groups": 2, "sample_size": 16}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(made_up(), folder / "diffusion_pytorch_model.safetensors")
    return folder / "diffusion_pytorch_model.safetensors"


def in_safetensors(folder: Path) -> Path:
    save_file(generator().state_dict(), folder / "model.safetensors")
    return folder / "model.safetensors"


FILES: dict[str, Callable[[Path], Path]] = {
    "pytorch/examples VAE": lambda folder: save(ExampleVAE().state_dict(), folder / "vae.pth"),
    "legacy VAE": lambda folder: save(ExampleVAE().state_dict(), folder / "vae.pth", legacy=True),
    "DCGAN": lambda folder: save(generator().state_dict(), folder / "netG.pth"),
    "legacy DCGAN": lambda folder: save(generator().state_dict(), folder / "netG.pth", "netG", legacy=True),
    "DCGAN in safetensors": in_safetensors,
    "chain": lambda folder: save(chain().state_dict(), folder / "G.ckpt", "_orig_mod."),
    "legacy chain": lambda folder: save(chain().state_dict(), folder / "G.ckpt", legacy=True),
    "disentangling-vae": lambda folder: save(Burgess(32, 1, 2).state_dict(), folder / "model.pt", legacy=True),
    "PyTorch-VAE": lambda folder: save(VanillaVAE((2, 3, 4), 2).state_dict(), folder / "last.ckpt", "state_dict"),
    "pythae": pythae,
    "AutoencoderKL": autoencoder_kl,
}


def mutated(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Flips, cuts, repeats and large numbers; most of them at the ends, where headers and tables are."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(int(rng.integers(1, 6))):
            near = int(rng.choice([min(4000, len(changed)), len(changed)]))
            place = int(rng.integers(0, max(1, near)))
            if rng.random() < 0.3:
                place = max(0, len(changed) - 1 - place)
            kind = int(rng.integers(0, 6))
            if kind == 0:
                changed[place : place + 1] = bytes([int(rng.integers(0, 256))])
            elif kind == 1:
                changed[place : place + 4] = b"\xff\xff\xff\x7f"
            elif kind == 2:
                del changed[place : place + int(rng.integers(1, 40))]
            elif kind == 3:
                changed[place:place] = changed[place : place + int(rng.integers(1, 40))]
            elif kind == 4:
                changed[place : place + 1] = bytes(
                    [changed[min(place, len(changed) - 1)] ^ (1 << int(rng.integers(8)))]
                )
            elif rng.random() < 0.3:
                del changed[place:]
            if not changed:
                changed = bytearray(b"\x80")
        yield bytes(changed)


def opens_or_is_refused(path: Path) -> bool:
    began = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of what it is about to refuse
            model = open_checkpoint(path, device="cpu")
            image = model.info.image
            assert model.decode(model.sample(1)).shape == (1, image.height, image.width, image.channels)
    except CheckpointError:
        return False
    finally:
        assert time.monotonic() - began < SECONDS_AT_MOST
    return True


@pytest.mark.parametrize("kind", FILES)
def test_damaged_files_open_or_are_refused(tmp_path: Path, kind: str) -> None:
    path = FILES[kind](tmp_path)
    assert opens_or_is_refused(path)
    data = path.read_bytes()
    outcomes = []
    for variant in mutated(data, VARIANTS, seed=7):
        path.write_bytes(variant)
        outcomes.append(opens_or_is_refused(path))
    assert not all(outcomes)


def reshaped(state: dict[str, torch.Tensor], rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Sound files with unsound content: layers dropped, renamed, of other shapes and types."""
    out = dict(state)
    for name in rng.choice(list(state), int(rng.integers(1, 4))):
        value = out.pop(name, torch.zeros(1))
        kind = int(rng.integers(0, 7))
        if kind == 1:
            out[f"{name}.0"] = value
        elif kind == 2:
            out[name] = torch.zeros([int(size) for size in rng.integers(0, 9, int(rng.integers(0, 6)))])
        elif kind == 3:
            out[name] = value.to([torch.int32, torch.float64, torch.complex64, torch.bool][int(rng.integers(4))])
        elif kind == 4:
            out[name] = value.transpose(0, -1) if value.ndim else value
        elif kind == 5:
            out[name] = torch.full_like(value, float("nan")) if value.is_floating_point() else value
        elif kind == 6:
            out[name] = value[: max(1, len(value) // 2)] if value.ndim else value
    return out


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind not in ("AutoencoderKL", "DCGAN in safetensors")])
def test_unsound_content_opens_or_is_refused(tmp_path: Path, kind: str) -> None:
    path = FILES[kind](tmp_path)
    loaded = torch.load(path, weights_only=True)
    state = next((inner for inner in loaded.values() if isinstance(inner, dict)), loaded)
    rng = np.random.default_rng(9)
    for _ in range(VARIANTS):
        torch.save(reshaped(state, rng), path)
        opens_or_is_refused(path)


@pytest.mark.parametrize("kind", ["pythae", "AutoencoderKL"])
def test_damaged_descriptions_are_refused_or_harmless(tmp_path: Path, kind: str) -> None:
    FILES[kind](tmp_path)
    config = next(tmp_path.glob("*config.json"))
    for variant in mutated(config.read_bytes(), VARIANTS, seed=8):
        config.write_bytes(variant)
        opens_or_is_refused(tmp_path)
