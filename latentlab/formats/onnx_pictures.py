"""Which outputs of a graph are pictures, how they are laid out, and what their numbers mean: seen from a few draws.

Shapes: B batch, C H W of images. A pyramid is a small picture with ever finer details to be added to it (Burt,
Adelson 1983); some fast decoders leave the adding to their callers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from latentlab.core.latent_model import ImageShape
from latentlab.formats.any_module import Range
from latentlab.formats.onnx_session import OnnxModule, Session

SUM = "sum"  # what the sum of all levels of a pyramid is called among the outputs
SIDE_AT_LEAST, SIDE_AT_MOST = 4, 4096
LEFT_AT_MOST = 0.2  # of a level's contrast, once it is made as small as the base: details have little left
BOUND, OVERSHOOT, BYTES_FROM = 1.001, 1.5, 8.0


@dataclass(frozen=True)
class Picture:
    """An output, or the sum of several, as pictures."""

    name: str
    image: ImageShape
    channels_last: bool = False
    levels: tuple[Picture, ...] = ()

    def drawn(self, made: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """(B, C, H, W) of what a session gave."""
        if self.levels:
            return _added([torch.from_numpy(level.drawn(made)) for level in self.levels]).numpy()
        array = made[self.name]
        array = array.transpose(0, 3, 1, 2) if self.channels_last else array
        return array.reshape(len(array), self.image.channels, self.image.height, self.image.width)

    def module(self, session: Session) -> nn.Module:
        if self.levels:
            return Pyramid(session, self.levels)
        return OnnxModule(session, self.name, self.channels_last)


class Pyramid(nn.Module):
    def __init__(self, session: Session, levels: tuple[Picture, ...]) -> None:
        super().__init__()
        self.session = session
        self.levels = levels

    def forward(self, latents: Tensor) -> Tensor:
        names = [level.name for level in self.levels]
        made = dict(zip(names, self.session.run(latents.detach().cpu().numpy(), names), strict=True))
        return _added([torch.from_numpy(level.drawn(made)) for level in self.levels])


def pictures_in(made: Mapping[str, NDArray[Any]], count: int) -> list[Picture]:
    """The outputs that are pictures, the likeliest first: the sum of a pyramid, else the largest."""
    found = [picture for name, array in made.items() if (picture := _picture(name, array, count))]
    found.sort(key=lambda picture: -picture.image.height * picture.image.width * picture.image.channels)
    base = found[-1] if found else None
    if base is None or len(found) < 2 or not _detailed(base, found[:-1], made):
        return found
    largest = found[0].image
    return [Picture(SUM, largest, levels=tuple(reversed(found))), *found]


def range_seen(samples: NDArray[Any]) -> Range:
    """The likeliest meaning of float pictures: [0, 1], [-1, 1] with a little to spare, 0 to 255, or logits."""
    low, high = float(np.min(samples)), float(np.max(samples))
    if not (math.isfinite(low) and math.isfinite(high)):
        return "tanh"
    if low >= 1 - BOUND and high <= BOUND:
        return "sigmoid"
    if low >= -OVERSHOOT and high <= OVERSHOOT:
        return "tanh"
    return "byte" if high > BYTES_FROM and low > -high / 4 else "none"


def _picture(name: str, array: NDArray[Any], count: int) -> Picture | None:
    if array.dtype.kind not in "fu" or len(array) != count:
        return None
    shape, last = array.shape[1:], False
    if len(shape) == 1:
        sides = [(math.isqrt(shape[0] // channels), channels) for channels in (1, 3)]
        shape = next(((c, side, side) for side, c in sides if c * side * side == shape[0]), ())
    elif len(shape) == 2:
        shape = (1, *shape)
    elif len(shape) == 3 and shape[0] not in (1, 3):
        shape, last = (shape[2], shape[0], shape[1]), True
    if len(shape) != 3 or shape[0] not in (1, 3) or not all(SIDE_AT_LEAST <= s <= SIDE_AT_MOST for s in shape[1:]):
        return None
    return Picture(name, ImageShape(shape[1], shape[2], shape[0]), last)


def _detailed(base: Picture, others: list[Picture], made: Mapping[str, NDArray[Any]]) -> bool:
    """Whether all other outputs are larger, each by a power of two, and little is left of them at the base's size."""
    height, width = base.image.height, base.image.width
    sizes = {other.image.height for other in others} | {height}
    if len(sizes) != len(others) + 1 or made[base.name].dtype == np.uint8:
        return False
    contrast = float(base.drawn(made).std())
    for other in others:
        factor = other.image.height // height
        same = other.image.channels == base.image.channels
        if not same or other.image.height != height * factor or other.image.width != width * factor:
            return False
        if factor & (factor - 1):
            return False
        small = F.avg_pool2d(torch.from_numpy(other.drawn(made)).float(), factor)
        if not float(small.std()) <= LEFT_AT_MOST * contrast:
            return False
    return True


def _added(levels: list[Tensor]) -> Tensor:
    """The sum at the size of the last, the largest."""
    size = levels[-1].shape[2:]
    total = levels[-1].float()
    for level in levels[:-1]:
        total = total + F.interpolate(level.float(), size=size, mode="bilinear", align_corners=False)
    return total
