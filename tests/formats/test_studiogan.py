"""StudioGAN's generators, against its published networks written anew, narrower."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import LatentModel
from latentlab.formats import open_checkpoint
from tests.formats.saving import unsettle


class EmbeddedNorm(nn.Module):
    """Conditional batch normalisation as it was saved at first: two tables of the classes."""

    def __init__(self, told: int, width: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(width, eps=1e-4, affine=False)
        self.embed0, self.embed1 = nn.Embedding(told, width), nn.Embedding(told, width)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        label = y.argmax(1)
        return self.bn(x) * (1 + self.embed0(label))[:, :, None, None] + self.embed1(label)[:, :, None, None]


class LinearNorm(nn.Module):
    def __init__(self, told: int, width: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(width, eps=1e-4, affine=False)
        self.gain, self.bias = nn.Linear(told, width, bias=False), nn.Linear(told, width, bias=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.bn(x) * (1 + self.gain(y))[:, :, None, None] + self.bias(y)[:, :, None, None]


class PlainNorm(nn.BatchNorm2d):
    def __init__(self, told: int, width: int) -> None:
        super().__init__(width, eps=1e-4)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return super().forward(x)


class DeepConvBlock(nn.Module):
    def __init__(self, before: int, after: int, norm: type[nn.Module], told: int, act: nn.Module) -> None:
        super().__init__()
        self.deconv0, self.bn0, self.act = nn.ConvTranspose2d(before, after, 4, 2, 1), norm(told, after), act

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.act(self.bn0(self.deconv0(x), y))


class ResBlock(nn.Module):
    def __init__(self, before: int, after: int, norm: type[nn.Module], told: int, act: nn.Module) -> None:
        super().__init__()
        self.bn1, self.bn2, self.act = norm(told, before), norm(told, after), act
        self.conv2d0 = nn.Conv2d(before, after, 1)
        self.conv2d1, self.conv2d2 = nn.Conv2d(before, after, 3, 1, 1), nn.Conv2d(after, after, 3, 1, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.conv2d1(F.interpolate(self.act(self.bn1(x, y)), scale_factor=2))
        return self.conv2d2(self.act(self.bn2(h, y))) + self.conv2d0(F.interpolate(x, scale_factor=2))


class SelfAttention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1x1_theta, self.conv1x1_phi = (nn.Conv2d(width, width // 8, 1, bias=False) for _ in range(2))
        self.conv1x1_g = nn.Conv2d(width, width // 2, 1, bias=False)
        self.conv1x1_attn = nn.Conv2d(width // 2, width, 1, bias=False)
        self.sigma = nn.Parameter(torch.full((1,), 0.7))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        n, c, h, w = x.shape
        theta = self.conv1x1_theta(x).view(n, c // 8, h * w)
        phi = F.max_pool2d(self.conv1x1_phi(x), 2).view(n, c // 8, h * w // 4)
        g = F.max_pool2d(self.conv1x1_g(x), 2).view(n, c // 2, h * w // 4)
        seen = torch.softmax(torch.bmm(theta.permute(0, 2, 1), phi), -1)
        return x + self.sigma * self.conv1x1_attn(torch.bmm(g, seen.permute(0, 2, 1)).view(n, c // 2, h, w))


class Generator(nn.Module):
    """`kind` deep_conv, resnet or big_resnet; three blocks make 32 px."""

    def __init__(
        self, kind: str, norm: type[nn.Module] = PlainNorm, classes: int = 0, act: nn.Module | None = None,
        attention: bool = False, shared: int = 0, z: int = 12,
    ) -> None:  # fmt: skip
        super().__init__()
        widths, act = (16, 16, 8, 8), act or nn.ReLU()
        big, self.conv_last = kind == "big_resnet", "conv4" if kind == "deep_conv" else "conv2d5"
        self.chunk = z // 4 if big else z
        told = self.chunk + shared if big else classes
        self.linear0 = nn.Linear(self.chunk, widths[0] * 16)
        self.shared = nn.Embedding(classes, shared) if shared else None
        block = DeepConvBlock if kind == "deep_conv" else ResBlock
        blocks = [block(widths[i], widths[i + 1], norm, told, act) for i in range(3)]
        if attention:
            blocks.insert(2, SelfAttention(8))
        self.blocks = nn.ModuleList([nn.ModuleList([block]) for block in blocks])
        self.act = act
        if kind != "deep_conv":
            self.bn4 = nn.BatchNorm2d(widths[-1], eps=1e-4)
        self.add_module(self.conv_last, nn.Conv2d(widths[-1], 3, 3, 1, 1))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        pieces = torch.split(z, self.chunk, 1)
        if self.shared is not None:
            y = self.shared(y.argmax(1))
        h = self.linear0(pieces[0]).view(len(z), -1, 4, 4)
        used = 1
        for (block,) in self.blocks:
            if len(pieces) > 1 and not isinstance(block, SelfAttention):
                told = pieces[used] if y is None else torch.cat([y, pieces[used]], 1)
                used += 1
            else:
                told = y
            h = block(h, told)
        h = self.act(self.bn4(h)) if hasattr(self, "bn4") else h
        return torch.tanh(self.get_submodule(self.conv_last)(h))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def written(folder: Path, network: nn.Module, **changes: object) -> Path:
    unsettle(network)
    torch.save({"state_dict": network.state_dict(), "step": 9, "run_name": "x", **changes}, folder / "model=G.pth")
    return folder / "model=G.pth"


def same(model: LatentModel, network: nn.Module, classes: int = 0) -> None:
    latents = model.sample(4, seed=1)
    labels = [index % classes for index in range(4)] if classes else None
    told = () if labels is None else (F.one_hot(torch.tensor(labels), classes).float(),)
    with torch.no_grad():
        made = network(torch.from_numpy(latents), *told).permute(0, 2, 3, 1).numpy()
    assert made.std() > 0.05
    np.testing.assert_allclose(model.decode_float(latents, condition=labels), (made + 1) / 2, atol=1e-5)


@pytest.mark.parametrize("kind", ["deep_conv", "resnet", "big_resnet"])
@pytest.mark.parametrize("attention", [False, True])
def test_unconditional_generators(tmp_path: Path, kind: str, attention: bool) -> None:
    network = Generator(kind, LinearNorm if kind == "big_resnet" else PlainNorm, attention=attention)
    model = open_checkpoint(written(tmp_path, network), device="cpu")
    info = model.info
    assert (info.format, info.family, info.image.height, info.image.channels) == ("StudioGAN", "gan", 32, 3)
    assert (info.spaces[0].dim, info.spaces[0].prior, info.conditional) == (12, "normal", None)
    same(model, network)


@pytest.mark.parametrize(("kind", "shared"), [("deep_conv", 0), ("resnet", 0), ("big_resnet", 5)])
@pytest.mark.parametrize("norm", [EmbeddedNorm, LinearNorm])
def test_class_conditional_generators(tmp_path: Path, kind: str, shared: int, norm: type[nn.Module]) -> None:
    if shared and norm is EmbeddedNorm:
        norm = LinearNorm  # BigGAN's never had tables
    network = Generator(kind, norm, classes=6, shared=shared, attention=True)
    model = open_checkpoint(written(tmp_path, network), device="cpu")
    assert model.info.conditional == ("0", "1", "2", "3", "4", "5")
    assert model.info.family == "cgan"
    same(model, network, classes=6)
    latents = model.sample(1)
    assert np.abs(model.decode_float(latents, condition=2) - model.decode_float(latents, condition=3)).max() > 0.01
    np.testing.assert_array_equal(model.decode(latents), model.decode(latents, condition=0))


def test_spectral_norm_and_the_name_the_last_layer_once_had(tmp_path: Path) -> None:
    network = Generator("deep_conv", LinearNorm, classes=6)
    for module in list(network.modules()):
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            spectral_norm(module, eps=1e-6)
    unsettle(network)
    state = {name.replace("conv4.", "conv2d4."): value for name, value in network.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "G.pth")
    same(open_checkpoint(tmp_path / "G.pth", device="cpu"), network, classes=6)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.yaml", "MODEL:\n  z_prior: uniform\n  g_act_fn: 'Leaky_ReLU'\n"),
        ("SNGAN.yaml", 'MODEL:\n  g_act_fn: "Leaky_ReLU"\n  d_act_fn: "ReLU"\n  z_prior: "uniform"\n'),
        ("config.json", '{"model": {"activation_fn": "Leaky_ReLU", "prior": "uniform"}}'),
    ],
)
def test_a_configuration_beside_it_says_activation_and_prior(tmp_path: Path, name: str, text: str) -> None:
    network = Generator("resnet", act=nn.LeakyReLU(0.1))
    path = written(tmp_path, network)
    (tmp_path / name).write_text(text)
    model = open_checkpoint(path, device="cpu")
    assert model.info.spaces[0].prior == "uniform"
    same(model, network)


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    network = Generator("resnet")
    path = written(tmp_path, network)
    with pytest.raises(CheckpointError, match="StudioGAN has no activation 'tanh'"):
        open_checkpoint(path, options={"activation": "tanh"})
    network.info_mix_linear = nn.Linear(3, 3)
    with pytest.raises(CheckpointError, match="InfoGAN"):
        open_checkpoint(written(tmp_path, network))
    del network.info_mix_linear
    network.blocks[1][0] = nn.Conv2d(16, 8, 1)
    with pytest.raises(CheckpointError, match="none of deep_conv, resnet"):
        open_checkpoint(written(tmp_path, network))
    judge = nn.Module()
    judge.linear1 = nn.Linear(8, 1)
    judge.blocks = nn.ModuleList([nn.ModuleList([ResBlock(3, 8, PlainNorm, 0, nn.ReLU())])])
    with pytest.raises(CheckpointError, match="a discriminator"):
        open_checkpoint(written(tmp_path, judge))
