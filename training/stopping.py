"""SIGINT and SIGTERM as a wish that the loop grants between two steps."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = [signal.SIGINT, signal.SIGTERM]
if sys.platform == "win32":  # which has no SIGINT for another process, but a Ctrl+Break
    SIGNALS.append(signal.SIGBREAK)

_entered: list[StopRequest] = []


def ask_to_stop() -> None:
    """As a first SIGINT would, however often it is called."""
    if not _entered:
        raise KeyboardInterrupt
    _entered[-1].requested = True


class StopRequest:
    """While entered, a first signal only sets `requested`; a second one interrupts at once: files are atomic.

    Outside the main thread no handler can be installed; `requested` can be set by hand there.
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        _entered.append(self)
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _entered.remove(self)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
