"""A second model is read on a thread of its own, so that the first goes on being decoded meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from latentlab.core.latent_model import LatentModel
from latentlab.core.requests import OpenFailed, OpenModel, Slot
from latentlab.engine.protocol import Open

Read = Callable[[OpenModel], "LatentModel | OpenFailed"]


class Loading:
    """One at a time, in order; what is ready is taken by the engine's own thread."""

    def __init__(self, read: Read, on_ready: Callable[[], None] = lambda: None) -> None:
        self._read = read
        self._on_ready = on_ready  # called on the thread that read it
        self._waiting: deque[Open] = deque()
        self._under_way: Open | None = None
        self._ready: LatentModel | OpenFailed | None = None
        self._unwanted: set[int] = set()

    @property
    def busy(self) -> bool:
        """Whether anything was begun that has not been taken."""
        return self._under_way is not None

    @property
    def ready(self) -> bool:
        return self._ready is not None

    def begin(self, message: Open) -> None:
        self._waiting.append(message)
        self._next()

    def forget(self, slot: Slot) -> None:
        """What was begun for a slot so far is read to its end, but not kept."""
        begun = [message for message in (*self._waiting, self._under_way) if message is not None]
        self._unwanted = {message.number for message in begun if message.request.slot == slot}

    def take(self) -> tuple[Open, LatentModel | OpenFailed] | None:
        """What is ready, and what it answers; None where nobody waits for it any more."""
        found, message = self._ready, self._under_way
        assert found is not None
        assert message is not None
        self._ready = self._under_way = None
        self._next()
        return None if message.number in self._unwanted else (message, found)

    def _next(self) -> None:
        if self._under_way is None and self._waiting:
            self._under_way = self._waiting.popleft()
            threading.Thread(target=self._work, args=(self._under_way,), name="loading", daemon=True).start()

    def _work(self, message: Open) -> None:
        self._ready = self._read(message.request)
        self._on_ready()
