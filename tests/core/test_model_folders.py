"""Folders that stand for the weights in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from latentlab.core.errors import CheckpointError
from latentlab.core.model_folders import model_name, weights_in


@pytest.mark.parametrize(
    ("files", "meant"),
    [
        (("checkpoint.safetensors", "best.safetensors"), "checkpoint.safetensors"),
        (("specs.json", "model.pt"), "model.pt"),
        (("model_config.json", "model.pt", "decoder.pkl"), "model.pt"),
        (("config.json", "diffusion_pytorch_model.safetensors"), "diffusion_pytorch_model.safetensors"),
        (("config.json", "diffusion_pytorch_model.fp16.safetensors"), "diffusion_pytorch_model.fp16.safetensors"),
        (("G.pth", "README.md", "G.pth.encodings.safetensors", "G.pth.latentlab.json"), "G.pth"),
    ],
)
def test_the_weights_in_a_folder(tmp_path: Path, files: tuple[str, ...], meant: str) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert weights_in(tmp_path) == tmp_path / meant


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), "holds no checkpoint.safetensors"),
        (("notes.txt",), "no other file that may be a checkpoint"),
        (("model_config.json",), "a pythae model folder without model.pt"),
        (("G.pth", "D.pth"), r"2 files that may be the checkpoint \(D.pth, G.pth\). Name the one to open"),
        (tuple(f"epoch_{n}.pt" for n in range(6)), r"epoch_3.pt, …\)"),
    ],
)
def test_a_folder_without_weights(tmp_path: Path, files: tuple[str, ...], said: str) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(CheckpointError, match=said):
        weights_in(tmp_path)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("faces-vae.safetensors", "faces-vae"),
        ("runs/night 3/checkpoint.safetensors", "night 3"),
        ("vae/diffusion_pytorch_model.safetensors", "vae"),
        ("vae/model.pt", "vae"),
        ("/checkpoint.safetensors", "checkpoint"),
    ],
)
def test_a_model_is_called_by_what_tells_it_from_others(path: str, name: str) -> None:
    assert model_name(Path(path)) == name
