"""The engine's process with a model of numpy alone: order, crashes, restarts, an end in time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake_model import FAIL, GATE, KILL, LOST, OUTGROW, REFUSE, Gate
from inboxes import Inbox, decode, latents, opened, reply_to

from latentlab.core.requests import (
    Decode,
    Decoded,
    Encode,
    Encoded,
    EngineState,
    Lane,
    Opened,
    OpenFailed,
    OpenModel,
    RequestFailed,
)
from latentlab.engine.client import EngineClient

Make = Callable[[str], str]


def test_requests_wait_for_the_model_that_is_being_opened(engine: EngineClient, inbox: Inbox, checkpoint: Make) -> None:
    engine.open(OpenModel(checkpoint("one")))
    request = decode(7)
    ticket = engine.submit("image", request)
    assert inbox.next().info.sha256 == "one"
    reply = inbox.next()
    assert isinstance(reply, Decoded)
    assert (reply.ticket, reply.consumer) == (ticket, "image")
    assert reply.request is request
    assert reply.images.shape == (1, 8, 8, 1)
    assert reply.images.max() == 7


def test_requests_before_any_model_is_asked_for_wait(
    engine: EngineClient, inbox: Inbox, checkpoint: Make, tmp_path: Path
) -> None:
    ticket = engine.submit("image", decode(7))
    engine.open(OpenModel(str(tmp_path / "absent")))
    assert isinstance(inbox.next(), OpenFailed)
    engine.open(OpenModel(checkpoint("one")))
    assert isinstance(inbox.next(), Opened)
    reply = inbox.next()
    assert isinstance(reply, Decoded)
    assert reply.ticket == ticket


def test_replies_before_there_is_a_listener_are_kept(findable: None, inbox: Inbox, checkpoint: Make) -> None:
    engine = EngineClient("fake_model:open_fake")
    try:
        listening = Inbox()
        engine.on_reply = listening
        opened(engine, listening, checkpoint("one"))
        engine.on_reply = None
        ticket = engine.submit("image", decode(7))
        engine.submit("other", decode(8))
        engine.on_reply = inbox
        assert reply_to(inbox, ticket)
    finally:
        engine.close()


def test_only_the_newest_waiting_request_is_answered_and_every_finished_one_is_shown(
    engine: EngineClient, inbox: Inbox, checkpoint: Make, gate: Gate
) -> None:
    opened(engine, inbox, checkpoint("one"))
    first = engine.submit("image", decode(GATE))
    gate.entered()
    tickets = [engine.submit("image", decode(value)) for value in (1, 2, 3)]
    gate.let_go()
    assert inbox.next().ticket == first
    last = inbox.next()
    assert last.ticket == tickets[-1]
    assert last.images.max() == 3
    assert inbox.empty()


def test_live_goes_first_and_what_is_withdrawn_never_comes(
    engine: EngineClient, inbox: Inbox, checkpoint: Make, gate: Gate
) -> None:
    opened(engine, inbox, checkpoint("one"))
    engine.submit("gate", decode(GATE))
    gate.entered()
    engine.submit("lattice", decode(*range(50)), Lane.BACKGROUND)
    engine.submit("samples", decode(*range(50)), Lane.VISIBLE)
    engine.submit("preview", decode(1), Lane.VISIBLE)
    engine.submit("image", decode(2), Lane.LIVE)
    engine.withdraw("preview")
    gate.let_go()
    assert [inbox.next().consumer for _ in range(4)] == ["gate", "image", "samples", "lattice"]


def test_a_large_picture_goes_both_ways(engine: EngineClient, inbox: Inbox, checkpoint: Make) -> None:
    opened(engine, inbox, checkpoint("one"))
    request = Encode("one", np.full((1, 2000, 1500, 3), 120, np.uint8))
    ticket = engine.submit("image", request)
    reply = reply_to(inbox, ticket)
    assert isinstance(reply, Encoded)
    assert reply.request is request
    np.testing.assert_allclose(reply.latents, 120)
    assert reply.mse[0] == 0


def test_pictures_too_large_for_a_pipe_come_back_whole(engine: EngineClient, inbox: Inbox, checkpoint: Make) -> None:
    engine.open(OpenModel(checkpoint("one"), options={"size": 1024}))
    inbox.until(Opened)
    tickets = [engine.submit(f"consumer {value}", decode(value)) for value in range(1, 40)]
    for value, ticket in enumerate(tickets, start=1):
        reply = inbox.next()
        assert isinstance(reply, Decoded)
        assert reply.ticket == ticket
        assert reply.images.shape == (1, 1024, 1024, 1)
        assert (reply.images == value).all()


def test_a_file_that_is_refused_leaves_the_open_model_open(
    engine: EngineClient, inbox: Inbox, checkpoint: Make, tmp_path: Path
) -> None:
    opened(engine, inbox, checkpoint("one"))
    engine.open(OpenModel(str(tmp_path / "absent")))
    failed = inbox.next()
    assert isinstance(failed, OpenFailed)
    assert "absent cannot be read" in failed.message
    assert isinstance(reply_to(inbox, engine.submit("image", decode(1))), Decoded)


def test_faults_of_a_model_are_said_and_the_engine_lives(engine: EngineClient, inbox: Inbox, checkpoint: Make) -> None:
    opened(engine, inbox, checkpoint("one"))
    pid = engine.pid
    failed = reply_to(inbox, engine.submit("image", decode(FAIL)))
    assert isinstance(failed, RequestFailed)
    assert "a fault of the model" in failed.message
    assert "Traceback" in failed.details
    refused = reply_to(inbox, engine.submit("image", decode(REFUSE)))
    assert isinstance(refused, RequestFailed)
    assert refused.message == "The class 9 does not exist; choose 0 to 3."
    assert isinstance(reply_to(inbox, engine.submit("image", decode(1))), Decoded)
    assert engine.pid == pid


def test_a_killed_engine_comes_back_with_what_was_not_answered(
    engine: EngineClient, inbox: Inbox, checkpoint: Make, gate: Gate
) -> None:
    opened(engine, inbox, checkpoint("one"))
    live = engine.submit("image", decode(5))
    assert reply_to(inbox, live)
    engine.submit("gate", decode(GATE), Lane.VISIBLE)
    gate.entered()
    waiting = engine.submit("samples", decode(6), Lane.VISIBLE)
    os.kill(engine.pid, signal.SIGKILL)
    state = inbox.next()
    assert isinstance(state, EngineState)
    assert not state.alive
    assert "signal 9" in state.message
    assert inbox.next().alive
    gate.entered()  # the request that was under way has been sent again
    gate.let_go()
    replies = [inbox.next() for _ in range(3)]
    assert all(isinstance(reply, Decoded) for reply in replies), replies  # and Opened is not said twice
    assert {reply.consumer: reply.images.max() for reply in replies} == {"image": 5, "samples": 6, "gate": GATE}
    assert waiting in {reply.ticket for reply in replies}
    assert live in {reply.ticket for reply in replies}


def test_memory_that_is_full_is_said_and_the_engine_lives(engine: EngineClient, inbox: Inbox, checkpoint: Make) -> None:
    opened(engine, inbox, checkpoint("one"))
    failed = reply_to(inbox, engine.submit("image", decode(OUTGROW)))
    assert isinstance(failed, RequestFailed)
    assert "the memory is full. The last one stays; close other programs" in failed.message
    engine.open(OpenModel(checkpoint("large")))
    assert "does not fit in memory" in inbox.until(OpenFailed).message
    assert isinstance(reply_to(inbox, engine.submit("image", decode(5))), Decoded)


def test_a_device_that_is_lost_costs_the_process_and_not_the_request(
    engine: EngineClient, inbox: Inbox, checkpoint: Make
) -> None:
    opened(engine, inbox, checkpoint("one"))
    process = engine.pid
    ticket = engine.submit("image", decode(LOST))
    lost = inbox.until(EngineState)
    assert "graphics device was lost (CUDA error" in lost.message
    assert not inbox.until(EngineState).alive
    assert inbox.until(EngineState).alive
    assert isinstance(reply_to(inbox, ticket), Decoded)
    assert engine.pid != process


def test_an_idle_engine_that_is_killed_again_and_again_always_comes_back(
    engine: EngineClient, inbox: Inbox, checkpoint: Make
) -> None:
    opened(engine, inbox, checkpoint("one"))
    ticket = engine.submit("image", decode(5))
    assert reply_to(inbox, ticket)
    for _ in range(4):
        os.kill(engine.pid, signal.SIGKILL)
        assert not inbox.until(EngineState).alive
        assert inbox.until(EngineState).alive
        assert reply_to(inbox, ticket)  # the live picture anew


def test_a_request_that_kills_the_engine_three_times_is_given_up_and_the_next_one_retries(
    engine: EngineClient, inbox: Inbox, checkpoint: Make
) -> None:
    opened(engine, inbox, checkpoint("one"))
    ticket = engine.submit("image", decode(KILL))
    states = []
    while not isinstance(reply := inbox.next(), RequestFailed):
        states.append(reply.alive)
    assert states == [False, True, False, True]
    assert reply.ticket == ticket
    last = inbox.next()
    assert isinstance(last, EngineState)
    assert not last.alive
    assert "3 times" in last.message
    assert "next request" in last.message
    again = engine.submit("image", decode(4))
    reply = reply_to(inbox, again)
    assert isinstance(reply, Decoded)
    assert reply.images.max() == 4


def test_a_file_that_kills_the_engine_is_given_up(engine: EngineClient, inbox: Inbox, checkpoint: Make) -> None:
    opened(engine, inbox, checkpoint("one"))
    engine.open(OpenModel(checkpoint("kill")))
    failed = inbox.until(OpenFailed, EngineState)
    assert "kill.fake" in failed.path
    assert reply_to(inbox, engine.submit("image", decode(4)))


def test_an_engine_that_cannot_start_says_so(inbox: Inbox) -> None:
    engine = EngineClient("no_such_module:opener")
    engine.on_reply = inbox
    try:
        ticket = engine.submit("image", decode(1))
        failed = reply_to(inbox, ticket)
        assert isinstance(failed, RequestFailed)
        assert "cannot be started" in failed.message
        assert "no_such_module" in failed.details
    finally:
        engine.close()


def test_a_module_in_the_working_folder_is_not_run(
    engine: EngineClient, inbox: Inbox, checkpoint: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text(f"open({str(tmp_path / 'was_run')!r}, 'w')\nfrom os import *\n")
    monkeypatch.chdir(tmp_path)
    opened(engine, inbox, checkpoint("one"))
    assert not (tmp_path / "was_run").exists()


def test_submitting_never_waits_for_an_engine_that_does_not_read(
    engine: EngineClient, inbox: Inbox, checkpoint: Make
) -> None:
    opened(engine, inbox, checkpoint("one"))
    os.kill(engine.pid, signal.SIGSTOP)
    many = latents(*range(20))
    begin = time.perf_counter()
    for _ in range(2000):  # far more than a pipe holds
        engine.submit("image", Decode("one", many))
    last = engine.submit("big", Decode("one", np.zeros((200_000, 4), np.float32)))
    assert time.perf_counter() - begin < 5.0  # it would be for ever
    os.kill(engine.pid, signal.SIGCONT)
    reply = reply_to(inbox, last)
    assert isinstance(reply, Decoded)
    assert len(reply.images) == 200_000


@pytest.mark.parametrize("busy", [False, True])
def test_closing_ends_the_process_soon_also_while_it_works(
    findable: None, inbox: Inbox, checkpoint: Make, gate: Gate, busy: bool
) -> None:
    engine = EngineClient("fake_model:open_fake")
    engine.on_reply = inbox
    opened(engine, inbox, checkpoint("one"))
    if busy:
        engine.submit("image", decode(GATE))
        gate.entered()
    begin = time.perf_counter()
    engine.close()
    assert time.perf_counter() - begin < 3.0
    with pytest.raises(ProcessLookupError):
        os.kill(engine.pid, 0)
    engine.close()


def test_the_engine_ends_with_the_process_that_started_it(findable: None) -> None:
    script = (
        "import os, signal\n"
        "from latentlab.engine.client import EngineClient\n"
        "engine = EngineClient('fake_model:open_fake')\n"
        "os.write(1, str(engine.pid).encode())\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False)
    watch = Path(f"/proc/{int(done.stdout)}/stat")
    if not watch.parent.parent.exists():
        pytest.skip("needs /proc")
    deadline = time.monotonic() + 10
    while watch.exists() and watch.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "the engine outlived its window"
        time.sleep(0.01)


def test_the_client_imports_neither_torch_nor_qt() -> None:
    script = (
        "import sys, latentlab.engine.client, latentlab.engine.jobs\n"
        "print([m for m in ('torch', 'PySide6', 'sklearn', 'PIL', 'typer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
