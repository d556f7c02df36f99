"""Latents of one space as those of another: through the engine's process, in pieces, and where there is no way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from fake_model import DIM, FakeModel
from inboxes import Inbox, latents

from latentlab.core.errors import TrustNeeded
from latentlab.core.requests import InSpace, Lane, Opened, OpenFailed, OpenModel, RequestFailed, ToSpace
from latentlab.engine.answering import Answering
from latentlab.engine.client import EngineClient
from latentlab.engine.in_process import InProcessEngine


class TwoSpaces(FakeModel):
    """w is z, turned around and twice as far out."""

    asked: tuple[int, ...] = ()

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path, name)
        self.info = replace(self.info, mappings=(("z", "w"),))

    def to_space(self, latents: Any, from_space: str, to_space: str, *, condition: Any = None) -> Any:
        assert (from_space, to_space) == ("z", "w")
        self.asked = (*self.asked, len(latents))
        return np.asarray(2 * latents[:, ::-1], np.float32)


def test_many_latents_come_back_whole_and_in_order(inbox: Inbox) -> None:
    model = TwoSpaces(Path("two"), "two")
    engine = InProcessEngine(model)
    engine.on_reply = inbox
    try:
        engine.open(OpenModel("two"))
        inbox.until(Opened)
        many = np.random.default_rng(0).standard_normal((700, DIM)).astype(np.float32)
        ticket = engine.submit("spaces/encodings", ToSpace("two", many, "z", "w"), Lane.BACKGROUND)
        reply = inbox.until(InSpace)
        assert reply.ticket == ticket
        assert reply.request.to == "w"
        np.testing.assert_array_equal(reply.latents, 2 * many[:, ::-1])
        assert len(model.asked) > 1  # in pieces: a drag meanwhile does not wait for all of them
    finally:
        engine.close()


def test_a_model_without_a_way_says_so(engine: EngineClient, inbox: Inbox, checkpoint: Callable[[str], str]) -> None:
    engine.open(OpenModel(checkpoint("one")))
    inbox.until(Opened)
    ticket = engine.submit("spaces/latent", ToSpace("one", latents(1, 2), "z", "w"))
    failed = inbox.until(RequestFailed)
    assert failed.ticket == ticket
    assert failed.message == "This model does not map latents of z to w."


def test_a_file_that_needs_trust_says_so() -> None:
    def opener(path: Path, device: str, trust: bool, options: dict[str, Any]) -> FakeModel:
        if not trust:
            raise TrustNeeded(f"{path} can run code.")
        return FakeModel(path, "program")

    answering = Answering(opener)
    refused = answering.open(OpenModel("a.pt"))
    assert isinstance(refused, OpenFailed)
    assert refused.needs_trust
    assert isinstance(answering.open(OpenModel("a.pt", trust=True)), Opened)
