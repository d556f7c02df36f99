"""What cannot be trained is said in one sentence, with the exit status of its kind; what was kept before stays."""

from __future__ import annotations

import errno
import importlib.util
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.core.checkpoint_file import read_header, verify
from training.cli import main
from training.objectives.objective import Batch, Losses
from training.objectives.vae import VAEObjective

TINY = ("--epochs", "2", "--batch-size", "8", "--latent-dim", "2", "--width", "4", "--threads", "1", "--encodings", "8")
DIGITS = ("--data", "digits", "--limit", "40")


def folder(path: Path, count: int, size: tuple[int, int] = (8, 8)) -> Path:
    path.mkdir(parents=True)
    for index in range(count):
        pixels = np.random.default_rng(index).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path / f"{index}.png")
    return path


def told(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> str:
    """The one sentence on stderr, which is the last line: epochs may have been told before."""
    assert main([*arguments, *TINY, "--progress", "none"]) == status
    captured = capsys.readouterr()
    (line,) = captured.err.strip().splitlines()
    assert not captured.out
    assert line.startswith("latentlab-train: ")
    return line


def test_no_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for data, said in ((tmp_path / "empty", "picture"), (tmp_path / "none.npz", "There is no")):
        assert said in told(capsys, 2, "vae", "--data", str(data), "--out", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("family", ["vae", "dcgan"])
def test_one_picture(family: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = folder(tmp_path / "one", 1)
    asked = (family, "--data", str(data), "--image-size", "8", "--out", str(tmp_path / "run"))
    assert "at least 2 are needed" in told(capsys, 2, *asked)


def test_three_pictures_are_enough(tmp_path: Path) -> None:
    asked = ["vae", "--data", str(folder(tmp_path / "three", 3)), "--image-size", "8", "--out", str(tmp_path / "run")]
    assert main([*asked, *TINY, "--progress", "none"]) == 0
    assert read_header(tmp_path / "run" / "checkpoint.safetensors").encodings.count == 3


def test_one_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder(tmp_path / "classes" / "cats", 12)
    asked = ("--data", str(tmp_path / "classes"), "--image-size", "8")
    # To a conditional model one class says nothing; any other is trained, encodings and all.
    assert "two classes" in told(capsys, 2, "cgan", *asked, "--out", str(tmp_path / "cgan"))
    assert main(["dcgan", *asked, "--out", str(tmp_path / "gan"), *TINY, "--progress", "none"]) == 0
    verify(tmp_path / "gan" / "checkpoint.safetensors")


def test_sizes_that_do_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("--out", str(tmp_path / "run"))
    np.savez(tmp_path / "oblong.npz", images=np.zeros((20, 8, 12), np.uint8))
    assert "8 x 12" in told(capsys, 2, "vae", "--data", str(tmp_path / "oblong.npz"), "--crop", "none", *out)
    assert "it must be at most 1024" in told(capsys, 2, "vae", *DIGITS, *out, "--set", "architecture.width=5000")
    large = ("--set", "architecture.latent_dim=100000", "--set", "architecture.width=1024")
    assert "at most 500,000,000" in told(capsys, 2, "vae", *DIGITS, *out, *large)
    assert "Did you mean 'width'?" in told(capsys, 2, "vae", *DIGITS, *out, "--set", "architecture.widht=4")
    assert "--image-size" in told(capsys, 2, "vae", *DIGITS, *out, "--set", "architecture.image_size=16")
    assert "the pictures have 1" in told(capsys, 2, "vae", *DIGITS, *out, "--set", "architecture.channels=3")
    assert not (tmp_path / "run" / "metrics.jsonl").exists()


def test_a_device_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "no CUDA device is there" in told(
        capsys, 2, "vae", *DIGITS, "--out", str(tmp_path / "run"), "--device", "cuda"
    )


def test_a_loss_that_is_not_a_number_keeps_the_last_finite_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = VAEObjective.step

    def breaking(self: VAEObjective, batch: Batch, number: int, *rest: Any) -> Losses:
        losses = step(self, batch, number, *rest)
        return losses if number < 6 else {name: value * torch.nan for name, value in losses.items()}

    monkeypatch.setattr(VAEObjective, "step", breaking)
    line = told(capsys, 1, "vae", *DIGITS, "--out", str(tmp_path / "run"))
    assert "epoch 2" in line
    assert "loss = nan" in line
    verify(tmp_path / "run" / "checkpoint.safetensors")
    assert read_header(tmp_path / "run" / "checkpoint.safetensors").training["epochs"] == 1
    state = torch.load(tmp_path / "run" / "resume" / "state.pt", weights_only=True)
    assert state["epoch"] == 1


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_status_130_and_two_at_once(
    number: signal.Signals,
    times: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step, steps = VAEObjective.step, 0

    def interrupted(self: VAEObjective, *rest: Any) -> Losses:
        nonlocal steps
        steps += 1
        if steps == 7:  # within the second epoch
            for _ in range(times):
                signal.raise_signal(number)
        return step(self, *rest)

    monkeypatch.setattr(VAEObjective, "step", interrupted)
    out = tmp_path / "run"
    line = told(capsys, 130, "vae", *DIGITS, "--out", str(out))
    assert steps == 7
    state = torch.load(out / "resume" / "state.pt", weights_only=True)
    # Once: the step is finished and saved. Twice: nothing is waited for, and the first epoch is what there is.
    assert state["step"] == (7 if times == 1 else 4)
    if times == 1:
        assert "--resume" in line
    verify(out / "checkpoint.safetensors")
    assert not list(out.rglob("*.tmp"))


@pytest.mark.parametrize("files", [4, 12, 16])
def test_a_full_disk_leaves_what_was_saved(
    files: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full from one moment on: whichever file is written then, all of them stay as they were or are whole."""
    out, fsync, left = tmp_path / "run", os.fsync, 2 * files  # each is followed by its folder

    def filling(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", filling)
        line = told(capsys, 1, "vae", *DIGITS, "--out", str(out))
    assert "the disk is full" in line
    assert str(out) in line
    assert not list(out.rglob("*.tmp"))
    for checkpoint in out.glob("*.safetensors"):
        verify(checkpoint)
    assert (out / "resume" / "state.pt").exists() is (files > 10)
    if files > 10:
        assert main(["vae", "--out", str(out), "--resume", "--epochs", "3", "--progress", "none"]) == 0


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be made" in told(capsys, 1, "vae", *DIGITS, "--out", str(tmp_path / "file" / "run"))


def test_tensorboard_that_is_not_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    line = told(capsys, 2, "vae", *DIGITS, "--out", str(tmp_path / "run"), "--tensorboard")
    assert "'latentlab[tensorboard]'" in line
    assert not (tmp_path / "run").exists()
