"""Another look at each training picture: what a network must not learn by heart is changed at random.

The changes are small enough that the result could be a picture of the data. (What a discriminator sees is another
matter: `objectives/augmentation`.) Random numbers are torch's global ones of the CPU, whatever the device, so that a
run is the same everywhere and resumes bit for bit. Shapes: B batch, C H W of images in [-1, 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from training.config import Augmentation

SHIFT = 1 / 16  # of the side, at most
TURN = math.radians(8)  # at most
BRIGHTNESS = 0.15  # of the range of intensities, at most, up or down
CONTRAST = 0.15  # at most, more or less


def augmented(images: Tensor, how: Iterable[Augmentation]) -> Tensor:
    """The pictures (B, C, H, W) after every change in `how`, in a fixed order."""
    chosen = set(how)
    for name in get_args(Augmentation):
        if name in chosen:
            images = AUGMENTATIONS[name](images)
    return images


def flip(images: Tensor) -> Tensor:
    """Mirrored left to right, every other one."""
    mirrored = (torch.rand(len(images)) < 0.5).to(images.device)
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def crop(images: Tensor) -> Tensor:
    """Shifted by whole pixels, up to a sixteenth of the side (1 at least); the edge is repeated."""
    count, _, height, width = images.shape
    most = max(1, round(SHIFT * min(height, width)))
    down, right = (torch.randint(-most, most + 1, (count,)).to(images.device) for _ in range(2))
    rows = (torch.arange(height, device=images.device)[None] + down[:, None]).clamp(0, height - 1)
    columns = (torch.arange(width, device=images.device)[None] + right[:, None]).clamp(0, width - 1)
    which = torch.arange(count, device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def rotate(images: Tensor) -> Tensor:
    """Turned about the middle by up to 8 degrees; the edge is repeated."""
    turn = ((2 * torch.rand(len(images)) - 1) * TURN).to(images.device)
    cosine, sine, none = turn.cos(), turn.sin(), torch.zeros_like(turn)
    theta = torch.stack([torch.stack([cosine, -sine, none], 1), torch.stack([sine, cosine, none], 1)], 1)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def colour(images: Tensor) -> Tensor:
    """Another brightness and contrast for each picture."""
    brightness, contrast = ((2 * torch.rand(2, len(images), 1, 1, 1) - 1).to(images.device)).unbind(0)
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    changed = (images - middle) * (1 + CONTRAST * contrast) + middle + 2 * BRIGHTNESS * brightness
    return changed.clamp(-1, 1)


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "flip": flip,
    "crop": crop,
    "rotate": rotate,
    "colour": colour,
}
