"""From a picture to the latent that draws it: the encoder or regressor first, then optimisation of the latent.

Shapes: B starts, D latent, H W C of pictures (uint8), S side in pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.condition import Asked
from latentlab.core.errors import DataError, OptionError
from latentlab.core.inversion import Inversion
from latentlab.core.latent_model import LatentModel
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.measure.memory import in_memory
from latentlab.models.inverter import Inverter, load_inverter
from latentlab.models.torch_model import TorchModel

Picture = NDArray[np.uint8]  # (H, W, C)

DEFAULT_STEPS = 300
STEPS_LIMIT = 100_000
RATE = 0.05  # of Adam, in units of the prior's standard deviation
PRIOR_WEIGHT = 2e-4  # of the mean square of the latent: keeps the optimum where the generator was trained
PYRAMID = (1, 2, 4)  # the error counts at these scales: coarse ones guide the start
STARTS = 256  # draws and stored latents that compete where no encoder or regressor answers
NARROWEST = 1e-6  # a spread that is divided by
TOGETHER = 4  # of them are optimised at once: one alone may end in the wrong valley
PARTIAL_EVERY = 20  # steps between two pictures on the way
NO_GRADIENT = "This model has no encoder and gives no gradient, so pictures cannot be inverted."


def run(
    report: Report,
    path: str,
    image: Picture,
    condition: Asked = None,
    steps: int = DEFAULT_STEPS,
    name: str = "",
    device: str = "cpu",
    loader: str = "latentlab.models.loading:load_native",
    how: Mapping[str, Any] | None = None,
) -> Inversion:
    """A job: inverts `image` (H, W, C) of any size. `loader` names what opens the checkpoint, `how` is said to it.

    `report.partial` gets the picture (S, S, C) on the way. Raises CheckpointError, DataError, OptionError.
    """
    report.progress(0, steps, "opening the model")
    module, _, function = loader.partition(":")
    opened = getattr(import_module(module), function)(Path(path), device=device, **(how or {}))
    return run_on(report, opened, image, condition, steps, name)


def run_on(
    report: Report,
    model: LatentModel,
    image: Picture,
    condition: Asked = None,
    steps: int = DEFAULT_STEPS,
    name: str = "",
) -> Inversion:
    """The same with a model that is open. Raises DataError, OptionError."""
    if not hasattr(model, "network"):
        raise OptionError("This model can only be decoded; its latents cannot be optimised.")
    known = model.info.format == "native" and model.info.path
    inverter = load_inverter(Path(model.info.path)) if known else None
    told = cast(TorchModel, model)  # or one with other encodings around it
    return invert(told, image, steps=steps, inverter=inverter, report=report, name=name, condition=condition)


def invert(
    model: TorchModel,
    image: Picture,
    *,
    steps: int = DEFAULT_STEPS,
    inverter: Inverter | None = None,
    report: Report | None = None,
    name: str = "",
    condition: Asked = None,
    seed: int = 0,
) -> Inversion:
    """The latent whose picture comes closest, from the best of several starts. `steps` 0 takes the start as it is."""
    if not 0 <= steps <= STEPS_LIMIT:
        raise OptionError(f"The number of steps is {steps}; it must be 0 to {STEPS_LIMIT:,}.")
    if image.ndim != 3 or image.dtype != np.uint8:
        raise DataError(f"A picture to invert must be uint8 (H, W, C); it is {image.dtype} {image.shape}.")
    if steps and not (model.info.encoder or model.info.invertible):
        _check_gradient(model, condition)  # before the many draws that a search begins with
    original = model.prepared(image[None])[0]
    starts_BD, kinds = _starts(model, original, inverter, condition, seed)
    errors_B = _errors(model, starts_BD, original, condition)
    order = np.argsort(errors_B, kind="stable")[:TOGETHER]
    first = int(order[0])
    latent_D, mse = starts_BD[first], float(errors_B[first])
    if steps:
        chosen_BD = starts_BD[order]

        def ended(rows: slice) -> FloatArray:
            target = _tensor(original[None], model.device)
            decode = _decoder(model, condition)
            return _optimised(decode, model.info.spaces[0], chosen_BD[rows], target, steps, report)

        def say(text: str) -> None:
            if report is not None:
                report.progress(0, steps, text)

        ended_BD = np.concatenate(in_memory(model, len(chosen_BD), ended, say))
        ended_errors_B = _errors(model, ended_BD, original, condition)
        best = int(np.argmin(np.nan_to_num(ended_errors_B, nan=np.inf)))
        if ended_errors_B[best] < mse:
            latent_D, mse = ended_BD[best], float(ended_errors_B[best])
    reconstruction = model.decode(latent_D[None], condition=condition)[0]
    return Inversion(latent_D, original, reconstruction, mse, float(errors_B[first]), kinds[first], steps, name)


def _check_gradient(model: TorchModel, condition: Asked) -> None:
    """Raises OptionError for a decoder that cannot be searched, such as an ONNX graph."""
    latent_1D = torch.tensor(model.info.spaces[0].centre[None], device=model.device).requires_grad_()
    if not _decoder(model, condition)(latent_1D).requires_grad:
        raise OptionError(NO_GRADIENT)


def _starts(
    model: TorchModel, original: Picture, inverter: Inverter | None, condition: Asked, seed: int
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
    starts_BD: FloatArray,
    target: Tensor,
    steps: int,
    report: Report | None,
) -> FloatArray:
    """Adam on each latent; of each the best on the way, not the last."""
    centre = torch.tensor(space.centre, device=target.device)
    spread = torch.ones_like(centre) if space.std is None else torch.tensor(space.std, device=target.device)
    spread = spread.clamp_min(NARROWEST)
    # In units of the prior's spread every dimension moves at the same rate.
    units = ((torch.tensor(starts_BD, device=target.device) - centre) / spread).requires_grad_()
    optimiser = torch.optim.Adam([units], RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=RATE / 20)
    best, best_error = units.detach().clone(), target.new_full((len(starts_BD),), float("inf"))
    low, high = space.bounds
    for step in range(steps):
        pictures = decode(centre + spread * units)
        if not pictures.requires_grad:
            raise OptionError(NO_GRADIENT)
        errors = (pictures.detach() - target).square().flatten(1).mean(dim=1)
        better = errors < best_error
        best_error = torch.where(better, errors, best_error)
        best = torch.where(better[:, None], units.detach(), best)
        loss = _pyramid_error(pictures, target) + PRIOR_WEIGHT * units.square().mean(dim=1)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss.sum())
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            units.copy_(((centre + spread * units).clamp(low, high) - centre) / spread)
        if report is not None:
            # The error is of [-1, 1] pictures; people are told it in [0, 1] intensities.
            report.progress(step + 1, steps, f"error {float(best_error.min()) / 4:.4f}")
            if step % PARTIAL_EVERY == 0:
                report.partial(_bytes(pictures.detach())[int(errors.argmin())])
    result: FloatArray = (centre + spread * best).cpu().numpy()
    return result


def _pyramid_error(pictures: Tensor, target: Tensor) -> Tensor:
    """(B,) squared errors at several scales."""
    total = pictures.new_zeros(len(pictures))
    for scale in PYRAMID:
        if scale < min(pictures.shape[-2:]):
            difference = F.avg_pool2d(pictures, scale) - F.avg_pool2d(target, scale)
            total = total + difference.square().flatten(1).mean(dim=1)
    return total


def _decoder(model: TorchModel, condition: Asked) -> Callable[[Tensor], Tensor]:
    def decode(latents_BD: Tensor) -> Tensor:
        wanted_BK = model.conditions(condition, len(latents_BD))
        pictures: Tensor = model.network.decode(latents_BD, None if wanted_BK is None else wanted_BK.to(model.device))
        return pictures.float()

    return decode


def _errors(model: TorchModel, latents_BD: FloatArray, original: Picture, condition: Asked) -> FloatArray:
    """(B,) mean squared differences in [0, 1] intensities."""
    pictures = model.decode_float(latents_BD, condition=condition)
    difference = pictures - original.astype(np.float32) / 255
    return np.asarray(np.square(difference).reshape(len(difference), -1).mean(axis=1), np.float32)


def _tensor(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    return torch.from_numpy(images.copy()).to(device).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def _bytes(images_BCHW: Tensor) -> NDArray[np.uint8]:
    scaled = images_BCHW.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
