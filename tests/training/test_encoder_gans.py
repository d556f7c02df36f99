"""Alpha-GAN and VAE/GAN against their papers: losses by hand, what each step moves, and what they begin with."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from torch.distributions import Normal

from latentlab.core.errors import OptionError
from latentlab.models.alpha_gan import AlphaGANArchitecture
from latentlab.models.vae import ConvEncoder
from latentlab.models.vae_gan import VAEGAN, VAEGANArchitecture
from training.objectives.alpha_gan import AlphaGANObjective, adversarial_loss, reconstruction_loss
from training.objectives.encoder_gan import EncoderDiscriminator, EncoderGAN
from training.objectives.objective import Batch, Known, Losses
from training.objectives.vae_gan import VAEGANObjective, feature_nll, kl_to_prior
from training.options import AlphaGANOptions, VAEGANOptions
from training.precision import Precision

PRECISION = Precision(torch.device("cpu"), "float32")
KNOWN = Known(attributes=2)
Snapshot = dict[str, list[torch.Tensor]]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def alpha_gan(**options: object) -> AlphaGANObjective:
    architecture = AlphaGANArchitecture(image_size=16, channels=3, latent_dim=4, width=4, patch=2)
    objective = AlphaGANObjective(architecture, AlphaGANOptions.model_validate(options), KNOWN)
    objective.make_optimisers()
    return objective


def vae_gan(**options: object) -> VAEGANObjective:
    architecture = VAEGANArchitecture(image_size=16, channels=3, latent_dim=4, width=4, patch=2)
    objective = VAEGANObjective(architecture, VAEGANOptions.model_validate({"feature_layer": 1} | options), KNOWN)
    objective.make_optimisers()
    return objective


def batch(count: int = 8) -> Batch:
    """Bright pictures have the first attribute, and every picture has the second."""
    brightness = torch.linspace(-0.6, 0.6, count)
    images = (brightness[:, None, None, None] + 0.2 * torch.randn(count, 3, 16, 16)).clamp(-1, 1)
    return Batch(images, attributes=torch.stack([(brightness > 0).float(), torch.ones(count)], dim=1))


# --- losses by hand --------------------------------------------------------------------------------------------


def test_the_density_ratio_of_a_logit_is_its_negative() -> None:
    logits = torch.tensor([1.5, -0.4])
    judged = torch.sigmoid(logits)
    by_hand = (-judged.log() + (1 - judged).log()).mean()
    assert adversarial_loss(logits).item() == pytest.approx(by_hand.item(), rel=1e-5)
    assert adversarial_loss(logits, "non-saturating").item() == pytest.approx(-judged.log().mean().item(), rel=1e-5)


def test_reconstruction_is_the_mean_absolute_error_and_that_of_the_edges() -> None:
    images, made = torch.zeros(1, 1, 2, 2), torch.tensor([[[[0.1, -0.3], [0.5, 0.5]]]])
    assert reconstruction_loss(made, images).item() == pytest.approx(1.4 / 4)
    # Down: 0.4 and 0.8; across: -0.4 and 0.
    edges = 0.5 * ((0.4 + 0.8) / 2 + (0.4 + 0.0) / 2)
    assert reconstruction_loss(made, images, 2.0).item() == pytest.approx(1.4 / 4 + 2 * edges)


def test_feature_errors_are_those_of_a_gaussian_with_variance_1() -> None:
    errors = torch.randn(3, 7)
    by_hand = -Normal(0.0, 1.0).log_prob(errors).sum() / 3
    assert feature_nll(errors, 3).item() == pytest.approx(by_hand.item(), rel=1e-5)
    # The best variance of a batch explains its errors better than any other does.
    assert feature_nll(0.1 * errors, 3, "sigma") < feature_nll(0.1 * errors, 3)


def test_the_kl_is_that_to_the_prior_which_was_measured() -> None:
    vae = VAEGAN(VAEGANArchitecture(image_size=16, channels=1, latent_dim=4, width=4, prior="empirical")).eval()
    vae.spread = torch.tensor([3.0, 1.0, 0.5, 0.1])
    mean, log_variance = torch.randn(5, 4), torch.randn(5, 4)
    posterior = Normal(mean, (0.5 * log_variance).exp())
    wanted = torch.distributions.kl_divergence(posterior, Normal(torch.zeros(4), vae.spread)).sum(1).mean()
    assert kl_to_prior(vae, mean, log_variance).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_the_feature_layer_lies_within_the_discriminator() -> None:
    objective, images = vae_gan(feature_layer=2), batch().images
    objective.discriminator.eval()  # spectral normalisation moves on with every pass otherwise
    features = objective.features(images)
    rest = objective.discriminator.layers[objective.cut :](features.unflatten(1, (-1, 4, 4))).flatten()
    assert torch.allclose(rest, objective.discriminator(images), atol=1e-6)
    with pytest.raises(OptionError, match="has 2 such layers"):
        vae_gan(feature_layer=3)


# --- what the steps move ---------------------------------------------------------------------------------------


def snapshot(objective: EncoderGAN) -> Snapshot:
    return {name: [p.detach().clone() for p in module.parameters()] for name, module in objective.moved.items()}


def differing(before: Snapshot, after: Snapshot) -> set[str]:
    return {
        name for name in before if any(not torch.equal(a, b) for a, b in zip(before[name], after[name], strict=True))
    }


def moves_of_a_step(
    objective: EncoderGAN, monkeypatch: pytest.MonkeyPatch, step: int = 0
) -> list[tuple[str, set[str]]]:
    """(which step, what it changed) in order."""
    moves: list[tuple[str, set[str]]] = []
    real_move = partial(type(objective).move, objective)

    def with_gradient() -> set[str]:
        return {key for key, module in objective.moved.items() if any(p.grad is not None for p in module.parameters())}

    def watched(name: str, loss: torch.Tensor, precision: Precision, clip: float | None) -> torch.Tensor:
        before = snapshot(objective)
        seen: list[set[str]] = []
        hook = objective.optimisers[name].register_step_pre_hook(lambda *_: seen.append(with_gradient()))
        norm = real_move(name, loss, precision, clip)
        hook.remove()
        assert seen == [{name}]
        assert with_gradient() == set()  # nothing is left behind, which the next step would need memory for
        moves.append((name, differing(before, snapshot(objective))))
        return norm

    monkeypatch.setattr(objective, "move", watched)
    losses: Losses = objective.step(batch(), step, PRECISION, None)  # type: ignore[attr-defined]
    assert all(math.isfinite(float(value)) for value in losses.values())
    return moves


def test_each_of_the_four_networks_moves_in_its_own_step_only(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = alpha_gan(attributes=1.0, edges=1.0, diffaugment=("colour", "translation"))
    names = ["encoder", "generator", "discriminator", "code_discriminator"]
    assert moves_of_a_step(objective, monkeypatch) == [(name, {name}) for name in names]
    assert list(objective.optimisers) == names
    assert all(p.requires_grad for module in objective.modules.values() for p in module.parameters())


def test_each_of_the_three_networks_moves_in_its_own_step_only(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = vae_gan(attributes=1.0, pixels=0.1, diffaugment=("translation",))
    names = ["encoder", "generator", "discriminator"]
    assert moves_of_a_step(objective, monkeypatch) == [(name, {name}) for name in names]
    assert all(p.requires_grad for module in objective.modules.values() for p in module.parameters())


def test_the_discriminators_may_learn_first_and_the_encoder_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = alpha_gan(attributes=1.0, discriminators_first=1, encoder_every=2)
    judges = ["discriminator", "code_discriminator"]
    steps = [moves_of_a_step(objective, monkeypatch, step) for step in range(4)]
    moved = [[name for name, changed in moves if changed == {name}] for moves in steps]
    assert moved == [judges, ["generator", *judges], ["encoder", "generator", *judges], ["generator", *judges]]
    assert objective.gan.encoder.training
    assert objective.gan.decoder.training


def test_statistics_of_the_generator_come_from_reconstructions_and_samples_together() -> None:
    objective = alpha_gan()
    decoder, seen = objective.gan.decoder, []
    decoder.register_forward_hook(lambda module, inputs, output: seen.append((module.training, len(inputs[0]))))
    objective.step(batch(), 0, PRECISION, None)
    assert seen == [(False, 8), (True, 16)]
    assert decoder.training


def test_a_discriminator_that_begins_with_the_encoder_sees_what_it_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = alpha_gan(discriminator="encoder", r1=1.0)
    encoder = objective.gan.encoder
    assert isinstance(encoder, ConvEncoder)
    images = batch().images
    for _ in range(3):  # statistics that are not the ones of a new network
        encoder(images * 2)
    judge = EncoderDiscriminator(objective.gan)
    with torch.no_grad():
        assert torch.allclose(judge.layers[:-1](images), encoder.eval().layers(images), atol=1e-5)
    assert judge(images).shape == (8,)
    encoder.train()
    assert [name for name, moved in moves_of_a_step(objective, monkeypatch) if moved != {name}] == []


def test_only_a_convolutional_encoder_can_judge() -> None:
    architecture = AlphaGANArchitecture(image_size=16, channels=3, latent_dim=4, network="mlp", hidden=8)
    with pytest.raises(OptionError, match="convolutional"):
        AlphaGANObjective(architecture, AlphaGANOptions(discriminator="encoder"))


# --- what is learned -------------------------------------------------------------------------------------------


def test_the_code_discriminator_learns_to_tell_codes_from_draws() -> None:
    objective = alpha_gan(code_learning_rate=1e-3, code_hidden=32)
    codes_BD = 0.1 * torch.randn(64, 4) + 1.0
    losses: Losses = {}
    for _ in range(150):
        objective._code_step(codes_BD, losses, PRECISION, None)
    assert losses["c_loss"] < 0.4 < 2 * math.log(2)
    with torch.no_grad():
        judged = objective.code_discriminator(torch.cat([torch.randn(64, 4), codes_BD]))
    assert judged[:64].mean() > 0 > judged[64:].max()


def test_the_encoder_is_drawn_to_where_the_code_discriminator_expects_the_prior() -> None:
    objective = alpha_gan(reconstruction=0.0, encoder_learning_rate=1e-2)
    with torch.no_grad():  # says "a draw" the more, the larger the first latent is
        for parameter in objective.code_discriminator.parameters():
            parameter.zero_()
        for layer in objective.code_discriminator.layers:
            if isinstance(layer, torch.nn.Linear):
                layer.weight[0, 0] = 1.0
    images = batch()
    first = objective._encoder_step(images, {}, PRECISION, None)[:, 0].mean()
    for _ in range(20):
        last = objective._encoder_step(images, {}, PRECISION, None)[:, 0].mean()
    assert last > first + 0.1


@pytest.mark.parametrize(("make", "error"), [(alpha_gan, "l1"), (vae_gan, "mse")])
def test_training_lowers_the_error_and_learns_the_attributes(make: type, error: str) -> None:
    objective = make(attributes=30.0, learning_rate=5e-3)
    images = batch()
    first = objective.step(images, 0, PRECISION, None)
    for step in range(1, 60):
        last = objective.step(images, step, PRECISION, None)
    assert last[error] < 0.8 * first[error]
    assert last["attributes"] < 0.7 * first["attributes"]
    assert not any("head" in name or "discriminator" in name for name in objective.network.state_dict())


@pytest.mark.parametrize("make", [alpha_gan, vae_gan])
def test_held_out_errors_are_means_over_the_pictures(make: type) -> None:
    objective = make(attributes=1.0)
    network = objective.network.eval()
    with torch.no_grad():
        losses = objective.evaluate(network, batch(), torch.Generator())
        torch.manual_seed(0)
    assert {"mse", "attributes"} <= losses.keys()
    assert all(value.ndim == 0 and math.isfinite(float(value)) for value in losses.values())
    assert objective.judged_by is None  # a lower error is a softer picture
