"""TorchScript and .pt2: refused until a person trusts them, then opened with what they do not say derived or asked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentlab.core.errors import CheckpointError, OptionError, TrustNeeded
from latentlab.core.readings import RANGES, Guess
from latentlab.core.requests import OpenFailed, OpenModel
from latentlab.engine.answering import Answering
from latentlab.formats import open_checkpoint
from latentlab.formats.any_module import SPATIAL_WARNING
from latentlab.formats.guessing import run
from tests.formats.samples_a import decoder, exported, quietly, torchscript
from tests.formats.test_refusals import CONTENTS

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*")


@pytest.mark.parametrize("make", [torchscript, exported])
def test_not_opened_until_it_is_trusted(tmp_path: Path, make: object) -> None:
    path = make(tmp_path / "model.bin")  # type: ignore[operator]
    with pytest.raises(TrustNeeded, match=r"can run code. If you trust .* open it with --trust"):
        open_checkpoint(path)
    refused = Answering(open_checkpoint).open(OpenModel(str(path)))
    assert isinstance(refused, OpenFailed)
    assert refused.needs_trust


def check_same(path: Path, network: nn.Module, **options: str) -> None:
    model = open_checkpoint(path, device="cpu", trust=True, options=options)
    latents = model.sample(5)
    with torch.no_grad():
        made = network(torch.from_numpy(latents)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(model.decode_float(latents), (made + 1) / 2, atol=1e-5)


def test_the_same_pictures_as_the_module(tmp_path: Path) -> None:
    path = torchscript(tmp_path / "a.pt")
    check_same(path, decoder())
    info = open_checkpoint(path, device="cpu", trust=True).info
    assert (info.format, info.reading, info.guessed, info.warnings) == ("TorchScript", {"range": "tanh"}, (), ())
    quietly(lambda: torch.jit.trace(decoder(), torch.zeros(1, 6)).save(str(tmp_path / "b.pt")))
    check_same(tmp_path / "b.pt", decoder())


@pytest.mark.parametrize("batch", [None, 1, 2, 3])
def test_an_exported_program_for_any_number_of_latents_or_one(tmp_path: Path, batch: int | None) -> None:
    path = exported(tmp_path / "a.pt2", batch=batch)
    check_same(path, decoder(), range="tanh")
    info = open_checkpoint(path, device="cpu", trust=True).info
    assert (info.format, info.guessed) == ("exported program", ("range",))


def test_a_frozen_program_has_no_weights_to_derive_from(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    quietly(lambda: torch.jit.freeze(torch.jit.script(decoder())).save(str(path)))
    with pytest.raises(CheckpointError, match="Say it: --latent 64"):
        open_checkpoint(path, trust=True)
    check_same(path, decoder(), latent="6", range="tanh")
    drawn: list[Guess] = []
    report = SimpleNamespace(progress=lambda *_: None, partial=drawn.append)
    assert run(report, str(path), 1, trust=True, options={"latent": "6"}) == len(RANGES)  # type: ignore[arg-type]
    assert drawn[0].range == "tanh"
    with pytest.raises(TrustNeeded):
        run(report, str(path), 1)  # type: ignore[arg-type]


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(192, 12)
        self.decoder = decoder()

    @torch.jit.export
    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        moments = self.encoder(images.flatten(1))
        return moments[:, :6], moments[:, 6:]

    @torch.jit.export
    def decode(self, latents: Tensor) -> Tensor:
        return self.decoder(latents)

    def forward(self, images: Tensor) -> Tensor:
        return self.decode(self.encode(images)[0])


def test_a_scripted_autoencoder_encodes_and_decodes(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = Autoencoder().eval()
    path = torchscript(tmp_path / "vae.pt", network)
    model = open_checkpoint(path, device="cpu", trust=True, options={"range": "tanh"})
    assert (model.info.family, model.info.encoder, model.info.spaces[0].dim) == ("vae", True, 6)
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    with torch.no_grad():
        means = network.encode(torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1)[0].numpy()
    np.testing.assert_allclose(model.encode(images), means, atol=1e-5)
    latents = model.sample(2)
    with torch.no_grad():
        made = network.decode(torch.from_numpy(latents)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(model.decode_float(latents), (made + 1) / 2, atol=1e-5)


@pytest.mark.parametrize("kind", ["torchscript", "pt2"])
def test_damaged_programs_are_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.pt").write_bytes(CONTENTS[kind][0]())
    with pytest.raises(CheckpointError, match="damaged program"):
        open_checkpoint(tmp_path / "a.pt", trust=True)


def test_a_program_that_draws_nothing_is_said_so(tmp_path: Path) -> None:
    path = torchscript(tmp_path / "a.pt", nn.Sequential(nn.Linear(6, 10)))
    with pytest.raises(CheckpointError, match="draws no pictures"):
        open_checkpoint(path, trust=True)


@pytest.mark.parametrize("make", [torchscript, exported])
def test_a_program_keeps_its_weights_to_itself(tmp_path: Path, make: object) -> None:
    model = open_checkpoint(make(tmp_path / "model.bin"), device="cpu", trust=True)  # type: ignore[operator]
    with pytest.raises(OptionError, match="layers of this model"):
        model.weight_directions()  # type: ignore[attr-defined]


def test_maps_of_latents_are_no_draws(tmp_path: Path) -> None:
    """As of an ONNX decoder: the prior knows nothing of their order in space, and that is said."""
    network = nn.Sequential(nn.ConvTranspose2d(4, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh())
    torch.jit.trace(network, torch.zeros(1, 4, 16, 16)).save(str(tmp_path / "decoder.pt"))
    info = open_checkpoint(tmp_path / "decoder.pt", "cpu", trust=True, options={"latent": "4x8x8"}).info
    assert (info.spaces[0].name, info.spaces[0].shape, info.image.height) == ("spatial", (4, 8, 8), 32)
    assert SPATIAL_WARNING in info.warnings
