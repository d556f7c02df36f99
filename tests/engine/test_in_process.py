"""The engine around a model of this process keeps the same promises."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_model import FAIL, FakeModel, Gate, open_fake
from inboxes import WAIT_S, Inbox, decode, reply_to

from latentlab.core.condition import Asked
from latentlab.core.latent_model import Images
from latentlab.core.requests import Decoded, EngineState, Lane, Opened, OpenFailed, OpenModel, RequestFailed
from latentlab.core.spaces import FloatArray
from latentlab.engine.in_process import InProcessEngine

WAIT_HERE = 94.0


class WaitingModel(FakeModel):
    """Stops in the decode of WAIT_HERE until the test lets it go."""

    def __init__(self) -> None:
        super().__init__(Path("model"), "one")
        self.entered, self.go = threading.Event(), threading.Event()

    def decode(self, latents: FloatArray, *, space: str | None = None, condition: Asked = None) -> Images:
        if latents[0, 0] == WAIT_HERE:
            self.entered.set()
            assert self.go.wait(WAIT_S)
        return super().decode(latents)


@pytest.fixture
def model() -> WaitingModel:
    return WaitingModel()


@pytest.fixture
def engine(model: WaitingModel, inbox: Inbox) -> Iterator[InProcessEngine]:
    engine = InProcessEngine(model, open_fake)
    engine.on_reply = inbox
    engine.open(OpenModel("model"))
    assert inbox.until(Opened).info is model.info
    yield engine
    model.go.set()
    engine.close()


def test_latest_wins_lanes_and_withdrawals(engine: InProcessEngine, model: WaitingModel, inbox: Inbox) -> None:
    first = engine.submit("image", decode(WAIT_HERE))
    assert model.entered.wait(WAIT_S)
    engine.submit("sheet", decode(*range(30)), Lane.VISIBLE)
    engine.submit("gone", decode(5), Lane.VISIBLE)
    engine.withdraw("gone")
    newest = [engine.submit("image", decode(value)) for value in (1, 2, 3)][-1]
    model.go.set()
    replies = [inbox.next() for _ in range(3)]
    assert [(reply.consumer, reply.ticket) for reply in replies[:2]] == [("image", first), ("image", newest)]
    assert replies[2].consumer == "sheet"
    assert len(replies[2].images) == 30


def test_what_is_withdrawn_while_it_is_decoded_does_not_come(
    engine: InProcessEngine, model: WaitingModel, inbox: Inbox
) -> None:
    engine.submit("image", decode(WAIT_HERE))
    assert model.entered.wait(WAIT_S)
    engine.withdraw("image")
    model.go.set()
    last = engine.submit("other", decode(1))
    assert inbox.next().ticket == last


def test_faults_are_replies(engine: InProcessEngine, inbox: Inbox, tmp_path: Path) -> None:
    failed = reply_to(inbox, engine.submit("image", decode(FAIL)))
    assert isinstance(failed, RequestFailed)
    assert "a fault of the model" in failed.message
    engine.open(OpenModel(str(tmp_path / "absent")))
    assert "absent" in inbox.until(OpenFailed).message
    assert isinstance(reply_to(inbox, engine.submit("image", decode(1))), Decoded)


def test_another_checkpoint_can_be_opened_beside_it(engine: InProcessEngine, inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "two").write_text("two")
    engine.open(OpenModel(str(tmp_path / "two"), slot="compare"))
    assert inbox.until(Opened).info.sha256 == "two"
    for checkpoint in ("one", "two"):
        assert isinstance(reply_to(inbox, engine.submit("image", decode(1, checkpoint=checkpoint))), Decoded)
    engine.let_go("compare")
    assert isinstance(reply_to(inbox, engine.submit("image", decode(1, checkpoint="two"))), RequestFailed)
    assert isinstance(reply_to(inbox, engine.submit("image", decode(1))), Decoded)


def test_the_given_model_is_decoded_while_a_checkpoint_is_read_beside_it(
    engine: InProcessEngine, inbox: Inbox, tmp_path: Path, gate: Gate
) -> None:
    (tmp_path / "slow").write_text("slow")
    engine.open(OpenModel(str(tmp_path / "slow"), slot="compare"))
    gate.entered()
    ticket = engine.submit("image", decode(1))
    assert inbox.until(Decoded).ticket == ticket
    gate.let_go()
    assert inbox.until(Opened).slot == "compare"


def test_what_a_model_has_to_say_is_passed_on_once(engine: InProcessEngine, model: WaitingModel, inbox: Inbox) -> None:
    model.info = replace(model.info, warnings=("The memory of cuda is full.",))
    reply_to(inbox, engine.submit("image", decode(1)))
    state = inbox.next()
    assert isinstance(state, EngineState)
    assert (state.alive, state.message) == (True, "The memory of cuda is full.")
    reply_to(inbox, engine.submit("image", decode(1)))
    assert inbox.empty()


def test_replies_before_there_is_a_listener_are_kept(inbox: Inbox) -> None:
    engine = InProcessEngine(FakeModel(Path("model"), "one"))
    try:
        ticket = engine.submit("image", decode(1))  # waits for the model
        engine.open(OpenModel("model"))
        engine.on_reply = inbox
        assert reply_to(inbox, ticket)
    finally:
        engine.close()


def test_closing_ends_the_thread_and_nothing_is_said_afterwards(model: WaitingModel, inbox: Inbox) -> None:
    engine = InProcessEngine(model)
    engine.on_reply = inbox
    engine.close()
    engine.submit("image", decode(1))
    assert not engine._worker.is_alive()
    assert inbox.empty()


ENDS_WITHIN_TORCH = """
import sys, threading, time
from pathlib import Path
import torch
from fake_model import FakeModel
from inboxes import decode
from latentlab.core.requests import OpenModel
from latentlab.engine import in_process

class SlowModel(FakeModel):
    def decode(self, latents, **how):
        begun.set()
        square, end = torch.rand(300, 300), time.monotonic() + 1.0
        while time.monotonic() < end:
            square = square @ square / 300
        return super().decode(latents)

begun = threading.Event()
in_process.CLOSE_S = 0.01
engine = in_process.InProcessEngine(SlowModel(Path("model"), "one"))
engine.open(OpenModel("model"))
engine.submit("image", decode(1))
begun.wait()
engine.close()
"""


def test_a_program_that_ends_in_the_middle_of_a_decode_ends_well(findable: None) -> None:
    """A thread that is inside torch when Python ends would take the process with it: status 134."""
    done = subprocess.run([sys.executable, "-c", ENDS_WITHIN_TORCH], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
