"""The VAE at every size it is made for, and its KL held at a capacity."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from latentlab.core.errors import OptionError
from latentlab.models.vae import VAEArchitecture
from training.config import config_from
from training.objectives.objective import Batch
from training.objectives.vae import VAEObjective, kl_per_dimension
from training.options import VAEOptions
from training.precision import Precision

PRECISION = Precision(torch.device("cpu"), "float32")
NETWORKS: dict[str, dict[str, Any]] = {
    "conv": {"width": 2},
    "residual": {"width": 2, "residual": 1},
    "patches": {"width": 2, "patch": 2},
    "mlp": {"network": "mlp", "hidden": 4},
}


@pytest.mark.parametrize("network", list(NETWORKS))
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [16, 28, 32, 64, 96, 128, 256])
def test_every_size_grey_and_colour_is_built_and_trained(network: str, channels: int, size: int) -> None:
    torch.manual_seed(0)
    architecture = VAEArchitecture(image_size=size, channels=channels, latent_dim=3, **NETWORKS[network])
    objective = VAEObjective(architecture, VAEOptions())
    objective.make_optimisers()
    before = [parameter.detach().clone() for parameter in objective.vae.parameters()]
    images = torch.rand(2, channels, size, size) * 2 - 1
    losses = objective.step(Batch(images), 0, PRECISION, None)
    assert torch.isfinite(losses["loss"])
    assert all(not torch.equal(a, b) for a, b in zip(before, objective.vae.parameters(), strict=True))
    with torch.no_grad():
        assert objective.vae.eval().decode(objective.vae.encode(images)).shape == images.shape


def paid(options: VAEOptions, step: int | None, nats: float) -> float:
    """What a KL of so many nats, in one dimension, adds to the objective."""
    objective = VAEObjective(VAEArchitecture(image_size=8, channels=1, latent_dim=1, width=2), options)
    return objective._paid_for(torch.full((4, 1), nats), step).item()


def test_the_capacity_rises_and_the_kl_is_held_at_it() -> None:
    options = VAEOptions(capacity=10.0, capacity_steps=100, capacity_weight=5.0)
    assert paid(options, 0, 3.0) == pytest.approx(15)
    assert paid(options, 50, 3.0) == pytest.approx(10)
    assert paid(options, 50, 8.0) == pytest.approx(15)
    assert paid(options, 1000, 10.0) == 0
    assert paid(options, None, 9.0) == pytest.approx(5)
    with pytest.raises(OptionError, match="takes the place of beta"):
        config_from(family="vae", objective={"capacity": 5, "beta": 2})


def test_a_held_kl_comes_to_its_capacity() -> None:
    torch.manual_seed(0)
    options = VAEOptions(likelihood="mse", capacity=2.0, capacity_steps=0, capacity_weight=50.0, learning_rate=1e-2)
    architecture = VAEArchitecture(image_size=8, channels=1, latent_dim=2, network="mlp", hidden=16)
    objective = VAEObjective(architecture, options)
    objective.make_optimisers()
    images = torch.rand(16, 1, 8, 8) * 2 - 1
    for step in range(150):
        objective.step(Batch(images), step, PRECISION, None)
    with torch.no_grad():
        kl = kl_per_dimension(*objective.vae.posterior(images)).sum(1).mean()
    assert kl.item() == pytest.approx(2, abs=0.4)
