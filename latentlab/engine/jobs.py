"""Long work in niced processes of its own: t-SNE, inversion, exports. No torch and no Qt here.

Each job has one process and one thread here that listens to it. Cancelling is asked for first and forced after 3 s.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from latentlab.core.requests import Cancelled, Done, JobFailed, JobMessage, Partial, Progress
from latentlab.engine.outbox import Outbox
from latentlab.engine.protocol import CancelJob, Child, JobOrder, receive

MODULE = "latentlab.engine.job"
CANCEL_S = 3.0  # what a job has to end by itself once it was asked to
CLOSE_S = 1.5  # the same when the application ends


class RunningProcess:
    """Implements `latentlab.core.requests.Job`."""

    def __init__(self, order: JobOrder, on_message: Callable[[JobMessage], None]) -> None:
        self._order = order
        self._on_message = on_message
        self._lock = threading.Lock()
        self._cancelled = False
        self._cancelled_s = 0.0
        self._ended = threading.Event()
        self._child: Child | None = None
        self._outbox: Outbox | None = None
        self._force: threading.Timer | None = None
        self.thread = threading.Thread(target=self._run, name=f"job {order.function}", daemon=True)
        self.thread.start()

    @property
    def running(self) -> bool:
        return not self._ended.is_set()

    def cancel(self) -> None:
        with self._lock:
            if self._cancelled or self._ended.is_set():
                return
            self._cancelled, self._cancelled_s = True, time.monotonic()
            if self._child is None or self._outbox is None:
                return  # the thread sees it before it starts the process
            self._outbox.put(CancelJob())
            self._force = threading.Timer(CANCEL_S, self._child.end)
            self._force.daemon = True
            self._force.start()

    def kill(self) -> None:
        """By force and at once; the last message is then Cancelled."""
        with self._lock:
            self._cancelled = True
            if self._child is not None:
                self._child.end()

    @property
    def asked_s(self) -> float:
        """When it was asked to end, by time.monotonic."""
        return self._cancelled_s

    def hang_up(self) -> None:
        """Ends at once what still answers; `kill` for what does not."""
        with self._lock:
            if self._child is not None:
                self._child.hang_up()

    def wait(self, timeout_s: float) -> bool:
        """Whether the last message has been said within `timeout_s`."""
        return self._ended.wait(timeout_s)

    def _run(self) -> None:
        last: JobMessage = Cancelled()
        try:
            with self._lock:
                if not self._cancelled:
                    self._child = Child(MODULE)
                    self._outbox = Outbox(self._child.connection)
            if self._child is not None and self._outbox is not None:
                self._outbox.put(self._order)
                last = self._listen(self._child)
        except OSError as error:
            last = JobFailed(f"No process could be started for this job: {error.strerror or error}. Close other ones.")
        except Exception as error:  # noqa: BLE001 - arguments that cannot be pickled
            last = JobFailed(f"The job could not be started: {error}.", traceback.format_exc())
        try:
            with self._lock:
                self._ended.set()
                if self._force is not None:
                    self._force.cancel()
            self._on_message(last)
        finally:
            if self._outbox is not None:
                self._outbox.close()
            if self._child is not None:
                self._child.close()

    def _listen(self, child: Child) -> JobMessage:
        """Passes progress on until the last message, which it returns."""
        while True:
            try:
                message = receive(child.connection)
            except (EOFError, OSError):
                return self._broken(child)
            except Exception as error:  # noqa: BLE001 - a result that cannot be unpickled here
                return JobFailed(f"The job's result cannot be read: {error}.", child.log_tail())
            match message:
                case Progress() | Partial():
                    if not self._cancelled:
                        self._on_message(message)
                case Done() | JobFailed() if self._cancelled:
                    return Cancelled()
                case Done() | JobFailed() | Cancelled():
                    return message

    def _broken(self, child: Child) -> JobMessage:
        how = child.ended()
        if self._cancelled:
            return Cancelled()
        return JobFailed(f"The job's process {how} before it was done. Perhaps the memory was full.", child.log_tail())


class ProcessJobs:
    """Implements `latentlab.core.requests.Jobs`."""

    def __init__(self) -> None:
        self._running: list[RunningProcess] = []
        self._lock = threading.Lock()

    def start(
        self, function: str, arguments: dict[str, Any], on_message: Callable[[JobMessage], None]
    ) -> RunningProcess:
        """Returns at once; the process is started, and the arguments are pickled, on the job's thread."""
        job = RunningProcess(JobOrder(function, dict(arguments)), on_message)
        with self._lock:
            self._running = [other for other in self._running if other.running] + [job]
        return job

    def close(self) -> None:
        with self._lock:
            running, self._running = self._running, []
        for job in running:
            job.cancel()
        late = [job for job in running if not job.wait(max(0.0, job.asked_s + CLOSE_S - time.monotonic()))]
        for job in late:
            job.hang_up()
        for job in late:
            job.kill()
        for job in running:
            with suppress(RuntimeError):  # closed from a job's own message
                job.thread.join(1.0)
