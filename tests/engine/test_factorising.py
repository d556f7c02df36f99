"""The weights of an open model factorised by its engine, in its process and in this one, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from fake_model import DIM, FakeModel
from inboxes import Inbox

from latentlab.core.requests import Decode, Decoded, Factorise, Factorised, Lane, Opened, OpenModel, RequestFailed
from latentlab.core.spaces import FloatArray
from latentlab.engine.client import EngineClient
from latentlab.engine.in_process import InProcessEngine

WEIGHTS = np.array([[0, 3, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0]], np.float32)


class Layered(FakeModel):
    def first_weights(self, space: str) -> FloatArray:
        assert space == "z"
        return WEIGHTS


class Faulty(FakeModel):
    def first_weights(self, space: str) -> FloatArray:
        raise RuntimeError("a layer that bites")


def answered(model: FakeModel, inbox: Inbox, kind: type) -> object:
    engine = InProcessEngine(model)
    engine.on_reply = inbox
    try:
        engine.open(OpenModel(str(model.path)))
        inbox.until(Opened)
        engine.submit("attributes/weights", Factorise("one", "z", 2), Lane.VISIBLE)
        reply = inbox.until(kind)
        engine.submit("image", Decode("one", np.zeros((1, DIM), np.float32)))
        inbox.until(Decoded)  # it still works
        return reply
    finally:
        engine.close()


def test_the_largest_shares_come_back(inbox: Inbox) -> None:
    reply = answered(Layered(Path("one"), "one"), inbox, Factorised)
    assert isinstance(reply, Factorised)
    assert reply.request.space == "z"
    assert [component.direction.name for component in reply.components] == ["SeFa 1", "SeFa 2"]
    np.testing.assert_allclose(reply.components[0].direction.vector, [0, 1, 0, 0], atol=1e-6)
    np.testing.assert_allclose([part.share for part in reply.components], [2 / 3, 1 / 3], atol=1e-6)
    assert reply.components[0].direction.checkpoint == "one"


def test_a_fault_of_the_model_is_said_and_the_engine_lives(inbox: Inbox) -> None:
    failed = answered(Faulty(Path("one"), "one"), inbox, RequestFailed)
    assert isinstance(failed, RequestFailed)
    assert failed.message.startswith("The weights could not be factorised: a layer that bites.")
    assert "RuntimeError" in failed.details


def test_a_model_whose_weights_cannot_be_read_says_so(
    engine: EngineClient, inbox: Inbox, checkpoint: Callable[[str], str]
) -> None:
    engine.open(OpenModel(checkpoint("one")))
    inbox.until(Opened)
    ticket = engine.submit("attributes/weights", Factorise("one"), Lane.VISIBLE)
    reply = inbox.until(Factorised)
    assert (reply.ticket, reply.components) == (ticket, ())
    assert reply.refusal == "This model does not let its weights be read, so they say nothing of directions."
