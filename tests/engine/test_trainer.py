"""The trainer's process: what it says arrives, it steps back, it is asked to stop and never left behind."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from latentlab.core.run_folder import read_run
from latentlab.core.trainer import TrainerEnded, TrainerLine, TrainerMessage
from latentlab.engine.trainer import ProcessTrainer

# Stands in for the trainer: says a line, then waits for the signals it is sent.
WAIT_S = 60.0  # only a broken test waits that long; a trainer begins with the import of torch
SCRIPT = """
import os, signal, sys, time
asked = []
def hear(number, frame):
    asked.append(number)
    if len(asked) > 1:
        sys.exit("latentlab-train: at once")
signal.signal(signal.SIGINT, hear)
print("begins", os.getsid(0) == os.getpid(), os.environ["OMP_WAIT_POLICY"], *sys.argv[1:], flush=True)
if "fail" in sys.argv:
    print("a warning", file=sys.stderr)
    print("latentlab-train: There is no option '--epoch'.", file=sys.stderr)
    sys.exit(2)
if "die" in sys.argv:
    os.kill(os.getpid(), signal.SIGKILL)
while not asked:
    time.sleep(0.005)
print("saved", flush=True)
while "deaf" in sys.argv:
    time.sleep(0.005)
print("latentlab-train: Stopped as process of niceness", os.nice(0), file=sys.stderr)
sys.exit(130)
"""


@dataclass
class Heard:
    messages: list[TrainerMessage] = field(default_factory=list)
    first: threading.Event = field(default_factory=threading.Event)
    saved: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def __call__(self, message: TrainerMessage) -> None:
        self.messages.append(message)
        self.first.set()
        if message == TrainerLine("saved"):
            self.saved.set()
        if isinstance(message, TrainerEnded):
            self.ended.set()

    @property
    def end(self) -> TrainerEnded:
        assert self.ended.wait(WAIT_S)
        last = self.messages[-1]
        assert isinstance(last, TrainerEnded)
        return last


@pytest.fixture
def trainer(tmp_path: Path) -> ProcessTrainer:
    script = tmp_path / "stand_in.py"
    script.write_text(SCRIPT)
    return ProcessTrainer([sys.executable, str(script)])


def begun(trainer: ProcessTrainer, *arguments: str) -> tuple[Heard, Callable[[], None]]:
    heard = Heard()
    command = trainer.start(arguments, heard)
    assert heard.first.wait(WAIT_S)
    return heard, command.stop


def test_it_finishes_its_step_and_says_so(trainer: ProcessTrainer) -> None:
    heard, stop = begun(trainer)
    stop()
    assert heard.end.status == 130
    assert heard.end.text.startswith("Stopped as")
    assert heard.messages[1:-1] == [TrainerLine("saved")]


def test_it_steps_back_in_a_session_of_its_own(trainer: ProcessTrainer) -> None:
    heard, stop = begun(trainer, "vae", "--epochs", "3")
    stop()
    assert heard.end.text == f"Stopped as process of niceness {min(19, os.nice(0) + 10)}"
    assert heard.messages[0] == TrainerLine("begins True PASSIVE vae --epochs 3")


def test_asked_twice_it_ends_at_once(trainer: ProcessTrainer) -> None:
    heard, stop = begun(trainer, "deaf")
    stop()
    assert heard.saved.wait(WAIT_S)
    stop()
    assert heard.end.text == "at once"


def test_what_was_wrong_is_one_line(trainer: ProcessTrainer) -> None:
    heard = Heard()
    trainer.start(["fail"], heard)
    assert (heard.end.status, heard.end.text) == (2, "There is no option '--epoch'.")
    assert "a warning" in heard.end.details


def test_a_trainer_that_is_killed(trainer: ProcessTrainer) -> None:
    heard = Heard()
    trainer.start(["die"], heard)
    assert heard.end.status == -signal.SIGKILL
    assert "signal 9" in heard.end.text


def test_a_trainer_that_cannot_be_started(tmp_path: Path) -> None:
    heard = Heard()
    ProcessTrainer([str(tmp_path / "nothing")]).start([], heard)
    assert heard.end.status == 1
    assert "No process could be started" in heard.end.text


def test_closing_stops_what_runs(trainer: ProcessTrainer) -> None:
    heard, _ = begun(trainer)
    trainer.close()
    assert heard.end.status == 130


def test_closing_after_a_pause_does_not_ask_a_second_time(trainer: ProcessTrainer) -> None:
    heard, stop = begun(trainer)
    stop()
    trainer.close()
    assert heard.end.status == 130
    assert TrainerLine("saved") in heard.messages


def test_closing_does_not_wait_for_a_long_step(trainer: ProcessTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.engine.trainer.CLOSE_S", 0.05)
    heard, stop = begun(trainer, "deaf")
    trainer.close()
    assert heard.saved.wait(WAIT_S)  # it was asked to
    assert not heard.ended.is_set()
    stop()
    assert heard.end.text == "at once"


def test_a_real_run_tells_of_itself_and_leaves_what_one_looks_at(tmp_path: Path) -> None:
    out = tmp_path / "digits"
    arguments = ["vae", "--data", "digits", "--out", str(out), "--epochs", "1", "--limit", "60", "--threads", "1"]
    heard = Heard()
    ProcessTrainer().start([*arguments, "--latent-dim", "3", "--width", "4", "--progress", "json"], heard)
    assert heard.end == TrainerEnded(0, "", heard.end.details)
    events = [json.loads(message.text) for message in heard.messages if isinstance(message, TrainerLine)]
    assert {"stage", "step", "epoch", "finished"} <= {event["event"] for event in events}
    found = read_run(out)
    assert (found.family, found.data, found.epochs_done, found.done) == ("vae", "digits", 1, True)
    assert {curve.name for curve in found.curves} >= {"loss", "reconstruction", "kl"}
    assert {"samples", "reconstructions", "traversals"} <= set(found.sheets)
    assert found.maps[1].of == "components"
    assert found.checkpoint_ns > 0
    assert found.resumable


def test_ours_is_installed_here() -> None:
    heard = Heard()
    trainer = ProcessTrainer()
    assert trainer.installed
    trainer.start(["--version-of-nothing"], heard)
    assert heard.end.status == 2
    assert "--version-of-nothing" in heard.end.text
