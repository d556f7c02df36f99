"""Decoders that are one chain of layers: linear, transposed convolutions, batch normalisation between them.

What a state dict cannot say is assumed: an activation after each layer but the last, kernels of 4 and more that double
the side. Shapes: a linear weight is (out, in), a transposed convolution's (in, out, k, k).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from latentlab.core.latent_model import ImageShape
from latentlab.formats.weights_model import activation

SMALLEST_PX = 8  # a chain that ends in fewer is a classifier
SIDE_AT_MOST = 1024
PER_LAYER = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
# (stride, padding, output padding) by kernel, as they are used to double the side; a kernel of 1 keeps it.
DOUBLING = {1: (1, 0, 0), 2: (2, 0, 0), 3: (2, 1, 1), 4: (2, 1, 0), 5: (2, 2, 1), 6: (2, 2, 0)}


@dataclass(frozen=True)
class Layer:
    name: str  # in the file
    kind: str  # linear, grow or norm
    inputs: int
    outputs: int
    kernel: int
    bias: bool


@dataclass(frozen=True)
class ChainPlan:
    """What a state dict's layers make, in their order in the file."""

    layers: tuple[Layer, ...]
    image: ImageShape

    @property
    def dim(self) -> int:
        return self.layers[0].inputs

    @property
    def convolutional(self) -> bool:
        return any(layer.kind == "grow" for layer in self.layers)

    def renamed(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights under the names of `Chain`."""
        return {
            f"layers.{index}.{part}": state[f"{layer.name}.{part}"]
            for index, layer in enumerate(self.layers)
            for part in PER_LAYER
            if f"{layer.name}.{part}" in state
        }


def layers_in(state: Mapping[str, Tensor]) -> tuple[Layer, ...] | None:
    """The layers of a chain whose numbers fit one another; None where the weights are of anything else."""
    names = dict.fromkeys(name.rpartition(".")[0] for name in state)
    if any(name.rpartition(".")[2] not in PER_LAYER for name in state):
        return None
    layers = []
    for name in names:
        weight = state.get(f"{name}.weight")
        bias = f"{name}.bias" in state
        if weight is None:
            return None
        if weight.ndim == 2:
            layers.append(Layer(name, "linear", weight.shape[1], weight.shape[0], 1, bias))
        elif weight.ndim == 4 and weight.shape[2] == weight.shape[3] and weight.shape[2] in DOUBLING:
            layers.append(Layer(name, "grow", weight.shape[0], weight.shape[1], weight.shape[2], bias))
        elif weight.ndim == 1 and f"{name}.running_mean" in state and layers:
            layers.append(Layer(name, "norm", len(weight), len(weight), 1, bias))
        else:
            return None
    fits = all(_follows(before, after) for before, after in itertools.pairwise(layers))
    return tuple(layers) if fits and layers and layers[-1].kind != "norm" else None


def plan_of(state: Mapping[str, Tensor]) -> ChainPlan | None:
    """The decoder that a state dict is a chain of; None where it is of anything else, or draws no picture."""
    layers = layers_in(state)
    if layers is None or len(layers) < 2 or layers[0].inputs >= layers[-1].outputs * _area(layers):
        return None
    if layers[-1].kind == "linear":
        image = square_image(layers[-1].outputs)
    else:
        side, channels = math.isqrt(_area(layers)), layers[-1].outputs
        fine = channels in (1, 3) and SMALLEST_PX <= side <= SIDE_AT_MOST
        image = ImageShape(side, side, channels) if fine else None
    return None if image is None else ChainPlan(layers, image)


def square_image(pixels: int) -> ImageShape | None:
    """A square grey or RGB picture of so many numbers."""
    for channels in (1, 3):
        side = math.isqrt(pixels // channels)
        if SMALLEST_PX <= side <= SIDE_AT_MOST and side * side * channels == pixels:
            return ImageShape(side, side, channels)
    return None


class Chain(nn.Module):
    """Latents (B, D) to pictures, flat or (B, C, H, W), as far as the last weights."""

    def __init__(self, layers: tuple[Layer, ...], hidden: str) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.shapes: list[tuple[int, ...]] = []  # before each layer, where it changes
        self.activated: list[bool] = []
        self.activation = activation(hidden)
        spatial = False
        for index, layer in enumerate(layers):
            follower = layers[index + 1].kind if index + 1 < len(layers) else ""
            self.activated.append(follower not in ("", "norm"))
            starts = layer.kind == "grow" and not spatial
            self.shapes.append((layer.inputs, *_start(layers, index)) if starts else ())
            self.layers.append(_module(layer, spatial, first=starts and index == 0))
            spatial = spatial or layer.kind == "grow"

    def forward(self, latents: Tensor) -> Tensor:
        made = latents
        for layer, shape, activated in zip(self.layers, self.shapes, self.activated, strict=True):
            made = layer(made.reshape(len(made), *shape) if shape else made)
            if activated:
                made = self.activation(made)
        return made


def _module(layer: Layer, spatial: bool, *, first: bool) -> nn.Module:
    if layer.kind == "linear":
        return nn.Linear(layer.inputs, layer.outputs, bias=layer.bias)
    if layer.kind == "norm":
        return (nn.BatchNorm2d if spatial else nn.BatchNorm1d)(layer.outputs)
    stride, padding, extra = (1, 0, 0) if first else DOUBLING[layer.kernel]
    return nn.ConvTranspose2d(layer.inputs, layer.outputs, layer.kernel, stride, padding, extra, bias=layer.bias)


def _follows(before: Layer, after: Layer) -> bool:
    if before.kind == "grow" and after.kind == "linear":
        return False
    if before.kind != "grow" and after.kind == "grow":  # features become a map of so many channels
        side = math.isqrt(before.outputs // after.inputs) if after.inputs else 0
        return side > 0 and side * side * after.inputs == before.outputs
    return before.outputs == after.inputs


def _start(layers: tuple[Layer, ...], index: int) -> tuple[int, int]:
    """Height and width of the map that the first transposed convolution takes."""
    side = 1 if index == 0 else math.isqrt(layers[index - 1].outputs // layers[index].inputs)
    return side, side


def _area(layers: tuple[Layer, ...]) -> int:
    """Pixels of the picture that a chain ends in; 1 for linear layers alone, whose outputs are the pixels."""
    side = 0
    for index, layer in enumerate(layers):
        if layer.kind != "grow":
            continue
        if side == 0 and index == 0:
            side = layer.kernel
            continue
        side = side or _start(layers, index)[0]
        stride, padding, extra = DOUBLING[layer.kernel]
        side = (side - 1) * stride - 2 * padding + layer.kernel + extra
    return side * side or 1
