"""Fitting a latent regressor to a trained generator, so that real pictures can be inverted.

Each step learns from pairs (z, G(z)) and from real pictures: the regressor's answer to a real picture is drawn by the
generator and compared with it. Shapes: B batch, P part of it, D latent, C H W of images in [-1, 1],
N pictures, K numbers of a condition.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.picture_folder import Progress
from latentlab.models.family import Network
from latentlab.models.in_parts import part_of
from latentlab.models.inverter import Inverter, InverterArchitecture
from training.data.rows import Rows
from training.precision import Precision

BATCH = 64  # of each kind
REDRAWN = 16  # of a batch, at once
RATE = 1e-3
PIXEL_WEIGHT = 4.0  # of a real picture's error beside the latent's
NOISE = 0.03  # on the pictures, so that the regressor does not read the generator's fine print
RANGE_WEIGHT = 0.05  # of latents beyond the prior's spread
STEPS_AT_MOST = 2000


def fit_inverter(
    network: Network,
    images: Rows,
    steps: int,
    asked_NK: Tensor | None = None,
    *,
    width: int = 32,
    seed: int = 0,
    precision: Precision,
    report: Progress,
) -> Inverter:
    """In eval mode, on the CPU. `images`: those trained on. The generator is only read.

    `asked_NK`: what a conditional generator is asked for to draw each of them; the regressor is not told.
    """
    device = precision.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        inverter = _fitted(network, images, steps, asked_NK, width, seed, precision, report)
    return inverter.cpu().eval()


def _fitted(
    network: Network,
    images: Rows,
    steps: int,
    asked_NK: Tensor | None,
    width: int,
    seed: int,
    precision: Precision,
    report: Progress,
) -> Inverter:
    a, device, space = network.architecture, precision.device, network.spaces[0]
    inverter = Inverter(
        InverterArchitecture(image_size=a.image_size, channels=a.channels, latent_dim=space.dim, width=width)
    ).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert isinstance(inverter, Inverter)
    network = network.eval().requires_grad_(False).to(device)
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(inverter.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1), eta_min=RATE / 50)
    spread = float(np.mean(space.sample(256).var(axis=0)))
    parts = 2 * BATCH // part_of(2 * BATCH, a.image_size, device)
    for step in range(steps):
        latents_BD = space.sample(BATCH, seed=int(rng.integers(2**31)))
        chosen_B = rng.integers(0, len(images), BATCH)
        for latents_PD, chosen_P in zip(np.split(latents_BD, parts), np.split(chosen_B, parts), strict=True):
            real = _scaled(torch.from_numpy(images.take(chosen_P)).to(device))
            asked_PK = None if asked_NK is None else asked_NK[chosen_P].to(device)
            latents = torch.from_numpy(latents_PD).to(device)
            loss = _loss(network, inverter, latents, real, asked_PK, spread, precision)
            precision.backward(loss / parts)
        precision.move(optimiser, inverter, 1.0)
        schedule.step()
        report(step + 1, steps, "fitting the inverter")
    return inverter


def _loss(
    network: Network,
    inverter: Inverter,
    latents_PD: Tensor,
    real_PCHW: Tensor,
    asked_PK: Tensor | None,
    spread: float,
    precision: Precision,
) -> Tensor:
    """Of as many drawn pictures as real ones, which normalisation sees together."""
    count = len(latents_PD)
    with precision.autocast():
        with torch.no_grad():
            drawn = network.decode(latents_PD, asked_PK).float()
        both = torch.cat([drawn, real_PCHW]).contiguous(memory_format=torch.channels_last)
        noisy = torch.randn_like(both).mul_(NOISE).add_(both)
        del drawn, both  # what is not needed again makes room for feature maps
        codes = inverter(noisy).float()
    of_pixels = pixel_error(network, codes[count:], real_PCHW, asked_PK, precision)
    of_latents = F.mse_loss(codes[:count], latents_PD) / spread
    beyond = F.relu(codes[count:].square().mean(dim=1) / spread - 1).mean()
    return of_latents + PIXEL_WEIGHT * of_pixels + RANGE_WEIGHT * beyond


def pixel_error(
    network: Network, codes_BD: Tensor, real_BCHW: Tensor, asked_BK: Tensor | None, precision: Precision
) -> Tensor:
    """A number with the gradient of the mean squared error between the pictures and what is drawn of their codes.

    The generator, in eval mode, draws each picture on its own: a few at a time, so that the feature maps of all need
    not wait for the backward pass together.
    """
    given_BD = codes_BD.detach().requires_grad_()
    for start in range(0, len(real_BCHW), REDRAWN):
        part = slice(start, start + REDRAWN)
        with precision.autocast():
            redrawn = network.decode(given_BD[part], None if asked_BK is None else asked_BK[part]).float()
        # The sum, not the mean: in half precision the gradients of a mean over pixels would be zeros.
        torch.autograd.backward(F.mse_loss(redrawn, real_BCHW[part], reduction="sum"))
    assert given_BD.grad is not None
    return (codes_BD * (given_BD.grad.float() / real_BCHW.numel())).sum()


def _scaled(images_NHWC: Tensor) -> Tensor:
    return images_NHWC.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
