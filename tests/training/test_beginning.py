"""What a training begins with: the weights of another model, also of one of smaller pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from latentlab.core.checkpoint_file import Header, ImageSpec, write_checkpoint
from latentlab.core.errors import CheckpointError, OptionError
from latentlab.models.alpha_gan import AlphaGAN
from latentlab.models.family import Network, architecture_from
from latentlab.models.loading import weights_of
from latentlab.models.vae import VAE, Autoencoder, VAEArchitecture
from latentlab.models.vae_gan import VAEGAN
from training.commanding import Asked, effective
from training.data_note import DataAsked
from training.objectives.beginning import begin_from
from training.objectives.vae import VAEObjective
from training.options import VAEOptions
from training.prior import spec_of


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def tiny(family: str, **changes: object) -> Network:
    network_class, architecture = architecture_from(
        {"name": family, "image_size": 16, "channels": 1, "latent_dim": 4, "width": 4} | changes
    )
    return network_class(architecture).eval()


def network_to_begin(family: str, **changes: object) -> Autoencoder:
    network = tiny(family, **changes)
    assert isinstance(network, Autoencoder)
    return network


def vae_that_has_seen(images_BCHW: torch.Tensor, **changes: object) -> VAE:
    """With the statistics of batch normalisation that these pictures leave, and a measured prior."""
    vae = tiny("vae", **changes)
    assert isinstance(vae, VAE)
    vae.train()
    for _ in range(3):
        vae.decode(vae.encode(images_BCHW))
    return vae.eval().with_fitted_prior(torch.randn(50, 4) * 3 + 1, torch.rand(50, 4))


def stored(folder: Path, network: Network) -> str:
    a, path = network.architecture, folder / "trained.safetensors"
    header = Header(
        family=a.name,
        architecture=a.model_dump(mode="json"),
        spaces=[spec_of(space) for space in network.spaces],
        image=ImageSpec(height=a.image_size, width=a.image_size, channels=a.channels),
        encoder=network.encodes,
    )
    write_checkpoint(path, header, weights_of(network))
    return str(path)


@pytest.mark.parametrize(("family", "made"), [("alpha-gan", AlphaGAN), ("vae-gan", VAEGAN)])
def test_beginning_with_a_vae_gives_its_codes_and_pictures(tmp_path: Path, family: str, made: type) -> None:
    images = torch.rand(5, 1, 16, 16) * 2 - 1
    trained = vae_that_has_seen(images)
    network = tiny(family, prior="empirical")
    assert isinstance(network, made)
    assert isinstance(network, Autoencoder)
    begin_from(stored(tmp_path, trained), network)
    with torch.no_grad():
        codes = trained.encode(images)
        assert torch.allclose(network.encode(images), codes, atol=1e-5)
        assert torch.allclose(network.decode(codes), trained.decode(codes), atol=1e-5)
    assert torch.equal(network.spread, trained.spread)  # the prior that was measured comes along
    assert network.spread.max() > 2


def test_training_that_states_a_prior_begins_in_the_axes_the_vae_was_trained_in(tmp_path: Path) -> None:
    images = torch.rand(5, 1, 16, 16) * 2 - 1
    trained = vae_that_has_seen(images)
    architecture = VAEArchitecture(image_size=16, channels=1, latent_dim=4, width=4)
    begun = VAEObjective(architecture, VAEOptions(start_from=stored(tmp_path, trained))).vae.eval()
    as_trained = trained.as_trained()
    with torch.no_grad():
        for told, expected in zip(begun.posterior(images), as_trained.posterior(images), strict=True):
            assert torch.allclose(told, expected, atol=1e-5)
        assert not torch.allclose(begun.encode(images), trained.encode(images), atol=0.1)


@pytest.mark.parametrize("channels", [1, 3])
def test_larger_pictures_begin_as_the_smaller_ones_enlarged(tmp_path: Path, channels: int) -> None:
    images = torch.rand(5, channels, 32, 32) * 2 - 1
    smaller = F.avg_pool2d(images, 2)
    trained = vae_that_has_seen(smaller, channels=channels, patch=2)
    network = network_to_begin("vae", channels=channels, image_size=32, patch=4, prior="empirical")
    begin_from(stored(tmp_path, trained), network)
    with torch.no_grad():
        codes = trained.encode(smaller)
        assert torch.allclose(network.encode(images), codes, atol=1e-5)
        enlarged = F.interpolate(trained.decode(codes), scale_factor=2, mode="nearest")
        assert torch.allclose(network.decode(codes), enlarged, atol=1e-5)


def test_what_one_cannot_begin_with_is_refused(tmp_path: Path) -> None:
    start = stored(tmp_path, tiny("vae"))
    for changes, says in (
        ({"latent_dim": 6}, "latent_dim = 4, and 6"),
        ({"width": 8}, "width = 4, and 8"),
        ({"image_size": 32}, "image_size = 16, and 32"),
        ({"image_size": 32, "patch": 2}, "image_size = 16, and 32"),  # without patches, layers are other ones
        ({"prior": "empirical"}, "prior = 'normal', and 'empirical'"),
    ):
        with pytest.raises(OptionError, match=says):
            begin_from(start, network_to_begin("alpha-gan", **changes))
    with pytest.raises(OptionError, match="image_size = 16, and 8"):  # pictures grow, and never shrink
        begin_from(stored(tmp_path, tiny("vae", patch=4)), network_to_begin("vae", image_size=8, patch=2))
    start = stored(tmp_path, tiny("vae"))
    with pytest.raises(OptionError, match="family, 'vae', has other layers"):
        begin_from(start, network_to_begin("cvae", classes=3))
    with pytest.raises(CheckpointError, match="no such file"):
        begin_from("faces-vea", network_to_begin("vae"))
    with pytest.raises(OptionError, match="no variances"):
        begin_from(stored(tmp_path, tiny("alpha-gan")), network_to_begin("vae-gan"))
    with pytest.raises(OptionError, match="no encoder"):
        begin_from(stored(tmp_path, tiny("dcgan")), network_to_begin("vae"))


# --- sizes that were not said ----------------------------------------------------------------------------------


def asked(family: str, start: str, **said: Any) -> Asked:
    return Asked(
        family,
        DataAsked(data="avatars", image_size=said.pop("image_size", None)),
        objective={"start_from": start},
        **said,
    )


def test_sizes_are_those_of_the_model_it_begins_with(tmp_path: Path) -> None:
    start = stored(tmp_path, vae_that_has_seen(torch.rand(5, 1, 16, 16), patch=2))
    config, note = effective(asked("vae", start))
    sizes = config.architecture
    assert (note.image_size, sizes["latent_dim"], sizes["width"], sizes["patch"]) == (16, 4, 4, 2)
    assert sizes.get("prior", "normal") == "normal"  # its training states one
    larger, note = effective(asked("vae", start, image_size=32))
    assert (note.image_size, larger.architecture["patch"]) == (32, 4)
    assert effective(asked("alpha-gan", start))[0].architecture["prior"] == "empirical"  # its training draws from it
    assert (
        effective(asked("vae", start, architecture={"width": 8}))[0].architecture["width"] == 8
    )  # and is refused later


def test_a_recipe_that_begins_with_smaller_pictures_says_how_large_they_are() -> None:
    config, note = effective(Asked("vae", DataAsked(data="cartoon-faces"), recipe="faces-vae-128"))
    assert (config.objective["start_from"], note.image_size, config.architecture["patch"]) == ("faces-vae", 128, 4)


def test_a_start_that_is_not_there_is_refused_before_any_data_is_read() -> None:
    with pytest.raises(CheckpointError, match="faces-vea: there is no such file"):
        effective(asked("vae", "faces-vea"))
