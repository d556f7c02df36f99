"""Replies cross to the GUI thread, in order, and those of another model are dropped."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from latentlab.core.requests import Decode, Decoded, Encode, EngineState, OpenModel, RequestFailed
from latentlab.ui.decoding import Decoding
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine, deliver, some_info


@pytest.fixture
def decoding(qapp: QApplication, engine: FakeEngine) -> Decoding:
    decoding = Decoding(engine)
    decoding.checkpoint = CHECKPOINT
    return decoding


def a_request(checkpoint: str = CHECKPOINT, value: float = 0.0) -> Decode:
    return Decode(checkpoint, np.full((1, DIM), value, np.float32))


def test_a_reply_from_another_thread_arrives_on_the_gui_thread(decoding: Decoding, qtbot: QtBot) -> None:
    threads: list[QThread] = []
    decoding.decoded.connect(lambda reply: threads.append(QThread.currentThread()))
    with qtbot.waitSignal(decoding.decoded) as caught:
        worker = threading.Thread(target=decoding.submit, args=("image", a_request(value=1)))
        worker.start()
    worker.join()
    assert threads == [QApplication.instance().thread()]
    assert caught.args[0].request.latents[0, 0] == 1


def test_every_picture_that_is_finished_is_passed_on_in_order(decoding: Decoding, engine: FakeEngine) -> None:
    shown: list[int] = []
    decoding.decoded.connect(lambda reply: shown.append(reply.ticket))
    tickets = [decoding.submit("image", a_request(value=i)) for i in range(5)]
    deliver()
    assert shown == tickets


def test_replies_of_another_model_are_dropped(decoding: Decoding, engine: FakeEngine) -> None:
    shown: list[Decoded] = []
    decoding.decoded.connect(shown.append)
    decoding.encoded.connect(shown.append)
    engine.hold = True
    decoding.submit("image", a_request())
    decoding.submit("image", Encode(CHECKPOINT, np.zeros((1, 8, 8, 3), np.uint8)))
    decoding.checkpoint = "another"
    engine.release()
    deliver()
    assert not shown
    decoding.submit("image", a_request("another"))
    deliver()
    assert len(shown) == 1


def test_failures_openings_and_the_engines_state_are_passed_on(decoding: Decoding, engine: FakeEngine) -> None:
    said: list[object] = []
    for signal in (decoding.failed, decoding.opened, decoding.open_failed, decoding.engine_changed):
        signal.connect(said.append)
    engine.reply(RequestFailed("image", 1, "no memory"))
    decoding.open(OpenModel("faces.safetensors"))
    engine.refuse = "damaged"
    decoding.open(OpenModel("broken.safetensors"))
    engine.reply(EngineState(False, "being started again"))
    deliver()
    assert [type(reply).__name__ for reply in said] == ["RequestFailed", "Opened", "OpenFailed", "EngineState"]


def test_nothing_is_emitted_after_close(decoding: Decoding, engine: FakeEngine) -> None:
    shown: list[Decoded] = []
    decoding.decoded.connect(shown.append)
    decoding.submit("image", a_request())  # its reply is queued already
    decoding.close()
    deliver()
    assert not shown
    assert engine.closed
    assert engine.on_reply is None


def test_the_fake_engine_shows_the_latent_it_was_given() -> None:
    engine = FakeEngine(some_info())
    replies: list[Decoded] = []
    engine.on_reply = replies.append
    engine.submit("image", a_request(value=1))
    engine.submit("image", a_request(value=-1))
    assert replies[0].images.mean() > replies[1].images.mean()
