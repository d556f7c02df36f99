"""The prior of a trained autoencoder measured on what it encodes, and written into its checkpoint.

Shapes: N pictures, B batch, D latent, K numbers of a condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latentlab.core.checkpoint_file import Header, SpaceSpec, read_header, read_weights, write_checkpoint
from latentlab.core.errors import OptionError
from latentlab.core.spaces import LatentSpace
from latentlab.models.avb import AVB
from latentlab.models.loading import network_from, weights_of
from latentlab.models.torch_model import pictures_at_once
from latentlab.models.vae import VAE, Autoencoder
from training.conditions import asked_of
from training.examples import Examples


@dataclass(frozen=True, eq=False)
class Measured:
    """A network with a measured prior; `draws` is what draws are taken from, as from the finished model.

    That is: around what was encoded, or from the prior where it was measured for each condition (decision 0021).
    """

    network: Autoencoder
    draws: LatentSpace


def spec_of(space: LatentSpace) -> SpaceSpec:
    std = None if space.std is None else [float(value) for value in space.std]
    return SpaceSpec(name=space.name, shape=list(space.shape), prior=space.prior, std=std)


def fit_prior(path: Path, examples: Examples, *, half: bool = False) -> Header:
    """Rewrites the checkpoint of an autoencoder, variational or not, in the principal axes of what it encodes.

    A prior that was measured before, on some pictures, gives way. `examples` are what is encoded; encodings are not
    kept. Raises OptionError for another family, SaveError.
    """
    header = read_header(path)
    network = network_from(path, header, read_weights(path))
    if not isinstance(network, Autoencoder):
        raise OptionError(f"fit_prior needs an encoder; the family '{header.family}' has none.")
    found = measured(network, examples)
    fitted = network if found is None else found.network
    update = {
        "architecture": fitted.architecture.model_dump(mode="json"),
        "spaces": [spec_of(space) for space in fitted.spaces],
    }
    return write_checkpoint(path, header.model_copy(update=update), weights_of(fitted), half=half)


def measured(network: Autoencoder, examples: Examples) -> Measured | None:
    """`network`, in eval mode, with a prior of what it encodes of `examples`; None where that is not finite.

    Whatever prior it has gives way. The global random numbers stay as they are.
    """
    with torch.random.fork_rng(devices=[]), torch.inference_mode():  # a copy draws weights before it is given its own
        trained = network.as_trained().to(next(network.parameters()).device)
        means_ND, variances_ND, told = _posteriors(trained, examples)
        if not (torch.isfinite(means_ND).all() and torch.isfinite(variances_ND).all()):
            return None
        fitted = trained.with_fitted_prior(means_ND, variances_ND, *told)
        (space,) = fitted.spaces
        draws = space if told else space.drawn_around(fitted.turned(means_ND).numpy())
        return Measured(fitted.to(next(network.parameters()).device), draws)


def _posteriors(network: Autoencoder, examples: Examples) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
    """Means and variances (N, D) of what is encoded, on the CPU; and what was told of each (N, K), if anything was."""
    device = next(network.parameters()).device
    means, variances, asked = [], [], []
    generator = torch.Generator().manual_seed(0)
    at_once = pictures_at_once(network.architecture.image_size)
    for start in range(0, len(examples), at_once):
        batch = examples.batch(np.arange(start, min(start + at_once, len(examples))), device)
        asked_BK = asked_of(network, len(batch), batch.labels, batch.attributes)
        if isinstance(network, AVB):  # draws of the posterior, whose spread is theirs already
            mean_BD = network.sampled(batch.images, network.noise(len(batch), batch.images.device, generator))
            variance_BD = torch.zeros_like(mean_BD)
        elif isinstance(network, VAE):
            mean_BD, log_variance_BD = network.posterior(batch.images, asked_BK)
            variance_BD = log_variance_BD.exp()
        else:
            mean_BD = network.encode(batch.images, asked_BK)
            variance_BD = torch.zeros_like(mean_BD)
        means.append(mean_BD.cpu())
        variances.append(variance_BD.cpu())
        asked += [] if asked_BK is None else [asked_BK.cpu()]
    return torch.cat(means), torch.cat(variances), (torch.cat(asked),) if asked else ()
