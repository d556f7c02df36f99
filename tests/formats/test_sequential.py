"""Chains of layers: what is guessed, what is said, what is remembered, and what is no chain."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from latentlab.command_line.description import describe
from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.readings import Guess
from latentlab.formats import Options, open_checkpoint
from latentlab.formats.answers import answers_path, remember
from latentlab.formats.sequential import LIKELY_OF_GAN, LIKELY_OF_VAE, drawn_guesses
from tests.formats.saving import COATS, save, unsettle


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def mlp() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(6, 20), nn.BatchNorm1d(20), nn.LeakyReLU(0.2), nn.Linear(20, 192), nn.Sigmoid()
    )  # fmt: skip


def transposed(kernel: int) -> tuple[nn.Module, int]:
    """From a linear layer to 4 px, then doubled twice."""
    extra, padding = {2: (0, 0), 3: (1, 1), 4: (0, 1), 5: (1, 2), 6: (0, 2)}[kernel]
    return nn.Sequential(
        nn.Linear(6, 5 * 16), nn.ReLU(), nn.Unflatten(1, (5, 4, 4)),
        nn.ConvTranspose2d(5, 4, kernel, 2, padding, extra), nn.BatchNorm2d(4), nn.ReLU(),
        nn.ConvTranspose2d(4, 3, kernel, 2, padding, extra), nn.Tanh(),
    ), 16  # fmt: skip


@pytest.mark.parametrize("coat", COATS)
def test_an_mlp_in_every_coat(tmp_path: Path, coat: str) -> None:
    network = mlp().eval()
    path = save(network.state_dict(), tmp_path / "G.pt", coat)
    model = open_checkpoint(path, device="cpu", options={"activation": "leaky_relu", "range": "sigmoid"})
    assert (model.info.image.height, model.info.image.channels, model.info.warnings) == (8, 3, ())
    latents = model.sample(3)
    with torch.no_grad():
        made = network(torch.from_numpy(latents)).reshape(3, 3, 8, 8).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(model.decode_float(latents), made, atol=1e-5)


def test_weights_in_safetensors(tmp_path: Path) -> None:
    network, path = mlp().eval(), tmp_path / "model.safetensors"
    save_file(network.state_dict(), path)
    model = open_checkpoint(path, device="cpu", options={"activation": "leaky_relu", "range": "sigmoid"})
    latents = model.sample(3)
    with torch.no_grad():
        made = network(torch.from_numpy(latents)).reshape(3, 3, 8, 8).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(model.decode_float(latents), made, atol=1e-5)


@pytest.mark.parametrize("kernel", [2, 3, 4, 5, 6])
def test_transposed_convolutions_after_a_linear_layer(tmp_path: Path, kernel: int) -> None:
    network, side = transposed(kernel)
    unsettle(network)
    model = open_checkpoint(save(network.state_dict(), tmp_path / "G.pt"), device="cpu")
    assert (model.info.format, model.info.image.height) == ("transposed-convolution generator", side)
    assert "guessed --activation relu and --range tanh" in model.info.warnings[0]
    latents = model.sample(2)
    with torch.no_grad():
        made = (network(torch.from_numpy(latents)).permute(0, 2, 3, 1).numpy() + 1) / 2
    np.testing.assert_allclose(model.decode_float(latents), made, atol=1e-5)


@pytest.mark.parametrize("doubled", [False, True])
def test_an_mlp_vae_with_its_encoder(tmp_path: Path, doubled: bool) -> None:
    heads = {"net": nn.Linear(20, 8)} if doubled else {"fc_mu": nn.Linear(20, 4), "fc_var": nn.Linear(20, 4)}
    body = nn.Sequential(nn.Linear(64, 20), nn.ReLU())
    network = nn.ModuleDict(
        {
            "encoder": nn.ModuleDict({"body": body, **heads}),
            "decoder": nn.Sequential(nn.Linear(4, 20), nn.ReLU(), nn.Linear(20, 64), nn.Sigmoid()),
        }
    )
    model = open_checkpoint(save(network.state_dict(), tmp_path / "vae.pt"), device="cpu")
    assert (model.info.family, model.info.encoder) == ("vae", True)
    assert "guessed --activation relu and --range sigmoid" in model.info.warnings[0]
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1), np.uint8)
    head = next(iter(heads.values()))
    with torch.no_grad():
        means = head(body(torch.from_numpy(images).reshape(2, 64) / 255))[:, :4].numpy()
    np.testing.assert_allclose(model.encode(images), means, atol=1e-5)


@pytest.mark.parametrize("spelling", ["old", "new", "weight", "new weight"])
@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_normalised_weights_in_both_spellings(tmp_path: Path, spelling: str) -> None:
    normalise = {
        "old": nn.utils.spectral_norm, "new": nn.utils.parametrizations.spectral_norm,
        "weight": nn.utils.weight_norm, "new weight": nn.utils.parametrizations.weight_norm,
    }[spelling]  # fmt: skip
    network = nn.Sequential(
        normalise(nn.Linear(6, 80)), nn.ReLU(), nn.Unflatten(1, (5, 4, 4)),
        normalise(nn.ConvTranspose2d(5, 5, 4, 2, 1)), nn.ReLU(), normalise(nn.ConvTranspose2d(5, 3, 4, 2, 1)),
        nn.Tanh(),
    )  # fmt: skip
    for _ in range(20):
        network(torch.randn(2, 6))  # the power iteration settles
    network.eval()
    model = open_checkpoint(save(network.state_dict(), tmp_path / "G.pt"), device="cpu")
    latents = model.sample(2)
    with torch.no_grad():
        made = (network(torch.from_numpy(latents)).permute(0, 2, 3, 1).numpy() + 1) / 2
    np.testing.assert_allclose(model.decode_float(latents), made, atol=1e-5)


def test_an_answer_is_remembered_beside_the_file(tmp_path: Path) -> None:
    path = save(mlp().state_dict(), tmp_path / "G.pt")
    said = open_checkpoint(path, device="cpu", options={"activation": "leaky_relu", "range": "sigmoid"})
    document = remember(path, "leaky_relu", "sigmoid")
    assert document == answers_path(path) == tmp_path / "G.pt.latentlab.json"
    document.write_text('{"latent": "4x8x8", "range": "tanh"}')
    remember(path, "leaky_relu", "sigmoid")
    assert json.loads(document.read_text()) == {"latent": "4x8x8", "activation": "leaky_relu", "range": "sigmoid"}
    document.write_text("[damaged")
    remember(path, "leaky_relu", "sigmoid")
    again = open_checkpoint(path, device="cpu")
    assert again.info.warnings == ()
    np.testing.assert_array_equal(again.decode(again.sample(2)), said.decode(said.sample(2)))
    otherwise = open_checkpoint(path, device="cpu", options={"range": "tanh"})
    assert otherwise.info.warnings == ()  # said now, and remembered
    assert not np.array_equal(otherwise.decode(again.sample(2)), again.decode(again.sample(2)))
    with pytest.raises(OptionError, match="no activation 'relo'"):
        remember(path, "relo", "tanh")
    document.write_text(json.dumps({"activation": "exec"}))
    with pytest.raises(CheckpointError, match=r"G\.pt\.latentlab\.json cannot be used"):
        open_checkpoint(path)


def guesses_of(path: Path, count: int = 1) -> list[Guess]:
    return [guess for _, guess in drawn_guesses(path, count)]


def test_each_plausible_guess_is_drawn_the_likeliest_first(tmp_path: Path) -> None:
    drawn = guesses_of(save(mlp().state_dict(), tmp_path / "G.pt"), count=2)
    assert [(guess.activation, guess.range) for guess in drawn] == list(LIKELY_OF_GAN)
    assert {guess.images.shape for guess in drawn} == {(2, 8, 8, 3)}
    assert len({guess.images.tobytes() for guess in drawn}) == len(drawn)
    pair = OrderedDict((f"decoder.{name}", value) for name, value in mlp().state_dict().items())
    pair["encoder.0.weight"] = torch.zeros(3, 3)
    assert guesses_of(save(pair, tmp_path / "vae.pt"), count=1)[0].range == LIKELY_OF_VAE[0][1]


def test_nothing_is_asked_of_a_file_that_says_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    assert guesses_of(tmp_path / "a.txt") == []


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"0.weight": (20, 6), "2.weight": (64, 21)}, "not known"),
        ({"0.weight": (20, 6), "2.weight": (65, 20)}, "not known"),
        ({f"{n}.weight": (1, 1, 4, 4) for n in range(60)}, "not known"),  # would be 2^60 px
        ({"0.weight": (6, 9000, 1, 1), **{f"{n}.weight": (9000, 1, 1, 1) for n in (2,)}}, "not known"),
        ({"c.weight": (8, 3, 3, 3), "f.weight": (10, 32)}, "a classifier of 10 classes"),
        ({"c.weight": (8, 3, 3, 3), "d.weight": (1, 8, 4, 4)}, "a discriminator"),
        ({"0.weight": (20, 64), "2.weight": (1, 20)}, "a discriminator"),
    ],
)
def test_what_is_no_generator(tmp_path: Path, state: dict[str, tuple[int, ...]], said: str) -> None:
    weights = {name: torch.zeros(shape) for name, shape in state.items()}
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(save(weights, tmp_path / "x.pt"))


def test_maps_that_would_fill_the_memory_are_refused_before_they_are_made(tmp_path: Path) -> None:
    chain = {"0.weight": torch.zeros(1, 1, 4, 4)}
    for index in range(1, 8):
        chain[f"{index}.weight"] = torch.zeros(1, 1, 4, 4)  # 512 px
    chain["8.weight"], chain["9.weight"] = torch.zeros(1, 4000, 1, 1), torch.zeros(4000, 3, 1, 1)
    path = save(chain, tmp_path / "x.pt")
    assert path.stat().st_size < 100_000
    with pytest.raises(CheckpointError, match="numbers at once"):
        open_checkpoint(path)


def test_the_real_generator(test_data: Path) -> None:
    path = test_data / "checkpoints" / "mlp-gan" / "mnist_gan_mlp_G--300.ckpt"
    model = open_checkpoint(path, device="cpu")
    assert 0.05 < model.decode_float(model.sample(64)).mean() < 0.25  # light strokes on black, as in MNIST (0.13)
    assert guesses_of(path, count=1)[0].activation == "relu"


def test_info_says_what_was_guessed(tmp_path: Path) -> None:
    path = save(mlp().state_dict(), tmp_path / "G.pt")
    document, warnings = describe(path, Options("cpu"))
    assert document["spaces"] == [{"name": "z", "shape": [6], "prior": "normal"}]
    assert "guessed --activation relu" in warnings[0]
    assert describe(path, Options("cpu", activation="relu", range="tanh"))[1] == ()
