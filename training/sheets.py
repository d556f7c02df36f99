"""Sheets that show how a run is doing: draws from the prior, and held-out pictures above their reconstructions.

Made with random numbers of their own, so that looking changes no run. Shapes: N pictures, H W C of each, uint8; K
numbers of a condition, R rows of a sheet.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from latentlab.core.atomic import atomic_write
from latentlab.core.spaces import LatentSpace
from latentlab.models.conditioning import UNKNOWN, Conditional, condition_rows
from latentlab.models.family import Network
from latentlab.models.torch_model import pictures_at_once

COLUMNS = 8
SAMPLES = 64
ROWS_AT_MOST = 32  # of a conditional network's sheet
RECONSTRUCTIONS = 32
GAP = 2  # px between pictures
SEED = 20_140_410  # the same draws in every epoch, so that sheets compare
GROUND = 255

Damage = Callable[[Tensor, torch.Generator], Tensor]


def sheet(images_NHWC: NDArray[np.uint8], columns: int = COLUMNS, gap: int = GAP) -> NDArray[np.uint8]:
    """The pictures in rows of `columns`, uint8 (H', W', C)."""
    count, height, width, channels = images_NHWC.shape
    rows = -(-count // columns)
    canvas = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), GROUND, np.uint8)
    for index, image in enumerate(images_NHWC):
        row, column = divmod(index, columns)
        top, left = gap + row * (height + gap), gap + column * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return canvas


def as_bytes(images_BCHW: Tensor) -> NDArray[np.uint8]:
    """[-1, 1] float (B, C, H, W) as uint8 (B, H, W, C)."""
    scaled = images_BCHW.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def drawn(network: Network, latents_ND: Tensor, asked_NK: Tensor | None = None) -> NDArray[np.uint8]:
    """uint8 (N, H, W, C); as many at once as their size allows."""
    at_once = pictures_at_once(network.architecture.image_size)
    pieces = []
    for start in range(0, len(latents_ND), at_once):
        asked = None if asked_NK is None else asked_NK[start : start + at_once]
        pieces.append(as_bytes(network.decode(latents_ND[start : start + at_once], asked)))
    return np.concatenate(pieces)


def encoded(network: Network, images_NHWC: NDArray[np.uint8], asked_NK: Tensor | None = None) -> Tensor:
    """float32 (N, D) on the network's device; as many at once as their size allows."""
    device = next(network.parameters()).device
    at_once = pictures_at_once(network.architecture.image_size)
    pieces = []
    for start in range(0, len(images_NHWC), at_once):
        asked = None if asked_NK is None else asked_NK[start : start + at_once].to(device)
        pieces.append(network.encode(as_inputs(images_NHWC[start : start + at_once]).to(device), asked).float())
    return torch.cat(pieces)


@torch.inference_mode()
def write_sheets(
    folder: Path,
    epoch: int,
    network: Network,
    images_NHWC: NDArray[np.uint8],
    asked_NK: Tensor | None = None,
    seed: int = SEED,
    *,
    drawn_by: Network | None = None,
    draws: LatentSpace | None = None,
) -> None:
    """`samples-0001.png` and, with an encoder, `reconstructions-0001.png` (each row of originals, then its row).

    `asked_NK`: what a conditional network is told of the pictures. Its samples are the same draws in every row, asked
    for one class (or attribute) after the other. `drawn_by`: the network with a measured prior, for the samples;
    `draws`: what they are taken from, where that is not its space as it is.
    """
    device, drawing = next(network.parameters()).device, drawn_by or network
    latents_ND = torch.from_numpy((draws or drawing.spaces[0]).sample(SAMPLES, seed=seed)).to(device)
    rows_RK = row_conditions(network)
    if rows_RK is not None:
        latents_ND = latents_ND[:COLUMNS].repeat(len(rows_RK), 1)
        rows_RK = rows_RK.to(device).repeat_interleave(COLUMNS, dim=0)
    save_png(folder / f"samples-{epoch:04d}.png", sheet(drawn(drawing, latents_ND, rows_RK)))
    if network.encodes and len(images_NHWC):
        originals = images_NHWC[:RECONSTRUCTIONS]
        told = None if asked_NK is None else asked_NK[: len(originals)].to(device)
        decoded = drawn(network, encoded(network, originals, told), told)
        rows = [
            np.concatenate([originals[start : start + COLUMNS], decoded[start : start + COLUMNS]])
            for start in range(0, len(originals) - len(originals) % COLUMNS or len(originals), COLUMNS)
        ]
        columns = min(COLUMNS, len(originals))  # fewer are still above their own
        save_png(folder / f"reconstructions-{epoch:04d}.png", sheet(np.concatenate(rows), columns))


def row_conditions(network: Network) -> Tensor | None:
    """(R, K): a row for each class with unknown attributes; without classes one for each attribute that is there.

    None where the network takes no condition.
    """
    a = network.architecture
    if not isinstance(a, Conditional):
        return None
    if a.classes:
        labels_R = torch.arange(min(a.classes, ROWS_AT_MOST))
        return condition_rows(len(labels_R), a.classes, a.attributes, labels_R, None)
    count = min(a.attributes, ROWS_AT_MOST)
    asked_RA = torch.full((count, a.attributes), UNKNOWN)
    asked_RA.fill_diagonal_(1)
    return condition_rows(count, 0, a.attributes, None, asked_RA)


@torch.inference_mode()
def write_repaired(
    folder: Path, epoch: int, network: Network, images_NHWC: NDArray[np.uint8], damaged: Damage, seed: int = SEED
) -> None:
    """`denoised-0001.png`: each row of damaged pictures above what the network makes of them, above the originals."""
    if not len(images_NHWC):
        return
    originals = images_NHWC[:RECONSTRUCTIONS]
    device = next(network.parameters()).device
    inputs = damaged(as_inputs(originals).to(device), torch.Generator().manual_seed(seed))
    rows = [as_bytes(inputs), as_bytes(network.decode(network.encode(inputs))), originals]
    kept = len(originals) - len(originals) % COLUMNS or len(originals)
    shown = [part[start : start + COLUMNS] for start in range(0, kept, COLUMNS) for part in rows]
    save_png(folder / f"denoised-{epoch:04d}.png", sheet(np.concatenate(shown), min(COLUMNS, kept)))


def as_inputs(images_NHWC: NDArray[np.uint8]) -> Tensor:
    """uint8 (N, H, W, C) as float (N, C, H, W) in [-1, 1]."""
    return torch.from_numpy(images_NHWC.copy()).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def save_png(path: Path, picture_HWC: NDArray[np.uint8]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(picture_HWC[..., 0] if picture_HWC.shape[2] == 1 else picture_HWC).save(buffer, "PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, buffer.getvalue())
