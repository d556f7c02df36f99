"""AntixK/PyTorch-VAE, against the published network written anew, alone and as a Lightning checkpoint."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentlab.core.errors import CheckpointError
from latentlab.formats import open_checkpoint
from tests.formats.saving import save, unsettle


class VanillaVAE(nn.Module):
    def __init__(self, widths: tuple[int, ...], dim: int, channels: int = 3) -> None:
        super().__init__()
        self.last = widths[-1]
        before, blocks = channels, []
        for width in widths:
            blocks.append(nn.Sequential(nn.Conv2d(before, width, 3, 2, 1), nn.BatchNorm2d(width), nn.LeakyReLU()))
            before = width
        self.encoder = nn.Sequential(*blocks)
        self.fc_mu, self.fc_var = nn.Linear(widths[-1] * 4, dim), nn.Linear(widths[-1] * 4, dim)
        self.decoder_input = nn.Linear(dim, widths[-1] * 4)
        back = widths[::-1]
        self.decoder = nn.Sequential(
            *(
                nn.Sequential(nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1), nn.BatchNorm2d(b), nn.LeakyReLU())
                for a, b in itertools.pairwise(back)
            )
        )
        first = back[-1]
        self.final_layer = nn.Sequential(
            nn.ConvTranspose2d(first, first, 3, 2, 1, output_padding=1), nn.BatchNorm2d(first), nn.LeakyReLU(),
            nn.Conv2d(first, channels, 3, padding=1), nn.Tanh(),
        )  # fmt: skip

    def encode(self, x: Tensor) -> Tensor:
        mean: Tensor = self.fc_mu(self.encoder(x).flatten(1))
        return mean

    def decode(self, z: Tensor) -> Tensor:
        made: Tensor = self.final_layer(self.decoder(self.decoder_input(z).view(-1, self.last, 2, 2)))
        return made


@pytest.mark.parametrize("widths", [(4, 6, 8), (3, 4, 5, 6, 7)])
@pytest.mark.parametrize("lightning", [False, True])
def test_the_same_pictures_and_means(tmp_path: Path, widths: tuple[int, ...], lightning: bool) -> None:
    torch.manual_seed(0)
    network = unsettle(VanillaVAE(widths, 5))
    assert isinstance(network, VanillaVAE)
    state = network.state_dict()
    path = tmp_path / "last.ckpt"
    if lightning:
        state = {f"model.{name}": value for name, value in state.items()}
        adam = {"state": {0: {"step": torch.tensor(3.0)}}}
        torch.save({"epoch": 9, "state_dict": state, "optimizer_states": [adam], "callbacks": {}}, path)
    else:
        save(state, path)
    model = open_checkpoint(path, device="cpu")
    side = 2 ** (len(widths) + 1)
    assert (model.info.format, model.info.image.height, model.info.spaces[0].dim) == ("PyTorch-VAE", side, 5)
    latents = model.sample(3, seed=1)
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)
    with torch.no_grad():
        decoded = (network.decode(torch.from_numpy(latents)).permute(0, 2, 3, 1).numpy() + 1) / 2
        encoded = network.encode(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1).numpy()
    np.testing.assert_allclose(model.decode_float(latents), decoded, atol=1e-5)
    np.testing.assert_allclose(model.encode(images), encoded, atol=1e-4)


def test_a_changed_head_is_refused(tmp_path: Path) -> None:
    state = VanillaVAE((4, 6), 5).state_dict()
    state["decoder_input.weight"], state["decoder_input.bias"] = torch.zeros(25, 5), torch.zeros(25)
    with pytest.raises(CheckpointError, match=r"cannot be opened: its decoder makes"):
        open_checkpoint(save(state, tmp_path / "vae.pt"))
