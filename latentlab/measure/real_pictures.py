"""Pictures that a model is measured on: thumbnails of its encodings, a folder, an `.npz`, an array.

Shapes: N pictures of S x S x C (uint8), as the model takes them; D latent, A attributes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentlab.core.atomic import displayed
from latentlab.core.condition import Described
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import DataError
from latentlab.core.latent_model import ImageShape
from latentlab.core.picture_archive import read_archive
from latentlab.core.picture_folder import Progress, listed, portable_name, read_all
from latentlab.core.pictures import Crop, resized, with_channels
from latentlab.core.spaces import FloatArray
from latentlab.measure.encoding import coded_thumbnails

Pictures = NDArray[np.uint8]
Indices = NDArray[np.int64]

BYTES_AT_MOST = 2**29  # of pictures in memory; of large ones fewer are measured on


@dataclass(frozen=True, eq=False)
class RealPictures:
    """With what is known of them. Their number goes before `of`, a short name, and before `what`, a full one."""

    images: Pictures
    of: str
    what: str
    labels: NDArray[np.int64] | None = None  # (N,); -1 unknown
    label_names: tuple[str, ...] = ()
    attributes: FloatArray | None = None  # (N, A); NaN unknown
    attribute_names: tuple[str, ...] = ()
    latents: FloatArray | None = None  # (N, D), where the model has encoded them already
    space: str | None = None  # of the latents
    coded: bool = False  # they went through the coding of thumbnails
    skipped: tuple[str, ...] = ()  # a line for each file that could not be used

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, indices: Indices) -> RealPictures:
        return replace(
            self,
            images=self.images[indices],
            labels=None if self.labels is None else self.labels[indices],
            attributes=None if self.attributes is None else self.attributes[indices],
            latents=None if self.latents is None else self.latents[indices],
        )

    def sized(self, decoded: Pictures) -> Pictures:
        """What a model has drawn, at the size of these pictures."""
        return at_size(decoded, ImageShape(*self.images.shape[1:]))

    def alike(self, decoded: Pictures) -> Pictures:
        """What a model has drawn, at the size of these pictures and coded as they are."""
        shown = self.sized(decoded)
        if not self.coded:
            return shown
        thumbnails = coded_thumbnails(shown, max(shown.shape[1:3]))
        return np.stack([uncoded(thumbnails.coded(i), shown.shape[3]) for i in range(len(shown))])


def of_thumbnails(encodings: EncodingSet, image: ImageShape, count: int, seed: int = 0) -> RealPictures | None:
    """Of at most `count` encodings, at random; None where they are draws of the model, or have no thumbnails."""
    thumbnails = encodings.thumbnails
    if encodings.samples or thumbnails is None or len(thumbnails) != len(encodings):
        return None
    finite = np.flatnonzero(np.isfinite(encodings.latents).all(axis=1))
    chosen = np.sort(np.random.default_rng(seed).permutation(finite)[:count]).astype(np.int64)
    try:
        images = [uncoded(thumbnails.coded(i), image.channels) for i in chosen.tolist()]
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"A thumbnail of the checkpoint cannot be read ({error}); encode the pictures again.") from None
    if not images or len({picture.shape for picture in images}) > 1:
        return None
    side = images[0].shape[0]
    return RealPictures(
        np.stack(images),
        of="thumbnails of the encodings",
        what=f"thumbnails of {len(encodings):,} encodings, {side} px, which may be pictures it was trained on",
        labels=None if encodings.labels is None else encodings.labels[chosen],
        label_names=encodings.label_names,
        attributes=None if encodings.attributes is None else encodings.attributes[chosen],
        attribute_names=encodings.attribute_names,
        latents=encodings.latents[chosen],
        space=encodings.space,
        coded=True,
    )


def in_path(path: Path, image: ImageShape, crop: Crop, count: int, report: Progress) -> RealPictures:
    """At most `count` pictures of a folder or an `.npz`, spread evenly over it. Raises DataError."""
    try:
        if path.is_dir():
            return _in_folder(path, image, crop, _room(image, count), report)
        if path.is_file():
            return _in_archive(path, image, crop, _room(image, count))
    except OSError as error:
        raise DataError(f"{displayed(path)} cannot be read: {error.strerror or error}.") from error
    what = "is neither a folder of pictures nor an .npz file" if path.exists() else "does not exist; check the path"
    raise DataError(f"{displayed(path)} {what}.")


def given(images: Pictures, image: ImageShape, known: Described, count: int) -> RealPictures:
    """Of an array (N, H, W, C): the largest centred square of each, at most `count`, spread evenly over it."""
    chosen = _spread(len(images), _room(image, count))
    left, top, right, bottom = Crop().rectangle(images.shape[2], images.shape[1])
    return RealPictures(
        at_size(images[chosen, top:bottom, left:right], image),
        of="pictures given",
        what="pictures given",
        labels=None if known.labels is None else known.labels[chosen],
        label_names=known.label_names,
        attributes=None if known.attributes is None else known.attributes[chosen],
        attribute_names=known.attribute_names,
    )


def at_size(images: Pictures, image: ImageShape) -> Pictures:
    """(N, S, S, C) of pictures of any size and channels, anti-aliased; themselves where they fit."""
    if images.shape[1:] == (image.height, image.width, image.channels):
        return np.ascontiguousarray(images)
    out = np.empty((len(images), image.height, image.height, image.channels), np.uint8)
    for index, picture in enumerate(images):
        out[index] = with_channels(resized(np.ascontiguousarray(picture), image.height), image.channels)
    return out


def uncoded(data: bytes, channels: int) -> Pictures:
    """(H, W, C) of a coded picture. Raises OSError, ValueError for damaged ones."""
    with Image.open(io.BytesIO(data)) as opened:
        array = np.asarray(opened.convert("L" if channels == 1 else "RGB"))
    return array[..., None] if channels == 1 else array


def _in_folder(folder: Path, image: ImageShape, crop: Crop, count: int, report: Progress) -> RealPictures:
    listing = listed(folder)
    listing = listing.subset(_spread(len(listing.files), count))
    pictures, usable, reasons = read_all(listing.files, image.height, crop, report)
    if not len(usable):
        raise DataError(f"No picture in {displayed(folder)} can be used; the first: {reasons[0]}")
    known, name = listing.subset(usable), portable_name(folder.absolute().name)
    return RealPictures(
        at_size(pictures, image),
        of=f"pictures of '{name}'",
        what=f"pictures of '{name}'",
        labels=known.labels,
        label_names=known.label_names,
        attributes=known.attributes,
        attribute_names=known.attribute_names,
        skipped=listing.skipped + tuple(reasons),
    )


def _in_archive(path: Path, image: ImageShape, crop: Crop, count: int) -> RealPictures:
    found = read_archive(path)
    name = portable_name(path.stem)
    chosen = _spread(len(found.images), count)
    left, top, right, bottom = crop.rectangle(found.images.shape[2], found.images.shape[1])
    return RealPictures(
        at_size(found.images[chosen, top:bottom, left:right], image),
        of=f"pictures of '{name}'",
        what=f"pictures of '{name}'",
        labels=None if found.labels is None else found.labels[chosen],
        label_names=found.label_names,
        attributes=None if found.attributes is None else found.attributes[chosen],
        attribute_names=found.attribute_names,
    )


def _room(image: ImageShape, count: int) -> int:
    return max(1, min(count, BYTES_AT_MOST // (image.height * image.width * 3)))


def _spread(total: int, count: int) -> Indices:
    return np.unique(np.linspace(0, total - 1, min(count, total)).astype(np.int64))
