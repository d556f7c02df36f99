"""pythae folders, against its default MLP and its ready convnets written anew, narrower."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentlab.core.errors import CheckpointError
from latentlab.formats import open_checkpoint
from tests.formats.saving import unsettle


class MLP(nn.Module):
    def __init__(self, pixels: int, dim: int, width: int = 20) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Module(), nn.Module()
        self.encoder.layers = nn.ModuleList([nn.Sequential(nn.Linear(pixels, width), nn.ReLU())])
        self.encoder.embedding, self.encoder.log_var = nn.Linear(width, dim), nn.Linear(width, dim)
        self.decoder.layers = nn.ModuleList(
            [
                nn.Sequential(nn.Linear(dim, width), nn.ReLU()),
                nn.Sequential(nn.Linear(width, pixels), nn.Sigmoid()),
            ]
        )

    def decode(self, z: Tensor) -> Tensor:
        made: Tensor = self.decoder.layers[1](self.decoder.layers[0](z))
        return made

    def encode(self, x: Tensor) -> Tensor:
        mean: Tensor = self.encoder.embedding(self.encoder.layers[0](x.reshape(len(x), -1)))
        return mean


class Convolutional(nn.Module):
    """`kernel` 3: MNIST, 4: CIFAR, 5: CelebA."""

    def __init__(self, kernel: int, dim: int) -> None:
        super().__init__()
        self.start = 4 if kernel == 3 else 8
        first = nn.Linear(dim, 6 * self.start**2)
        steps = {
            3: [(2, 1, 0), (2, 1, 1), (2, 1, 1)],
            4: [(2, 1, 0), (2, 1, 1), (1, 2, 0)],
            5: [(2, 2, 0), (2, 1, 0), (2, 2, 1), (1, 1, 0)],
        }[kernel]
        channels = 1 if kernel == 3 else 3
        widths = [*(6, 5, 4, 3)[: len(steps)], channels]
        self.decoder, self.encoder = nn.Module(), nn.Module()
        layers = nn.ModuleList([nn.Sequential(first) if kernel == 5 else first])
        for index, (stride, padding, extra) in enumerate(steps):
            grown = nn.ConvTranspose2d(widths[index], widths[index + 1], kernel, stride, padding, extra)
            last = index == len(steps) - 1
            layers.append(
                nn.Sequential(grown, nn.Sigmoid())
                if last
                else nn.Sequential(grown, nn.BatchNorm2d(widths[index + 1]), nn.ReLU())
            )
        self.decoder.layers = layers
        side = {3: 28, 4: 32, 5: 64}[kernel]
        before, shrunk = channels, nn.ModuleList()
        for width in (2, 3, 4, 5):
            shrunk.append(nn.Sequential(nn.Conv2d(before, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU()))
            before, side = width, side // 2
        self.encoder.layers = shrunk
        self.encoder.embedding = nn.Linear(5 * side**2, dim)

    def decode(self, z: Tensor) -> Tensor:
        made = self.decoder.layers[0](z).reshape(len(z), 6, self.start, self.start)
        for layer in self.decoder.layers[1:]:
            made = layer(made)
        return made

    def encode(self, x: Tensor) -> Tensor:
        for layer in self.encoder.layers:
            x = layer(x)
        mean: Tensor = self.encoder.embedding(x.flatten(1))
        return mean


def write(folder: Path, network: nn.Module, image: tuple[int, ...], dim: int, name: str = "VAEConfig") -> Path:
    folder.mkdir(exist_ok=True)
    document = {"name": name, "input_dim": list(image), "latent_dim": dim, "uses_default_encoder": True}
    (folder / "model_config.json").write_text(json.dumps(document))
    torch.save({"model_state_dict": network.state_dict()}, folder / "model.pt")
    return folder


@pytest.mark.parametrize("kind", ["mlp", "mlp rgb", 3, 4, 5])
def test_the_same_pictures_and_means(tmp_path: Path, kind: str | int) -> None:
    torch.manual_seed(0)
    image = {"mlp": (1, 8, 8), "mlp rgb": (3, 8, 8), 3: (1, 28, 28), 4: (3, 32, 32), 5: (3, 64, 64)}[kind]
    network = MLP(int(np.prod(image)), 4) if isinstance(kind, str) else unsettle(Convolutional(kind, 4))
    assert isinstance(network, MLP | Convolutional)
    model = open_checkpoint(write(tmp_path / "final_model", network, image, 4), device="cpu")
    channels, side, _ = image
    info = model.info
    assert (info.format, info.image.height, info.image.channels) == ("pythae", side, channels)
    assert (info.spaces[0].dim, info.spaces[0].prior, info.encoder) == (4, "normal", True)
    latents = model.sample(3, seed=1)
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, channels), np.uint8)
    with torch.no_grad():
        decoded = network.decode(torch.from_numpy(latents)).reshape(3, *image).permute(0, 2, 3, 1).numpy()
        encoded = network.encode(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255).numpy()
    np.testing.assert_allclose(model.decode_float(latents), decoded, atol=1e-5)
    np.testing.assert_allclose(model.encode(images), encoded, atol=1e-4)


def test_an_autoencoder_has_no_normal_prior(tmp_path: Path) -> None:
    info = open_checkpoint(write(tmp_path, MLP(64, 4), (1, 8, 8), 4, "AEConfig"), device="cpu").info
    assert (info.family, info.spaces[0].prior) == ("ae", "empirical")


def test_networks_of_the_users_own_are_refused_with_the_reason(tmp_path: Path) -> None:
    network = MLP(64, 4)
    network.decoder.head = nn.Linear(4, 4)
    with pytest.raises(CheckpointError, match=r"saves as code \(decoder.pkl\)"):
        open_checkpoint(write(tmp_path, network, (1, 8, 8), 4))
    encoder_alone = MLP(64, 4)
    encoder_alone.encoder.head = nn.Linear(4, 4)
    assert not open_checkpoint(write(tmp_path, encoder_alone, (1, 8, 8), 4), device="cpu").info.encoder


@pytest.mark.parametrize(
    ("name", "image", "dim", "said"),
    [
        ("VQVAEConfig", (1, 8, 8), 4, "codebook"),
        ("SVAEConfig", (1, 8, 8), 4, "sphere"),
        ("VAEConfig", (1, 8, 8), 5, "states latents of 5"),
        ("VAEConfig", (1, 9, 9), 4, "makes pictures of"),
        ("VAEConfig", (1, 2**31, 2**31), 4, "states pictures of"),
        ("VAEConfig", (2, 8, 8), 4, "states pictures of"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, name: str, image: tuple[int, ...], dim: int, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(write(tmp_path, MLP(64, 4), image, dim, name))
