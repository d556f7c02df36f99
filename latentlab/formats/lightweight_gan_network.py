"""The generator of lightweight-gan 1.x (after Liu et al. 2021), built from the names and shapes of its weights.

Written anew from the published architecture. Shapes: B batch, D latent, C channels, T places of a map, E numbers of a
head.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentlab.formats.layers import State, convolution, count, transposed, under

START = 4  # side of the first map
SLOPE = 0.1
HEAD = 64  # numbers of an attention head
NEAR = 3  # attention among neighbours reaches over 3 x 3 places
NORM_EPSILON = 1e-5
EXCITES_LATER = 4  # a step of side s rescales the map of side 8 s


class Generator(nn.Module):
    """Latents (B, D) to pictures (B, C, H, W) about [0, 1], unbounded as published."""

    def __init__(self, state: State) -> None:
        super().__init__()
        first = transposed(state, "initial_conv.0", 1, 0)
        self.initial_conv = nn.Sequential(first, nn.BatchNorm2d(first.out_channels), nn.GLU(1))
        self.layers = nn.ModuleList(_step(under(state, f"layers.{index}.")) for index in range(step_count(state)))
        self.out_conv = convolution(state, "out_conv", 1, 1)

    def forward(self, latents: Tensor) -> Tensor:
        maps = F.normalize(self.initial_conv(latents[:, :, None, None]), dim=1)
        scales: dict[int, Tensor] = {}
        for index, step in enumerate(self.layers):
            parts = dict(step.named_children())
            if "2" in parts:
                maps = maps + parts["2"](maps)
            maps = parts["0"](maps)
            if "1" in parts:
                scales[index + EXCITES_LATER - 1] = parts["1"](maps)
            maps = maps * scales[index] if index in scales else maps
        out: Tensor = self.out_conv(maps)
        return out


def with_noise(state: State, *, noise: bool) -> dict[str, Tensor]:
    """The weights and the noise that each step adds: drawn once, where the library draws anew for each picture."""
    out = dict(state)
    for index in range(step_count(state)):
        side = START * 2 ** (index + 1)
        drawn = np.random.default_rng(index).standard_normal((1, 1, side, side), np.float32)
        out[f"layers.{index}.0.3.noise"] = torch.from_numpy(drawn if noise else drawn * 0)
    return out


def step_count(state: State) -> int:
    return count(state, "layers.")


def _step(state: State) -> nn.ModuleDict:
    """Doubles the side; beside it what rescales a later map, and attention, where the file has them."""
    grown, conv = convolution(state, "0.0.net.0"), convolution(state, "0.2.1")
    step = nn.ModuleDict({
        "0": nn.Sequential(
            Named("net", nn.Sequential(grown, nn.SiLU(), nn.PixelShuffle(2))),
            Blur(),
            nn.Sequential(nn.ZeroPad2d((2, 1, 2, 1)), conv),
            Noise(state["0.3.noise"].shape),
            nn.BatchNorm2d(conv.out_channels),
            nn.GLU(1),
        )
    })  # fmt: skip
    if "1.to_k.weight" in state or "1.dct_weights" in state:
        step["1"] = Excitation(under(state, "1."))
    if "2.norm.g" in state:
        step["2"] = Attention(under(state, "2."))
    return step


class Named(nn.Module):
    """A module under the name that it has in the file."""

    def __init__(self, name: str, module: nn.Module) -> None:
        super().__init__()
        self.add_module(name, module)

    def forward(self, maps: Tensor) -> Tensor:
        (module,) = self.children()
        out: Tensor = module(maps)
        return out


class Blur(nn.Module):
    """Each channel by (1, 2, 1) x (1, 2, 1) / 16, reflected at the edges."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("f", torch.empty(3))

    def forward(self, maps: Tensor) -> Tensor:
        line: Tensor = self.get_buffer("f")
        kernel = torch.outer(line, line)
        kernel = (kernel / kernel.abs().sum()).expand(maps.shape[1], 1, 3, 3)
        return F.conv2d(F.pad(maps, (1, 1, 1, 1), "reflect"), kernel, groups=maps.shape[1])


class Noise(nn.Module):
    def __init__(self, shape: torch.Size) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1))
        self.register_buffer("noise", torch.empty(shape))

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.weight * self.get_buffer("noise")


class Excitation(nn.Module):
    """How much of each channel of a later map is let through: by pooled attention, or by frequencies of the map."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.to_k = convolution(state, "to_k") if "to_k.weight" in state else None
        if self.to_k is None:
            self.register_buffer("dct_weights", torch.empty(state["dct_weights"].shape))
        self.net = nn.Sequential(
            convolution(state, "net.0"), nn.LeakyReLU(SLOPE), convolution(state, "net.2"), nn.Sigmoid()
        )

    def forward(self, maps: Tensor) -> Tensor:
        if self.to_k is None:
            pooled = (maps * self.get_buffer("dct_weights")).sum((2, 3), keepdim=True)
        else:
            places_BT = self.to_k(maps).flatten(2).softmax(-1)
            pooled = (places_BT @ maps.flatten(2).mT).mT[..., None]
        out: Tensor = self.net(pooled)
        return out


class Attention(nn.Module):
    """Linear attention over the whole map beside attention among neighbours."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.norm = ChannelNorm(state["norm.g"].shape)
        self.fn = nn.ModuleDict({
            "to_lin_q": convolution(state, "fn.to_lin_q"),
            "to_lin_kv": Named("net", nn.Sequential(_depthwise(state), convolution(state, "fn.to_lin_kv.net.1"))),
            "to_q": convolution(state, "fn.to_q"),
            "to_kv": convolution(state, "fn.to_kv"),
            "to_out": convolution(state, "fn.to_out"),
        })  # fmt: skip

    def forward(self, maps: Tensor) -> Tensor:
        maps, side = self.norm(maps), maps.shape[2:]
        whole = F.gelu(self._whole(maps).reshape(len(maps), -1, *side))
        near = self._near(maps).reshape(len(maps), -1, *side)
        out: Tensor = self.fn["to_out"](torch.cat([whole, near], 1))
        return out

    def _whole(self, maps: Tensor) -> Tensor:
        query, (key, value) = _heads(self.fn["to_lin_q"](maps)), map(_heads, self.fn["to_lin_kv"](maps).chunk(2, 1))
        query = query.softmax(-2) / HEAD**0.5  # (B, heads, E, T): over the numbers of a head; keys over places
        made: Tensor = (key.softmax(-1) @ value.mT).mT @ query
        return made

    def _near(self, maps: Tensor) -> Tensor:
        query = _heads(self.fn["to_q"](maps)) / HEAD**0.5
        key, value = (
            F.unfold(part, NEAR, padding=NEAR // 2).reshape(len(maps), -1, HEAD, NEAR**2, query.shape[-1])
            for part in self.fn["to_kv"](maps).chunk(2, 1)
        )
        seen = (query[:, :, :, None] * key).sum(2).softmax(2)  # (B, heads, 9, T)
        made: Tensor = (seen[:, :, None] * value).sum(3)
        return made


class ChannelNorm(nn.Module):
    """Each place normalised over its channels."""

    def __init__(self, shape: torch.Size) -> None:
        super().__init__()
        self.g, self.b = nn.Parameter(torch.empty(shape)), nn.Parameter(torch.empty(shape))

    def forward(self, maps: Tensor) -> Tensor:
        variance, mean = torch.var_mean(maps, dim=1, correction=0, keepdim=True)
        return (maps - mean) / (variance + NORM_EPSILON).sqrt() * self.g + self.b


def _heads(maps: Tensor) -> Tensor:
    """(B, heads, E, T) of maps (B, heads x E, H, W)."""
    return maps.reshape(len(maps), -1, HEAD, maps.shape[2] * maps.shape[3])


def _depthwise(state: State) -> nn.Conv2d:
    weight = state["fn.to_lin_kv.net.0.weight"]
    return nn.Conv2d(len(weight), len(weight), 3, 1, 1, groups=len(weight), bias=False)
