"""The autoencoder and the denoising autoencoder: what is minimised, what is damaged, and the prior that is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.core.checkpoint_file import read_header
from latentlab.core.errors import OptionError
from latentlab.models.ae import AEArchitecture, DAEArchitecture
from latentlab.models.loading import load_native
from training.config import config_from
from training.corruption import Corruption
from training.data import Dataset
from training.loop import train
from training.objectives.ae import AEObjective
from training.objectives.dae import DAEObjective
from training.objectives.objective import Batch
from training.options import AEOptions, DAEOptions
from training.precision import Precision

PRECISION = Precision(torch.device("cpu"), "float32")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def pictures(count: int = 6, channels: int = 1) -> torch.Tensor:
    return torch.rand(count, channels, 8, 8) * 2 - 1


def blobs(count: int = 60) -> Dataset:
    """A bright square in one of the four corners of a black picture."""
    rng = np.random.default_rng(0)
    images = np.zeros((count, 8, 8, 1), np.uint8)
    for image, (row, column) in zip(images, 5 * rng.integers(0, 2, (count, 2)), strict=True):
        image[row : row + 3, column : column + 3] = 230
    return Dataset("blobs", images)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gausian:0.3", "Did you mean 'gaussian'"),
        ("", "no corruption ''"),
        ("gaussian", "no amount is given; write gaussian:0.3"),
        ("mask:", "no amount is given"),
        ("gaussian:loud", "'loud' is not a number"),
        ("gaussian:nan", "must be above 0 and at most 2"),
        ("gaussian:0", "must be above 0 and at most 2"),
        ("gaussian:2.5", "must be above 0 and at most 2"),
        ("mask:1", "must be above 0 and below 1"),
        ("mask:-0.2", "must be above 0 and below 1"),
    ],
)
def test_a_corruption_that_is_not_understood_is_explained(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Corruption.parse(text)
    with pytest.raises(OptionError, match=says):
        config_from(family="dae", objective={"corruption": text})


def test_noise_has_the_spread_asked_for_and_stays_a_picture() -> None:
    grey = torch.zeros(4, 3, 32, 32)
    corruption = Corruption.parse(" gaussian:0.1 ")
    assert str(corruption) == "gaussian:0.1"
    noisy = corruption.applied(grey, torch.Generator().manual_seed(1))
    assert (noisy / 2).std().item() == pytest.approx(0.1, rel=0.03)
    assert torch.equal(noisy, corruption.applied(grey, torch.Generator().manual_seed(1)))
    loud = Corruption("gaussian", 2.0).applied(grey)
    assert loud.abs().max() == 1


def test_a_mask_takes_whole_pixels() -> None:
    white = torch.ones(4, 3, 32, 32)
    masked = Corruption.parse("mask:0.25").applied(white)
    black = (masked == -1).all(dim=1)
    assert black.float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert torch.equal(masked.amax(dim=1), torch.where(black, -1.0, 1.0))


def test_the_loss_sums_over_pixels_and_averages_over_the_batch() -> None:
    objective = AEObjective(AEArchitecture(image_size=8, channels=1, latent_dim=3, width=4), AEOptions())
    losses = objective.evaluate(objective.network.eval(), Batch(pictures()), torch.Generator())
    assert losses["loss"].item() == pytest.approx(64 * losses["mse"].item(), rel=1e-5)


@pytest.mark.parametrize("likelihood", ["mse", "bce"])
@pytest.mark.parametrize("family", ["ae", "dae"])
def test_training_lowers_the_loss(family: str, likelihood: str) -> None:
    common = {"image_size": 8, "channels": 1, "latent_dim": 3, "width": 4}
    if family == "ae":
        objective = AEObjective(AEArchitecture(**common), AEOptions(likelihood=likelihood))
    else:
        options = DAEOptions(likelihood=likelihood, corruption="gaussian:0.05")
        objective = DAEObjective(DAEArchitecture(**common), options)
    objective.make_optimisers()
    images = pictures()
    first = objective.step(Batch(images), 0, PRECISION, None)["loss"]
    for step in range(1, 60):
        last = objective.step(Batch(images), step, PRECISION, None)["loss"]
    assert last < first


def test_draws_follow_the_encodings_while_training_goes_on() -> None:
    objective = AEObjective(AEArchitecture(image_size=8, channels=1, latent_dim=3, width=4), AEOptions())
    objective.make_optimisers()
    images = pictures(64)
    for step in range(80):
        objective.step(Batch(images), step, PRECISION, None)
    network = objective.ae
    with torch.no_grad():
        codes = network.encode(images)
        assert torch.allclose(
            network.decode(codes), torch.tanh(network.decoder(network.encoder(images)) / 2), atol=1e-5
        )
    std = network.spaces[0].std
    assert std is not None
    assert np.allclose(codes.std(0).numpy(), std, rtol=0.25)
    assert np.abs(codes.mean(0).numpy()).max() < 0.5 * std.max()


def run(family: str, out: Path, epochs: int, **objective: object) -> Path:
    return train(
        config_from(
            family=family,
            epochs=epochs,
            batch_size=10,
            evaluate_every=epochs,
            threads=1,
            precision="float32",
            architecture={"network": "mlp", "hidden": 64, "latent_dim": 3},
            objective={"learning_rate": 3e-3, **objective},
        ),
        blobs(),
        out,
    )


def test_a_trained_autoencoder_has_the_prior_of_its_encodings(tmp_path: Path) -> None:
    path = run("ae", tmp_path / "run", 5)
    model = load_native(path, device="cpu")
    space = model.info.spaces[0]
    assert space.prior == "empirical"
    assert space.std is not None
    assert model.encodings is not None
    codes = model.encodings.latents
    assert np.allclose(codes.mean(0), 0, atol=0.2 * space.std.max())
    assert np.allclose(codes.std(0), space.std, rtol=0.1)
    assert space.around is codes
    assert np.allclose(replace(space, around=None).sample(4000).std(0), space.std, rtol=0.1)
    assert not (tmp_path / "run" / "samples" / "denoised-0001.png").exists()


def test_a_denoising_run_shows_damaged_repaired_and_original(tmp_path: Path) -> None:
    path = run("dae", tmp_path / "run", 40, corruption="gaussian:0.3")
    assert read_header(path).training["objective"]["corruption"] == "gaussian:0.3"
    with Image.open(tmp_path / "run" / "samples" / "denoised-0040.png") as opened:
        found = np.asarray(opened, np.float64) / 255
    # Six held-out pictures in one row: 8 px and gaps of 2.
    damaged, repaired, originals = (found[2 + 10 * row : 10 + 10 * row] for row in range(3))
    assert found.shape == (32, 62)
    assert np.square(repaired - originals).mean() < 0.8 * np.square(damaged - originals).mean()
