"""Readers of state dicts: the same pictures as the network that was saved, latents and encoders in their places."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentlab.core.errors import CheckpointError
from latentlab.formats import open_checkpoint


class ExampleVAE(nn.Module):
    """As in pytorch/examples, 64 pixels instead of 784."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(64, 30), nn.Linear(30, 5), nn.Linear(30, 5)
        self.fc3, self.fc4 = nn.Linear(5, 30), nn.Linear(30, 64)

    def encode(self, x: Tensor) -> Tensor:
        mean: Tensor = self.fc21(torch.relu(self.fc1(x)))
        return mean

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.fc4(torch.relu(self.fc3(z))))


def example_generator(nz: int = 7, ngf: int = 4, nc: int = 3, layers: int = 3) -> nn.Module:
    """As in pytorch/examples' DCGAN; three layers make 16 px."""
    widths = [ngf * 2 ** (layers - 2 - index) for index in range(layers - 1)]
    parts: list[nn.Module] = []
    before = nz
    for index, width in enumerate(widths):
        stride, padding = (1, 0) if index == 0 else (2, 1)
        parts += [
            nn.ConvTranspose2d(before, width, 4, stride, padding, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(True),
        ]
        before = width
    network = nn.Module()
    network.main = nn.Sequential(*parts, nn.ConvTranspose2d(before, nc, 4, 2, 1, bias=False), nn.Tanh())
    for module in network.modules():  # so that the running statistics matter
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("legacy", [False, True])
def test_the_vae_of_the_examples(tmp_path: Path, legacy: bool) -> None:
    network, path = ExampleVAE(), tmp_path / "vae.pth"
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=not legacy)
    model = open_checkpoint(path, device="cpu")
    assert (model.info.format, model.info.encoder, model.info.warnings) == ("pytorch/examples VAE", True, ())
    latents = model.sample(3, seed=1)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), np.uint8)
    with torch.no_grad():
        decoded = network.decode(torch.from_numpy(latents)).numpy().reshape(3, 8, 8, 1)
        encoded = network.encode(torch.from_numpy(images.reshape(4, 64)).float() / 255).numpy()
    np.testing.assert_allclose(model.decode_float(latents), decoded, atol=1e-6)
    np.testing.assert_allclose(model.encode(images), encoded, atol=1e-5)


@pytest.mark.parametrize(("channels", "layers", "prefix"), [(3, 3, "main."), (1, 4, "main."), (3, 3, "model.")])
@pytest.mark.parametrize("wrapper", ["", "module.", "netG"])
def test_the_dcgan_of_the_examples(tmp_path: Path, channels: int, layers: int, prefix: str, wrapper: str) -> None:
    network, path = example_generator(nc=channels, layers=layers), tmp_path / "netG.pth"
    state = {name.replace("main.", prefix, 1): value for name, value in network.state_dict().items()}
    if wrapper.endswith("."):
        state = {wrapper + name: value for name, value in state.items()}
    torch.save({wrapper: state, "epoch": 3} if wrapper == "netG" else state, path)
    model = open_checkpoint(path, device="cpu")
    side = 4 * 2 ** (layers - 1)
    assert model.info.format == "pytorch/examples DCGAN"
    assert (model.info.image.height, model.info.image.channels, model.info.spaces[0].dim) == (side, channels, 7)
    assert (model.info.encoder, model.info.invertible) == (False, True)
    latents = model.sample(3, seed=1)
    with torch.no_grad():
        made = network.main(torch.from_numpy(latents)[..., None, None]).numpy()
    np.testing.assert_allclose(model.decode_float(latents), (made.transpose(0, 2, 3, 1) + 1) / 2, atol=1e-6)


def test_a_discriminator_is_told_apart(tmp_path: Path) -> None:
    network = nn.Module()
    network.main = nn.Sequential(
        nn.Conv2d(3, 4, 4, 2, 1, bias=False), nn.LeakyReLU(0.2), nn.Conv2d(4, 8, 4, 2, 1, bias=False),
        nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 4, 1, 0, bias=False),
    )  # fmt: skip
    torch.save(network.state_dict(), tmp_path / "netD.pth")
    with pytest.raises(CheckpointError, match="a discriminator"):
        open_checkpoint(tmp_path / "netD.pth")


def test_a_changed_dcgan_is_refused_with_its_shapes(tmp_path: Path) -> None:
    network = nn.Module()
    network.main = nn.Sequential(nn.ConvTranspose2d(7, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
                                 nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False))  # fmt: skip
    torch.save(network.state_dict(), tmp_path / "netG.pth")
    with pytest.raises(CheckpointError, match=r"\(7, 4, 3, 3\)"):
        open_checkpoint(tmp_path / "netG.pth")


def test_a_chain_of_linear_layers_is_a_guess_that_can_be_corrected(tmp_path: Path) -> None:
    network = nn.Sequential(
        nn.Linear(6, 20), nn.LeakyReLU(0.2), nn.Linear(20, 20), nn.LeakyReLU(0.2), nn.Linear(20, 64), nn.Sigmoid()
    )
    path = tmp_path / "G.ckpt"
    torch.save(network.state_dict(), path)
    guessed = open_checkpoint(path, device="cpu")
    assert "guessed --activation relu and --range tanh" in guessed.info.warnings[0]
    said = open_checkpoint(path, device="cpu", options={"activation": "leaky_relu", "range": "sigmoid"})
    assert said.info.warnings == ()
    latents = said.sample(3, seed=1)
    with torch.no_grad():
        made = network(torch.from_numpy(latents)).numpy().reshape(3, 8, 8, 1)
    np.testing.assert_allclose(said.decode_float(latents), made, atol=1e-6)
    assert not np.allclose(guessed.decode_float(latents), made, atol=1e-2)


def test_a_linear_classifier_is_no_generator(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Linear(64, 20), nn.ReLU(), nn.Linear(20, 16)).state_dict(), tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match="a classifier of 16 classes"):
        open_checkpoint(tmp_path / "c.pt")


def test_options_saved_beside_the_weights_do_no_harm(tmp_path: Path) -> None:
    state = ExampleVAE().state_dict()
    torch.save({"args": argparse.Namespace(lr=0.1, out="x"), "vae": state}, tmp_path / "vae.pth")
    assert open_checkpoint(tmp_path / "vae.pth", device="cpu").info.format == "pytorch/examples VAE"


def test_weights_that_do_not_fit_their_names_are_refused(tmp_path: Path) -> None:
    state = ExampleVAE().state_dict()
    state["fc3.bias"] = torch.zeros(31)
    torch.save(state, tmp_path / "vae.pth")
    with pytest.raises(CheckpointError, match=r"first 'fc3.bias'"):
        open_checkpoint(tmp_path / "vae.pth")
    state["fc3.bias"], state["fc4.weight"], state["fc4.bias"] = torch.zeros(30), torch.zeros(50, 30), torch.zeros(50)
    torch.save(state, tmp_path / "vae.pth")
    with pytest.raises(CheckpointError, match="50 pixels"):
        open_checkpoint(tmp_path / "vae.pth")


def test_checkpoints_as_people_have_them(test_data: Path) -> None:
    folder = test_data / "checkpoints"
    vae = open_checkpoint(folder / "pytorch-examples-vae" / "vae_epoch_25.pth", device="cpu")
    digits = np.frombuffer(next((test_data / "data" / "MNIST").rglob("t10k-images-idx3-ubyte")).read_bytes(), np.uint8)
    images = digits[16:].reshape(-1, 28, 28, 1)[:2000]
    assert np.mean((vae.decode_float(vae.encode(images)) - images / 255) ** 2) < 0.0065
    gan = open_checkpoint(folder / "mlp-gan" / "mnist_gan_mlp_G--300.ckpt", device="cpu")
    pictures = gan.decode_float(gan.sample(64))
    assert 0.05 < pictures.mean() < 0.25  # light strokes on black, as in MNIST (0.13)
    with pytest.raises(CheckpointError, match="a discriminator"):
        open_checkpoint(folder / "not-generators" / "mnist_dcgan_netD_epoch_99.pth")
    with pytest.raises(CheckpointError, match="a classifier of 10 classes"):
        open_checkpoint(folder / "not-generators" / "lenet_mnist.pth")
