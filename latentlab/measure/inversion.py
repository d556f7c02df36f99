"""From a picture to the latent that draws it: the encoder or regressor first, then optimisation of the latent.

Shapes: B starts, D latent, H W C of pictures (uint8), S side in pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.errors import DataError, OptionError
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.models.inverter import Inverter, load_inverter
from latentlab.models.torch_model import TorchModel

Picture = NDArray[np.uint8]  # (H, W, C)

DEFAULT_STEPS = 300
STEPS_LIMIT = 100_000
RATE = 0.05  # of Adam, in units of the prior's standard deviation
PRIOR_WEIGHT = 2e-4  # of the mean square of the latent: keeps the optimum where the generator was trained
PYRAMID = (1, 2, 4)  # the error counts at these scales: coarse ones guide the start
STARTS = 256  # draws and stored latents that compete with the regressor's answer
PARTIAL_EVERY = 20  # steps between two pictures on the way


@dataclass(frozen=True, eq=False)
class Inversion:
    latent: FloatArray  # (D,)
    original: Picture  # (S, S, C), as resized for the model
    reconstruction: Picture  # (S, S, C)
    mse: float  # in [0, 1] intensities
    started_mse: float  # of the best start, before optimisation
    start: str  # "encoder", "regressor", "encodings" or "prior"
    steps: int
    name: str = ""


def run(
    report: Report,
    checkpoint_path: str,
    image: Picture,
    steps: int = DEFAULT_STEPS,
    name: str = "",
    device: str = "cpu",
    loader: str = "latentlab.models.loading:load_native",
) -> Inversion:
    """A job: inverts `image` (H, W, C) of any size. `loader` names what opens the checkpoint.

    `report.partial` gets the picture (S, S, C) on the way. Raises CheckpointError, DataError, OptionError.
    """
    report.progress(0, steps, "opening the model")
    module, _, function = loader.partition(":")
    opened = getattr(import_module(module), function)(Path(checkpoint_path), device=device)
    if not isinstance(opened, TorchModel):
        raise OptionError("This model can only be decoded; its latents cannot be optimised.")
    inverter = load_inverter(Path(checkpoint_path)) if opened.info.format == "native" else None
    return invert(opened, image, steps=steps, inverter=inverter, report=report, name=name)


def invert(
    model: TorchModel,
    image: Picture,
    *,
    steps: int = DEFAULT_STEPS,
    inverter: Inverter | None = None,
    report: Report | None = None,
    name: str = "",
    condition: int | None = None,
    seed: int = 0,
) -> Inversion:
    """The latent whose picture comes closest, from the best of several starts. `steps` 0 takes the start as it is."""
    if not 0 <= steps <= STEPS_LIMIT:
        raise OptionError(f"The number of steps is {steps}; it must be 0 to {STEPS_LIMIT:,}.")
    if image.ndim != 3 or image.dtype != np.uint8:
        raise DataError(f"A picture to invert must be uint8 (H, W, C); it is {image.dtype} {image.shape}.")
    original = model.prepared(image)[0]
    starts_BD, kinds = _starts(model, original, inverter, condition, seed)
    target = _tensor(original[None], model.device)
    first = int(np.argmin(_errors(model, starts_BD, original, condition)))
    start_D = starts_BD[first]
    started_mse = float(_errors(model, start_D[None], original, condition)[0])
    decode = _decoder(model, condition)
    space = model.info.spaces[0]
    latent_D = _optimised(decode, space, start_D, target, steps, report) if steps else start_D
    mse = float(_errors(model, latent_D[None], original, condition)[0])
    if not mse < started_mse:  # also where it is not finite
        latent_D, mse = start_D, started_mse
    reconstruction = model.decode(latent_D[None], condition=condition)[0]
    return Inversion(latent_D, original, reconstruction, mse, started_mse, kinds[first], steps, name)


def _starts(
    model: TorchModel, original: Picture, inverter: Inverter | None, condition: int | None, seed: int
) -> tuple[FloatArray, list[str]]:
    """(B, D) candidates and where each comes from."""
    space = model.info.spaces[0]
    found: list[tuple[str, FloatArray]] = []
    if model.info.encoder:
        found.append(("encoder", model.encode(original[None], condition=condition)))
    if inverter is not None:
        with torch.inference_mode():
            code = inverter.to(model.device)(_tensor(original[None], model.device)).cpu().numpy()
        found.append(("regressor", space.clip(code)))
    if not found:
        stored = model.encodings
        if stored is not None and stored.dim == space.dim and len(stored):
            order = np.random.default_rng(seed).permutation(len(stored))[:STARTS]
            found.append(("encodings", stored.latents[order]))
        found.append(("prior", space.sample(STARTS, seed)))
    return np.concatenate([codes for _, codes in found]), [kind for kind, codes in found for _ in codes]


def _optimised(
    decode: Callable[[Tensor], Tensor],
    space: LatentSpace,
    start_D: FloatArray,
    target: Tensor,
    steps: int,
    report: Report | None,
) -> FloatArray:
    """Adam on the latent; the best latent on the way, not the last."""
    latent = torch.tensor(start_D[None], device=target.device, requires_grad=True)
    centre = torch.tensor(space.centre, device=target.device)
    optimiser = torch.optim.Adam([latent], RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=RATE / 20)
    best, best_error = latent.detach().clone(), float("inf")
    low, high = space.bounds
    for step in range(steps):
        picture = decode(latent)
        error = F.mse_loss(picture, target)
        loss = _pyramid_error(picture, target) + PRIOR_WEIGHT * (latent - centre).square().mean()
        if float(error.detach()) < best_error:
            best_error, best = float(error.detach()), latent.detach().clone()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            latent.clamp_(low, high)
        if report is not None:
            # The error is of [-1, 1] pictures; people are told it in [0, 1] intensities.
            report.progress(step + 1, steps, f"error {best_error / 4:.4f}")
            if step % PARTIAL_EVERY == 0:
                report.partial(_bytes(picture.detach())[0])
    result: FloatArray = best[0].cpu().numpy()
    return result


def _pyramid_error(picture: Tensor, target: Tensor) -> Tensor:
    total = picture.new_zeros(())
    for scale in PYRAMID:
        if scale < min(picture.shape[-2:]):
            total = total + F.mse_loss(F.avg_pool2d(picture, scale), F.avg_pool2d(target, scale))
    return total


def _decoder(model: TorchModel, condition: int | None) -> Callable[[Tensor], Tensor]:
    classes = model.info.conditional
    chosen = None if classes is None else torch.tensor([condition or 0], device=model.device)
    return lambda latent: model.network.decode(latent, chosen).float()


def _errors(model: TorchModel, latents_BD: FloatArray, original: Picture, condition: int | None) -> FloatArray:
    """(B,) mean squared differences in [0, 1] intensities."""
    pictures = model.decode_float(latents_BD, condition=condition)
    difference = pictures - original.astype(np.float32) / 255
    return np.asarray(np.square(difference).reshape(len(difference), -1).mean(axis=1), np.float32)


def _tensor(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    return torch.from_numpy(images.copy()).to(device).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def _bytes(images_BCHW: Tensor) -> NDArray[np.uint8]:
    scaled = images_BCHW.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
