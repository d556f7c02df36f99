"""A small map for each epoch, RUN/map/epoch-0001.npz: where the same few hundred pictures lie as the run goes on.

Made without random numbers, so that looking changes no run. Shapes: N pictures, D latent, P pixels, K numbers of a
condition.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.core.atomic import atomic_write
from latentlab.core.spaces import FloatArray
from latentlab.models.family import Network
from training.sheets import SEED, drawn, encoded

FOLDER = "map"
PICTURES = 400
SIDE = 16  # px, at most: a generator's pictures are compared as they look from far away
COMPONENTS = 2


@torch.inference_mode()
def write_map(
    folder: Path,
    epoch: int,
    network: Network,
    images_NHWC: NDArray[np.uint8],
    asked_NK: Tensor | None = None,
    labels_N: NDArray[np.int64] | None = None,
    label_names: tuple[str, ...] = (),
) -> None:
    """`epoch-0001.npz`: `layout` float32 (N, 2), `share` of the variance it holds, `labels` int64 (N,), -1 unknown.

    With an encoder: the latents of the pictures along their first two principal axes, `of` "components"; latents of two
    numbers as they are, `of` "latents". Without one: as many draws from the prior, always the same, after the pictures,
    both along the first two principal axes of the pictures; `of` "pictures", `drawn` (N,) says which are draws.
    Raises SaveError.
    """
    if len(images_NHWC) < 2:
        return
    count = len(images_NHWC)
    known_ND = encoded(network, images_NHWC, asked_NK).cpu().numpy() if network.encodes else small(images_NHWC)
    if not np.isfinite(known_ND).all():
        return  # of a run that has diverged; the loop says so
    rows_ND = known_ND
    labels_N = np.full(count, -1, np.int64) if labels_N is None else labels_N
    if not network.encodes:
        rows_ND = np.concatenate([known_ND, small(_drawn(network, count, asked_NK))])
        labels_N = np.concatenate([labels_N, np.full(count, -1, np.int64) if asked_NK is None else labels_N])
    axes_2D, share = principal_axes(known_ND)
    of = "pictures" if not network.encodes else "components" if rows_ND.shape[1] > COMPONENTS else "latents"
    layout_N2 = rows_ND if of == "latents" else (rows_ND - known_ND.mean(0)) @ axes_2D.T
    layout_N2 = np.pad(layout_N2, ((0, 0), (0, COMPONENTS - layout_N2.shape[1])))
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        of=of,
        layout=layout_N2.astype(np.float32),
        share=np.float32(share),
        drawn=np.arange(len(rows_ND)) >= count,
        labels=labels_N,
        label_names=np.array(label_names, dtype=np.str_),
    )
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(folder / f"epoch-{epoch:04d}.npz", buffer.getvalue())


def principal_axes(rows_ND: FloatArray) -> tuple[FloatArray, float]:
    """The first two principal axes (2, D) and the share of the variance along them, 0 to 1."""
    centred_ND = rows_ND - rows_ND.mean(0)
    _, lengths_K, axes_KD = np.linalg.svd(centred_ND, full_matrices=False)
    total = float((lengths_K**2).sum())
    return axes_KD[:COMPONENTS], float((lengths_K[:COMPONENTS] ** 2).sum()) / total if total > 0 else 0.0


def small(images_NHWC: NDArray[np.uint8]) -> FloatArray:
    """(N, P) intensities in [0, 1] of the pictures, every few pixels averaged."""
    count, height, width, channels = images_NHWC.shape
    step = max(1, -(-height // SIDE))
    rows, columns = height // step, width // step
    found = np.empty((count, rows * columns * channels), np.float32)
    for index, image in enumerate(images_NHWC):  # one by one: in floating point they are four times as large
        cut = image[: rows * step, : columns * step].astype(np.float32) / 255
        found[index] = cut.reshape(rows, step, columns, step, channels).mean(axis=(1, 3)).ravel()
    return found


def _drawn(network: Network, count: int, asked_NK: Tensor | None) -> NDArray[np.uint8]:
    """(N, H, W, C): the same draws every time, asked for what the pictures are."""
    device = next(network.parameters()).device
    latents_ND = torch.from_numpy(network.spaces[0].sample(count, seed=SEED)).to(device)
    return drawn(network, latents_ND, None if asked_NK is None else asked_NK.to(device))
