"""A small file of every format that opens, as its own library writes it; what all readers must do is tried on these."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from latentlab.api.converting import write_native
from latentlab.formats import Options
from tests.formats import samples_a, test_lightweight_gan
from tests.formats.saving import save, unsettle
from tests.formats.stylegan2_samples import rosinality
from tests.formats.stylegan_pickles import stylegan_pickle
from tests.formats.test_autoencoder_kl import made_up
from tests.formats.test_disentangling_vae import Burgess
from tests.formats.test_foreign import ExampleVAE
from tests.formats.test_pythae import MLP
from tests.formats.test_pytorch_vae_collection import VanillaVAE
from tests.formats.test_studiogan import Generator, LinearNorm


def generator() -> nn.Module:
    network = nn.Module()
    network.main = nn.Sequential(
        nn.ConvTranspose2d(5, 4, 4, 1, 0, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
        nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    return unsettle(network)


def chain() -> nn.Module:
    return unsettle(nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 64)))


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


def studiogan(folder: Path) -> Path:
    network = unsettle(Generator("resnet", LinearNorm, classes=3, attention=True))
    return save(network.state_dict(), folder / "G.pth", "state_dict")


def native_family(folder: Path) -> Path:
    source = save(ExampleVAE().state_dict(), folder / "source.pth")
    write_native(source, folder / "native.safetensors", Options("cpu"))
    return folder / "native.safetensors"


def native_foreign(folder: Path) -> Path:
    write_native(pythae(folder), folder / "native.safetensors", Options("cpu"))
    return folder / "native.safetensors"


FILES: dict[str, Callable[[Path], Path]] = {
    "pytorch/examples VAE": lambda folder: save(ExampleVAE().state_dict(), folder / "vae.pth"),
    "legacy VAE": lambda folder: save(ExampleVAE().state_dict(), folder / "vae.pth", legacy=True),
    "DCGAN": lambda folder: save(generator().state_dict(), folder / "netG.pth"),
    "legacy DCGAN": lambda folder: save(generator().state_dict(), folder / "netG.pth", "netG", legacy=True),
    "DCGAN in safetensors": in_safetensors,
    "chain": lambda folder: save(chain().state_dict(), folder / "G.ckpt", "_orig_mod."),
    "legacy chain": lambda folder: save(chain().state_dict(), folder / "G.ckpt", legacy=True),
    "disentangling-vae": lambda folder: save(Burgess(32, 1, 2).state_dict(), folder / "model.pt", legacy=True),
    "PyTorch-VAE": lambda folder: save(
        unsettle(VanillaVAE((2, 3, 4), 2)).state_dict(), folder / "last.ckpt", "state_dict"
    ),
    "pythae": pythae,
    "AutoencoderKL": autoencoder_kl,
    "lightweight-gan": lambda folder: test_lightweight_gan.written(folder, test_lightweight_gan.made_up(32)),
    "StudioGAN": studiogan,
    "StyleGAN2 (rosinality)": lambda folder: rosinality(folder / "stylegan2.pt"),
    "StyleGAN2 (NVIDIA)": lambda folder: stylegan_pickle(folder / "network.pkl"),
}  # what converts to a native checkpoint
NATIVE: dict[str, Callable[[Path], Path]] = {"native": native_family, "native foreign": native_foreign}
PROGRAMS: dict[str, Callable[[Path], Path]] = {
    "ONNX": lambda folder: samples_a.onnx_decoder(folder / "decoder.onnx"),
    "TorchScript": lambda folder: samples_a.torchscript(folder / "model.pt"),
    ".pt2": lambda folder: samples_a.exported(folder / "model.pt2"),
}
