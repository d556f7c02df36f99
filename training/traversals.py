"""A sheet that shows what single dimensions of the latent do, for every family.

Shapes: N pictures, D latent, K numbers of a condition, R rows, S steps.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.core.spaces import UNIFORM_BOUND, LatentSpace
from latentlab.models.family import Network
from latentlab.models.torch_model import pictures_at_once
from training.sheets import drawn, encoded, row_conditions, save_png, sheet

ROWS = 10
SIGMAS = (-3, -2, -1, 0, 1, 2, 3)  # a column each
COMPARED = 256  # dimensions, at most, whose pictures are compared where no encoder says which are active


@torch.inference_mode()
def write_traversals(
    folder: Path, epoch: int, network: Network, images_NHWC: NDArray[np.uint8], asked_NK: Tensor | None = None
) -> None:
    """`traversals-0001.png`: the most active dimensions, a row each, from -3 to 3 sigma; the others at the centre.

    With an encoder, centre, sigma and activity are those of the encodings of the pictures; without one they are the
    prior's, and the most active dimensions are those that change the picture most. Draws no random numbers.
    """
    device = next(network.parameters()).device
    space = network.spaces[0]
    rows_RK = row_conditions(network)
    condition_1K = None if rows_RK is None else rows_RK[:1].to(device)
    if network.encodes and len(images_NHWC) > 1:
        told = None if asked_NK is None else asked_NK.to(device)
        codes_ND = encoded(network, images_NHWC, told)
        centre_D, sigma_D = codes_ND.mean(0), codes_ND.std(0)
        order = sigma_D.argsort(descending=True)
        bounds = -math.inf, math.inf
    else:
        centre_D = torch.from_numpy(space.centre).to(device)
        sigma_D = prior_sigma(space).to(device)
        bounds = space.bounds
        order = _by_change(network, bounds, centre_D, sigma_D, condition_1K)
    latents = torch.cat([_moved(bounds, centre_D, sigma_D, int(d), SIGMAS) for d in order[:ROWS]])
    asked_NK = None if condition_1K is None else condition_1K.expand(len(latents), -1)
    save_png(folder / f"traversals-{epoch:04d}.png", sheet(drawn(network, latents, asked_NK), columns=len(SIGMAS)))


def prior_sigma(space: LatentSpace) -> Tensor:
    """(D,) the prior's standard deviation along each dimension."""
    if space.draws is not None:
        return torch.from_numpy(space.draws).float().std(0)
    if space.std is not None:
        return torch.from_numpy(np.asarray(space.std, np.float32))
    return torch.full((space.dim,), UNIFORM_BOUND / math.sqrt(3) if space.prior == "uniform" else 1.0)


def _by_change(
    network: Network,
    bounds: tuple[float, float],
    centre_D: Tensor,
    sigma_D: Tensor,
    condition_1K: Tensor | None,
) -> Tensor:
    """Dimensions, that which changes the picture most between its ends first."""
    compared = torch.linspace(0, len(centre_D) - 1, min(len(centre_D), COMPARED)).round().long()
    ends = torch.cat([_moved(bounds, centre_D, sigma_D, int(d), (SIGMAS[0], SIGMAS[-1])) for d in compared])
    pairs = 2 * max(1, pictures_at_once(network.architecture.image_size) // 2)
    changes = []
    for latents in torch.split(ends, pairs):
        asked = None if condition_1K is None else condition_1K.expand(len(latents), -1)
        pictures = network.decode(latents, asked).float()
        changes.append((pictures[0::2] - pictures[1::2]).abs().mean(dim=(1, 2, 3)))
    change = torch.cat(changes)
    return compared.to(change.device)[change.argsort(descending=True)]


def _moved(
    bounds: tuple[float, float], centre_D: Tensor, sigma_D: Tensor, dimension: int, sigmas: tuple[int, ...]
) -> Tensor:
    """(S, D) latents that differ in one dimension, within the bounds."""
    latents_SD = centre_D.repeat(len(sigmas), 1)
    latents_SD[:, dimension] += sigma_D[dimension] * torch.tensor(sigmas, device=centre_D.device)
    return latents_SD.clamp(*bounds)
