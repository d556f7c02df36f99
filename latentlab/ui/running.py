"""Running: jobs as the window sees them. Their messages cross into the GUI thread here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QMetaMethod, QObject, Qt, Signal

from latentlab.core.requests import Cancelled, Done, Job, JobFailed, JobMessage, Jobs, Partial, Progress


class RunningJob(QObject):
    """One job: exactly one of `done`, `failed` and `cancelled` is emitted, last and on the GUI thread."""

    progress = Signal(object)  # Progress
    partial = Signal(object)  # whatever the job reported
    done = Signal(object)  # its result
    failed = Signal(object)  # JobFailed
    cancelled = Signal()
    ended = Signal()  # after any of the three

    def __init__(self, title: str, cancellable: bool, parent: QObject) -> None:
        super().__init__(parent)
        self.title = title
        self.cancellable = cancellable
        self.latest = Progress(0, 0)  # total 0: not known yet
        self.cancelling = False
        self.over = False
        self._job: Job | None = None

    def cancel(self) -> None:
        """Asks for the end; `cancelled` follows. More than once does no harm."""
        self.cancelling = True
        if self._job is not None:
            self._job.cancel()

    def belongs_to(self, job: Job) -> None:
        self._job = job
        if self.cancelling:  # asked before the process was there
            job.cancel()

    def take(self, message: JobMessage) -> None:
        if self.over:
            return
        match message:
            case Progress():
                self.latest = message
                self.progress.emit(message)
                return
            case Partial():
                if not self.cancelling:
                    self.partial.emit(message.value)
                return
        self.over = True
        match message:
            case Done() if not self.cancelling:
                self.done.emit(message.value)
            case JobFailed() if not self.cancelling:
                self.failed.emit(message)
            case _:  # Cancelled, or a result nobody waits for any more
                self.cancelled.emit()
        self.ended.emit()


class Running(QObject):
    """Starts jobs and lists those that run, oldest first.

    `failed` says what went wrong with any job that has no listener of its own for it.
    """

    changed = Signal()  # a job began, advanced or ended
    failed = Signal(object, object)  # (RunningJob, JobFailed), for the notices
    _said = Signal(object, object)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._closed = False
        self.running: list[RunningJob] = []
        self._said.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def start(
        self,
        title: str,
        function: str,
        arguments: dict[str, Any],
        on_partial: Callable[[Any], None] | None = None,
        on_done: Callable[[Any], None] | None = None,
        cancellable: bool = True,
    ) -> RunningJob:
        """Runs "module:name" in a process of its own; the callbacks are called on the GUI thread."""
        handle = RunningJob(title, cancellable, self)
        if on_partial is not None:
            handle.partial.connect(on_partial)
        if on_done is not None:
            handle.done.connect(on_done)
        self.running.append(handle)
        try:
            handle.belongs_to(self._jobs.start(function, arguments, lambda message: self._said.emit(handle, message)))
        except BaseException:
            self.running.remove(handle)
            handle.deleteLater()
            raise
        self.changed.emit()
        return handle

    def cancel_all(self) -> None:
        for handle in list(self.running):
            handle.cancel()

    def close(self) -> None:
        """Cancels everything; no callback is called any more. Processes end within 3 s."""
        self._closed = True  # what is queued already is delivered in spite of a disconnection
        self.cancel_all()
        self._jobs.close()
        self.running.clear()

    def _take(self, handle: RunningJob, message: JobMessage) -> None:
        if self._closed:
            return
        try:
            own_listener = handle.isSignalConnected(QMetaMethod.fromSignal(handle.failed))
            if isinstance(message, JobFailed) and not handle.cancelling and not own_listener:
                self.failed.emit(handle, message)
            handle.take(message)
        finally:  # a callback that raises must not leave a job in the list for ever
            if isinstance(message, Done | JobFailed | Cancelled):
                if handle in self.running:
                    self.running.remove(handle)
                handle.deleteLater()
            self.changed.emit()
