"""Who is served next: one pending slot per consumer, lanes, and work cut into pieces.

Pure bookkeeping, used by the engine's process and by the in-process engine alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from latentlab.core.requests import Encode, Factorise, Lane, Request

PIECE_MS = 8.0  # between two pieces of a long batch the live lane is served
PIECE_AT_MOST = 256  # pictures: bounds the memory of one piece whatever the clock says
GROWTH = 4  # a first picture includes warming up; the next pieces correct its estimate


@dataclass(eq=False)
class Task:
    """A request that is being answered piece by piece; `done` of its pictures are finished."""

    consumer: str
    ticket: int
    request: Request
    lane: Lane
    order: int
    done: int = 0
    spent_ms: float = 0.0
    parts: list[Any] = field(default_factory=list)

    @property
    def count(self) -> int:
        request = self.request
        if isinstance(request, Factorise):
            return 1
        return len(request.images) if isinstance(request, Encode) else len(request.latents)


class Schedule:
    """Waiting requests: the newest of each consumer, and the one of it that has begun, which is always finished."""

    def __init__(self) -> None:
        self._waiting: dict[str, Task] = {}
        self._begun: dict[str, Task] = {}
        self._orders = count()

    def put(self, consumer: str, ticket: int, request: Request, lane: Lane) -> None:
        """Replaces what the consumer has waiting and keeps its place, so that a flood of requests waits no longer."""
        replaced = self._waiting.get(consumer)
        order = replaced.order if replaced is not None and replaced.lane == lane else next(self._orders)
        self._waiting[consumer] = Task(consumer, ticket, request, lane, order)

    def withdraw(self, consumer: str) -> None:
        """Forgets what the consumer has waiting and what it has begun."""
        self._waiting.pop(consumer, None)
        self._begun.pop(consumer, None)

    def next(self, ready: Callable[[Request], bool] = lambda _: True) -> Task | None:
        """The task whose next piece is due: the most urgent lane, then the oldest. None when none is `ready`."""
        due = [*self._begun.values(), *(t for t in self._waiting.values() if t.consumer not in self._begun)]
        due = [task for task in due if ready(task.request)]
        if not due:
            return None
        task = min(due, key=lambda t: (t.lane, t.order))
        if self._waiting.get(task.consumer) is task:
            del self._waiting[task.consumer]
            self._begun[task.consumer] = task
        return task

    def finish(self, task: Task) -> bool:
        """Strikes out a complete task; False when it was withdrawn meanwhile."""
        if self._begun.get(task.consumer) is not task:
            return False
        del self._begun[task.consumer]
        return True

    def __bool__(self) -> bool:
        return bool(self._waiting or self._begun)


class Pace:
    """How many pictures fit in one piece, learned from the last piece of the same kind."""

    def __init__(self) -> None:
        self._size = 1

    @property
    def size(self) -> int:
        return self._size

    def learn(self, pictures: int, spent_ms: float) -> None:
        fitting = int(pictures * PIECE_MS / max(spent_ms, 1e-3))
        self._size = max(1, min(fitting, pictures * GROWTH, PIECE_AT_MOST))
