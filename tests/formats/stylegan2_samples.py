"""StyleGAN2 generators with random weights, and a naive one that draws from them: loops and sums, picture by picture.

One set of weights under neutral names is written down in each project's layout. The reference follows the papers
(Karras et al. 2019, 2020) literally: each picture has its own weights, maps are doubled by putting zeros between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.formats.saving import save

Weights = dict[str, Tensor]
FILTER = torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])) / 64


@dataclass(frozen=True)
class Sizes:
    z: int = 5
    w: int = 6
    mapping: int = 3
    channels: tuple[int, ...] = (7, 6, 5)  # at 4, 8 and 16 px
    pictures: int = 3
    classes: int = 0


def random_weights(sizes: Sizes = Sizes(), seed: int = 0) -> Weights:
    """Under names that neither project has: map0, const, at4.b, at8.a, at8.b, rgb8, …"""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    weights: Weights = {"const": draw(sizes.channels[0], 4, 4)}
    before = sizes.z + (sizes.w if sizes.classes else 0)
    if sizes.classes:
        weights["embed.weight"], weights["embed.bias"] = draw(sizes.w, sizes.classes), draw(sizes.w) * 0.1
    for index in range(sizes.mapping):
        weights[f"map{index}.weight"] = draw(sizes.w, before) * 100
        weights[f"map{index}.bias"] = draw(sizes.w) * 10
        before = sizes.w
    inputs = sizes.channels[0]
    for level, width in enumerate(sizes.channels):
        side = 4 * 2**level
        for name in ("b",) if level == 0 else ("a", "b"):
            key = f"at{side}.{name}"
            weights[f"{key}.weight"] = draw(width, inputs, 3, 3)
            weights[f"{key}.bias"] = draw(width) * 0.3
            weights[f"{key}.affine.weight"], weights[f"{key}.affine.bias"] = draw(inputs, sizes.w), 1 + draw(inputs) / 9
            weights[f"{key}.noise"], weights[f"{key}.strength"] = draw(side, side), draw(1)[0] * 0.3
            inputs = width
        key = f"rgb{side}"
        weights[f"{key}.weight"], weights[f"{key}.bias"] = (
            draw(sizes.pictures, width, 1, 1) / 3,
            draw(sizes.pictures) / 9,
        )
        weights[f"{key}.affine.weight"], weights[f"{key}.affine.bias"] = draw(width, sizes.w), 1 + draw(width) / 9
    return weights


# --- the reference ---------------------------------------------------------------------------------------------


def linear(weights: Weights, name: str, x: Tensor, rate: float = 1.0) -> Tensor:
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    out = torch.zeros(len(weight))
    for row in range(len(weight)):
        out[row] = (weight[row] * x).sum() * rate / math.sqrt(len(x)) + bias[row] * rate
    return out


def leaky(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x) * math.sqrt(2)


def unit(x: Tensor) -> Tensor:
    return x / (x.square().mean() + 1e-8).sqrt()


def mapped(weights: Weights, z: Tensor, label: int | None = None) -> Tensor:
    x = unit(z)
    if label is not None:
        one_hot = torch.zeros(weights["embed.weight"].shape[1])
        one_hot[label] = 1
        x = torch.cat([x, unit(linear(weights, "embed", one_hot))])
    index = 0
    while f"map{index}.weight" in weights:
        x = leaky(linear(weights, f"map{index}", x, 0.01))
        index += 1
    return x


def zeros_between(x: Tensor) -> Tensor:
    out = torch.zeros(x.shape[0], 2 * x.shape[1], 2 * x.shape[2])
    out[:, ::2, ::2] = x
    return out


def filtered(x: Tensor, before: int, after: int) -> Tensor:
    """Each map by itself; the filter is the same from both sides. It adds up to 4, as three of four numbers are 0."""
    x = F.pad(x, (before, after, before, after))
    side = x.shape[1] - 3
    out = torch.zeros(x.shape[0], side, side)
    for row in range(4):
        for column in range(4):
            out += 4 * FILTER[row, column] * x[:, row : row + side, column : column + side]
    return out


def modulated(weights: Weights, key: str, x: Tensor, w: Tensor, up: bool) -> Tensor:
    style = linear(weights, f"{key}.affine", w)
    kernel = weights[f"{key}.weight"] * style[None, :, None, None]
    for index in range(len(kernel)):
        kernel[index] = kernel[index] / (kernel[index].square().sum() + 1e-8).sqrt()
    if not up:
        return F.conv2d(x[None], kernel, padding=1)[0]
    # A convolution of the map with zeros between, in the sense of mathematics: the kernel is turned round.
    wide = F.pad(zeros_between(x), (2, 1, 2, 1))
    return filtered(F.conv2d(wide[None], kernel.flip(2, 3))[0], 1, 1)


def synthesised(weights: Weights, w: Tensor, noisy: bool = True) -> Tensor:
    """(C, H, W) of w (W,)."""
    x, picture, side = weights["const"], None, 4
    while f"at{side}.b.weight" in weights:
        for name in ("b",) if side == 4 else ("a", "b"):
            key = f"at{side}.{name}"
            x = modulated(weights, key, x, w, name == "a")
            x = x + (weights[f"{key}.noise"] * weights[f"{key}.strength"] if noisy else 0)
            x = leaky(x + weights[f"{key}.bias"][:, None, None])
        key = f"rgb{side}"
        style = linear(weights, f"{key}.affine", w) / math.sqrt(len(x))
        drawn = torch.einsum("oi,ihw->ohw", weights[f"{key}.weight"][:, :, 0, 0] * style, x)
        drawn = drawn + weights[f"{key}.bias"][:, None, None]
        picture = drawn if picture is None else drawn + filtered(zeros_between(picture), 2, 1)
        side *= 2
    assert picture is not None
    return picture


# --- rosinality's layout ---------------------------------------------------------------------------------------


def as_rosinality(weights: Weights) -> Weights:
    state = {"input.input": weights["const"][None]}
    for index in range(len([name for name in weights if name.startswith("map")]) // 2):
        for kind in ("weight", "bias"):
            state[f"style.{index + 1}.{kind}"] = weights[f"map{index}.{kind}"]
    keys = [name.removesuffix(".noise") for name in weights if name.endswith(".noise")]
    for index, key in enumerate(keys):
        theirs = f"convs.{index - 1}" if index else "conv1"
        state |= {
            f"{theirs}.conv.weight": weights[f"{key}.weight"][None],
            f"{theirs}.conv.modulation.weight": weights[f"{key}.affine.weight"],
            f"{theirs}.conv.modulation.bias": weights[f"{key}.affine.bias"],
            f"{theirs}.noise.weight": weights[f"{key}.strength"].reshape(1),
            f"{theirs}.activate.bias": weights[f"{key}.bias"],
            f"noises.noise_{index}": weights[f"{key}.noise"][None, None],
        }
        if index % 2:
            state[f"{theirs}.conv.blur.kernel"] = FILTER * 4
    for index in range(len(keys) // 2 + 1):
        key, theirs = f"rgb{4 * 2**index}", f"to_rgbs.{index - 1}" if index else "to_rgb1"
        state |= {
            f"{theirs}.conv.weight": weights[f"{key}.weight"][None],
            f"{theirs}.conv.modulation.weight": weights[f"{key}.affine.weight"],
            f"{theirs}.conv.modulation.bias": weights[f"{key}.affine.bias"],
            f"{theirs}.bias": weights[f"{key}.bias"].reshape(1, -1, 1, 1),
        }
        if index:
            state[f"{theirs}.upsample.kernel"] = FILTER * 4
    return {name: value.clone() for name, value in state.items()}


def rosinality(path: Path) -> Path:
    return save(as_rosinality(random_weights()), path, "g_ema")
