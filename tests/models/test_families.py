"""The contract every family keeps: declared shapes and ranges, determinism, bounds checked before anything is built."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_networks import TINY, header_of, tiny_network

from latentlab.core.checkpoint_file import write_checkpoint
from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.registry import FAMILIES
from latentlab.models.family import Network, architecture_from
from latentlab.models.loading import load_native, weights_of
from latentlab.models.torch_model import TorchModel, model_of


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_registered_family_is_a_network_and_is_covered_here(family: str) -> None:
    assert issubclass(FAMILIES[family].load(), Network)
    assert any(architecture["name"] == family for architecture in TINY.values())


@pytest.fixture(params=list(TINY))
def model(request: pytest.FixtureRequest, tmp_path: Path) -> TorchModel:
    """As a user gets it: written, then loaded."""
    network = tiny_network(request.param)
    write_checkpoint(tmp_path / "m.safetensors", header_of(network), weights_of(network))
    return load_native(tmp_path / "m.safetensors", device="cpu")


def test_decodes_to_the_declared_shape_and_range(model: TorchModel) -> None:
    image = model.info.image
    latents = model.sample(3, seed=1)
    assert latents.shape == (3, model.info.spaces[0].dim)
    assert latents.dtype == np.float32
    images = model.decode(latents)
    assert images.shape == (3, image.height, image.width, image.channels)
    assert images.dtype == np.uint8
    floats = model.decode_float(latents)
    assert floats.dtype == np.float32
    assert floats.min() >= 0
    assert floats.max() <= 1
    assert np.abs(floats * 255 - images).max() <= 0.5 + 1e-3
    assert len(np.unique(images)) > 1
    assert model.decode(latents[0]).shape == (1, *images.shape[1:])
    assert model.decode(latents[:0]).shape == (0, *images.shape[1:])


def test_is_deterministic_and_independent_of_the_batch(model: TorchModel) -> None:
    latents = model.sample(5, seed=3)
    assert np.array_equal(latents, model.sample(5, seed=3))
    assert not np.array_equal(latents, model.sample(5, seed=4))
    together = model.decode_float(latents)
    assert np.array_equal(together, model.decode_float(latents))
    alone = np.concatenate([model.decode_float(latent) for latent in latents])
    assert np.allclose(together, alone, atol=1e-5)


def test_encodes_pictures_of_any_size_or_says_that_it_cannot(model: TorchModel) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 40, 30, 3), dtype=np.uint8)
    if not model.info.encoder:
        with pytest.raises(OptionError, match="no encoder"):
            model.encode(images)
        return
    codes = model.encode(images)
    assert codes.shape == (2, model.info.spaces[0].dim)
    assert codes.dtype == np.float32
    assert np.array_equal(codes, model.encode(images))
    # The largest centred square is what counts.
    assert np.array_equal(codes, model.encode(images[:, 5:35]))
    assert not np.array_equal(codes, model.encode(images[:, :30]))
    assert model.encode(images[0]).shape == (1, model.info.spaces[0].dim)


@pytest.mark.parametrize(("kind", "size"), [("vae", 17), ("vae", 64), ("vae", 250), ("dcgan", 19), ("dcgan", 61)])
def test_any_image_size(kind: str, size: int) -> None:
    model = model_of(tiny_network(kind, image_size=size))
    assert model.decode(model.sample(1)).shape == (1, size, size, 3)


@pytest.mark.parametrize(
    ("architecture", "says"),
    [
        ({"name": "vea"}, "Did you mean 'vae'"),
        ({}, "names no architecture"),
        ({"name": "vae", "image_size": 2**31}, "image_size"),
        ({"name": "vae", "latent_dim": -1}, "latent_dim"),
        ({"name": "vae", "latent_dim": 100_001}, "latent_dim"),
        ({"name": "vae", "residual": 10**6}, "residual"),
        ({"name": "vae", "width": 0}, "width"),
        ({"name": "vae", "widht": 3}, "Did you mean 'width'"),
        ({"name": "vae", "image_size": 27, "patch": 2}, "27 px"),
        ({"name": "dcgan", "channels": 2}, "channels"),
    ],
)
def test_an_impossible_architecture_is_refused(architecture: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        architecture_from(architecture)


def test_too_many_parameters_are_refused_before_they_take_memory() -> None:
    network_class, architecture = architecture_from(
        {"name": "vae", "image_size": 1024, "latent_dim": 100_000, "width": 1024, "residual": 8}
    )
    begin = time.perf_counter()
    with pytest.raises(CheckpointError, match="parameters"):
        network_class.on_meta(architecture)
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize("latent_dim", [1, 100_000])
def test_very_few_and_very_many_latents(latent_dim: int) -> None:
    model = model_of(tiny_network("vae", latent_dim=latent_dim, width=1))
    assert model.encode(model.decode(model.sample(1))).shape == (1, latent_dim)


def test_black_says_nothing_to_a_fully_connected_encoder() -> None:
    """Pictures reach it as intensities: the weights of a pixel that is always black never move."""
    network = tiny_network("vae mlp")
    black = torch.full((2, 1, 28, 28), -1.0)
    with torch.no_grad():
        before = network.encode(black)
        network.encoder.hidden.weight.mul_(-3)  # type: ignore[union-attr, operator]
        assert torch.equal(before, network.encode(black))
        assert not torch.allclose(before, network.encode(-black))


def test_a_fitted_prior_changes_the_axes_and_nothing_else() -> None:
    from latentlab.models.vae import VAE

    network = tiny_network("vae")
    assert isinstance(network, VAE)
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.uniform(-1, 1, (40, 3, 16, 16)).astype(np.float32))
    with torch.no_grad():
        mean_ND, log_variance_ND = network.posterior(images)
        fitted = network.with_fitted_prior(mean_ND, log_variance_ND.exp())
        codes_ND = fitted.encode(images)
        assert torch.allclose(fitted.decode(codes_ND), network.decode(mean_ND), atol=1e-5)
        # An isometry: distances stay.
        assert torch.allclose(torch.cdist(codes_ND, codes_ND), torch.cdist(mean_ND, mean_ND), atol=1e-4)
    covariance = torch.cov(codes_ND.double().T) + torch.diag(torch.zeros(5))
    aggregate = (
        covariance + fitted.axes.T.double() @ torch.diag(log_variance_ND.exp().mean(0)).double() @ fitted.axes.double()
    )
    space = fitted.spaces[0]
    assert space.prior == "empirical"
    assert space.std is not None
    assert torch.allclose(aggregate, torch.diag(torch.from_numpy(space.std).double() ** 2), atol=1e-4)
    assert np.all(np.diff(space.std) <= 0)
    assert fitted.architecture.prior == "empirical"
    with torch.no_grad():
        # What was measured can be left out again, and measured anew.
        trained = fitted.as_trained()
        assert torch.equal(trained.encode(images), mean_ND)
        assert torch.equal(trained.decode(mean_ND), network.decode(mean_ND))
        again = trained.with_fitted_prior(mean_ND, log_variance_ND.exp())
        assert torch.equal(again.encode(images), codes_ND)
        assert torch.equal(again.spread, fitted.spread)
