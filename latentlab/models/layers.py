"""Convolutional building blocks that serve any image size, and their initialisation.

Shapes: B batch, C channels, H height, W width.
"""

from __future__ import annotations

from torch import Tensor, nn

SLOPE = 0.2  # of LeakyReLU, as in the DCGAN paper; PyTorch's own default is 0.01


def halvings(image_size: int, coarsest: int) -> list[int]:
    """The side lengths from `image_size` down to the first that is at most `coarsest`: 28 -> [28, 14, 7]."""
    sizes = [image_size]
    while sizes[-1] > coarsest:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


class ResidualBlock(nn.Module):
    """x + f(x) with two 3x3 convolutions and batch normalisation; He et al. 2016, pre-activation as in part 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)
        self.activation = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv1(self.activation(self.norm1(x)))
        out: Tensor = x + self.conv2(self.activation(self.norm2(inner)))
        return out


class Upsampling(nn.Module):
    """Twice the side by a strided transposed convolution, cut to `size` (an odd size loses its last row and column).

    Without a bias: batch normalisation follows and would take it away, and on a CPU its gradient alone takes twice as
    long as the rest of the layer's.
    """

    def __init__(self, channels_in: int, channels_out: int, size: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(channels_in, channels_out, 4, 2, 1, bias=False)
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out if out.shape[-1] == self.size else out[..., : self.size, : self.size]
