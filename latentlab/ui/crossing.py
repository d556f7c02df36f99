"""Crossing: how what a thread has computed comes to the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal


class Crossing(QObject):
    """Any thread may emit `arrived`; `take`, a method of a QObject, is then called in the thread of that object.

    A thread may outlive the panel it works for, and a signal emitted of an object that is just being deleted ends the
    process. This one has no parent: the thread that holds it keeps it alive, and `take` is not called once its object
    is gone.
    """

    arrived = Signal(object)

    def __init__(self, take: Callable[[Any], None]) -> None:
        super().__init__()
        self.arrived.connect(take, Qt.ConnectionType.QueuedConnection)

    def run(self, work: Callable[[], Any], name: str, daemon: bool = False) -> threading.Thread:
        """Starts `work` on a thread of its own; what it returns arrives. `work` holds no panel.

        An exception goes to `threading.excepthook`, which reports it, and nothing arrives. The interpreter waits for
        the thread at its end unless it is a `daemon`.
        """
        thread = threading.Thread(target=lambda: self.arrived.emit(work()), name=name, daemon=daemon)
        thread.start()
        return thread
