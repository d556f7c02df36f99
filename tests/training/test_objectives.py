"""The objectives against their definitions: by sampling, by hand, and by what one step changes."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal

from latentlab.models.dcgan import DCGANArchitecture, Discriminator
from latentlab.models.vae import VAEArchitecture
from training.objectives.augmentation import POLICIES, augmented
from training.objectives.gan import GANObjective, discriminator_loss, generator_loss, gradient_penalty
from training.objectives.objective import Batch, Known, scheduled
from training.objectives.vae import LOG_SIGMA_FLOOR, VAEObjective, attribute_loss, kl_per_dimension, sigma_nll
from training.options import GANOptions, VAEOptions
from training.precision import Precision

PRECISION = Precision(torch.device("cpu"), "float32")
TINY = VAEArchitecture(image_size=8, channels=1, latent_dim=3, width=4)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def pictures(count: int = 6, channels: int = 1) -> torch.Tensor:
    return torch.rand(count, channels, 8, 8) * 2 - 1


def test_kl_is_what_sampling_says() -> None:
    mean, log_variance = torch.tensor([[0.7, -1.2]]), torch.tensor([[0.5, -1.5]])
    posterior = Normal(mean, (0.5 * log_variance).exp())
    draws = posterior.sample((200_000,))
    sampled = (posterior.log_prob(draws) - Normal(0.0, 1.0).log_prob(draws)).mean(0)
    assert torch.allclose(kl_per_dimension(mean, log_variance), sampled, atol=0.02)
    assert kl_per_dimension(torch.zeros(1, 1), torch.zeros(1, 1)).item() == 0


def test_sigma_likelihood_is_the_gaussian_one_at_its_best_sigma() -> None:
    errors = torch.randn(4, 3, 8, 8) * 0.2
    sigma = errors.square().mean().sqrt()
    expected = -Normal(torch.zeros(()), sigma).log_prob(errors).sum() / 4
    assert sigma_nll(errors, 4).item() == pytest.approx(expected.item(), rel=1e-3)
    # No other sigma explains the errors better.
    for factor in (0.9, 1.1):
        assert -Normal(torch.zeros(()), sigma * factor).log_prob(errors).sum() / 4 > expected


def test_sigma_likelihood_of_a_perfect_picture_is_bounded() -> None:
    errors = torch.zeros(2, 1, 4, 4, requires_grad=True)
    loss = sigma_nll(errors, 2)
    assert loss.item() == pytest.approx(16 * (LOG_SIGMA_FLOOR + 0.5 * math.log(2 * math.pi)), rel=0.01)
    loss.backward()  # type: ignore[no-untyped-call]
    assert errors.grad is not None
    assert torch.isfinite(errors.grad).all()


def made(options: VAEOptions, known: Known | None = None) -> VAEObjective:
    objective = VAEObjective(TINY, options, known or Known())
    objective.make_optimisers()
    return objective


def test_the_loss_sums_over_pixels_and_latents_and_averages_over_the_batch() -> None:
    objective = made(VAEOptions(likelihood="mse", beta=2.0))
    images = pictures()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        losses = objective.evaluate(objective.network, Batch(images), generator)
        mean, log_variance = objective.vae.posterior(images)
    kl = kl_per_dimension(mean, log_variance).sum() / len(images)
    assert losses["kl"].item() == pytest.approx(kl.item(), rel=1e-5)
    assert losses["reconstruction"].item() == pytest.approx(losses["mse"].item() * 64, rel=1e-5)
    total = losses["reconstruction"] + 2 * losses["kl"]
    assert losses["loss"].item() == pytest.approx(total.item(), rel=1e-6)


@pytest.mark.parametrize("likelihood", ["sigma", "bce", "mse"])
def test_training_lowers_the_loss(likelihood: str) -> None:
    objective = made(VAEOptions(likelihood=likelihood, edges=0.5))  # type: ignore[arg-type]
    images = pictures()
    first = objective.step(Batch(images), 0, PRECISION, None)["loss"]
    for step in range(1, 60):
        last = objective.step(Batch(images), step, PRECISION, None)["loss"]
    assert last < first


def test_kl_warm_up_and_free_bits_leave_the_first_step_to_the_reconstruction() -> None:
    moved = []
    for options in (VAEOptions(beta=1000), VAEOptions(beta=1000, kl_warmup_steps=10), VAEOptions(beta=0)):
        torch.manual_seed(1)
        objective = made(options)
        before = objective.vae.encoder.moments.weight.detach().clone()  # type: ignore[union-attr, operator]
        objective.step(Batch(pictures()), 0, PRECISION, None)
        moved.append(objective.vae.encoder.moments.weight.detach() - before)  # type: ignore[union-attr, operator]
    assert torch.equal(moved[1], moved[2])
    assert not torch.equal(moved[0], moved[2])
    mean = torch.zeros(4, 3)
    free = kl_per_dimension(mean, torch.full((4, 3), 0.1)).mean(0).clamp_min(0.5)
    assert torch.equal(free, torch.full((3,), 0.5))


def test_unknown_attributes_do_not_count() -> None:
    logits = torch.tensor([[2.0, -1.0], [0.5, 3.0]])
    attributes = torch.tensor([[1.0, float("nan")], [0.0, 1.0]])
    expected = torch.nn.functional.softplus(torch.tensor([-2.0, 0.5, -3.0])).sum() / 2
    assert attribute_loss(logits, attributes).item() == pytest.approx(expected.item())


def test_the_attribute_head_is_trained_and_not_kept() -> None:
    objective = made(VAEOptions(attributes=100, learning_rate=1e-2), Known(attributes=1))
    images = pictures(16)
    has_it = (images.mean(dim=(1, 2, 3)) > images.mean()).float()[:, None]
    losses = [objective.step(Batch(images, attributes=has_it), s, PRECISION, None)["attributes"] for s in range(80)]
    assert losses[-1] < 0.5 * losses[0]
    assert not any("head" in name for name in objective.network.state_dict())


def test_gan_losses_by_hand() -> None:
    real, fake = torch.tensor([2.0]), torch.tensor([-1.0])
    d_real, d_fake = torch.sigmoid(real).item(), torch.sigmoid(fake).item()
    assert discriminator_loss(real, fake).item() == pytest.approx(-math.log(d_real) - math.log(1 - d_fake), rel=1e-5)
    smooth = -0.9 * math.log(d_real) - 0.1 * math.log(1 - d_real) - math.log(1 - d_fake)
    assert discriminator_loss(real, fake, 0.1).item() == pytest.approx(smooth, rel=1e-5)
    assert generator_loss(fake).item() == pytest.approx(-math.log(d_fake), rel=1e-5)
    assert generator_loss(fake, "minimax").item() == pytest.approx(math.log(1 - d_fake), rel=1e-5)


def test_r1_is_the_squared_gradient() -> None:
    linear = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 1))
    penalty = gradient_penalty(linear, pictures())
    assert penalty.item() == pytest.approx(linear[1].weight.square().sum().item(), rel=1e-5)  # type: ignore[operator, union-attr]


@pytest.mark.parametrize("spectral", [True, False])
def test_a_gan_step_moves_both_networks(spectral: bool) -> None:
    options = GANOptions(spectral_norm=spectral, r1=1.0, diffaugment=("colour", "translation", "cutout"))
    objective = GANObjective(DCGANArchitecture(image_size=8, channels=3, latent_dim=4, width=4), options)
    objective.make_optimisers()
    before = {name: [p.detach().clone() for p in m.parameters()] for name, m in objective.modules.items()}
    losses = objective.step(Batch(pictures(6, 3)), 0, PRECISION, None)
    assert all(math.isfinite(float(value)) for value in losses.values())
    for name, module in objective.modules.items():
        assert any(not torch.equal(a, b) for a, b in zip(before[name], module.parameters(), strict=True)), name
        assert all(parameter.requires_grad for parameter in module.parameters())


def test_spectral_norm_bounds_the_slope_of_the_discriminator() -> None:
    discriminator = Discriminator(16, 1, 8, spectral=True)
    for _ in range(30):  # the power iteration settles
        discriminator(torch.randn(2, 1, 16, 16))
    discriminator.eval()
    for layer in discriminator.layers:
        if isinstance(layer, torch.nn.Conv2d):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("name", list(POLICIES))
def test_augmentation_keeps_shape_and_gradient(name: str) -> None:
    images = pictures(5, 3).requires_grad_(True)
    out = augmented(images, (name,))
    assert out.shape == images.shape
    assert not torch.equal(out, images)
    out.sum().backward()  # type: ignore[no-untyped-call]
    assert images.grad is not None
    assert augmented(images, ()) is images


def test_a_schedule_multiplies_the_rate_it_began_with() -> None:
    objective = made(VAEOptions(learning_rate=0.01))
    for factor in (0.5, 0.1):
        scheduled(objective.optimisers, factor)
        assert objective.optimisers["network"].param_groups[0]["lr"] == pytest.approx(0.01 * factor)
