"""Reading: short work on a thread, whose result comes on the GUI thread.

The thread touches no QObject: one that is deleted meanwhile would take the process with it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

LOOK_MS = 15


class Reading(QObject):
    """`done` carries what each `work` returned, in the order in which they ended."""

    done = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def start(self, work: Callable[[], Any]) -> None:
        results = self._results
        thread = threading.Thread(target=lambda: results.put(work()), name=self._name, daemon=True)
        self._threads = [*(other for other in self._threads if other.is_alive()), thread]
        thread.start()
        self._timer.start()

    def close(self, patience_s: float = 1.0) -> None:
        """Nothing is emitted any more; waits a little for what is being read."""
        self._timer.stop()
        for thread in self._threads:
            thread.join(patience_s)

    def _look(self) -> None:
        busy = self.busy  # before the queue: what ends in between has put its result there
        while not self._results.empty():
            self.done.emit(self._results.get())
        if not busy and self._results.empty():
            self._timer.stop()
