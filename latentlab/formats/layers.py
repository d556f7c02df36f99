"""Empty layers as large as the weights a state dict holds for them, and parts of a state dict.

Shapes: a linear weight is (out, in), a convolution's (out, in, k, k), a transposed convolution's (in, out, k, k).
A ValueError here becomes the CheckpointError of `latentlab.formats.reading.open_file`, which knows the file.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

State = Mapping[str, Tensor]


def under(state: State, prefix: str) -> dict[str, Tensor]:
    """The weights below a name, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def bare(state: State) -> State:
    """The weights without a name that all of them begin with: of a Lightning module that holds the network as `model`.

    A number is no such name, but the first of several layers.
    """
    first = {name.partition(".")[0] for name in state}
    if len(first) != 1 or first <= set(state) or next(iter(first)).isdecimal():
        return state
    return under(state, f"{first.pop()}.")


def count(state: State, prefix: str, first: int = 0) -> int:
    """How many parts are numbered in a row below a prefix: 2 of "blocks.0.weight" and "blocks.1.bias"."""
    numbers = {name.removeprefix(prefix).partition(".")[0] for name in state if name.startswith(prefix)}
    return next(number for number in range(len(numbers) + 1) if str(number + first) not in numbers)


def convolution(state: State, name: str, stride: int = 1, padding: int = 0) -> nn.Conv2d:
    """Raises ValueError where there is no such weight, or it is none of a square convolution."""
    outputs, inputs, kernel = _square(state, name)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=f"{name}.bias" in state)


def transposed(state: State, name: str, stride: int, padding: int, output_padding: int = 0) -> nn.ConvTranspose2d:
    """Raises ValueError where there is no such weight, or it is none of a square convolution."""
    inputs, outputs, kernel = _square(state, name)
    bias = f"{name}.bias" in state
    return nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, output_padding, bias=bias)


def linear(state: State, name: str) -> nn.Linear:
    """Raises ValueError where there is no such weight, or it is no matrix."""
    weight = _weight(state, name)
    if weight.ndim != 2:
        raise ValueError(f"its weight '{name}' is {tuple(weight.shape)}, not (out, in) of a linear layer")
    return nn.Linear(weight.shape[1], weight.shape[0], bias=f"{name}.bias" in state)


def _square(state: State, name: str) -> tuple[int, int, int]:
    weight = _weight(state, name)
    if weight.ndim != 4 or weight.shape[2] != weight.shape[3]:
        raise ValueError(f"its weight '{name}' is {tuple(weight.shape)}, not (…, …, k, k) of a convolution")
    return weight.shape[0], weight.shape[1], weight.shape[2]


def _weight(state: State, name: str) -> Tensor:
    weight = state.get(f"{name}.weight")
    if weight is None:
        raise ValueError(f"it has no weight '{name}.weight'")
    return weight
