"""The libraries that write the files, where they are installed (the dev extra): the same pictures and means as theirs.

The tests of each format hold a small network of their own beside this, so that nothing is untested without them.
"""

from __future__ import annotations

import importlib
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from latentlab.api.converting import write_native
from latentlab.core.latent_model import LatentModel
from latentlab.formats import Options, open_checkpoint
from tests.formats.saving import unsettle

DIM = 4
READY = {
    "Conv": ("mnist", "cifar", "celeba"),
    "ResNet": ("mnist", "cifar", "celeba"),
}
SIDES = {"mnist": (1, 28, 28), "cifar": (3, 32, 32), "celeba": (3, 64, 64)}


def library(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, on being imported
        pytest.importorskip(name.partition(".")[0])
        return importlib.import_module(name)


def read_alike(model: LatentModel, decoded: torch.Tensor, images: np.ndarray[Any, Any], encoded: torch.Tensor) -> None:
    """`decoded` (B, C, H, W) in [0, 1] of the model's first draws; `encoded` (B, …) of `images`."""
    latents = model.sample(len(decoded), seed=1)
    made = decoded.permute(0, 2, 3, 1).numpy()
    assert made.std() > 1e-4
    np.testing.assert_allclose(model.decode_float(latents), made, atol=1e-5)
    np.testing.assert_allclose(model.encode(images), encoded.flatten(1).numpy(), atol=1e-4)


def pictures(image: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, (2, *image[1:], image[0]), np.uint8)


@pytest.mark.parametrize("kind", ["MLP", "AE", *(f"{kind} {data}" for kind in READY for data in READY[kind])])
def test_pythae(tmp_path: Path, kind: str) -> None:
    models = library("pythae.models")
    torch.manual_seed(0)
    kind, _, data = kind.partition(" ")
    image = SIDES[data] if data else (3, 8, 8)
    variational = "AE" if kind == "AE" else "VAE"
    config = getattr(models, f"{variational}Config")(input_dim=image, latent_dim=DIM)
    parts: dict[str, nn.Module] = {}
    if data:
        ready = library(f"pythae.models.nn.benchmarks.{data}")
        parts["encoder"] = getattr(ready, f"Encoder_{kind}_VAE_{data.upper()}")(config)
        parts["decoder"] = getattr(ready, f"Decoder_{kind}_AE_{data.upper()}")(config)
    network = unsettle(getattr(models, variational)(config, **parts))
    network.save(str(tmp_path / "final_model"))
    model = open_checkpoint(tmp_path / "final_model", device="cpu")
    assert (model.info.format, model.info.encoder) == ("pythae", True)
    assert model.info.spaces[0].prior == ("empirical" if variational == "AE" else "normal")
    images = pictures(image)
    with torch.no_grad():
        latents = torch.from_numpy(model.sample(3, seed=1))
        decoded = network.decoder(latents).reconstruction.reshape(3, *image)
        encoded = network.encoder(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255).embedding
    read_alike(model, decoded, images, encoded)


@pytest.mark.parametrize("channels", [3, 1])
def test_diffusers_autoencoder_kl(tmp_path: Path, channels: int) -> None:
    kinds = library("diffusers.models.autoencoders.autoencoder_kl")
    torch.manual_seed(0)
    network = kinds.AutoencoderKL(
        in_channels=channels, out_channels=channels, down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3, block_out_channels=(4, 8, 8), layers_per_block=1, norm_num_groups=2,
        latent_channels=4, sample_size=32,
    ).eval()  # fmt: skip
    network.save_pretrained(tmp_path / "vae")
    model = open_checkpoint(tmp_path / "vae", device="cpu")
    assert (model.info.format, model.info.spaces[0].shape) == ("diffusers AutoencoderKL", (4, 8, 8))
    images = pictures((channels, 32, 32))
    with torch.no_grad():
        latents = torch.from_numpy(model.sample(3, seed=1)).reshape(3, 4, 8, 8)
        decoded = (network.decode(latents).sample / 2 + 0.5).clamp(0, 1)
        encoded = network.encode(torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1).latent_dist.mean
    read_alike(model, decoded, images, encoded)
    write_native(tmp_path / "vae", tmp_path / "native.safetensors", Options("cpu"))
    read_alike(open_checkpoint(tmp_path / "native.safetensors", device="cpu"), decoded, images, encoded)


@pytest.fixture
def lightweight_gan(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, which asks for a CUDA device on being imported and moves its networks there."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(nn.Module, "cuda", lambda module, _device=None: module)
    return library("lightweight_gan.lightweight_gan")


@pytest.mark.parametrize(
    "options",
    [{}, {"attn_res_layers": [8, 16]}, {"freq_chan_attn": True, "attn_res_layers": [32]}, {"greyscale": True}],
    ids=["plain", "attention", "frequencies", "grey"],
)
def test_lightweight_gan(tmp_path: Path, lightweight_gan: Any, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    network = lightweight_gan.LightweightGAN(latent_dim=12, image_size=128, fmap_max=16, **options)
    trained = unsettle(network.GE)
    with torch.no_grad():
        trained.out_conv.bias.fill_(0.5)  # most of the picture is within [0, 1], which the library cuts it to
        trained.out_conv.weight.mul_(0.6)
        for index, layer in enumerate(trained.layers):
            noise = layer[0][3]
            noise.weight.fill_(0.3)
            # The library draws it anew for each picture, our reader once.
            drawn = np.random.default_rng(index).standard_normal((1, 1, 2 ** (index + 3), 2 ** (index + 3)), np.float32)
            noise.forward = partial(type(noise).forward, noise, noise=torch.from_numpy(drawn))
    torch.save({"GAN": network.state_dict(), "version": "1.2.1"}, tmp_path / "model_0.pt")
    model = open_checkpoint(tmp_path / "model_0.pt", device="cpu")
    assert (model.info.format, model.info.image.channels) == ("lightweight-gan", 1 if "greyscale" in options else 3)
    latents = model.sample(2, seed=1)
    with torch.no_grad():
        decoded = trained(torch.from_numpy(latents)).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    assert decoded.std() > 0.05
    np.testing.assert_allclose(model.decode_float(latents), decoded, atol=1e-5)
