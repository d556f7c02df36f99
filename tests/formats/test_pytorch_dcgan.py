"""The DCGAN of pytorch/examples and of the Hugging Face hub: any sizes, 32 to 128 px, in every coat it comes in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentlab.formats import open_checkpoint
from tests.formats.saving import COATS, save
from tests.formats.test_foreign import example_generator


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def same(path: Path, network: nn.Module, side: int, channels: int, dim: int, tolerance: float = 1e-5) -> None:
    model = open_checkpoint(path, device="cpu")
    info = model.info
    assert (info.format, info.family, info.guessed) == ("pytorch/examples DCGAN", "dcgan", ())
    assert (info.image.height, info.image.width, info.image.channels) == (side, side, channels)
    assert (info.spaces[0].dim, info.spaces[0].prior) == (dim, "normal")
    latents = model.sample(2, seed=1)
    with torch.no_grad():
        made = (network.main(torch.from_numpy(latents)[..., None, None]).permute(0, 2, 3, 1).numpy() + 1) / 2
    assert made.std() > 0.001
    np.testing.assert_allclose(model.decode_float(latents), made, atol=tolerance)


@pytest.mark.parametrize(
    ("side", "layers", "nz", "ngf", "nc", "prefix"),
    [
        (32, 4, 100, 2, 3, "main."), (32, 4, 1, 5, 1, "model."), (32, 4, 13, 3, 3, "model.main."),
        (64, 5, 100, 3, 1, "main."), (64, 5, 1, 2, 3, "model."), (64, 5, 13, 4, 3, "model.main."),
        (128, 6, 100, 2, 3, "main."), (128, 6, 1, 3, 1, "model."), (128, 6, 13, 2, 3, "model.main."),
    ],
)  # fmt: skip
def test_any_latents_widths_channels_and_depth(
    tmp_path: Path, side: int, layers: int, nz: int, ngf: int, nc: int, prefix: str
) -> None:
    network = example_generator(nz, ngf, nc, layers)
    state = {name.replace("main.", prefix, 1): value for name, value in network.state_dict().items()}
    same(save(state, tmp_path / "netG.pth"), network, side, nc, nz)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("coat", COATS)
def test_in_every_coat(tmp_path: Path, coat: str, legacy: bool) -> None:
    network = example_generator(layers=4)
    same(save(network.state_dict(), tmp_path / "netG.pth", coat, legacy=legacy), network, 32, 3, 7)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_in_other_precisions(tmp_path: Path, dtype: torch.dtype) -> None:
    network = example_generator(layers=4)
    state = {name: value.to(dtype) if value.ndim else value for name, value in network.state_dict().items()}
    path = save(state, tmp_path / "netG.pth", "g_ema")
    network.load_state_dict({name: value.float() for name, value in state.items()})
    same(path, network, 32, 3, 7)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("normalise", [nn.utils.spectral_norm, nn.utils.parametrizations.spectral_norm])
def test_with_spectral_norm_in_both_spellings(tmp_path: Path, normalise: object, legacy: bool) -> None:
    network = example_generator(layers=4)
    for layer in list(network.main):
        if isinstance(layer, nn.ConvTranspose2d):
            normalise(layer)
    network.train()
    for _ in range(10):
        network.main(torch.randn(2, 7, 1, 1))  # the power iteration settles
    state: dict[str, Tensor] = network.eval().state_dict()
    same(save(state, tmp_path / "netG.pth", "module.", legacy=legacy), network, 32, 3, 7)


def test_the_average_is_preferred_to_what_was_trained_last(tmp_path: Path) -> None:
    network, last = example_generator(layers=4), example_generator(layers=4)
    content = {"generator": last.state_dict(), "model": last.state_dict(), "g_ema": network.state_dict(), "step": 3}
    torch.save(content, tmp_path / "G.pt")
    same(tmp_path / "G.pt", network, 32, 3, 7)
