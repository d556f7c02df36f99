"""pythae's ready residual networks for MNIST, CIFAR and CelebA, told apart by where their residual blocks stand.

Written anew from pythae.models.nn.benchmarks.{mnist,cifar,celeba}.resnets, with their sigmoid in the midst of CelebA's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

from latentlab.formats.layers import State, convolution, count, linear, transposed, under
from latentlab.formats.weights_model import activation

BLOCK = "conv_block"


@dataclass(frozen=True)
class Plan:
    """The side of the first map; (stride, padding, output padding) of each transposed convolution by its layer."""

    start: int
    steps: dict[int, tuple[int, int, int]]
    blocks: int  # the layer of residual blocks
    after: dict[int, str]  # activations that follow a layer


PLANS = {
    (2, 5): Plan(4, {1: (2, 1, 0), 3: (2, 1, 1), 4: (2, 1, 1)}, 2, {2: "hidden", 3: "hidden"}),  # MNIST, 28 px
    (1, 4): Plan(8, {2: (2, 1, 0), 3: (2, 1, 0)}, 1, {}),  # CIFAR, 32 px
    (2, 6): Plan(4, {1: (2, 1, 0), 3: (2, 1, 0), 4: (2, 1, 1), 5: (2, 1, 0)}, 2, {3: "sigmoid"}),  # CelebA, 64 px
}


def is_residual(state: State) -> bool:
    return any(f".{BLOCK}." in name for name in state)


class ResidualDecoder(nn.Module):
    """Latents (B, D) to (B, C, H, W), as far as the last convolution. ValueError for another plan."""

    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        layers, blocks = _counted(state)
        plan = PLANS.get((blocks, layers))
        if plan is None:
            raise ValueError("its residual decoder is none of pythae's own")
        self.start = plan.start
        self.layers = nn.ModuleList([linear(state, "layers.0")])
        for index in range(1, layers):
            if index == plan.blocks:
                layer: nn.Module = _blocks(state, index, hidden)
            elif f"layers.{index}.weight" in state:  # the first of MNIST's and CelebA's stands alone
                layer = transposed(state, f"layers.{index}", *plan.steps[index])
            else:
                layer = nn.Sequential(transposed(state, f"layers.{index}.0", *plan.steps[index]))
            self.layers.append(layer)
        self.after = nn.ModuleDict(
            {str(index): activation(hidden if name == "hidden" else name) for index, name in plan.after.items()}
        )

    def forward(self, latents: Tensor) -> Tensor:
        made: Tensor = self.layers[0](latents)
        made = made.reshape(len(made), -1, self.start, self.start)
        for index in range(1, len(self.layers)):
            made = self.layers[index](made)
            if str(index) in self.after:
                made = self.after[str(index)](made)
        return made


class ResidualEncoder(nn.Module):
    """Pictures in [0, 1] to means."""

    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        layers, blocks = _counted(state)
        if blocks != layers - 1:
            raise ValueError("its residual encoder is none of pythae's own")
        self.embedding = linear(state, "embedding")
        width = state[f"layers.{blocks}.0.{BLOCK}.1.weight"].shape[1]
        side = math.isqrt(self.embedding.in_features // width)
        self.layers = nn.ModuleList()
        for index in range(blocks):
            # CIFAR's third convolution alone, the one before maps of 8 px, keeps the side.
            stride = 1 if index == 2 and side == 8 else 2
            self.layers.append(nn.Sequential(convolution(state, f"layers.{index}.0", stride, 1)))
        self.layers.append(_blocks(state, blocks, hidden))

    def forward(self, images: Tensor) -> Tensor:
        code = images
        for layer in self.layers:
            code = layer(code)
        means: Tensor = self.embedding(code.flatten(1))
        return means


class Residual(nn.Module):
    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        first, second = convolution(state, f"{BLOCK}.1", 1, 1), convolution(state, f"{BLOCK}.3")
        self.conv_block = nn.Sequential(activation(hidden), first, activation(hidden), second)

    def forward(self, maps: Tensor) -> Tensor:
        made: Tensor = maps + self.conv_block(maps)
        return made


def _blocks(state: State, index: int, hidden: str) -> nn.Sequential:
    layer, number = nn.Sequential(), 0
    while inside := under(state, f"layers.{index}.{number}."):
        layer.append(Residual(inside, hidden))
        number += 1
    return layer


def _counted(state: State) -> tuple[int, int]:
    """How many layers there are, and which one holds the residual blocks."""
    layers = count(state, "layers.")
    return layers, next((index for index in range(layers) if f"layers.{index}.0.{BLOCK}.1.weight" in state), 0)
