"""Sending without ever waiting: the window's thread must not stand still because the engine does not read.

Small messages go straight into the pipe when it has room; the others wait for a thread of their own. Of the
requests that wait, only the newest of each consumer is kept.
"""

from __future__ import annotations

import pickle
import select
import threading
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeGuard

from latentlab.core.requests import Decode
from latentlab.engine.protocol import Submit

# A quarter of the smallest usual pipe buffer: the system calls a pipe writable when about that much is free.
DIRECT_BYTES = 32_768


class Outbox:
    """The sending end of one connection; a connection that broke swallows what is put in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changed = threading.Condition()
        self._queue: deque[Submit | bytes] = deque()
        self._thread: threading.Thread | None = None
        self._sending = False
        self._closed = False

    def put(self, message: object) -> None:
        """Raises what pickle raises for a message that cannot be sent; large requests are pickled elsewhere."""
        item = message if _large(message) else pickle.dumps(message, protocol=5)
        with self._changed:
            if self._closed:
                return
            idle = not self._queue and not self._sending
            if idle and isinstance(item, bytes) and len(item) <= DIRECT_BYTES and self._has_room():
                with suppress(OSError):
                    self._connection.send_bytes(item)
                return
            if isinstance(message, Submit):
                self._forget(message.consumer)
            self._queue.append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify()

    def _forget(self, consumer: str) -> None:
        for waiting in self._queue:  # small ones wait as bytes, and are replaced on the other side
            if isinstance(waiting, Submit) and waiting.consumer == consumer:
                self._queue.remove(waiting)
                return

    def _has_room(self) -> bool:
        if not hasattr(select, "poll"):  # Windows
            return False
        poll = select.poll()
        poll.register(self._connection.fileno(), select.POLLOUT)
        return any(event & select.POLLOUT for _, event in poll.poll(0))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._sending = False
                self._changed.wait_for(lambda: self._queue or self._closed)
                if self._closed:
                    return
                item = self._queue.popleft()
                self._sending = True
            data = item if isinstance(item, bytes) else pickle.dumps(item, protocol=5)
            with suppress(OSError):
                self._connection.send_bytes(data)


def _large(message: object) -> TypeGuard[Submit]:
    if not isinstance(message, Submit):
        return False
    return not isinstance(message.request, Decode) or message.request.latents.nbytes > DIRECT_BYTES // 2
