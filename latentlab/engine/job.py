"""The process of one job: `python -m latentlab.engine.job HANDLE`, niced, which calls one function and ends."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from latentlab.core.errors import LatentlabError
from latentlab.core.requests import Cancelled, Done, JobCancelled, JobFailed, JobMessage, Partial, Progress
from latentlab.engine.child import connected, named
from latentlab.engine.device_faults import memory_is_full
from latentlab.engine.niceness import step_back
from latentlab.engine.protocol import CancelJob, JobOrder, receive, send

MEMORY_FULL = "The memory was full before the job was done. Close other programs, or ask for less."


class PipeReport:
    """Implements `latentlab.core.requests.Report`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cancelled = False

    def progress(self, done: float, total: float, text: str = "") -> None:
        self._say(Progress(done, total, text))

    def partial(self, value: Any) -> None:
        self._say(Partial(value))

    def _say(self, message: JobMessage) -> None:
        if not self._cancelled and self._connection.poll(0):
            self._cancelled = isinstance(receive(self._connection), CancelJob)
        if self._cancelled:
            raise JobCancelled
        send(self._connection, message)


def main(handle: str) -> None:
    connection = connected(handle)
    step_back()
    try:
        order: JobOrder = receive(connection)
        send(connection, outcome(order, PipeReport(connection)))
    except (EOFError, OSError):
        pass  # whoever wanted the result is gone


def outcome(order: JobOrder, report: PipeReport) -> JobMessage:
    """The last message of a job, whatever happens in it."""
    return last_message(lambda: named(order.function)(report, **order.arguments))


def last_message(work: Callable[[], Any]) -> JobMessage:
    """What a job ends with: its result, that it was cancelled, or why it failed."""
    try:
        return Done(work())
    except JobCancelled:
        return Cancelled()
    except LatentlabError as error:
        return JobFailed(str(error))
    except Exception as error:  # noqa: BLE001 - said to the person who started it, with the stack to copy
        if memory_is_full(error):
            return JobFailed(MEMORY_FULL, traceback.format_exc())
        return JobFailed(f"{type(error).__name__}: {error}", traceback.format_exc())


if __name__ == "__main__":
    main(*sys.argv[1:])
