"""Several processes train one run: each sees its rows of a batch and of the noise, and all have the same weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from latentlab.core.errors import OptionError
from training.cli import main
from training.config import config_from
from training.launching import is_first, wanted
from training.processes import ALONE, Processes, RowsOfAll, check_devices, launched

CPU = torch.device("cpu")
RUN = ["vae", "--data", "digits", "--limit", "200", "--epochs", "3", "--batch-size", "32", "--latent-dim", "4"]
RUN += ["--set", "architecture.network=mlp", "--set", "architecture.hidden=32", "--likelihood", "bce"]
RUN += ["--precision", "float32", "--device", "cpu", "--threads", "1", "--augment", "flip", "--encodings", "20"]


def losses(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    measured = ("seconds", "images_per_second", "split", "epoch")
    return [{name: value for name, value in line.items() if name not in measured} for line in lines]


def test_two_processes_have_the_loss_curve_of_one(tmp_path: Path) -> None:
    """Within 0.01 %: the same pictures, order and noise; only the order of sums differs. No batch normalisation."""
    assert main([*RUN, "--out", str(tmp_path / "one")]) == 0
    assert "lightning_fabric" not in sys.modules  # its import takes as long as torch's; one process needs none of it
    command = [sys.executable, "-m", "training.cli", *RUN, "--out", str(tmp_path / "two"), "--devices", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(tmp_path / "two" / "checkpoint.safetensors")]  # one process speaks
    chosen, warning, *epochs = done.stderr.splitlines()
    assert "--fit-prior" in chosen
    assert "15 steps" in warning
    assert [line.partition("  ")[0] for line in epochs] == [f"epoch {n}/3" for n in (1, 2, 3)]
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == len(two) == 6
    for alone, together in zip(one, two, strict=True):
        assert together == pytest.approx(alone, rel=1e-4)
    # A run of two can be gone on with by one.
    assert main(["vae", "--out", str(tmp_path / "two"), "--resume", "--epochs", "4", "--devices", "1"]) == 0


def draws(like: torch.Tensor) -> list[torch.Tensor]:
    """Every way an objective draws for the rows of `like`."""
    count, *rest = like.shape
    return [
        torch.randn_like(like),
        torch.rand_like(like),
        torch.randn(count, *rest),
        torch.randn((count, 3)),
        torch.rand(count),
        torch.rand(size=(count, 1)),
        torch.randint(0, 9, (count,)),
        torch.randint(9, size=(count, 2)),
        torch.bernoulli(like.abs().clamp(0, 1)),
        torch.empty_like(like).normal_(),
        torch.empty(count).uniform_(-1, 1),
    ]


def test_each_process_draws_its_rows_of_what_one_would_draw() -> None:
    like = torch.linspace(-1, 1, 4 * 2 * 3 * 3).reshape(4, 2, 3, 3).contiguous(memory_format=torch.channels_last)
    torch.manual_seed(0)
    whole = draws(like)
    for rank in range(2):
        torch.manual_seed(0)
        with RowsOfAll(rank, 2):
            parts = draws(like[2 * rank : 2 * rank + 2])
        for number, (part, all_rows) in enumerate(zip(parts, whole, strict=True)):
            assert torch.equal(part, all_rows[2 * rank : 2 * rank + 2]), number
        after = torch.rand(())  # of all: the random numbers have gone on by as much in every process
        torch.manual_seed(0)
        draws(like)
        assert torch.equal(after, torch.rand(()))


def test_dropout_takes_other_units_in_every_process() -> None:
    values, kept = torch.ones(2000, 10), []
    for rank in range(2):
        torch.manual_seed(0)
        with RowsOfAll(rank, 2):
            dropped = F.dropout(values, 0.25)
            assert torch.equal(F.dropout(values, 0.25, training=False), values)
        assert torch.allclose(dropped.unique(), torch.tensor([0, 1 / 0.75]))
        assert dropped.mean().item() == pytest.approx(1, abs=0.03)
        kept.append(dropped)
    assert not torch.equal(*kept)


def test_rows_of_a_batch_go_to_every_process_once() -> None:
    batch = np.arange(12)
    parts = [Processes(rank, 3).own(batch) for rank in range(3)]
    assert np.concatenate(parts).tolist() == batch.tolist()
    assert ALONE.own(batch).tolist() == batch.tolist()
    assert ALONE.any([True, False]) == [True, False]


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        ({"devices": 3, "batch_size": 32}, {}, "multiple of 3"),
        ({"devices": 2, "nodes": 2}, {}, "torchrun"),
        ({"devices": 3}, {"RANK": "0", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}, "leave both out"),
        ({"devices": 2, "device": "cuda"}, {}, "CUDA"),
    ],
)
def test_processes_that_cannot_be(
    options: dict[str, Any], environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(OptionError, match=said):
        launched(config_from(**{"family": "vae", "device": "cpu", **options}))


def test_more_devices_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(OptionError, match="has 2 CUDA devices"):
        check_devices(torch.device("cuda"), 4)
    with pytest.raises(OptionError, match="--device cuda"):
        check_devices(torch.device("cuda:1"), 2)
    with pytest.raises(OptionError, match="one MPS device"):
        check_devices(torch.device("mps"), 2)


def test_torchrun_says_how_many_processes_there_are() -> None:
    config = config_from(family="vae")
    torchrun = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}
    assert wanted(config, torchrun) == (2, 2)
    assert wanted(config, {}) == (1, 1)
    assert [is_first(environment) for environment in ({}, torchrun, {"LOCAL_RANK": "1"}, {"LOCAL_RANK": "0"})] == [
        True,
        False,
        False,
        True,
    ]
    assert launched(config) is ALONE
