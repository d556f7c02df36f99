"""Weights to begin with: an encoder and a decoder that were trained before, as another family, as the same, or for
smaller pictures.

Shapes: O I of a convolution's channels, C of a picture, P a patch's side, H W of the kernel.
"""

from __future__ import annotations

import torch
from torch import Tensor

from latentlab.core.checkpoint_file import read_header, read_weights
from latentlab.core.errors import OptionError
from latentlab.models.loading import network_from
from latentlab.models.vae import PRIOR, Autoencoder, AutoencoderArchitecture
from training.starting import checkpoint_named

MAY_DIFFER = {"name", "image_size", "patch", "prior"}
SHARED = tuple(name for name in AutoencoderArchitecture.model_fields if name not in MAY_DIFFER)
CODES = ("encoder.moments.weight", "encoder.moments.bias")
State = dict[str, Tensor]


def begin_from(start: str, network: Autoencoder) -> None:
    """Copies encoder, decoder and prior of the checkpoint `start`, a file or a bundled model's name, into `network`.

    Where `network` has no variances, or no measured prior, those of the checkpoint are left out. Where its pictures and
    their patches are twice the checkpoint's, it begins with the same codes and the same pictures, enlarged. Raises
    OptionError, CheckpointError.
    """
    path = checkpoint_named(start)
    trained = network_from(path, read_header(path), read_weights(path))
    if not isinstance(trained, Autoencoder):
        raise OptionError(f"start_from {start}: the family '{trained.architecture.name}' has no encoder to begin with.")
    _check_alike(start, network.architecture, trained.architecture)
    if network.numbers_per_latent > trained.numbers_per_latent:
        raise OptionError(f"start_from {start}: its encoder tells no variances, which are needed here.")
    if network.architecture.prior == "normal":
        trained = trained.as_trained()
    state = {name: value.float() for name, value in trained.state_dict().items()}
    outputs = network.numbers_per_latent * network.architecture.latent_dim
    state |= {name: state[name][:outputs] for name in CODES if name in state}  # means come first
    wanted = network.state_dict()
    state = {name: value for name, value in state.items() if name in wanted or name not in PRIOR}
    if network.architecture.patch > trained.architecture.patch:
        state = enlarged(state, wanted, trained.architecture)
    if {name: value.shape for name, value in state.items()} != {name: value.shape for name, value in wanted.items()}:
        raise OptionError(f"start_from {start}: its family, '{trained.architecture.name}', has other layers.")
    with torch.no_grad():
        network.load_state_dict(state)


def _check_alike(start: str, wanted: AutoencoderArchitecture, found: AutoencoderArchitecture) -> None:
    names = [*SHARED, *(["prior"] if wanted.prior == "empirical" else [])]
    in_proportion = wanted.image_size * found.patch == found.image_size * wanted.patch
    if found.patch == 1 or wanted.patch < found.patch or not in_proportion:
        names += ["image_size", "patch"]
    for name in names:
        asked, made = getattr(wanted, name), getattr(found, name)
        if asked != made:
            raise OptionError(f"start_from {start}: it was made with {name} = {made!r}, and {asked!r} is asked for.")


def enlarged(state: State, wanted: State, found: AutoencoderArchitecture) -> State:
    """`state` of the architecture `found`, for the shapes of `wanted`, whose patches are larger.

    Only the layers beside the pictures know patches. What one pixel was multiplied with, the mean of those in its
    place is; what a pixel was given, all of those are given.
    """
    larger = dict(state)
    for name, value in state.items():
        if name in wanted and wanted[name].shape != value.shape:
            input_side = name.startswith("encoder")
            patches = torch.unflatten(value, 1 if input_side else 0, (found.channels, found.patch, found.patch))
            first = 2 if input_side else 1  # axis of the rows of a patch
            times = round((wanted[name].numel() / value.numel()) ** 0.5)
            spread = patches.repeat_interleave(times, first).repeat_interleave(times, first + 1)
            larger[name] = spread.flatten(first - 1, first + 1) / (times**2 if input_side else 1)
    return larger
