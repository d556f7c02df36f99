"""A run's folder belongs to one trainer at a time, for as long as that trainer lives."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from latentlab.core.errors import OptionError
from latentlab.core.trainer import TrainerEnded, TrainerMessage
from latentlab.engine.trainer import ProcessTrainer
from training.cli import main
from training.commanding import LOCK
from training.config import config_from
from training.data import load
from training.holding import check_free, held
from training.loop import train
from training.reports import StepReport

NEW = ["vae", "--data", "digits", "--limit", "40", "--epochs", "2", "--batch-size", "8", "--latent-dim", "2"]
NEW += ["--width", "4", "--threads", "1", "--encodings", "8", "--progress", "none"]

# Holds the folder until it is killed.
HOLDER = """
import sys, time
from pathlib import Path
from training.holding import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def holder(out: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the folder; killed at the end."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(out)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def refusals(out: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is said to a run that would begin in the folder, and to one that would go on with it."""
    said = []
    for arguments in ([*NEW, "--out", str(out)], ["vae", "--out", str(out), "--resume", "--progress", "none"]):
        assert main(arguments) == 2
        captured = capsys.readouterr()
        assert not captured.out
        said += captured.err.splitlines()
    return said


def test_a_second_trainer_is_refused_until_the_first_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one sentence that says who holds it; a kill frees the folder, and the run goes on."""
    out = tmp_path / "run"
    assert main([*NEW, "--out", str(out)]) == 0
    assert not (out / LOCK).exists()
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    capsys.readouterr()
    with holder(out) as process:
        lines = refusals(out, capsys)
        since = r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        assert len(lines) == 2
        for line in lines:
            assert re.search(rf"{re.escape(str(out))} is being trained by process {process.pid}, {since}\.", line)
        assert {path: path.stat().st_mtime_ns for path in before} == before
        told: list[TrainerMessage] = []
        ended = threading.Event()

        def hear(message: TrainerMessage) -> None:
            told.append(message)
            if isinstance(message, TrainerEnded):
                ended.set()

        # The window starts it as a process; this is what its notice says.
        ProcessTrainer().start(["vae", "--out", str(out), "--resume", "--progress", "json"], hear)
        assert ended.wait(60)
        last = told[-1]
        assert isinstance(last, TrainerEnded)
        assert (last.status, last.text) == (2, lines[1].removeprefix("latentlab-train: "))
    assert (out / LOCK).exists()  # a kill leaves the file, and nobody who holds it
    assert main(["vae", "--out", str(out), "--resume", "--epochs", "3", "--progress", "none"]) == 0
    assert not (out / LOCK).exists()


def test_a_new_folder_is_held_from_the_beginning_and_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before there is anything of a run in it: data may take long to read."""
    out = tmp_path / "new" / "run"
    with holder(out) as process:
        assert "process" in refusals(out, capsys)[0]
        process.send_signal(signal.SIGINT)
        process.wait()
    assert not (tmp_path / "new").exists()


def test_training_from_python_holds_the_folder_too(tmp_path: Path) -> None:
    """Against other processes and against other threads of this one; a folder refused is left alone."""
    out = tmp_path / "run"
    values = {"family": "vae", "epochs": 1, "batch_size": 8, "encodings": 8, "threads": 1, "held_out": 0.2}
    config, data = config_from(**values, architecture={"latent_dim": 2, "width": 4}), load("digits", limit=24)
    with holder(out) as process:
        with pytest.raises(OptionError, match=f"is being trained by process {process.pid}, since"):
            train(config, data, out)
        assert [path.name for path in out.iterdir()] == [LOCK]
    refused: list[str] = []

    def from_another_thread() -> None:
        try:
            train(config, data, out, resume=True)
        except OptionError as error:
            refused.append(str(error))

    def during(report: StepReport) -> None:
        if report.step == 1:
            assert json.loads((out / LOCK).read_text())["process"] == os.getpid()
            thread = threading.Thread(target=from_another_thread)
            thread.start()
            thread.join()

    to_the_end: list[bool] = []

    def at_the_end(*_stage: object) -> None:
        to_the_end.append((out / LOCK).exists())

    assert train(config, data, out, on_step=during, on_stage=at_the_end).exists()
    assert to_the_end
    assert all(to_the_end)
    assert len(refused) == 1
    assert f"is being trained by process {os.getpid()}" in refused[0]
    assert not (out / LOCK).exists()


def test_who_holds_a_folder_may_ask_again(tmp_path: Path) -> None:
    """By any of its names; it is free when the outermost lets go."""
    out = tmp_path / "run"
    with held(out):
        with held(tmp_path / "other" / ".." / "run"):
            pass
        assert (out / LOCK).exists()
    assert not out.exists()


def test_other_processes_of_the_same_run_hold_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one holds it for all: another one is not asked, and does not take it away."""
    from training import watching
    from training.commanding import Order

    seen: list[bool] = []
    out = tmp_path / "run"

    def trained(order: Order, *_rest: object) -> Path:
        seen.append((order.out / LOCK).exists())
        return order.out

    monkeypatch.setattr(watching, "_trained", trained)
    assert main([*NEW, "--out", str(out)]) == 0
    with held(out):
        for rank in ("1", "2"):
            monkeypatch.setenv("LOCAL_RANK", rank)
            assert main([*NEW, "--out", str(out)]) == 0
        assert seen == [True, True, True]
        assert json.loads((out / LOCK).read_text())["process"] == os.getpid()


def test_a_disk_without_locks_is_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_path: Path) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("training.holding.locked", unknown)
    with held(tmp_path / "run"):
        check_free(tmp_path / "run")
        assert (tmp_path / "run").is_dir()


def test_a_note_that_cannot_be_read_is_no_obstacle(tmp_path: Path) -> None:
    with holder(tmp_path):
        (tmp_path / LOCK).write_bytes(b"\xff{")
        with pytest.raises(OptionError, match="by another process"), held(tmp_path):
            pass
