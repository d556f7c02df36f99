"""Collecting: Python's collector of cycles runs on the GUI thread, and on no other (docs/decisions/0022).

By itself it runs on whichever thread happens to make objects. Where it finds a QObject there, PySide destroys it on
that thread: one of Qt's locks of signals is held while the interpreter is waited for, and a GUI thread that connects a
signal holds the interpreter and waits for the lock. The window then stands still for ever.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 500  # what a drag makes in that time is collected in a millisecond


class Collecting(QObject):
    """Belongs to a window; from `start` to `stop` the collector does nothing by itself."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._by_itself = False  # whether it did before
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(collect_due)

    def start(self) -> None:
        """What there is by now is set aside: modules and types are many, and looking through them is a pause."""
        self._by_itself = gc.isenabled()
        gc.disable()
        gc.freeze()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        gc.unfreeze()
        if self._by_itself:
            gc.enable()


def collect_due() -> None:
    """What the collector would have done by itself by now, by its own thresholds. Call on the GUI thread."""
    counts, limits = gc.get_count(), gc.get_threshold()
    if counts[0] <= limits[0]:
        return
    generation = 0
    while generation < 2 and counts[generation + 1] > limits[generation + 1]:
        generation += 1
    gc.collect(generation)
