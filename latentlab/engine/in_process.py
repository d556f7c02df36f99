"""The same engine around a model that lives in this process: for `explore(any torch module)`.

One worker thread decodes; the rules of scheduling and of answering are those of the engine's process.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import count

from latentlab.core.latent_model import LatentModel
from latentlab.core.requests import EngineState, Lane, OpenModel, Reply, Request
from latentlab.engine.answering import Answering, Opener
from latentlab.engine.scheduling import Schedule, Task

CLOSE_S = 3.0


class InProcessEngine:
    """Implements `latentlab.core.requests.Engine` for one given model, named by its SHA-256 in requests.

    An OpenModel whose path is that of `model.info` is answered with the model itself; others are opened by `opener`.
    """

    def __init__(self, model: LatentModel, opener: Opener | None = None) -> None:
        self._model = model
        self._answering = Answering(opener)
        self._opening: deque[OpenModel] = deque()
        self._schedule = Schedule()
        self._tickets = count(1)
        self._changed = threading.Condition()
        self._closing = False
        self._early: list[Reply] = []
        self._on_reply: Callable[[Reply], None] | None = None
        self._passing = threading.RLock()
        self._worker = threading.Thread(target=self._run, name="in-process engine", daemon=True)
        self._worker.start()

    @property
    def on_reply(self) -> Callable[[Reply], None] | None:
        return self._on_reply

    @on_reply.setter
    def on_reply(self, listener: Callable[[Reply], None] | None) -> None:
        with self._passing:
            self._on_reply = listener
            while listener is not None and self._early:
                listener(self._early.pop(0))

    def open(self, request: OpenModel) -> None:
        with self._changed:
            self._opening.append(request)
            self._changed.notify()

    def submit(self, consumer: str, request: Request, lane: Lane = Lane.LIVE) -> int:
        with self._changed:
            ticket = next(self._tickets)
            self._schedule.put(consumer, ticket, request, lane)
            self._changed.notify()
            return ticket

    def withdraw(self, consumer: str) -> None:
        with self._changed:
            self._schedule.withdraw(consumer)

    def close(self) -> None:
        """Waits for the piece of work under way, at most 3 s; a thread cannot be ended by force."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if threading.current_thread() is not self._worker:
            self._worker.join(CLOSE_S)

    @property
    def _answerable(self) -> bool:
        """Requests wait until a model is open."""
        return bool(self._schedule) and bool(self._answering.open_models)

    def _run(self) -> None:
        while True:
            task: Task | None = None
            opening: OpenModel | None = None
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._opening or self._answerable)
                if self._closing:
                    return
                if self._opening:
                    opening = self._opening.popleft()
                else:
                    task = self._schedule.next()
            if opening is not None:
                self._pass_on(self._open(opening))
            elif task is not None:
                self._advance(task)

    def _advance(self, task: Task) -> None:
        reply = self._answering.advance(task)
        if reply is None:
            return
        with self._changed:
            wanted = self._schedule.finish(task)
        if wanted:
            self._pass_on(reply)
        for text in self._answering.warnings():
            self._pass_on(EngineState(True, text))

    def _open(self, request: OpenModel) -> Reply:
        if request.path == self._model.info.path:
            return self._answering.hold(self._model)
        return self._answering.open(request)

    def _pass_on(self, reply: Reply) -> None:
        with self._passing:
            if self._on_reply is not None:
                self._on_reply(reply)
            elif not self._closing:
                self._early.append(reply)
