"""Reading: short work on a thread, whose result comes on the GUI thread. Of `Computing` only the latest comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from latentlab.ui.crossing import Crossing


class Reading(QObject):
    """`done` carries what each `work` returned, in the order in which they ended."""

    done = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._closed = False
        self._found = Crossing(self._take)
        self._threads: list[threading.Thread] = []

    @property
    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def start(self, work: Callable[[], Any]) -> None:
        """`work` may outlive the window, as where a folder does not answer: it holds nothing of it."""
        thread = self._found.run(work, self._name, daemon=True)
        self._threads = [*(other for other in self._threads if other.is_alive()), thread]

    def close(self, patience_s: float = 1.0) -> None:
        """Nothing is emitted any more; waits a little for what is being read."""
        self._closed = True
        for thread in self._threads:
            thread.join(patience_s)

    def _take(self, found: Any) -> None:
        if not self._closed:
            self.done.emit(found)
