"""The job that measures a checkpoint: what it is given, what it keeps, how it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.api.exploring import explorable
from latentlab.core.errors import CheckpointError, DataError, OptionError, SaveError
from latentlab.core.measurement import ENDING, kept
from latentlab.core.requests import Done, JobCancelled, JobMessage, Progress
from latentlab.engine.in_process_jobs import InProcessJobs
from latentlab.engine.jobs import ProcessJobs
from latentlab.engine.measuring import Measured, run
from latentlab.formats import open_checkpoint
from tests.cli.conftest import write_tiny


class Heard:
    """A Report that is cancelled once a text is said."""

    def __init__(self, cancel_at: str = "nothing") -> None:
        self.shares: list[float] = []
        self._cancel_at = cancel_at

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.shares.append(done / total if total else 0.0)
        if self._cancel_at in text:
            raise JobCancelled

    def partial(self, value: Any) -> None:
        raise AssertionError("nothing is shown before the end")


def until_done(said: Queue[JobMessage]) -> list[JobMessage]:
    messages = [said.get(timeout=60)]
    while isinstance(messages[-1], Progress):
        messages.append(said.get(timeout=60))
    return messages


@pytest.fixture
def vae(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LATENTLAB_DATA_HOME", str(tmp_path / "data"))
    return write_tiny(tmp_path / "tiny.safetensors")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """50 pictures in two class folders, one of them damaged."""
    rng = np.random.default_rng(0)
    for index in range(50):
        folder = tmp_path / "pictures" / ("dark", "bright")[index % 2]
        folder.mkdir(parents=True, exist_ok=True)
        low = 100 * (index % 2)
        Image.fromarray(rng.integers(low, low + 100, (20, 16, 3), np.uint8)).save(folder / f"{index}.png")
    (tmp_path / "pictures" / "dark" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "pictures"


def test_a_folder_is_read_measured_and_kept(vae: Path, pictures: Path) -> None:
    heard = Heard()
    found = run(heard, str(vae), images=str(pictures), count=40, device="cpu")
    assert isinstance(found, Measured)
    assert found.path == f"{vae}{ENDING}"
    assert found.measurement.source == "25 pictures of 'pictures'"
    assert found.measurement.kind == "pictures"
    assert found.measurement.figures["reconstruction"]["pictures"] == 25
    assert found.measurement.figures["reconstruction"]["latent_dim"] == 5
    assert "recall" in found.measurement.figures["samples"]
    assert any("broken.png" in line for line in found.skipped)
    assert heard.shares == sorted(heard.shares)
    assert kept(open_checkpoint(vae, "cpu").info) == (found.measurement,)


def test_an_archive_is_read_as_the_trainer_reads_it(vae: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "faces.npz"
    np.savez(path, images=rng.integers(0, 255, (40, 20, 20), np.uint8), labels=rng.integers(0, 2, 40))
    found = run(Heard(), str(vae), images=str(path), count=32, device="cpu")
    assert found.measurement.source == "20 pictures of 'faces'"
    np.savez(path, images=rng.random((40, 20, 20)))
    with pytest.raises(DataError, match="uint8"):
        run(Heard(), str(vae), images=str(path), device="cpu")


def test_without_thumbnails_draws_are_measured_alone(vae: Path) -> None:
    found = run(Heard(), str(vae), device="cpu", count=32)
    assert found.measurement.kind == "encodings"
    assert set(found.measurement.figures) == {"samples", "continuity"}


def test_what_cannot_be_kept_is_measured_all_the_same(
    vae: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Path:
        raise SaveError("The disk is full.")

    monkeypatch.setattr("latentlab.engine.measuring.keep", refuse)
    found = run(Heard(), str(vae), images=str(pictures), count=32, device="cpu")
    assert (found.path, found.unkept) == ("", "The disk is full.")
    assert found.measurement.figures


def test_a_model_of_this_process_is_measured_in_it(pictures: Path) -> None:
    """As explore() shows one: no file could be opened for it."""
    decoder = torch.nn.Sequential(torch.nn.Linear(3, 64), torch.nn.Sigmoid())
    model = explorable(decoder)
    said: Queue[JobMessage] = Queue()
    arguments = {"path": "", "checkpoint": model.info.sha256, "images": str(pictures), "count": 32, "device": "cpu",
                 "features": "pixels", "trust": False, "options": {}}  # fmt: skip
    jobs = InProcessJobs(model, ProcessJobs())
    jobs.start("latentlab.engine.measuring:run", arguments, said.put)
    messages = until_done(said)
    jobs.close()
    assert isinstance(messages[0], Progress)
    assert isinstance(messages[-1], Done)
    assert messages[-1].value.measurement.source == "25 pictures of 'pictures'"
    assert (messages[-1].value.path, messages[-1].value.unkept) == ("", "")


@pytest.mark.parametrize("stage", ["opening", "encoding", "drawing", "walking"])
def test_a_cancelled_measurement_leaves_nothing(vae: Path, pictures: Path, stage: str) -> None:
    before = sorted(vae.parent.iterdir())
    with pytest.raises(JobCancelled):
        run(Heard(stage), str(vae), images=str(pictures), count=32, device="cpu")
    assert sorted(vae.parent.iterdir()) == before


def test_what_cannot_be_measured_is_said(vae: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "does not exist" in refused(DataError, vae, images=str(tmp_path / "absent"))
    assert "There is no picture in" in refused(DataError, vae, images=str(tmp_path / "data"))
    assert "not a sound .npz" in refused(DataError, vae, images=str(vae))
    assert "choose 32" in refused(OptionError, vae, count=3)
    assert "no features" in refused(OptionError, vae, features="fid")
    assert "has changed" in refused(CheckpointError, vae, checkpoint="ab" * 32)
    assert "explore()" in refused(OptionError, "")


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    (tmp_path / "data").mkdir()

    def say(kind: type[Exception], path: object, **how: Any) -> str:
        with pytest.raises(kind) as caught:
            run(Heard(), str(path), **how)
        return str(caught.value)

    return say
