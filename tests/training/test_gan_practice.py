"""The practice of GANs: that each option changes what it says, seen from what a step does."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from latentlab.models.cgan import CGAN, CGANArchitecture, ConditionalNorm
from latentlab.models.dcgan import DCGAN, DCGANArchitecture, Discriminator
from latentlab.models.gan import GANArchitecture
from training.objectives.gan import (
    AdversarialObjective,
    CGANObjective,
    DenseGANObjective,
    GANObjective,
    discriminator_loss,
    labels_like,
    noise_level,
    relative_spread,
)
from training.objectives.objective import Batch
from training.options import DenseGANOptions, GANOptions
from training.precision import Precision
from training.recipes import recipe

PRECISION = Precision(torch.device("cpu"), "float32")
SMALL = DCGANArchitecture(image_size=8, channels=1, latent_dim=4, width=4)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def pictures(count: int = 6) -> Tensor:
    return torch.rand(count, 1, 8, 8) * 2 - 1


def made(**options: Any) -> GANObjective:
    torch.manual_seed(1)
    objective = GANObjective(SMALL, GANOptions(**options))
    objective.make_optimisers()
    return objective


def seen_by_the_judge(objective: AdversarialObjective, images: Tensor, step: int = 0) -> list[Tensor]:
    """Every batch the discriminator looked at within one step."""
    seen: list[Tensor] = []
    objective.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    objective.step(Batch(images), step, PRECISION, None)
    return seen


def test_soft_labels_are_drawn_towards_the_middle() -> None:
    logits = torch.zeros(4000)
    for value, low, high in ((1.0, 0.7, 1.0), (0.9, 0.6, 0.9), (0.0, 0.0, 0.3)):
        labels = labels_like(logits, value, soft=0.3)
        assert low - 1e-6 <= labels.min() < low + 0.01
        assert high - 0.01 < labels.max() <= high + 1e-6
    assert torch.equal(labels_like(logits, 0.9), torch.full_like(logits, 0.9))


def test_flips_happen_as_often_as_was_said() -> None:
    labels = labels_like(torch.zeros(20_000), 1.0, flips=0.1)
    assert set(labels.tolist()) == {0.0, 1.0}
    assert 1 - labels.mean().item() == pytest.approx(0.1, abs=0.01)


def test_soft_and_flipped_labels_punish_a_discriminator_that_is_sure() -> None:
    real, fake = torch.full((500,), 8.0), torch.full((500,), -8.0)
    plain = discriminator_loss(real, fake)
    assert plain < 0.01
    assert discriminator_loss(real, fake, soft=0.3) > 1
    assert discriminator_loss(real, fake, flips=0.2) > 1


@pytest.mark.parametrize("option", [{"soft_labels": 0.3}, {"label_flips": 0.4}])
def test_label_options_change_the_first_step_of_the_discriminator(option: dict[str, float]) -> None:
    images = pictures()
    losses = []
    for options in ({}, option):
        objective = made(**options)
        torch.manual_seed(2)
        losses.append(objective.step(Batch(images), 0, PRECISION, None)["d_loss"].item())
    assert losses[0] != losses[1]


def test_instance_noise_falls_to_nothing() -> None:
    options = GANOptions(instance_noise=0.5, instance_noise_steps=100)
    assert [noise_level(options, step) for step in (0, 50, 100, 5000)] == [0.5, 0.25, 0, 0]
    assert noise_level(GANOptions(), 0) == 0


def test_instance_noise_is_on_real_and_fake_alike() -> None:
    images = pictures()
    real, fake, again = seen_by_the_judge(made(instance_noise=0.5, instance_noise_steps=10), images)
    assert (real - images).std().item() == pytest.approx(0.5, rel=0.15)
    assert fake.abs().max() > 1  # no generator with a tanh goes beyond
    assert not torch.equal(fake, again)  # the same pictures for both networks, with noise of their own
    quiet, _, _ = seen_by_the_judge(made(instance_noise=0.5, instance_noise_steps=10), images, step=10)
    assert torch.equal(quiet, images)


def test_the_discriminator_takes_as_many_steps_as_it_is_given() -> None:
    assert len(seen_by_the_judge(made(discriminator_steps=3), pictures())) == 2 * 3 + 1


def test_two_rates() -> None:
    rates = {name: o.param_groups[0]["lr"] for name, o in made(discriminator_learning_rate=4e-4).optimisers.items()}
    assert rates == {"network": 2e-4, "discriminator": 4e-4}


def test_what_a_step_records() -> None:
    objective = made()
    gradients: list[Tensor] = []
    weights = list(objective.gan.parameters())
    objective.optimisers["network"].register_step_pre_hook(
        lambda *_: gradients.extend(weight.grad.clone() for weight in weights if weight.grad is not None)
    )
    recorded = objective.step(Batch(pictures()), 0, PRECISION, None)
    assert {"d_loss", "g_loss", "d_real", "d_fake", "d_gradient", "g_gradient", "spread"} == set(recorded)
    gradient = torch.cat([part.flatten() for part in gradients])
    assert recorded["g_gradient"].item() == pytest.approx(gradient.norm().item(), rel=1e-5)
    assert 0 < recorded["d_real"] < 1
    assert not any(value.requires_grad for value in recorded.values())


def test_a_limit_on_the_gradient_still_tells_its_norm() -> None:
    norms = []
    for clip in (None, 1e-3):
        objective = made()
        torch.manual_seed(2)
        norms.append(objective.step(Batch(pictures()), 0, PRECISION, clip)["d_gradient"].item())
    assert norms[0] == pytest.approx(norms[1], rel=1e-5)


def test_the_spread_tells_samples_that_are_all_alike() -> None:
    images = pictures(50)
    assert relative_spread(images, images).item() == pytest.approx(1)
    assert relative_spread(images[:1].expand(50, 1, 8, 8), images).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("spectral", [True, False])
def test_the_discriminator_may_be_called_twice_before_its_gradient(spectral: bool) -> None:
    """On several GPUs the buffers are overwritten before each call (pytorch #175024); here that is done by hand."""
    discriminator = Discriminator(8, 1, 4, spectral=spectral)

    def overwritten() -> None:
        for buffer in discriminator.buffers():
            buffer.copy_(buffer.clone())

    with torch.no_grad():
        overwritten()
    real = discriminator(pictures())
    with torch.no_grad():
        overwritten()
    fake = discriminator(pictures())
    (fake.mean() - real.mean()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in discriminator.parameters())


def test_the_recipe_of_the_paper() -> None:
    """Radford et al. 2016, section 4 and figure 1, with 64 feature maps at the finest stage as in its code."""
    config = recipe("dcgan-paper")
    options = config.options()
    assert isinstance(options, GANOptions)
    assert (options.learning_rate, options.adam_betas, options.spectral_norm) == (2e-4, (0.5, 0.999), False)
    gan = DCGAN(DCGANArchitecture(image_size=64, channels=3, **config.architecture))
    assert gan.spaces[0].prior == "uniform"
    generator = gan.generator
    shapes = [tuple(p.shape) for p in generator.parameters() if p.ndim == 4]
    assert shapes == [(100, 512, 4, 4), (512, 256, 4, 4), (256, 128, 4, 4), (128, 64, 4, 4), (64, 3, 4, 4)]
    judge = Discriminator(64, 3, config.architecture["width"], spectral=options.spectral_norm)
    shapes = [tuple(p.shape) for p in judge.parameters() if p.ndim == 4]
    assert shapes == [(64, 3, 4, 4), (128, 64, 4, 4), (256, 128, 4, 4), (512, 256, 4, 4), (1, 512, 4, 4)]
    kinds = [type(layer).__name__ for layer in judge.layers]
    assert kinds.count("BatchNorm2d") == 3  # neither at its first layer nor at its last
    assert kinds.count("LeakyReLU") == 4


def test_a_dense_gan_learns_where_the_pictures_are_bright() -> None:
    torch.manual_seed(3)
    architecture = GANArchitecture(image_size=8, channels=1, latent_dim=4, hidden=(32, 32))
    objective = DenseGANObjective(architecture, DenseGANOptions(learning_rate=2e-3, dropout=0.1))
    objective.make_optimisers()
    images = torch.full((32, 1, 8, 8), -0.8)
    images[..., :4] = 0.8
    for step in range(80):
        objective.step(Batch(images + 0.1 * torch.randn_like(images)), step, PRECISION, None)
    objective.gan.eval()
    with torch.no_grad():
        mean = objective.gan.decode(objective.gan.draw(64, torch.device("cpu"))).mean(0)
    assert mean[..., :4].mean() - mean[..., 4:].mean() > 0.8


def test_the_conditional_gan_draws_what_it_is_asked_for() -> None:
    """Two classes, dark and bright, of stripes that vary: the request decides, and the latent still says something."""
    architecture = CGANArchitecture(image_size=8, channels=1, latent_dim=4, width=8, classes=2, attributes=0)
    objective = CGANObjective(architecture, GANOptions(learning_rate=2e-3))
    objective.make_optimisers()
    labels = torch.arange(32) % 2
    for step in range(100):
        images = (labels.float() * 1.4 - 0.7)[:, None, None, None] + 0.3 * torch.randn(32, 1, 8, 1).expand(32, 1, 8, 8)
        objective.step(Batch(images, labels=labels), step, PRECISION, None)
    objective.gan.eval()
    latents = objective.gan.draw(40, torch.device("cpu"))
    with torch.no_grad():
        dark, bright = (objective.gan.decode(latents, row.expand(40, 2)) for row in torch.eye(2))
    assert (bright.mean(dim=(1, 2, 3)) > dark.mean(dim=(1, 2, 3)) + 0.3).all()
    assert min(dark.std(0).mean(), bright.std(0).mean()) > 0.03


def test_the_latent_is_not_drowned_by_the_condition() -> None:
    """Before anything is learned, samples of one class differ about as much as those of a GAN that is told nothing."""
    torch.manual_seed(5)
    sizes: dict[str, Any] = {"image_size": 16, "channels": 1, "latent_dim": 16, "width": 8}
    told, plain = CGAN(CGANArchitecture(**sizes, classes=10)), DCGAN(DCGANArchitecture(**sizes))
    latents = told.draw(60, torch.device("cpu"))
    with torch.no_grad():
        mixed = told.decode(latents, torch.eye(10).repeat(6, 1)).view(6, 10, -1).std(0).mean()
        alone = plain.decode(latents).std(0).mean()
    assert mixed > 0.5 * alone


def test_the_conditional_discriminator_is_a_projection() -> None:
    """Miyato and Koyama 2018: of one picture, the logit is linear in the condition; without, nothing is added."""
    judge = Discriminator(8, 1, 4, conditions=3).eval()
    image = pictures(1)
    with torch.no_grad():
        nothing, a, b, both = (
            judge(image, torch.tensor([row])).item() for row in ([0.0, 0, 0], [1.0, 0, 0], [0, 2.0, 0], [1.0, 2.0, 0])
        )
        assert judge(image).item() == pytest.approx(nothing, abs=1e-6)
    assert both - nothing == pytest.approx((a - nothing) + (b - nothing), abs=1e-5)
    assert not math.isclose(a, b, abs_tol=1e-6)


def test_attributes_and_unknown_labels_reach_both_networks() -> None:
    architecture = CGANArchitecture(image_size=8, channels=1, latent_dim=4, width=4, classes=2, attributes=1)
    objective = CGANObjective(architecture, GANOptions())
    objective.make_optimisers()
    batch = Batch(pictures(3), torch.tensor([1, -1, 0]), torch.tensor([[1.0], [float("nan")], [0.0]]))
    asked = objective.asked(batch)
    assert asked is not None
    assert asked.tolist() == [[0, 1, 1], [0, 0, 0.5], [1, 0, 0]]
    heard = objective.said(asked)
    assert heard is not None
    assert heard.tolist() == [[0, 1, 1], [0, 0, 0], [1, 0, -1]]  # what is unknown adds nothing
    assert isinstance(objective.gan, CGAN)
    norm = objective.gan.generator.layers[1]
    assert isinstance(norm, ConditionalNorm)
    before = norm.told.weight.detach().clone()
    objective.step(batch, 0, PRECISION, None)
    assert (norm.told.weight - before).abs().amax(dim=0).min() > 0
