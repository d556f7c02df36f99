"""Every family goes on bit for bit from the middle of an epoch, also after it was killed.

A new family is tested by being registered.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from latentlab.core.errors import Interrupted, SaveError
from training.config import TrainingConfig, config_from
from training.data import Dataset, load
from training.loop import train
from training.objectives.objective import OBJECTIVES
from training.reports import StepReport
from training.resume import STATE, save


def digits() -> Dataset:
    return load("digits", limit=48)


def config(family: str, **changes: Any) -> TrainingConfig:
    values = {"family": family, "epochs": 2, "batch_size": 8, "ema": 0.9, "encodings": 0, "threads": 1, "held_out": 0.2}
    values |= {"augment": ("flip",), "architecture": {"latent_dim": 3, "width": 4}}
    return config_from(**values | changes)


def state(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(out / "resume" / "state.pt", weights_only=True)
    return found


def assert_same(a: Any, b: Any, where: str = "") -> None:
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), where
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for name in a:
            assert_same(a[name], b[name], f"{where} {name}")
    elif isinstance(a, list):
        for index, (one, other) in enumerate(zip(a, b, strict=True)):
            assert_same(one, other, f"{where} {index}")
    else:
        assert a == b, where


def assert_same_state(a: Path, b: Path) -> None:
    """Everything a run is made of: weights, averages, optimisers, random numbers, losses, alarms."""
    one, other = state(a), state(b)
    measured = ("saved", "seconds", "config")
    assert_same(*({name: value for name, value in s.items() if name not in measured} for s in (one, other)))


@pytest.mark.parametrize("family", list(OBJECTIVES))
def test_every_family_goes_on_bit_for_bit_from_the_middle_of_an_epoch(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What comes after training, encodings and classifiers, begins from the checkpoint and is tested elsewhere.
    monkeypatch.setattr("training.ending.Ending.write", lambda ending, report: None)
    train(config(family), digits(), tmp_path / "straight")

    def stop(report: StepReport) -> None:
        if report.step == 5:  # the first of the second epoch; its step is finished, and no other begun
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="after step 5 of epoch 2"):
        train(config(family), digits(), tmp_path / "stopped", on_step=stop)
    torch.randn(7)  # what happens in between must not matter
    train(config(family), digits(), tmp_path / "stopped", resume=True)
    assert state(tmp_path / "straight")["step"] == 8
    assert_same_state(tmp_path / "straight", tmp_path / "stopped")
    told = [(folder / "metrics.jsonl").read_text().splitlines() for folder in tmp_path.iterdir()]
    losses = [[{**json.loads(line), "seconds": 0, "images_per_second": 0} for line in lines] for lines in told]
    assert losses[0] == losses[1]


def test_a_long_epoch_is_saved_within_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    """The kill comes at any moment: also while the state is written, of which there are dozens here."""
    out = tmp_path / "killed"
    arguments = ["vae", "--data", "digits", "--out", str(out), "--epochs", "1000", "--held-out", "0.2"]
    arguments += ["--limit", "48", "--batch-size", "8", "--latent-dim", "3", "--width", "4", "--threads", "1"]
    arguments += ["--evaluate-every", "1000", "--save-every-minutes", "0.0001", "--schedule", "constant"]
    arguments += ["--encodings", "0", "--progress", "none"]
    with subprocess.Popen([sys.executable, "-m", "training.cli", *arguments]) as process:
        while not (out / "resume" / "state.pt").exists() or state(out)["epoch"] == 0:
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.3))
        process.kill()
    assert process.returncode == -signal.SIGKILL
    killed = state(out)
    epochs = int(killed["epoch"]) + 2
    saved = TrainingConfig.model_validate(killed["config"]).model_copy(update={"epochs": epochs})
    train(saved, digits(), out, resume=True)
    train(saved, digits(), tmp_path / "straight")
    assert_same_state(tmp_path / "straight", out)
    assert killed["step"] < 4 * epochs == state(out)["step"]


def test_a_state_that_does_not_fit_on_the_disk_leaves_the_one_before(tmp_path: Path) -> None:
    """It is written piece by piece; the disk is full in the middle of one."""
    save(tmp_path, {"weights": torch.zeros(1000)})
    before, (soft, hard) = (tmp_path / STATE).read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(SaveError, match="larger than this disk allows"):
            save(tmp_path, {"weights": torch.zeros(100_000), "more": torch.ones(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == [STATE]
    assert (tmp_path / STATE).read_bytes() == before
