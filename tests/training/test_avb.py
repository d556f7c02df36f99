"""Adversarial variational Bayes: moments against draws, a KL that is known, and four points that tile the prior."""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks.avb import toy
from latentlab.models.avb import AVB, AVBArchitecture
from training.objectives.avb import AVBObjective
from training.objectives.objective import Batch
from training.options import AVBOptions
from training.precision import Precision

PRECISION = Precision(torch.device("cpu"), "float32")
TINY = AVBArchitecture(
    image_size=8, channels=1, latent_dim=2, network="mlp", hidden=16, noise_dim=3, responses=6, noise_hidden=16
)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def pictures(count: int = 6) -> torch.Tensor:
    return torch.rand(count, 1, 8, 8) * 2 - 1


def test_moments_are_those_of_the_draws_and_the_mean_is_the_encoding() -> None:
    network = AVB(TINY).eval()
    images = pictures(3)
    with torch.no_grad():
        noise = network.noise(20_000, torch.device("cpu"))
        draws = network.samples(images, noise)
        mean, variance = network.moments(images, noise)
        assert torch.allclose(mean, draws.mean(0), atol=1e-4)
        assert torch.allclose(variance, draws.var(0, correction=0), rtol=1e-3)
        assert torch.allclose(draws[:3].diagonal(dim1=0, dim2=1).T, network.sampled(images, noise[:3]), atol=1e-5)
        encoded = network.encode(images)
        assert torch.equal(encoded, network.encode(images))
        assert (encoded - mean).abs().max() < 0.3 * variance.sqrt().max()


def test_without_anything_learned_the_kl_is_that_of_the_reference() -> None:
    """With T = 0 and contrast, E[log r - log p] is the KL of the Gaussian of the posterior's moments."""
    objective = AVBObjective(TINY, AVBOptions())
    torch.nn.init.zeros_(objective.adversary.both[-1].weight)  # type: ignore[arg-type]
    torch.nn.init.zeros_(objective.adversary.both[-1].bias)  # type: ignore[arg-type]
    network = objective.avb.eval()
    images = pictures(1).expand(4000, 1, 8, 8)
    with torch.no_grad():
        losses = objective.evaluate(network, Batch(images), torch.Generator().manual_seed(0))
        mean, variance = network.moments(images[:1], network.noise(20_000, torch.device("cpu")))
    expected = -0.5 * (1 + variance.log() - mean.square() - variance).sum()
    assert losses["kl"].item() == pytest.approx(expected.item(), rel=0.1)
    assert losses["loss"].item() == pytest.approx((losses["reconstruction"] + losses["kl"]).item(), rel=1e-5)


@pytest.mark.parametrize("contrast", [True, False])
def test_each_step_moves_both_networks_and_leaves_both_trainable(contrast: bool) -> None:
    objective = AVBObjective(TINY, AVBOptions(adaptive_contrast=contrast, likelihood="bce", adversary_steps=2))
    objective.make_optimisers()
    before = {name: [p.detach().clone() for p in m.parameters()] for name, m in objective.modules.items()}
    losses = objective.step(Batch(pictures()), 0, PRECISION, None)
    assert all(math.isfinite(float(value)) for value in losses.values())
    for name, module in objective.modules.items():
        moved = [not torch.equal(a, b) for a, b in zip(before[name], module.parameters(), strict=True)]
        assert all(moved) if name == "network" else any(moved), name
        assert all(parameter.requires_grad for parameter in module.parameters())


def test_four_posteriors_tile_the_prior() -> None:
    tiled = toy("avb", steps=320, learning_rate=1e-2)
    assert tiled.own > 0.85
    assert min(tiled.shares) > 0.15
    assert tiled.spread == pytest.approx(1, abs=0.2)
    # Four equally probable points cannot be explained in fewer than log 4 nats; not telling them apart costs 2.25.
    assert math.log(4) < tiled.nll < 1.75
