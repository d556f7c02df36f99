"""AutoencoderKL, against the published network written as functions of its state dict."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from latentlab.core.errors import CheckpointError
from latentlab.formats import open_checkpoint

GROUPS = 2
WIDTHS = (4, 6)  # 16 px pictures have latents of 8 px
State = dict[str, Tensor]


def made_up(channels: int = 3, latents: int = 4) -> State:
    """Random weights under the names and shapes that diffusers gives them."""
    generator = torch.Generator().manual_seed(0)
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, *shape: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = shape, shape[:1]

    def residual(name: str, before: int, after: int) -> None:
        layer(f"{name}.norm1", before)
        layer(f"{name}.conv1", after, before, 3, 3)
        layer(f"{name}.norm2", after)
        layer(f"{name}.conv2", after, after, 3, 3)
        if before != after:
            layer(f"{name}.conv_shortcut", after, before, 1, 1)

    def middle(name: str, width: int) -> None:
        residual(f"{name}.resnets.0", width, width)
        residual(f"{name}.resnets.1", width, width)
        layer(f"{name}.attentions.0.group_norm", width)
        for part in ("to_q", "to_k", "to_v", "to_out.0"):
            layer(f"{name}.attentions.0.{part}", width, width)

    a, b = WIDTHS
    layer("encoder.conv_in", a, channels, 3, 3)
    residual("encoder.down_blocks.0.resnets.0", a, a)
    layer("encoder.down_blocks.0.downsamplers.0.conv", a, a, 3, 3)
    residual("encoder.down_blocks.1.resnets.0", a, b)
    middle("encoder.mid_block", b)
    layer("encoder.conv_norm_out", b)
    layer("encoder.conv_out", 2 * latents, b, 3, 3)
    layer("quant_conv", 2 * latents, 2 * latents, 1, 1)
    layer("post_quant_conv", latents, latents, 1, 1)
    layer("decoder.conv_in", b, latents, 3, 3)
    middle("decoder.mid_block", b)
    for index in (0, 1):
        residual(f"decoder.up_blocks.0.resnets.{index}", b, b)
    layer("decoder.up_blocks.0.upsamplers.0.conv", b, b, 3, 3)
    residual("decoder.up_blocks.1.resnets.0", b, a)
    residual("decoder.up_blocks.1.resnets.1", a, a)
    layer("decoder.conv_norm_out", a)
    layer("decoder.conv_out", channels, a, 3, 3)
    return {name: torch.randn(shape, generator=generator) * 0.4 for name, shape in shapes.items()}


class Reference:
    def __init__(self, state: State) -> None:
        self.s = state

    def conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = self.s[f"{name}.weight"]
        padding = weight.shape[2] // 2 if stride == 1 else 0
        return F.conv2d(x, weight, self.s[f"{name}.bias"], stride, padding)

    def norm(self, x: Tensor, name: str) -> Tensor:
        return F.group_norm(x, GROUPS, self.s[f"{name}.weight"], self.s[f"{name}.bias"], 1e-6)

    def residual(self, x: Tensor, name: str) -> Tensor:
        h = self.conv(F.silu(self.norm(x, f"{name}.norm1")), f"{name}.conv1")
        h = self.conv(F.silu(self.norm(h, f"{name}.norm2")), f"{name}.conv2")
        return h + (self.conv(x, f"{name}.conv_shortcut") if f"{name}.conv_shortcut.weight" in self.s else x)

    def middle(self, x: Tensor, name: str) -> Tensor:
        x = self.residual(x, f"{name}.resnets.0")
        flat = self.norm(x, f"{name}.attentions.0.group_norm").flatten(2).mT
        q, k, v = (
            F.linear(flat, self.s[f"{name}.attentions.0.{p}.weight"], self.s[f"{name}.attentions.0.{p}.bias"])
            for p in ("to_q", "to_k", "to_v")
        )
        seen = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1) @ v
        out = f"{name}.attentions.0.to_out.0"
        x = x + F.linear(seen, self.s[f"{out}.weight"], self.s[f"{out}.bias"]).mT.reshape(x.shape)
        return self.residual(x, f"{name}.resnets.1")

    def decode(self, z: Tensor) -> Tensor:
        x = self.middle(self.conv(self.conv(z, "post_quant_conv"), "decoder.conv_in"), "decoder.mid_block")
        x = self.residual(self.residual(x, "decoder.up_blocks.0.resnets.0"), "decoder.up_blocks.0.resnets.1")
        x = self.conv(x.repeat_interleave(2, 2).repeat_interleave(2, 3), "decoder.up_blocks.0.upsamplers.0.conv")
        x = self.residual(self.residual(x, "decoder.up_blocks.1.resnets.0"), "decoder.up_blocks.1.resnets.1")
        return self.conv(F.silu(self.norm(x, "decoder.conv_norm_out")), "decoder.conv_out")

    def encode(self, x: Tensor) -> Tensor:
        x = self.residual(self.conv(x, "encoder.conv_in"), "encoder.down_blocks.0.resnets.0")
        x = self.conv(F.pad(x, (0, 1, 0, 1)), "encoder.down_blocks.0.downsamplers.0.conv", 2)
        x = self.middle(self.residual(x, "encoder.down_blocks.1.resnets.0"), "encoder.mid_block")
        x = self.conv(F.silu(self.norm(x, "encoder.conv_norm_out")), "encoder.conv_out")
        return self.conv(x, "quant_conv").chunk(2, 1)[0]


def write(folder: Path, state: State, **config: object) -> Path:
    save_file(
        {name: value.contiguous() for name, value in state.items()}, folder / "diffusion_pytorch_model.safetensors"
    )
    document = {"_class_name": "AutoencoderKL", "norm_num_groups": GROUPS, "sample_size": 16, "scaling_factor": 0.5}
    (folder / "config.json").write_text(json.dumps(document | config))
    return folder


@pytest.mark.parametrize("names", ["today", "old", "half"])
def test_the_same_pictures_and_means(tmp_path: Path, names: str) -> None:
    state = made_up()
    stored = dict(state)
    if names == "old":
        for old, new in (("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0")):
            stored = {name.replace(f"0.{new}.", f"0.{old}."): value for name, value in stored.items()}
    if names == "half":
        stored = {name: value.half() for name, value in state.items()}
        state = {name: value.float() for name, value in stored.items()}
    model = open_checkpoint(write(tmp_path, stored, shift_factor=0.25), device="cpu")
    space = model.info.spaces[0]
    assert (model.info.format, model.info.image.height) == ("diffusers AutoencoderKL", 16)
    assert (space.name, space.shape, space.prior) == ("spatial", (4, 8, 8), "empirical")
    assert "start from those" in model.info.warnings[0]
    latents = model.sample(400)
    assert (float(latents.mean()), float(latents.std())) == pytest.approx((0.25, 2.0), abs=0.03)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    reference = Reference(state)
    decoded = (reference.decode(torch.from_numpy(latents[:2]).reshape(2, 4, 8, 8)) / 2 + 0.5).clamp(0, 1)
    assert decoded.std() > 0.1
    np.testing.assert_allclose(model.decode_float(latents[:2]), decoded.permute(0, 2, 3, 1).numpy(), atol=1e-5)
    encoded = reference.encode(torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1).flatten(1)
    np.testing.assert_allclose(model.encode(images), encoded.numpy(), atol=1e-4)


def test_the_file_alone_is_read_as_stable_diffusions(tmp_path: Path) -> None:
    save_file(made_up(), tmp_path / "vae.safetensors")
    with pytest.raises(CheckpointError, match="divisible"):  # 32 groups do not divide the few channels
        open_checkpoint(tmp_path / "vae.safetensors")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"_class_name": "AutoencoderTiny"}, "only AutoencoderKL"),
        ({"act_fn": "gelu"}, "with SiLU"),
        ({"sample_size": 2**31}, "states sample_size 2147483648"),
        ({"sample_size": 17}, "cannot be halved"),
        ({"norm_num_groups": 0}, "states norm_num_groups 0"),
        ({"norm_num_groups": 3}, "must be divisible"),
        ({"scaling_factor": -1}, "no usable number"),
        ({"shift_factor": "x"}, "no usable number"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, config: dict[str, object], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(write(tmp_path, made_up(), **config))


def test_missing_weights_are_named(tmp_path: Path) -> None:
    state = made_up()
    del state["decoder.up_blocks.0.resnets.1.norm2.weight"]
    with pytest.raises(CheckpointError, match=r"no weight 'norm2\.weight'"):
        open_checkpoint(write(tmp_path, state))


def test_a_folder_without_weights_says_which(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"diffusers model folder without diffusion_pytorch_model\.safetensors"):
        open_checkpoint(tmp_path)
