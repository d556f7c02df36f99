"""Replying: how replies leave an engine, one at a time and in order, also before anybody listens. No torch here."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from latentlab.core.requests import Reply

KEPT = 64  # replies until somebody listens; the oldest go first


class Replying:
    """The half of `latentlab.core.requests.Engine` that is the same wherever the model lives.

    `on_reply` is called on whatever thread has a reply. Those that come while it is None are passed on when it is set.
    """

    def __init__(self) -> None:
        self._on_reply: Callable[[Reply], None] | None = None
        self._early: deque[Reply] = deque(maxlen=KEPT)
        self._passing = threading.RLock()  # reentrant: a listener may set another

    @property
    def on_reply(self) -> Callable[[Reply], None] | None:
        return self._on_reply

    @on_reply.setter
    def on_reply(self, listener: Callable[[Reply], None] | None) -> None:
        with self._passing:
            self._on_reply = listener
            while listener is not None and self._early:
                listener(self._early.popleft())

    def _pass_on(self, reply: Reply) -> None:
        with self._passing:
            if self._on_reply is not None:
                self._on_reply(reply)
            else:
                self._early.append(reply)
