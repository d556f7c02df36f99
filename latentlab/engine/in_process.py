"""The same engine around a model that lives in this process: for `explore(any torch module)`.

One worker thread decodes; the rules of scheduling and of answering are those of the engine's process.
"""

from __future__ import annotations

import atexit
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count

from latentlab.core.latent_model import LatentModel
from latentlab.core.requests import EngineState, Lane, OpenFailed, OpenModel, Request, Slot
from latentlab.engine.answering import Answering, Opener
from latentlab.engine.loading import Loading
from latentlab.engine.protocol import Open
from latentlab.engine.replying import Replying
from latentlab.engine.scheduling import Schedule, Task

CLOSE_S = 3.0


class InProcessEngine(Replying):
    """Implements `latentlab.core.requests.Engine` for one given model, named by its SHA-256 in requests.

    An OpenModel whose path is that of `model.info` is answered with the model itself; others are opened by `opener`.
    """

    def __init__(self, model: LatentModel, opener: Opener | None = None) -> None:
        super().__init__()
        self._model = model
        self._answering = Answering(opener)
        self._opening: deque[OpenModel] = deque()
        self._closing_slots: deque[Slot] = deque()
        self._loading = Loading(self._read, self._wake)
        self._schedule = Schedule()
        self._tickets = count(1)
        self._changed = threading.Condition()
        self._closing = False
        self._worker = threading.Thread(target=self._run, name="in-process engine", daemon=True)
        self._worker.start()

    def open(self, request: OpenModel) -> None:
        with self._changed:
            if request.slot == "main":
                self._opening.append(request)
            else:
                self._loading.begin(Open(next(self._tickets), request))
            self._changed.notify()

    def let_go(self, slot: Slot) -> None:
        with self._changed:
            self._loading.forget(slot)
            self._closing_slots.append(slot)
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
            if self._worker.is_alive():  # a thread inside torch when the interpreter ends would abort the process
                atexit.register(self._worker.join)

    def _run(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Callable[[], object] | None:
        """What is to be done, once there is something; None when the engine closes."""
        with self._changed:
            while not self._closing:
                if (work := self._due()) is not None:
                    return work
                self._changed.wait()
        return None

    def _due(self) -> Callable[[], object] | None:
        if self._closing_slots:
            return partial(self._answering.let_go, self._closing_slots.popleft())
        if self._opening:
            return partial(self._open, self._opening.popleft())
        if self._loading.ready:
            return self._hold
        task = self._schedule.next(partial(self._answering.answerable, loading=self._loading.busy))
        return None if task is None else partial(self._advance, task)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

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

    def _hold(self) -> None:
        with self._changed:
            taken = self._loading.take()
        if taken is not None:
            message, found = taken
            self._pass_on(self._answering.hold(found, message.request.slot))

    def _open(self, request: OpenModel) -> None:
        self._pass_on(self._answering.hold(self._read(request), request.slot))

    def _read(self, request: OpenModel) -> LatentModel | OpenFailed:
        return self._model if request.path == self._model.info.path else self._answering.read(request)
