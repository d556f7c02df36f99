"""The types of Qt, made before a thread imports what asks for all of them.

PySide makes the Python type of a class when it is first asked for, and not in a way that two threads may take at once:
6.11 hangs or ends the process. pyqtgraph asks for every name of three modules as it is imported, on a thread, while the
window draws.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import QObject, QTimer, Signal

SLICE_S = 0.005  # the longest type takes three times as long


class TypesMaking(QObject):
    """Asks for every name on the GUI thread, a few milliseconds at a time. What is made already costs nothing."""

    done = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._names: Iterator[tuple[object, str]] = iter(())
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._make)

    def start(self) -> None:
        self._names = ((module, name) for module in (QtCore, QtGui, QtWidgets) for name in dir(module))
        self._timer.start()

    def stop(self) -> None:
        """`done` does not follow."""
        self._timer.stop()

    def _make(self) -> None:
        until_s = time.perf_counter() + SLICE_S
        for module, name in self._names:
            getattr(module, name)
            if time.perf_counter() > until_s:
                return
        self._timer.stop()
        self.done.emit()
