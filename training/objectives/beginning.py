"""Weights to begin with: an encoder and a decoder that were trained before, as another family or as the same."""

from __future__ import annotations

from pathlib import Path

import torch

from latentlab.core.bundled import assets_folder
from latentlab.core.checkpoint_file import read_header, read_weights
from latentlab.core.errors import CheckpointError, OptionError
from latentlab.models.loading import network_from
from latentlab.models.vae import Autoencoder, AutoencoderArchitecture

SHARED = tuple(name for name in AutoencoderArchitecture.model_fields if name != "name")
CODES = ("encoder.moments.weight", "encoder.moments.bias")


def begin_from(start: str, network: Autoencoder) -> None:
    """Copies encoder, decoder and prior of the checkpoint `start`, a file or a bundled model's name, into `network`.

    Where `network` has no variances, those of the checkpoint are left out. Raises OptionError, CheckpointError.
    """
    path = checkpoint_named(start)
    trained = network_from(path, read_header(path), read_weights(path))
    if not isinstance(trained, Autoencoder):
        raise OptionError(f"start_from {start}: the family '{trained.architecture.name}' has no encoder to begin with.")
    for name in SHARED:
        wanted, found = getattr(network.architecture, name), getattr(trained.architecture, name)
        if wanted != found:
            raise OptionError(f"start_from {start}: it was made with {name} = {found!r}, and {wanted!r} is asked for.")
    if network.numbers_per_latent > trained.numbers_per_latent:
        raise OptionError(f"start_from {start}: its encoder tells no variances, which are needed here.")
    state = trained.state_dict()
    outputs = network.numbers_per_latent * network.architecture.latent_dim
    state |= {name: state[name][:outputs] for name in CODES}  # means come first
    with torch.no_grad():
        network.load_state_dict(state)


def checkpoint_named(start: str) -> Path:
    """Raises CheckpointError where there is none."""
    bundled = assets_folder() / f"{start}.safetensors"
    path = bundled if bundled.is_file() else Path(start)
    if not path.is_file():
        raise CheckpointError(f"start_from {start}: there is no such file, and no bundled model of that name.")
    return path
