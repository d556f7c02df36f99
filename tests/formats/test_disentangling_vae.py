"""YannDubs/disentangling-vae, against the published network written anew, and against its real checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentlab.core.errors import CheckpointError
from latentlab.formats import open_checkpoint
from tests.formats.saving import COATS, save


class Burgess(nn.Module):
    def __init__(self, side: int, channels: int, dim: int) -> None:
        super().__init__()
        names = [*(["64"] if side == 64 else []), "1", "2", "3"]
        self.encoder, self.decoder, self.names, self.dim = nn.Module(), nn.Module(), names, dim
        for index in (1, 2, 3):
            setattr(self.encoder, f"conv{index}", nn.Conv2d(channels if index == 1 else 32, 32, 4, 2, 1))
            setattr(self.decoder, f"convT{index}", nn.ConvTranspose2d(32, channels if index == 3 else 32, 4, 2, 1))
        if side == 64:
            self.encoder.conv_64 = nn.Conv2d(32, 32, 4, 2, 1)
            self.decoder.convT_64 = nn.ConvTranspose2d(32, 32, 4, 2, 1)
        self.encoder.lin1, self.encoder.lin2 = nn.Linear(512, 256), nn.Linear(256, 256)
        self.encoder.mu_logvar_gen = nn.Linear(256, 2 * dim)
        self.decoder.lin1, self.decoder.lin2, self.decoder.lin3 = (
            nn.Linear(dim, 256), nn.Linear(256, 256), nn.Linear(256, 512),
        )  # fmt: skip

    def decode(self, z: Tensor) -> Tensor:
        d = self.decoder
        x = torch.relu(d.lin3(torch.relu(d.lin2(torch.relu(d.lin1(z)))))).view(-1, 32, 4, 4)
        if "64" in self.names:
            x = torch.relu(d.convT_64(x))
        return torch.sigmoid(d.convT3(torch.relu(d.convT2(torch.relu(d.convT1(x))))))

    def encode(self, x: Tensor) -> Tensor:
        e = self.encoder
        x = torch.relu(e.conv3(torch.relu(e.conv2(torch.relu(e.conv1(x))))))
        if "64" in self.names:
            x = torch.relu(e.conv_64(x))
        x = torch.relu(e.lin2(torch.relu(e.lin1(x.reshape(len(x), -1)))))
        mean, _ = e.mu_logvar_gen(x).view(-1, self.dim, 2).unbind(-1)
        return mean


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("side", "channels", "dim", "legacy"), [(32, 1, 10, True), (64, 3, 3, False)])
def test_the_same_pictures_and_means(tmp_path: Path, side: int, channels: int, dim: int, legacy: bool) -> None:
    network = Burgess(side, channels, dim)
    save(network.state_dict(), tmp_path / "model.pt", legacy=legacy)
    model = open_checkpoint(tmp_path / "model.pt", device="cpu")
    info = model.info
    assert (info.format, info.image.height, info.image.channels) == ("disentangling-vae", side, channels)
    assert (info.spaces[0].shape, info.encoder, info.warnings) == ((dim,), True, ())
    latents = model.sample(3, seed=1)
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, channels), np.uint8)
    with torch.no_grad():
        decoded = network.decode(torch.from_numpy(latents)).permute(0, 2, 3, 1).numpy()
        encoded = network.encode(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255).numpy()
    np.testing.assert_allclose(model.decode_float(latents), decoded, atol=1e-5)
    np.testing.assert_allclose(model.encode(images), encoded, atol=1e-5)


@pytest.mark.parametrize("coat", COATS)
def test_in_every_coat(tmp_path: Path, coat: str) -> None:
    network = Burgess(32, 1, 4)
    state = {name: value.half() for name, value in network.state_dict().items()}
    model = open_checkpoint(save(state, tmp_path / "vae.pt", coat), device="cpu")
    network.load_state_dict(state)
    latents = model.sample(2)
    with torch.no_grad():
        decoded = network.decode(torch.from_numpy(latents)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(model.decode_float(latents), decoded, atol=1e-5)


def test_a_folder_with_its_specs(tmp_path: Path) -> None:
    save(Burgess(32, 1, 4).state_dict(), tmp_path / "model.pt")
    (tmp_path / "specs.json").write_text(json.dumps({"dataset": "mnist", "epochs": 400, "seed": 1234, "lr": [1]}))
    info = open_checkpoint(tmp_path, device="cpu").info
    assert (info.path, info.training) == (
        str(tmp_path / "model.pt"),
        {"data": "mnist", "epochs": 400, "seed": 1234},
    )


@pytest.mark.parametrize(
    ("specs", "said"), [("{", "not sound JSON"), ("[1]", "no JSON object"), (" " * (1 << 21), "larger than")]
)
def test_damaged_specs_are_said(tmp_path: Path, specs: str, said: str) -> None:
    save(Burgess(32, 1, 4).state_dict(), tmp_path / "model.pt")
    (tmp_path / "specs.json").write_text(specs)
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(tmp_path)


def test_missing_and_changed_layers_are_refused_by_name(tmp_path: Path) -> None:
    state = Burgess(32, 1, 4).state_dict()
    without = {name: value for name, value in state.items() if not name.startswith("decoder.lin2")}
    with pytest.raises(CheckpointError, match=r"gone\.pt cannot be opened: it has no weight 'lin2.weight'"):
        open_checkpoint(save(without, tmp_path / "gone.pt"))
    changed = state | {"decoder.convT2.bias": torch.zeros(31)}
    with pytest.raises(CheckpointError, match=r"first 'convT2.bias' \(is \(31,\); \(32,\) is needed\)"):
        open_checkpoint(save(changed, tmp_path / "changed.pt"))


def test_the_real_checkpoints_reconstruct_as_published(test_data: Path) -> None:
    digits = next((test_data / "data" / "MNIST").rglob("t10k-images-idx3-ubyte")).read_bytes()
    pixels = torch.from_numpy(np.frombuffer(digits, np.uint8)[16:].reshape(-1, 1, 28, 28)[:2000].copy()).float()
    pixels = torch.nn.functional.interpolate(pixels, size=32, mode="bilinear")
    images = pixels.round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    model = open_checkpoint(test_data / "checkpoints" / "disentangling-vae" / "VAE_mnist", device="cpu")
    assert np.mean((model.decode_float(model.encode(images)) - images / 255) ** 2) < 0.0048
    assert model.info.training == {"data": "mnist", "epochs": 400, "seed": 1234}
    faces = open_checkpoint(test_data / "checkpoints" / "disentangling-vae" / "btcvae_celeba", device="cpu")
    assert faces.decode(faces.sample(2)).shape == (2, 64, 64, 3)
