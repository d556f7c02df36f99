"""What people hand over in Python, made into our arrays: lists, torch tensors, Pillow images, other dtypes.

Shapes: B pictures or latents, D latent, H W C of pictures (C is 1 or 3).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.errors import BadInput, DataError, OptionError

FloatArray = NDArray[np.float32]
PICTURE_SHAPES = "(B, H, W, C), (B, C, H, W), (B, H, W) or one (H, W, C) with C 1 or 3"


def as_pictures(images: Any) -> NDArray[np.uint8]:
    """uint8 (B, H, W, C), the array itself where it is that.

    Takes arrays, torch tensors, Pillow images and lists of any of them that are of one size: uint8, other integers from
    0 to 255, or float in [0, 1]; (B, H, W, C), (B, C, H, W), (B, H, W) or one (H, W, C). Raises DataError.
    """
    if isinstance(images, str | bytes):
        raise DataError("Images must be an array of pixels, not a path; read the file with PIL.Image.open first.")
    array = _array(_pixels(images), "Images", DataError)
    if hasattr(images, "getbands") and array.ndim == 2:
        array = array[..., None]
    if array.ndim == 3:
        array = array[None] if array.shape[2] in (1, 3) else array[..., None]
    if array.ndim == 4 and array.shape[3] not in (1, 3) and array.shape[1] in (1, 3):
        array = array.transpose(0, 2, 3, 1)
    if array.ndim != 4 or array.shape[3] not in (1, 3) or 0 in array.shape[1:]:
        raise DataError(f"Images must be {PICTURE_SHAPES}; these are {np.shape(array)}.")
    return np.ascontiguousarray(_bytes(array))


def as_latents(latents: Any, shape: Sequence[int], noun: str = "Latents") -> FloatArray:
    """float32 (B, D) of a space of `shape`, whose product is D. Takes arrays, torch tensors and lists of real numbers.

    (D,) is one latent; (B, D, 1, 1), as generators of torch take them, and (B, *shape) are flattened. Raises
    OptionError. NaN and Inf pass: a placeholder is drawn for them.
    """
    dim = math.prod(shape)
    array = _array(latents, noun, OptionError)
    if array.dtype.kind not in "fiub":
        raise OptionError(f"{noun} must be real numbers; these are {array.dtype}.")
    if array.ndim > 1 and array.shape == tuple(shape):
        array = array[None]
    if array.ndim > 2 and len(array) and math.prod(array.shape[1:]) == dim:
        array = array.reshape(len(array), dim)
    latents_BD = np.atleast_2d(np.asarray(array, np.float32))
    if latents_BD.ndim != 2 or latents_BD.shape[1] != dim:
        raise OptionError(f"{noun} must be (B, {dim}) or ({dim},); these are {array.shape}.")
    return latents_BD


def as_count(value: Any, noun: str, most: int | None = None) -> int:
    """A whole number from 0. Raises OptionError."""
    try:
        count = operator.index(value)
    except TypeError:
        raise OptionError(f"{noun} is {value!r}; it must be a whole number.") from None
    if count < 0 or (most is not None and count > most):
        raise OptionError(f"{noun} is {count}; it must be {'0 or more' if most is None else f'0 to {most:,}'}.")
    return count


def _array(given: Any, noun: str, error: type[BadInput]) -> NDArray[Any]:
    if hasattr(given, "detach"):  # a torch tensor, perhaps with a gradient, perhaps on another device
        given = given.detach().cpu()
    try:
        return np.asarray(given)
    except (ValueError, TypeError) as cause:
        told = str(cause).splitlines()[0][:120]
        raise error(f"{noun} must be one array of numbers; these are not ({told}).") from None


def _pixels(images: Any) -> Any:
    """What numpy would not make pixels of: Pillow images as grey or RGB, and lists of them and of tensors."""
    if hasattr(images, "getbands"):  # a Pillow image; those with a palette or transparency are not pixels yet
        return np.asarray(images if images.mode == "L" else images.convert("RGB"))
    if isinstance(images, list | tuple) and images and hasattr(images[0], "getbands"):
        modes = {image.mode for image in images}
        return [np.asarray(image if modes == {"L"} else image.convert("RGB")) for image in images]
    if isinstance(images, list | tuple) and images and hasattr(images[0], "detach"):
        return [image.detach().cpu().numpy() for image in images]
    return images


def _bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8 or not array.size:
        return array.astype(np.uint8, copy=False)
    kind = array.dtype.kind
    if kind not in "fiu":
        raise DataError(f"Images must be uint8, or float between 0 and 1; these are {array.dtype}.")
    if not np.isfinite(array).all():
        raise DataError("Images must be uint8, or float between 0 and 1; these hold NaN or Inf.")
    low, high = array.min(), array.max()
    if low < 0 or high > (1 if kind == "f" else 255):
        raise DataError(
            f"Images must be uint8, or float between 0 and 1; these are {array.dtype} from {low:.3g} to {high:.3g}."
        )
    return (array * 255).round().astype(np.uint8) if kind == "f" else array.astype(np.uint8)
