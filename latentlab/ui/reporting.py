"""Reporting: an exception in a slot, a paintEvent or a thread becomes a notice, and the window lives."""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType

from PySide6.QtCore import QObject, QSocketNotifier, Qt, Signal

from latentlab.ui.notices import Notices


class Reporting(QObject):
    """Between `install` and `remove`, what nobody caught is said in a notice and printed to stderr."""

    _raised = Signal(object)

    def __init__(self, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._before = (sys.excepthook, threading.excepthook)
        # Queued: the hook may run in any thread, and within a paintEvent no widget may be made.
        self._raised.connect(self._report, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        if sys.stderr is not None and not faulthandler.is_enabled():
            with contextlib.suppress(ValueError, OSError):  # a stderr without a file descriptor
                faulthandler.enable()
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._from_qt
        threading.excepthook = self._from_thread

    def remove(self) -> None:
        sys.excepthook, threading.excepthook = self._before

    def _from_qt(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
            return
        if sys.stderr is not None:
            traceback.print_exception(kind, error, trace)
        self._raised.emit(error.with_traceback(trace))

    def _from_thread(self, raised: threading.ExceptHookArgs) -> None:
        if raised.exc_value is not None:
            self._from_qt(raised.exc_type, raised.exc_value, raised.exc_traceback)

    def _report(self, error: BaseException) -> None:
        self._notices.report(error)


@contextlib.contextmanager
def quitting_on_signals(quit_now: Callable[[], object]) -> Iterator[None]:
    """Ctrl+C in the terminal and SIGTERM call `quit_now` on the GUI thread; Qt's loop alone would swallow them."""
    here, there = socket.socketpair()
    here.setblocking(False)
    there.setblocking(False)
    kept = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    earlier = signal.set_wakeup_fd(there.fileno(), warn_on_full_buffer=False)
    notifier = QSocketNotifier(here.fileno(), QSocketNotifier.Type.Read)

    def woken() -> None:
        with contextlib.suppress(BlockingIOError):
            if not {signal.SIGINT, signal.SIGTERM}.isdisjoint(here.recv(64)):
                quit_now()

    notifier.activated.connect(woken)
    try:
        yield
    finally:
        notifier.setEnabled(False)
        signal.set_wakeup_fd(earlier)
        for number, handler in kept.items():
            signal.signal(number, handler)
        here.close()
        there.close()
