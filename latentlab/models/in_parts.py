"""A batch that is learned from in parts, whose gradients add up: not all of its feature maps are in memory together.

Batch normalisation sees a part at a time, which generalises no worse (ghost batches; Hoffer et al. 2017, section 4).
"""

from __future__ import annotations

import torch

PIXELS = 2**17  # of a part on a CPU: 32 pictures of 64 px
PIXELS_ON_A_CARD = 2**21  # a graphics card is idle with less
FEWEST = 32  # pictures of a part, for normalisation to say something


def part_of(batch: int, size: int, device: torch.device) -> int:
    """How many of a batch's pictures of `size` px go through together: all of them, or a half, a quarter and so on."""
    pixels = PIXELS if device.type == "cpu" else PIXELS_ON_A_CARD
    part = batch
    while part * size**2 > pixels and part % 2 == 0 and part // 2 >= FEWEST:
        part //= 2
    return part
