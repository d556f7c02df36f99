"""Computing: short numpy work on a thread, its result on the GUI thread. Long work is a job (ui/running.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject

from latentlab.ui.crossing import Crossing


@dataclass(eq=False)
class _Work:
    compute: Callable[[], Any]
    then: Callable[[Any], None]
    result: Any = None
    error: BaseException | None = None


class Computing(QObject):
    """One piece at a time; of those that wait only the latest is computed."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._busy = False
        self._waiting: _Work | None = None
        self._finished = Crossing(self._take)

    def start(self, compute: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """`then` is called on the GUI thread with what `compute` returns; an exception is raised there."""
        work = _Work(compute, then)
        if self._busy:
            self._waiting = work
        else:
            self._begin(work)

    def _begin(self, work: _Work) -> None:
        self._busy = True
        self._finished.run(partial(_run, work), "computing")

    def _take(self, work: _Work) -> None:
        self._busy = False
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._begin(waiting)
        if work.error is not None:
            raise work.error
        if waiting is None:
            work.then(work.result)


def _run(work: _Work) -> _Work:
    try:
        work.result = work.compute()
    except BaseException as error:  # noqa: BLE001 - it is raised again on the GUI thread
        work.error = error
    return work
