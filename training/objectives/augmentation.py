"""DiffAugment (Zhao et al. 2020): what the discriminator sees is changed at random, real and fake alike, with gradient.

Shapes: B batch, C H W of images in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

SHIFT = 1 / 8  # of the side, at most
CUT = 1 / 2  # of the side


def augmented(images_BCHW: Tensor, policy: Iterable[str]) -> Tensor:
    """The pictures after every step of the policy: "colour", "translation", "cutout"."""
    for name in policy:
        images_BCHW = POLICIES[name](images_BCHW)
    return images_BCHW


def colour(x: Tensor) -> Tensor:
    """Brightness, saturation and contrast of each picture."""
    amounts_3B111 = torch.rand(3, len(x), 1, 1, 1, device=x.device, dtype=x.dtype)
    x = x + amounts_3B111[0] - 0.5
    grey = x.mean(dim=1, keepdim=True)
    x = (x - grey) * (2 * amounts_3B111[1]) + grey
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return (x - mean) * (amounts_3B111[2] + 0.5) + mean


def translation(x: Tensor) -> Tensor:
    """Shifted by up to an eighth; what comes in is 0, a middle grey."""
    count, _, height, width = x.shape
    most_y, most_x = max(1, int(height * SHIFT + 0.5)), max(1, int(width * SHIFT + 0.5))
    padded = F.pad(x, (most_x, most_x, most_y, most_y)).permute(0, 2, 3, 1)
    down = torch.randint(0, 2 * most_y + 1, (count, 1, 1), device=x.device)
    right = torch.randint(0, 2 * most_x + 1, (count, 1, 1), device=x.device)
    rows = torch.arange(height, device=x.device)[None, :, None] + down
    columns = torch.arange(width, device=x.device)[None, None, :] + right
    which = torch.arange(count, device=x.device)[:, None, None]
    return padded[which, rows, columns].permute(0, 3, 1, 2)


def cutout(x: Tensor) -> Tensor:
    """A square of half the side, anywhere, becomes 0."""
    count, _, height, width = x.shape
    half_y, half_x = int(height * CUT / 2), int(width * CUT / 2)
    centre_y = torch.randint(0, height, (count, 1, 1, 1), device=x.device)
    centre_x = torch.randint(0, width, (count, 1, 1, 1), device=x.device)
    rows = torch.arange(height, device=x.device)[None, None, :, None]
    columns = torch.arange(width, device=x.device)[None, None, None, :]
    inside = ((rows - centre_y).abs() <= half_y) & ((columns - centre_x).abs() <= half_x)
    return x * (~inside).to(x.dtype)


POLICIES: dict[str, Callable[[Tensor], Tensor]] = {"colour": colour, "translation": translation, "cutout": cutout}
