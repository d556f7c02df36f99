"""The generators of StudioGAN (deep_conv, resnet, big_resnet), built from the names and shapes of their weights.

Written anew from the published architectures: DCGAN with batch normalisation, SNGAN's residual blocks (Miyato et al.
2018), SAGAN's attention (Zhang et al. 2019), BigGAN's latent in pieces (Brock et al. 2019).
Shapes: B batch, D latent, C channels, K classes, S numbers of a class's embedding, T places of a map.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentlab.formats.layers import State, convolution, count, linear, transposed, under

START = 4  # side of the first map
EPSILON = 1e-4  # of batch normalisation
SLOPE = 0.1
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU, "elu": nn.ELU, "gelu": nn.GELU, "leaky_relu": lambda: nn.LeakyReLU(SLOPE),
}  # fmt: skip


def hidden_activation(name: str) -> nn.Module:
    """Raises ValueError for one that StudioGAN has not."""
    if name not in ACTIVATIONS:
        raise ValueError(f"StudioGAN has no activation '{name}'; it has {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()


def renamed(state: State) -> dict[str, Tensor]:
    """Tables of embeddings as the matrices that a one-hot class is multiplied with; the last layer under one name."""
    out: dict[str, Tensor] = {}
    for name, value in state.items():
        if name.endswith((".embed0.weight", ".embed1.weight")) or name == "shared.weight":
            name, value = name.replace(".embed0.", ".gain.").replace(".embed1.", ".bias."), value.mT
        out[name.replace("conv2d4.", "conv4.") if name.startswith("conv2d4.") else name] = value
    return out


class Generator(nn.Module):
    """Latents (B, D), and where there are classes rows (B, K), to pictures (B, C, H, W), before the last tanh."""

    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        self.linear0 = linear(state, "linear0")
        self.shared = linear(state, "shared") if "shared.weight" in state else None
        self.blocks = nn.ModuleList(
            nn.Sequential(_block(under(state, f"blocks.{index}.0."), hidden)) for index in range(block_count(state))
        )
        self.pieces = pieces(state)
        self.bn4 = norm(state, "bn4") if "bn4.weight" in state else None
        self.activation = hidden_activation(hidden)
        self.last = "conv2d5" if self.bn4 is not None else "conv4"
        self.add_module(self.last, convolution(state, self.last, 1, 1))

    def forward(self, latents: Tensor, classes_BK: Tensor | None = None) -> Tensor:
        first, *rest = latents.chunk(self.pieces, 1)
        told = classes_BK if self.shared is None or classes_BK is None else self.shared(classes_BK)
        made = self.linear0(first)
        made = made.reshape(len(made), -1, START, START)
        for index in range(len(self.blocks)):
            block = self.blocks.get_submodule(f"{index}.0")
            if isinstance(block, Attention):
                made = block(made)
                continue
            here = [part for part in (told, rest.pop(0) if rest else None) if part is not None]
            made = block(made, torch.cat(here, 1) if here else None)
        if self.bn4 is not None:
            made = self.activation(self.bn4(made))
        out: Tensor = self.get_submodule(self.last)(made)
        return out


class Upconvolved(nn.Module):
    """deep_conv: a transposed convolution, normalisation, activation."""

    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        self.deconv0 = transposed(state, "deconv0", 2, 1)
        self.bn0 = norm(state, "bn0")
        self.activation = hidden_activation(hidden)

    def forward(self, maps: Tensor, told: Tensor | None) -> Tensor:
        made: Tensor = self.activation(_normed(self.bn0, self.deconv0(maps), told))
        return made


class Residual(nn.Module):
    """resnet, big_resnet: two convolutions beside one of a single pixel, the side doubled between."""

    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        self.bn1, self.bn2 = norm(state, "bn1"), norm(state, "bn2")
        self.conv2d0 = convolution(state, "conv2d0")
        self.conv2d1, self.conv2d2 = convolution(state, "conv2d1", 1, 1), convolution(state, "conv2d2", 1, 1)
        self.activation = hidden_activation(hidden)

    def forward(self, maps: Tensor, told: Tensor | None) -> Tensor:
        made = F.interpolate(self.activation(_normed(self.bn1, maps, told)), scale_factor=2.0, mode="nearest")
        made = self.conv2d2(self.activation(_normed(self.bn2, self.conv2d1(made), told)))
        out: Tensor = made + self.conv2d0(F.interpolate(maps, scale_factor=2.0, mode="nearest"))
        return out


class Attention(nn.Module):
    """Keys and values on the map of half the side; added with the learned weight sigma."""

    def __init__(self, state: State) -> None:
        super().__init__()
        for name in ("theta", "phi", "g", "attn"):
            self.add_module(f"conv1x1_{name}", convolution(state, f"conv1x1_{name}"))
        self.sigma = nn.Parameter(torch.empty(1))

    def forward(self, maps: Tensor) -> Tensor:
        def part(name: str, *, halved: bool) -> Tensor:
            made: Tensor = self.get_submodule(f"conv1x1_{name}")(maps)
            return (F.max_pool2d(made, 2) if halved else made).flatten(2).mT  # (B, T, C)

        seen = part("theta", halved=False) @ part("phi", halved=True).mT
        values = (seen.softmax(-1) @ part("g", halved=True)).mT
        out: Tensor = maps + self.sigma * self.get_submodule("conv1x1_attn")(
            values.reshape(len(maps), -1, *maps.shape[2:])
        )
        return out


class ConditionalNorm(nn.Module):
    """Batch normalisation whose gain and bias are linear in what the block is told (de Vries et al. 2017)."""

    def __init__(self, state: State, name: str) -> None:
        super().__init__()
        self.gain, self.bias = linear(state, f"{name}.gain"), linear(state, f"{name}.bias")
        self.bn = nn.BatchNorm2d(self.gain.out_features, EPSILON, affine=False)

    def forward(self, maps: Tensor, told: Tensor) -> Tensor:
        out: Tensor = self.bn(maps) * (1 + self.gain(told))[..., None, None] + self.bias(told)[..., None, None]
        return out


def norm(state: State, name: str) -> nn.Module:
    """Raises ValueError where there is no such normalisation."""
    if f"{name}.bn.running_mean" in state:
        return ConditionalNorm(state, name)
    mean = state.get(f"{name}.running_mean")
    if mean is None:
        raise ValueError(f"it has no weight '{name}.running_mean'")
    return nn.BatchNorm2d(mean.numel(), EPSILON)


def _normed(layer: nn.Module, maps: Tensor, told: Tensor | None) -> Tensor:
    made: Tensor = layer(maps, told) if isinstance(layer, ConditionalNorm) else layer(maps)
    return made


def _block(state: State, hidden: str) -> nn.Module:
    if "deconv0.weight" in state:
        return Upconvolved(state, hidden)
    if "conv2d1.weight" in state:
        return Residual(state, hidden)
    if "conv1x1_theta.weight" in state:
        return Attention(state)
    raise ValueError(f"one of its blocks is none of deep_conv, resnet or big_resnet ({', '.join(list(state)[:3])}, …)")


def block_count(state: State) -> int:
    """Blocks, those of attention among them."""
    return count(state, "blocks.")


def doublings(state: State) -> int:
    """How often the side is doubled."""
    return sum(
        f"blocks.{index}.0.{part}.weight" in state
        for index in range(block_count(state))
        for part in ("deconv0", "conv2d1")
    )


def pieces(state: State) -> int:
    """Into how many the latent is cut: one, or with big_resnet one for the first map and one for each block."""
    takes, told = state["linear0.weight"].shape[1], _told(state)
    shared = state["shared.weight"].shape[0] if "shared.weight" in state else 0
    return doublings(state) + 1 if told == takes + shared and (shared or told) else 1


def class_count(state: State) -> int:
    """K; 0 where the generator is told no class."""
    if "shared.weight" in state:
        return state["shared.weight"].shape[1]
    return _told(state) if pieces(state) == 1 else 0


def _told(state: State) -> int:
    """How many numbers the conditional normalisations take; 0 where there are none."""
    gains = (value.shape[1] for name, value in state.items() if name.endswith(".gain.weight") and value.ndim == 2)
    return next(gains, 0)
