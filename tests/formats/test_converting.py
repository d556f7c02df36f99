"""`latentlab convert` and `encode`: the native file of every format that opens draws and encodes the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.api.converting import write_native
from latentlab.cli import main
from latentlab.core.checkpoint_file import Header, read_encodings, read_header, read_weights, verify, write_checkpoint
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import LatentModel, MapsSpaces
from latentlab.formats import Options, open_checkpoint
from tests.formats.samples import FILES, NATIVE, PROGRAMS


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def same(native: LatentModel, foreign: LatentModel, tolerance: float = 1e-5) -> None:
    mine, theirs = native.info, foreign.info
    assert mine.format == "native"
    assert [(space.name, space.shape, space.prior) for space in mine.spaces] == [
        (space.name, space.shape, space.prior) for space in theirs.spaces
    ]
    assert (mine.image, mine.family, mine.encoder, mine.conditional) == (
        theirs.image, theirs.family, theirs.encoder, theirs.conditional
    )  # fmt: skip
    assert mine.mappings == theirs.mappings
    for space in mine.spaces:
        latents = foreign.sample(3, seed=2, space=space.name)
        wanted = foreign.decode_float(latents, space=space.name)
        assert wanted.std() > 0.001
        np.testing.assert_array_equal(native.sample(3, seed=2, space=space.name), latents)
        np.testing.assert_allclose(native.decode_float(latents, space=space.name), wanted, atol=tolerance)
    if mine.encoder:
        shape = (2, mine.image.height, mine.image.width, mine.image.channels)
        images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        np.testing.assert_allclose(native.encode(images), foreign.encode(images), atol=10 * tolerance)


@pytest.mark.parametrize("kind", FILES)
def test_every_format_of_weights_becomes_a_native_checkpoint(tmp_path: Path, kind: str) -> None:
    source = FILES[kind](tmp_path)
    target = tmp_path / "elsewhere" / "native.safetensors"
    target.parent.mkdir()
    header = write_native(source, target, Options("cpu"))
    verify(target)
    foreign, native = open_checkpoint(source, device="cpu"), open_checkpoint(target, device="cpu")
    assert header.training["converted_from"] == foreign.info.format
    assert native.info.sha256 == header.sha256
    assert not native.info.guessed
    same(native, foreign)
    if isinstance(foreign, MapsSpaces) and foreign.info.mappings:
        assert isinstance(native, MapsSpaces)
        drawn = foreign.sample(2)
        np.testing.assert_allclose(native.to_space(drawn, "z", "w"), foreign.to_space(drawn, "z", "w"), atol=1e-5)


def test_half_precision_only_when_asked(tmp_path: Path) -> None:
    source = FILES["pythae"](tmp_path)
    write_native(source, tmp_path / "whole.safetensors", Options("cpu"))
    write_native(source, tmp_path / "half.safetensors", Options("cpu"), half=True)
    assert {value.dtype for value in read_weights(tmp_path / "whole.safetensors").values()} == {np.dtype(np.float32)}
    assert {value.dtype for value in read_weights(tmp_path / "half.safetensors").values()} == {np.dtype(np.float16)}
    same(open_checkpoint(tmp_path / "half.safetensors", "cpu"), open_checkpoint(source, "cpu"), tolerance=5e-3)


def test_a_native_checkpoint_of_a_foreign_network_is_converted_as_it_stands(tmp_path: Path) -> None:
    source = NATIVE["native foreign"](tmp_path)
    header = write_native(source, tmp_path / "again.safetensors", Options("cpu"))
    assert header.sha256 == read_header(source).sha256


@pytest.mark.parametrize("kind", PROGRAMS)
def test_programs_hold_no_weights_to_convert(tmp_path: Path, kind: str) -> None:
    source, target = PROGRAMS[kind](tmp_path), tmp_path / "native.safetensors"
    with pytest.raises(CheckpointError, match="cannot be converted: it is a program"):
        write_native(source, target, Options("cpu", trust=True))
    assert not target.exists()


@pytest.mark.parametrize(
    "kind", ["pytorch/examples VAE", "disentangling-vae", "PyTorch-VAE", "pythae", "AutoencoderKL", "native foreign"]
)
def test_a_folder_is_encoded_with_every_encoder(tmp_path: Path, kind: str) -> None:
    (tmp_path / "pictures").mkdir()
    for index in range(3):
        pixels = np.random.default_rng(index).integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{index}.png")
    (tmp_path / "model").mkdir()
    source, target = {**FILES, **NATIVE}[kind](tmp_path / "model"), tmp_path / "encoded.safetensors"
    pictures = str(tmp_path / "pictures")
    assert main(["encode", str(source), "-o", str(target), "--images", pictures, "--device", "cpu"]) == 0
    encodings = read_encodings(target)
    assert encodings is not None
    model = open_checkpoint(target, device="cpu")
    with Image.open(tmp_path / "pictures" / "0.png") as picture:
        code = model.encode(np.asarray(picture)[None])[0]
    assert min(np.abs(encodings.latents - code).max(1)) < 1e-4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "gone"}, "does not read"),
        ({"format": "onnx"}, "does not read"),
        ({"format": "stylegan-pickle"}, "no StyleGAN2 generator"),
        ({"format": 3}, "unusable header"),
        ({"activation": "steps"}, "unusable header"),
        ({"range": "wide"}, "unusable header"),
        ({"width": 4}, "unusable header"),
        ({"descriptions": {"model_config.json": {"input_dim": [1, 2**31, 2**31], "latent_dim": 3}}}, "states pictures"),
        ({"descriptions": {}}, "states pictures"),
        ({"order": [1]}, "unusable header"),
    ],
)
def test_an_architecture_that_cannot_be_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    source = NATIVE["native foreign"](tmp_path)
    header = read_header(source)
    changed = header.model_copy(update={"architecture": header.architecture | change})
    write_checkpoint(tmp_path / "changed.safetensors", changed, read_weights(source))
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(tmp_path / "changed.safetensors", device="cpu")


def test_a_header_that_states_another_model_is_refused(tmp_path: Path) -> None:
    source = NATIVE["native foreign"](tmp_path)
    document = read_header(source).model_dump()
    document["spaces"][0]["shape"] = [4]
    write_checkpoint(tmp_path / "changed.safetensors", Header.model_validate(document), read_weights(source))
    with pytest.raises(CheckpointError, match=r"states latents \[\('z', \[4\]\)\]"):
        open_checkpoint(tmp_path / "changed.safetensors", device="cpu")
