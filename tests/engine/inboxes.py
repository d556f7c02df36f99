"""What tests of the engine ask with, and where its replies arrive."""

from __future__ import annotations

import queue
from typing import Any, TypeVar

import numpy as np
from fake_model import DIM

from latentlab.core.requests import Decode, Opened, OpenModel, Reply, Slot
from latentlab.core.spaces import FloatArray
from latentlab.engine.client import EngineClient

WAIT_S = 30.0  # only a broken test waits that long
T = TypeVar("T")


class Inbox:
    """Replies or messages in the order in which they came."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Any] = queue.Queue()

    def __call__(self, reply: Any) -> None:
        self._queue.put(reply)

    def next(self) -> Any:
        return self._queue.get(timeout=WAIT_S)

    def until(self, kind: type[T], *others: type[Any]) -> T:
        """The next one of a kind; any of another kind before it must be one of `others`."""
        while True:
            reply = self.next()
            if isinstance(reply, kind):
                return reply
            assert not others or isinstance(reply, others), reply

    def empty(self) -> bool:
        return self._queue.empty()


def latents(*first: float) -> FloatArray:
    """(B, D) with these first numbers."""
    array = np.zeros((len(first), DIM), np.float32)
    array[:, 0] = first
    return array


def decode(*first: float, checkpoint: str = "one") -> Decode:
    return Decode(checkpoint, latents(*first))


def opened(engine: EngineClient, inbox: Inbox, path: str, slot: Slot = "main") -> Opened:
    engine.open(OpenModel(path, slot=slot))
    return inbox.until(Opened)


def reply_to(inbox: Inbox, ticket: int) -> Reply:
    while True:
        reply = inbox.next()
        if getattr(reply, "ticket", None) == ticket:
            return reply
