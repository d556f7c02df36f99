"""The network of diffusers' AutoencoderKL (Rombach et al. 2022), built from the names and shapes of its weights.

Written anew from the published architecture. Shapes: B batch, C channels, H W of a map, T = H x W.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from latentlab.formats.layers import State, convolution, count, linear, under

EPSILON = 1e-6


class Decoder(nn.Module):
    """Spatial latents (B, C, h, w) to pictures (B, 1 or 3, H, W) about [-1, 1], unbounded as published."""

    def __init__(self, state: State, groups: int) -> None:
        super().__init__()
        inner = under(state, "decoder.")
        self.post_quant_conv = convolution(state, "post_quant_conv") if "post_quant_conv.weight" in state else None
        self.decoder = nn.ModuleDict({"conv_in": convolution(inner, "conv_in", 1, 1)})
        self.decoder["mid_block"] = Middle(under(inner, "mid_block."), groups)
        self.decoder["up_blocks"] = nn.ModuleList(
            Block(under(inner, f"up_blocks.{index}."), groups, "upsamplers")
            for index in range(count(inner, "up_blocks."))
        )
        self.decoder["conv_norm_out"] = norm(inner, "conv_norm_out", groups)
        self.decoder["conv_out"] = convolution(inner, "conv_out", 1, 1)

    def forward(self, latents: Tensor) -> Tensor:
        made = latents if self.post_quant_conv is None else self.post_quant_conv(latents)
        made = self.decoder["mid_block"](self.decoder["conv_in"](made))
        for block in self.decoder["up_blocks"].children():
            made = block(made)
        out: Tensor = self.decoder["conv_out"](F.silu(self.decoder["conv_norm_out"](made)))
        return out


class Encoder(nn.Module):
    """Pictures in [-1, 1] to the means of the latents (B, C, h, w)."""

    def __init__(self, state: State, groups: int) -> None:
        super().__init__()
        inner = under(state, "encoder.")
        self.quant_conv = convolution(state, "quant_conv") if "quant_conv.weight" in state else None
        self.encoder = nn.ModuleDict({"conv_in": convolution(inner, "conv_in", 1, 1)})
        self.encoder["down_blocks"] = nn.ModuleList(
            Block(under(inner, f"down_blocks.{index}."), groups, "downsamplers")
            for index in range(count(inner, "down_blocks."))
        )
        self.encoder["mid_block"] = Middle(under(inner, "mid_block."), groups)
        self.encoder["conv_norm_out"] = norm(inner, "conv_norm_out", groups)
        self.encoder["conv_out"] = convolution(inner, "conv_out", 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        code = self.encoder["conv_in"](images)
        for block in self.encoder["down_blocks"].children():
            code = block(code)
        code = F.silu(self.encoder["conv_norm_out"](self.encoder["mid_block"](code)))
        moments: Tensor = self.encoder["conv_out"](code)
        if self.quant_conv is not None:
            moments = self.quant_conv(moments)
        return moments.chunk(2, 1)[0]


class Block(nn.Module):
    """Residual blocks, then half or double the side where the file has a layer for it."""

    def __init__(self, state: State, groups: int, resampling: str) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(
            Residual(under(state, f"resnets.{index}."), groups) for index in range(count(state, "resnets."))
        )
        self.resampling = resampling if f"{resampling}.0.conv.weight" in state else ""
        if self.resampling:
            stride, padding = (1, 1) if resampling == "upsamplers" else (2, 0)
            layer = convolution(state, f"{resampling}.0.conv", stride, padding)
            self.add_module(resampling, nn.ModuleList([nn.ModuleDict({"conv": layer})]))

    def forward(self, maps: Tensor) -> Tensor:
        for block in self.resnets:
            maps = block(maps)
        if not self.resampling:
            return maps
        if self.resampling == "upsamplers":
            maps = F.interpolate(maps, scale_factor=2.0, mode="nearest")
        else:
            maps = F.pad(maps, (0, 1, 0, 1))
        out: Tensor = self.get_submodule(f"{self.resampling}.0.conv")(maps)
        return out


class Middle(nn.Module):
    def __init__(self, state: State, groups: int) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(Residual(under(state, f"resnets.{index}."), groups) for index in range(2))
        attention = under(state, "attentions.0.")
        self.attentions = nn.ModuleList([Attention(attention, groups)] if attention else [])

    def forward(self, maps: Tensor) -> Tensor:
        maps = self.resnets[0](maps)
        for attention in self.attentions:
            maps = attention(maps)
        out: Tensor = self.resnets[1](maps)
        return out


class Residual(nn.Module):
    def __init__(self, state: State, groups: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(state, "norm1", groups), norm(state, "norm2", groups)
        self.conv1, self.conv2 = convolution(state, "conv1", 1, 1), convolution(state, "conv2", 1, 1)
        shortcut = "conv_shortcut.weight" in state
        self.conv_shortcut = convolution(state, "conv_shortcut") if shortcut else None

    def forward(self, maps: Tensor) -> Tensor:
        made = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(maps))))))
        out: Tensor = made + (maps if self.conv_shortcut is None else self.conv_shortcut(maps))
        return out


class Attention(nn.Module):
    """One head over all places of a map, added to it."""

    def __init__(self, state: State, groups: int) -> None:
        super().__init__()
        self.group_norm = norm(state, "group_norm", groups)
        self.to_q, self.to_k, self.to_v = (linear(state, name) for name in ("to_q", "to_k", "to_v"))
        self.to_out = nn.ModuleList([linear(state, "to_out.0")])

    def forward(self, maps: Tensor) -> Tensor:
        places_BTC = self.group_norm(maps).flatten(2).transpose(1, 2)
        query, key, value = self.to_q(places_BTC), self.to_k(places_BTC), self.to_v(places_BTC)
        seen = F.scaled_dot_product_attention(query[:, None], key[:, None], value[:, None])[:, 0]
        out: Tensor = maps + self.to_out[0](seen).transpose(1, 2).reshape(maps.shape)
        return out


def norm(state: State, name: str, groups: int) -> nn.GroupNorm:
    """Raises ValueError where there is no such weight, or the groups do not divide it."""
    weight = state.get(f"{name}.weight")
    if weight is None:
        raise ValueError(f"it has no weight '{name}.weight'")
    return nn.GroupNorm(groups, weight.numel(), EPSILON)
