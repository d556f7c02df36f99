"""Encoding many pictures: what a map shows of them.

Shapes: N pictures, D latent, H W C of pictures (uint8).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from latentlab.core.condition import Asked, Described, known_conditions
from latentlab.core.encodings import EncodingSet, StoredPCA, Thumbnails
from latentlab.core.errors import DataError, OptionError
from latentlab.core.latent_model import LatentModel, ModelInfo
from latentlab.core.picture_folder import listed, read_all
from latentlab.core.pictures import Crop
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray
from latentlab.measure.memory import in_memory
from latentlab.measure.metrics import kl_per_dimension
from latentlab.models.torch_model import TorchModel, pictures_at_once

Pictures = NDArray[np.uint8]

COMPONENTS = 64  # stored principal components
THUMBNAIL_SIZE = 64  # px
SMALLEST = 1e-6  # of a spread that is divided by
WEBP_QUALITY = 78

OnBatch = Callable[[int, int], None]  # done, total


class Sliced(Protocol):
    """Pictures, uint8 (N, H, W, C), of which a part is in memory once it is asked for; an array is one."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> Pictures: ...


def encode_pictures(
    model: LatentModel, images: Sliced, on_batch: OnBatch | None = None, condition: Asked = None
) -> EncodingSet:
    """Posterior means of uint8 (N, H, W, C), with their principal components and, of a VAE, the KL per dimension.

    `condition`: what a conditional model is told of all pictures, or of each (see `told_of`). Raises OptionError where
    the model has no encoder.
    """
    if not model.info.encoder:
        raise OptionError("This model has no encoder; invert the pictures one by one instead.")
    means: list[FloatArray] = []
    log_variances: list[FloatArray] = []
    at_once = pictures_at_once(model.info.image.height)
    for start in range(0, len(images), at_once):
        batch = images[start : start + at_once]
        asked = condition[start : start + at_once] if isinstance(condition, Sequence) else condition
        found = posterior(model, batch, asked) if isinstance(model, TorchModel) else None
        if found is None:
            means.append(model.encode(batch, condition=asked))
        else:
            means.append(found[0])
            log_variances.append(found[1])
        if on_batch:
            on_batch(min(start + at_once, len(images)), len(images))
    if not means:
        raise DataError("There is no picture to encode.")
    latents_ND = np.concatenate(means)
    kl = None
    if log_variances:
        # From the prior N(0, std^2) where the model states one, else from N(0, 1).
        std = model.info.spaces[0].std
        scale_D = np.ones(latents_ND.shape[1], np.float32) if std is None else np.maximum(std, np.float32(SMALLEST))
        kl = kl_per_dimension(
            (latents_ND / scale_D).astype(np.float32),
            (np.concatenate(log_variances) - 2 * np.log(scale_D, dtype=np.float32)).astype(np.float32),
        )
    return EncodingSet(latents_ND, model.info.spaces[0].name, pca=components(latents_ND), kl_per_dimension=kl)


def encode_described(
    model: LatentModel, images: Sliced, known: Described, on_batch: OnBatch | None = None
) -> EncodingSet:
    """`encode_pictures` of pictures that something is known of: conditional models are told it, encodings hold it.

    Raises OptionError where the model has no encoder, DataError where there is no picture.
    """
    encodings = encode_pictures(model, images, on_batch, told_of(model.info, known, len(images)))
    return replace(
        encodings,
        labels=known.labels,
        label_names=known.label_names,
        attributes=known.attributes,
        attribute_names=known.attribute_names,
    )


@torch.inference_mode()
def posterior(model: TorchModel, images: Pictures, condition: Asked = None) -> tuple[FloatArray, FloatArray] | None:
    """Means and log-variances (N, D) of a batch; None where the model's encoder gives only one latent."""
    moments = getattr(model.network, "posterior", None)
    if moments is None:
        return None
    asked_BK = model.conditions(condition, len(images))
    inputs = torch.from_numpy(model.prepared(images))

    def moments_of(rows: slice) -> tuple[FloatArray, FloatArray]:
        told = () if asked_BK is None else (asked_BK[rows].to(model.device),)
        pictures = inputs[rows].to(model.device).permute(0, 3, 1, 2).float().div(127.5).sub(1)
        mean, log_variance = moments(pictures, *told)
        return mean.float().cpu().numpy(), log_variance.float().cpu().numpy()

    means, log_variances = zip(*in_memory(model, len(images), moments_of), strict=True)
    return np.concatenate(means), np.concatenate(log_variances)


def told_of(info: ModelInfo, known: Described, count: int) -> Asked:
    """For each of `count` pictures, what a conditional model is told of it; None where it takes no condition."""
    if not info.takes_condition:
        return None
    return known_conditions(known, np.arange(count), info.conditional or (), info.conditional_attributes)


def components(latents_ND: FloatArray) -> StoredPCA | None:
    """Up to 64; None where no latent is finite."""
    if not np.isfinite(latents_ND).all(axis=1).any():
        return None
    return StoredPCA.fit(latents_ND, min(COMPONENTS, latents_ND.shape[1]))


def coded_thumbnails(images: Iterable[NDArray[np.uint8]], size: int = THUMBNAIL_SIZE) -> Thumbnails:
    """WebP of at most `size` px, of uint8 (N, H, W, C) or of (H, W, C) one after another."""
    coded: list[bytes] = []
    for picture in images:
        image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
        image.thumbnail((size, size), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=WEBP_QUALITY, method=4)
        coded.append(buffer.getvalue())
    offsets = np.concatenate([[0], np.cumsum([len(code) for code in coded])]).astype(np.int64)
    return Thumbnails(np.frombuffer(b"".join(coded), np.uint8), offsets)


def encode_folder(
    model: LatentModel,
    folder: Path,
    *,
    crop: Crop | None = None,
    limit: int | None = None,
    report: Report | None = None,
) -> tuple[EncodingSet, tuple[str, ...]]:
    """(encodings with labels, attributes, names and thumbnails; a line for each file that could not be used).

    Folders are understood as the trainer does. Raises DataError, OptionError.
    """
    if not model.info.encoder:
        raise OptionError("This model has no encoder; invert the pictures one by one instead.")
    listing = listed(folder)
    if limit is not None and limit < len(listing.files):
        listing = listing.subset(np.linspace(0, len(listing.files) - 1, limit).astype(np.int64))

    def tell(begin: float, done: int, total: int, text: str) -> None:
        if report is not None:
            report.progress(begin + 0.5 * done / max(total, 1), 1.0, f"{text}: {done:,} of {total:,}")

    pictures, usable, reasons = read_all(
        listing.files, model.info.image.height, crop or Crop(), lambda done, total, text: tell(0.0, done, total, text)
    )
    skipped = listing.skipped + tuple(reasons)
    if not len(usable):
        raise DataError(f"No picture in {folder} can be used; the first: {skipped[0]}")
    kept = listing.subset(usable)
    encodings = encode_described(model, pictures, kept, lambda done, total: tell(0.5, done, total, "encoding"))
    return replace(encodings, names=kept.names, thumbnails=coded_thumbnails(pictures)), skipped


def run(
    report: Report,
    path: str,
    folder: str,
    crop: str = "centre",
    limit: int | None = None,
    device: str = "cpu",
    loader: str = "latentlab.models.loading:load_native",
) -> tuple[EncodingSet, tuple[str, ...]]:
    """`encode_folder` as a job; `loader` names what opens the checkpoint."""
    module, _, function = loader.partition(":")
    model = getattr(import_module(module), function)(Path(path), device=device)
    return encode_folder(model, Path(folder), crop=Crop.parse(crop), limit=limit, report=report)
