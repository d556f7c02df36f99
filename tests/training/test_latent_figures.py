"""What evaluate says of latent spaces: bounds that must hold, and which families have which figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from latentlab.core.checkpoint_file import Header, read_header
from latentlab.core.errors import OptionError
from latentlab.models.avb import AVB
from latentlab.models.loading import load_native
from latentlab.models.torch_model import TorchModel
from training.config import config_from
from training.data import Dataset
from training.evaluate import evaluate
from training.latent_figures import of_continuity, of_denoising, of_likelihood
from training.loop import train
from training.sheets import as_inputs

TINY: dict[str, Any] = {"network": "mlp", "hidden": 32, "latent_dim": 2}


def corners(count: int = 80) -> Dataset:
    """A bright square in one of the four corners of a black picture."""
    rng = np.random.default_rng(0)
    images = np.zeros((count, 8, 8, 1), np.uint8)
    labels = rng.integers(0, 2, (count, 2))
    for image, (row, column) in zip(images, 5 * labels, strict=True):
        image[row : row + 3, column : column + 3] = 230
    return Dataset("corners", images, labels=labels[:, 0].astype(np.int64), label_names=("top", "bottom"))


def trained(family: str, folder: Path, epochs: int = 6, **changes: Any) -> tuple[TorchModel, Header]:
    values = {"family": family, "epochs": epochs, "batch_size": 12, "evaluate_every": epochs, "threads": 1}
    config = config_from(**values, precision="float32", encodings=0, architecture=TINY, **changes)
    path = train(config, corners(), folder)
    return load_native(path, device="cpu"), read_header(path)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def split() -> tuple[Dataset, Dataset]:
    train_idx, held_out_idx = corners().split(0, 0.25)
    return corners().subset(train_idx), corners().subset(held_out_idx)


@pytest.mark.parametrize("fit_prior", [False, True])
def test_the_weighted_estimate_lies_below_the_elbo(fit_prior: bool, tmp_path: Path) -> None:
    model, header = trained("vae", tmp_path, fit_prior=fit_prior, objective={"likelihood": "bce"})
    figures = of_likelihood(model, header, *split(), 200)
    assert figures["likelihood"] == "bce"
    assert figures["nll_nats"] < figures["negative_elbo_nats"] < 64
    assert 1 <= figures["effective_draws"] <= 200
    one = of_likelihood(model, header, *split(), 1)
    assert one["nll_nats"] == pytest.approx(one["negative_elbo_nats"], abs=1e-3)
    assert one["nll_nats"] > figures["nll_nats"]
    # What the trainer calls the loss is the same bound, where the prior is that of training.
    if not fit_prior:
        assert figures["negative_elbo_nats"] == pytest.approx(header.figures["held_out"]["loss"], rel=0.15)
    assert of_likelihood(model, header, *split(), 200) == figures


def test_a_sigma_vae_is_measured_with_the_sigma_of_its_errors(tmp_path: Path) -> None:
    model, header = trained("vae", tmp_path)
    figures = of_likelihood(model, header, *split(), 20)
    assert figures["likelihood"] == "gaussian"
    assert 0.01 < figures["sigma"] < 0.6
    assert figures["nll_nats"] <= figures["negative_elbo_nats"]
    assert figures["bce"]["nll_nats"] > 0


def test_a_posterior_without_density_has_no_elbo(tmp_path: Path) -> None:
    model, header = trained("avb", tmp_path, objective={"likelihood": "bce", "adversary_hidden": 16})
    figures = of_likelihood(model, header, *split(), 20)
    assert "negative_elbo_nats" not in figures
    assert 0 < figures["nll_nats"] < 64
    assert "fitted to" in figures["proposal"]


def test_the_prior_of_a_posterior_without_density_is_that_of_its_draws(tmp_path: Path) -> None:
    model, _ = trained("avb", tmp_path, fit_prior=True, objective={"adversary_hidden": 16})
    network, std = model.network, model.info.spaces[0].std
    assert isinstance(network, AVB)
    assert std is not None
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        images = as_inputs(split()[0].images).repeat(20, 1, 1, 1)
        draws = network.sampled(images, network.noise(len(images), images.device, generator))
    assert np.allclose(draws.std(0).numpy(), std, rtol=0.25)


def test_a_conditional_vae_is_told_of_each_picture(tmp_path: Path) -> None:
    model, header = trained("cvae", tmp_path, objective={"likelihood": "bce"})
    figures = of_likelihood(model, header, *split(), 20)
    assert figures["nll_nats"] <= figures["negative_elbo_nats"]
    assert of_continuity(model, split()[1]) == {}


def test_a_denoising_autoencoder_is_measured_before_and_after(tmp_path: Path) -> None:
    model, header = trained("dae", tmp_path, 40, objective={"corruption": "mask:0.25", "learning_rate": 5e-3})
    figures = of_denoising(model, header, split()[1])
    assert figures["corruption"] == "mask:0.25"
    # A quarter of the square's pixels, 230 of 255 each, is gone.
    assert figures["damaged_mse"] == pytest.approx(0.25 * (230 / 255) ** 2 * 9 / 64, rel=0.35)
    assert figures["repaired_psnr_db"] > figures["damaged_psnr_db"] + 2
    assert of_likelihood(model, header, *split(), 20) == {}
    continuous = of_continuity(model, split()[1])
    assert continuous["change_per_unit"] > 0
    assert continuous["steepest"] >= 1
    assert of_denoising(*trained("ae", tmp_path / "ae"), split()[1]) == {}


def test_too_many_importance_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--importance-samples 0"):
        evaluate(tmp_path, None, importance_samples=0)
