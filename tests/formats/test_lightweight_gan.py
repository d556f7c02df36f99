"""lightweight-gan's generator, against the published network written as functions of its state dict."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from latentlab.core.errors import CheckpointError
from latentlab.formats import open_checkpoint

State = dict[str, Tensor]
LATENT, WIDTH, HEADS = 10, 12, 2


def made_up(side: int = 64, channels: int = 3, attention: int = 0, frequencies: bool = False) -> State:
    """Random weights under the names and shapes that the library gives them; `attention` on maps of that side."""
    generator = torch.Generator().manual_seed(0)
    state: State = {}

    def put(name: str, *shape: int, spread: float = 0.0) -> None:
        fan = math.prod(shape[1:]) or 1
        state[name] = torch.randn(shape, generator=generator) * (spread or 1.6 / fan**0.5)

    def norm(name: str, width: int) -> None:
        state[f"{name}.weight"] = torch.rand(width, generator=generator) + 0.5
        put(f"{name}.bias", width, spread=0.2)
        put(f"{name}.running_mean", width, spread=0.2)
        state[f"{name}.running_var"] = torch.rand(width, generator=generator) + 0.5
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    put("initial_conv.0.weight", LATENT, 2 * LATENT, 4, 4)
    put("initial_conv.0.bias", 2 * LATENT, spread=0.1)
    norm("initial_conv.1", 2 * LATENT)
    before, steps = LATENT, int(math.log2(side)) - 2
    for index in range(steps):
        step = f"layers.{index}"
        put(f"{step}.0.0.net.0.weight", 4 * before, before, 1, 1)
        put(f"{step}.0.0.net.0.bias", 4 * before, spread=0.1)
        state[f"{step}.0.1.f"] = torch.tensor([1.0, 2.0, 1.0])
        put(f"{step}.0.2.1.weight", 2 * WIDTH, before, 4, 4)
        put(f"{step}.0.2.1.bias", 2 * WIDTH, spread=0.1)
        put(f"{step}.0.3.weight", 1, spread=0.3)
        norm(f"{step}.0.4", 2 * WIDTH)
        if index + 4 < steps + 1 and index >= 1:
            if frequencies:
                put(f"{step}.1.dct_weights", 1, WIDTH, 2 ** (index + 3), 2 ** (index + 3), spread=0.1)
            else:
                put(f"{step}.1.to_k.weight", 1, WIDTH, 1, 1)
                put(f"{step}.1.to_k.bias", 1, spread=0.1)
            put(f"{step}.1.net.0.weight", 6, WIDTH, 1, 1)
            put(f"{step}.1.net.0.bias", 6, spread=0.1)
            put(f"{step}.1.net.2.weight", WIDTH, 6, 1, 1)
            put(f"{step}.1.net.2.bias", WIDTH, spread=0.1)
        if 2 ** (index + 2) == attention:
            inner = 64 * HEADS
            for part in "gb":
                put(f"{step}.2.norm.{part}", 1, before, 1, 1, spread=0.5)
            put(f"{step}.2.fn.to_lin_q.weight", inner, before, 1, 1)
            put(f"{step}.2.fn.to_lin_kv.net.0.weight", before, 1, 3, 3)
            put(f"{step}.2.fn.to_lin_kv.net.1.weight", 2 * inner, before, 1, 1)
            put(f"{step}.2.fn.to_q.weight", inner, before, 1, 1)
            put(f"{step}.2.fn.to_kv.weight", 2 * inner, before, 1, 1)
            put(f"{step}.2.fn.to_out.weight", before, 2 * inner, 1, 1)
            put(f"{step}.2.fn.to_out.bias", before, spread=0.1)
        before = WIDTH
    put("out_conv.weight", channels, WIDTH, 3, 3, spread=0.05)
    state["out_conv.bias"] = torch.full((channels,), 0.5)
    return state


class Reference:
    def __init__(self, state: State, *, noise: bool = True) -> None:
        self.s, self.noise = state, noise

    def conv(self, x: Tensor, name: str, **options: int) -> Tensor:
        return F.conv2d(x, self.s[f"{name}.weight"], self.s.get(f"{name}.bias"), **options)

    def norm(self, x: Tensor, name: str) -> Tensor:
        mean, var = self.s[f"{name}.running_mean"], self.s[f"{name}.running_var"]
        return F.batch_norm(x, mean, var, self.s[f"{name}.weight"], self.s[f"{name}.bias"])

    def blur(self, x: Tensor) -> Tensor:
        kernel = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
        padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return torch.stack([F.conv2d(padded[:, c : c + 1], kernel[None, None])[:, 0] for c in range(x.shape[1])], 1)

    def attention(self, x: Tensor, name: str) -> Tensor:
        n, _, h, w = x.shape
        mean, var = x.mean(1, keepdim=True), x.var(1, unbiased=False, keepdim=True)
        x = (x - mean) / (var + 1e-5).sqrt() * self.s[f"{name}.norm.g"] + self.s[f"{name}.norm.b"]
        name = f"{name}.fn"
        deep = self.conv(x, f"{name}.to_lin_kv.net.0", padding=1, groups=x.shape[1])
        query, far = self.conv(x, f"{name}.to_lin_q"), self.conv(deep, f"{name}.to_lin_kv.net.1").chunk(2, 1)
        near_query, near = self.conv(x, f"{name}.to_q"), self.conv(x, f"{name}.to_kv").chunk(2, 1)
        wholes, nears = [], []
        for head in range(HEADS):
            part = slice(64 * head, 64 * head + 64)
            q, k, v = (t[:, part].flatten(2) for t in (query, *far))  # (n, 64, places)
            context = torch.softmax(k, -1) @ v.transpose(1, 2)
            wholes.append((context.transpose(1, 2) @ (torch.softmax(q, 1) / 8)).view(n, 64, h, w))
            q, (k, v) = near_query[:, part] / 8, (F.pad(t[:, part], (1, 1, 1, 1)) for t in near)
            places = [(dy, dx) for dy in range(3) for dx in range(3)]
            seen = torch.stack([(q * k[:, :, dy : dy + h, dx : dx + w]).sum(1) for dy, dx in places], 1).softmax(1)
            nears.append(sum(seen[:, i, None] * v[:, :, dy : dy + h, dx : dx + w] for i, (dy, dx) in enumerate(places)))
        return self.conv(torch.cat([F.gelu(torch.cat(wholes, 1)), torch.cat(nears, 1)], 1), f"{name}.to_out")

    def excited(self, x: Tensor, name: str) -> Tensor:
        if f"{name}.dct_weights" in self.s:
            pooled = (x * self.s[f"{name}.dct_weights"]).sum((2, 3), keepdim=True)
        else:
            weights = torch.softmax(self.conv(x, f"{name}.to_k").flatten(2), -1)
            pooled = (x.flatten(2) * weights).sum(2)[:, :, None, None]
        return torch.sigmoid(self.conv(F.leaky_relu(self.conv(pooled, f"{name}.net.0"), 0.1), f"{name}.net.2"))

    def __call__(self, z: Tensor) -> Tensor:
        x = F.conv_transpose2d(z[:, :, None, None], self.s["initial_conv.0.weight"], self.s["initial_conv.0.bias"])
        x = F.glu(self.norm(x, "initial_conv.1"), 1)
        x = x / x.norm(dim=1, keepdim=True).clamp(min=1e-12)
        later: dict[int, Tensor] = {}
        index = 0
        while f"layers.{index}.0.3.weight" in self.s:
            name = f"layers.{index}"
            if f"{name}.2.norm.g" in self.s:
                x = x + self.attention(x, f"{name}.2")
            x = self.blur(F.pixel_shuffle(F.silu(self.conv(x, f"{name}.0.0.net.0")), 2))
            x = self.conv(F.pad(x, (2, 1, 2, 1)), f"{name}.0.2.1")
            if self.noise:
                drawn = np.random.default_rng(index).standard_normal((1, 1, *x.shape[2:]), np.float32)
                x = x + self.s[f"{name}.0.3.weight"] * torch.from_numpy(drawn)
            x = F.glu(self.norm(x, f"{name}.0.4"), 1)
            side = x.shape[2]
            if f"{name}.1.net.0.weight" in self.s:
                later[side * 8] = self.excited(x, f"{name}.1")
            x = x * later.get(side, 1.0)
            index += 1
        return self.conv(x, "out_conv", padding=1)


def written(folder: Path, state: State, *, averaged: bool = True) -> Path:
    online = {f"G.{name}": torch.zeros_like(value) if averaged else value for name, value in state.items()}
    average = {f"GE.{name}": value for name, value in state.items()} if averaged else {}
    judge = {"D.to_logits.0.weight": torch.zeros(3, 3, 1, 1)}
    torch.save({"GAN": {**online, **judge, **average}, "version": "1.2.1", "G_scaler": {}}, folder / "model_3.pt")
    return folder / "model_3.pt"


@pytest.mark.parametrize(
    ("side", "channels", "attention", "frequencies"),
    [(32, 3, 0, False), (64, 1, 8, False), (128, 3, 0, False), (128, 3, 16, True)],
)
def test_the_same_pictures(tmp_path: Path, side: int, channels: int, attention: int, frequencies: bool) -> None:
    state = made_up(side, channels, attention, frequencies)
    assert any(".1.net.0." in name for name in state) == (side == 128)
    model = open_checkpoint(written(tmp_path, state), device="cpu")
    info = model.info
    assert (info.format, info.image.height, info.image.channels) == ("lightweight-gan", side, channels)
    assert (info.spaces[0].dim, info.encoder, info.invertible) == (LATENT, False, True)
    latents = model.sample(2, seed=1)
    wanted = Reference(state)(torch.from_numpy(latents)).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    assert wanted.std() > 0.05
    np.testing.assert_allclose(model.decode_float(latents), wanted, atol=1e-5)


def test_without_noise_and_without_an_average(tmp_path: Path) -> None:
    state = made_up(32)
    model = open_checkpoint(written(tmp_path, state, averaged=False), device="cpu", options={"noise": "none"})
    latents = model.sample(2, seed=1)
    wanted = Reference(state, noise=False)(torch.from_numpy(latents)).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(model.decode_float(latents), wanted, atol=1e-5)


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="draws 4 channels"):
        open_checkpoint(written(tmp_path, made_up(32, channels=4)))
    with pytest.raises(CheckpointError, match="Leave --range out"):
        open_checkpoint(written(tmp_path, made_up(32)), options={"range": "tanh"})
    older = {name: value for name, value in made_up(32).items() if ".0.0.net" not in name}
    with pytest.raises(CheckpointError, match=r"before 1\.0"):
        open_checkpoint(written(tmp_path, older))
    state = made_up(64, attention=8)
    del state["layers.1.2.fn.to_lin_q.weight"]
    with pytest.raises(CheckpointError, match=r"no weight 'fn\.to_lin_q\.weight'"):
        open_checkpoint(written(tmp_path, state))
