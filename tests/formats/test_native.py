"""The reader of our own files, in front of the models' loader: hash first, faults in words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from latentlab.core.checkpoint_file import FORMAT_VERSION, Header, ImageSpec, SpaceSpec, write_checkpoint
from latentlab.core.errors import CheckpointError, LatentlabError
from latentlab.formats import open_checkpoint
from latentlab.models.family import architecture_from
from latentlab.models.loading import weights_of

ARCHITECTURE = {"name": "vae", "image_size": 16, "channels": 1, "latent_dim": 3, "width": 4}


def header(**changes: object) -> Header:
    values: dict[str, object] = {
        "family": "vae",
        "architecture": ARCHITECTURE,
        "spaces": [SpaceSpec(shape=[3])],
        "image": ImageSpec(height=16, width=16, channels=1),
        "encoder": True,
    }
    return Header.model_validate(values | changes)


@pytest.fixture
def native(tmp_path: Path) -> Path:
    network_class, architecture = architecture_from(ARCHITECTURE)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = network_class(architecture)
    path = tmp_path / "model.safetensors"
    write_checkpoint(path, header(), weights_of(network))
    return path


def refused(path: Path) -> str:
    with pytest.raises(LatentlabError) as error:
        open_checkpoint(path, device="cpu")
    assert str(path) in str(error.value) or "architecture" in str(error.value)
    return str(error.value)


def test_a_native_file_opens_whatever_its_name(native: Path) -> None:
    path = native.rename(native.with_name("🙂 model.pt"))
    model = open_checkpoint(path, device="cpu")
    assert model.info.path == str(path)
    assert model.decode(model.sample(2)).shape == (2, 16, 16, 1)


def test_a_run_folder_opens_its_checkpoint(native: Path) -> None:
    native.rename(native.with_name("checkpoint.safetensors"))
    assert open_checkpoint(native.parent, device="cpu").info.path.endswith("checkpoint.safetensors")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_truncated(native: Path, share: float) -> None:
    data = native.read_bytes()
    native.write_bytes(data[: int(len(data) * share)])
    assert "not a sound safetensors file" in refused(native)


def test_a_flipped_bit_is_said_before_use(native: Path) -> None:
    data = bytearray(native.read_bytes())
    data[-5] ^= 4
    native.write_bytes(data)
    assert "is damaged: its content has the SHA-256" in refused(native)


def test_a_plain_safetensors_file_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "plain.safetensors"
    save_file({"w": np.zeros(3, np.float32)}, path)
    assert "no latentlab checkpoint" in refused(path)


def document(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])


def rewritten(path: Path, text: str, data: bytes = b"") -> Path:
    path.write_bytes(len(text.encode()).to_bytes(8, "little") + text.encode() + data)
    return path


def test_safetensors_tricks(tmp_path: Path) -> None:
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    cases = {
        "claims": ((101 << 20).to_bytes(8, "little") + b"{" + b" " * 100, "header claims 105,906,176 bytes"),
        "twice": ('{"a": %s, "a": %s}' % ((json.dumps(entry),) * 2), "appears twice"),
        "overlap": (json.dumps({"a": entry, "b": entry}), "overlap"),
        "overflow": (json.dumps({"a": entry | {"shape": [2**40, 2**40]}}), "holds 8 bytes"),
    }  # fmt: skip
    for name, (content, said) in cases.items():
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            rewritten(path, content, bytes(8))
        assert said in refused(path), name
    trailing = rewritten(tmp_path / "trailing", json.dumps({"a": entry}), bytes(9))
    assert "9 bytes of tensors where 8 are declared" in refused(trailing)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format_version": FORMAT_VERSION + 1}, f"format version {FORMAT_VERSION + 1}"),
        ({"architecture": {"name": "transformer"}}, "no architecture 'transformer'"),
        ({"architecture": ARCHITECTURE | {"image_size": 2**31}}, "image_size"),
        ({"architecture": ARCHITECTURE | {"latent_dim": -1}}, "latent_dim"),
        ({"architecture": ARCHITECTURE | {"width": 10**6}}, "width"),
        ({"architecture": ARCHITECTURE | {"depth": 10**6}}, "depth"),
        ({"architecture": ARCHITECTURE | {"latent_dim": 4}}, "latent spaces"),
    ],
)
def test_headers_are_refused_before_anything_is_built(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    path = tmp_path / "odd.safetensors"
    write_checkpoint(path, header(**changes), {"decoder.w": np.zeros((2, 2), np.float32)})
    assert said in refused(path)


def test_options_of_weight_files_do_not_apply(native: Path) -> None:
    with pytest.raises(CheckpointError, match="Leave --activation out"):
        open_checkpoint(native, options={"activation": "relu"})
