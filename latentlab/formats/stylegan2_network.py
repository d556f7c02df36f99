"""StyleGAN2's generator in plain PyTorch: mapping, modulated convolutions, noise and skip connections.

Sources: Karras et al. 2019 (mapping, w, noise; arXiv:1812.04948) and 2020 (modulation, demodulation, output skips;
arXiv:1912.04958). Written from the papers; no custom kernels, so that it runs wherever PyTorch does.
Shapes: B batch, Z and W latents, K numbers of a class, C I O channels, H height and width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE, GAIN = 0.2, math.sqrt(2)  # of leaky ReLU, and what keeps its variance at 1
EPSILON = 1e-8
MAPPING_RATE = 0.01  # the learning rate of the mapping, which its stored weights are divided by
FIRST_SIDE = 4


@dataclass(frozen=True)
class Plan:
    """The sizes of a generator. `channels`: of the constant, then of each layer: one at 4 px, two for each doubling."""

    z_dim: int
    mapping: tuple[int, ...]  # what each layer of the mapping gives; the last is w
    channels: tuple[int, ...]
    pictures: int  # 1 or 3
    taps: int = 4  # of the filter that doubles maps
    classes: int = 0  # numbers that a class is told by
    embedded: int = 0  # numbers that it becomes before the mapping
    scaled: bool = False  # whether weights are scaled before they are demodulated, which only matters beside EPSILON
    rate: float = MAPPING_RATE
    clamp: float = math.inf  # what activations are kept within, as those trained in float16 are

    @property
    def w_dim(self) -> int:
        return self.mapping[-1]

    @property
    def doublings(self) -> int:
        return (len(self.channels) - 2) // 2

    @property
    def side(self) -> int:
        return int(FIRST_SIDE * 2**self.doublings)


class Equalised(nn.Module):
    """A linear layer whose weights are stored with variance 1 / rate^2 (Karras et al. 2018, section 4.1)."""

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * (self.rate / math.sqrt(self.weight.shape[1])), self.bias * self.rate)


class Mapping(nn.Module):
    """z, and the class where there is one, to w (2019, figure 1b)."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        sizes = (plan.z_dim + plan.embedded, *plan.mapping)
        self.embed = Equalised(plan.classes, plan.embedded) if plan.embedded else None
        self.layers = nn.ModuleList(Equalised(before, after, plan.rate) for before, after in pairwise(sizes))

    def forward(self, z_BZ: Tensor, class_BK: Tensor | None) -> Tensor:
        x = normalised(z_BZ)
        if self.embed is not None:
            assert class_BK is not None
            x = torch.cat([x, normalised(self.embed(class_BK))], dim=1)
        for layer in self.layers:
            x = activated(layer(x))
        return x


class Layer(nn.Module):
    """A modulated 3 x 3 convolution, noise and activation (2020, figure 2c); `up` doubles the map first."""

    noise: Tensor
    filter: Tensor

    def __init__(self, plan: Plan, inputs: int, outputs: int, side: int, up: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.affine = Equalised(plan.w_dim, inputs)
        self.strength = nn.Parameter(torch.empty(()))
        self.register_buffer("noise", torch.empty(side, side))
        if up:
            self.register_buffer("filter", torch.empty(plan.taps, plan.taps))
        self.up = up
        self.gain = 1 / math.sqrt(inputs * 9) if plan.scaled else 1.0
        self.clamp = plan.clamp

    def forward(self, x: Tensor, w_BW: Tensor, noisy: bool) -> Tensor:
        style_BI, weight = self.affine(w_BW), self.weight * self.gain
        # Scaling the maps that go in and those that come out is scaling the weights of each picture (2020, eq. 1-3).
        x = x * style_BI[:, :, None, None]
        x = doubled_by(x, weight, self.filter) if self.up else F.conv2d(x, weight, padding=1)
        spread_BO = style_BI.square() @ weight.square().sum((2, 3)).mT + EPSILON
        x = x * spread_BO.rsqrt()[:, :, None, None]
        if noisy:
            x = x + self.noise * self.strength
        return clamped(activated(x + self.bias[:, None, None]), self.clamp)


class ToPicture(nn.Module):
    """A modulated 1 x 1 convolution that is not demodulated (2020, figure 7b: output skips)."""

    filter: Tensor

    def __init__(self, plan: Plan, inputs: int, first: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(plan.pictures, inputs, 1, 1))
        self.bias = nn.Parameter(torch.empty(plan.pictures))
        self.affine = Equalised(plan.w_dim, inputs)
        if not first:
            self.register_buffer("filter", torch.empty(plan.taps, plan.taps))
        self.clamp = plan.clamp

    def forward(self, x: Tensor, w_BW: Tensor, smaller: Tensor | None) -> Tensor:
        style_BI = self.affine(w_BW) / math.sqrt(self.weight.shape[1])
        picture = F.conv2d(x * style_BI[:, :, None, None], self.weight) + self.bias[:, None, None]
        picture = clamped(picture, self.clamp)
        return picture if smaller is None else picture + doubled(smaller, self.filter)


class Generator(nn.Module):
    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.mapping = Mapping(plan)
        sizes = plan.channels
        self.const = nn.Parameter(torch.empty(sizes[0], FIRST_SIDE, FIRST_SIDE))
        self.layers = nn.ModuleList(
            Layer(plan, before, after, FIRST_SIDE * 2 ** ((index + 1) // 2), index % 2 == 1)
            for index, (before, after) in enumerate(pairwise(sizes))
        )
        self.pictures = nn.ModuleList(ToPicture(plan, width, index == 0) for index, width in enumerate(sizes[1::2]))

    def forward(self, w_BW: Tensor, noisy: bool = True) -> Tensor:
        """Pictures (B, C, H, H), about [-1, 1], of w (B, W)."""
        x = self.const.expand(len(w_BW), *self.const.shape)
        picture: Tensor | None = None
        for index, layer in enumerate(self.layers):
            x = layer(x, w_BW, noisy)
            if index % 2 == 0:
                picture = self.pictures[index // 2](x, w_BW, picture)
        assert picture is not None
        return picture


def normalised(x: Tensor) -> Tensor:
    """Every row with mean square 1 (2018, section 4.2)."""
    return x * (x.square().mean(1, keepdim=True) + EPSILON).rsqrt()


def activated(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE) * GAIN


def clamped(x: Tensor, bound: float) -> Tensor:
    return x if math.isinf(bound) else x.clamp(-bound, bound)


def doubled(x: Tensor, kernel: Tensor) -> Tensor:
    """Maps (B, C, H, W) at twice the size: zeros between, then a low-pass filter whose numbers add up to 4."""
    channels, taps = x.shape[1], len(kernel)
    made = F.conv_transpose2d(x, kernel.expand(channels, 1, taps, taps), stride=2, groups=channels)
    before = taps - 1 - (taps + 1) // 2
    return made[:, :, before : before + 2 * x.shape[2], before : before + 2 * x.shape[3]]


def doubled_by(x: Tensor, weight: Tensor, kernel: Tensor) -> Tensor:
    """The same by a 3 x 3 convolution, transposed, then the filter."""
    made = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
    channels, taps = made.shape[1], len(kernel)
    before, after = (taps + 1) // 2 - 1, (taps - 2) // 2
    made = F.pad(made, (before, after, before, after))
    return F.conv2d(made, kernel.flip(0, 1).expand(channels, 1, taps, taps), groups=channels)
