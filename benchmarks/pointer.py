"""A pointer that moves at a steady rate whatever the window does: its beat comes from a process of its own.

A timer in the window would wait while the window is busy, and the worst moments would go unmeasured.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPointF, QSocketNotifier, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

BEAT = struct.Struct("d")  # the moment at which a beat was due, in seconds of time.monotonic
BEATS = """
import struct, sys, time
rate_hz, count = float(sys.argv[1]), int(sys.argv[2])
begin_s = time.monotonic() + 0.05
for number in range(count):
    due_s = begin_s + number / rate_hz
    time.sleep(max(0.0, due_s - time.monotonic()))
    sys.stdout.buffer.write(struct.pack("d", due_s))
    sys.stdout.buffer.flush()
"""


class Pointer(QObject):
    """Presses, moves along `path` (0 to 1 -> a position in the widget) at `rate_hz` for `seconds`, and releases.

    `moved(due_s)` is called after each move was delivered, `ended()` after the release.
    """

    def __init__(
        self,
        widget: QWidget,
        path: Callable[[float], QPointF],
        rate_hz: float,
        seconds: float,
        moved: Callable[[float], None],
        ended: Callable[[], None],
    ) -> None:
        super().__init__()
        self._widget, self._path = widget, path
        self._moved, self._ended = moved, ended
        self._count = round(rate_hz * seconds)
        self._done = 0
        self._partial = b""
        self._send(QEvent.Type.MouseButtonPress, path(0.0))
        self._beats = subprocess.Popen(
            [sys.executable, "-c", BEATS, str(rate_hz), str(self._count)], stdout=subprocess.PIPE
        )
        assert self._beats.stdout is not None
        self._stream = self._beats.stdout.fileno()
        self._notifier = QSocketNotifier(self._stream, QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._beat)

    def _beat(self) -> None:
        read = self._partial + os.read(self._stream, 4096)
        whole = len(read) // BEAT.size * BEAT.size
        self._partial = read[whole:]
        for (due_s,) in BEAT.iter_unpack(read[:whole]):
            self._done += 1
            self._send(QEvent.Type.MouseMove, self._path(self._done / self._count))
            self._moved(due_s)
        if self._done == self._count:
            self._notifier.setEnabled(False)
            self._beats.communicate()
            self._send(QEvent.Type.MouseButtonRelease, self._path(1.0))
            self._ended()

    def _send(self, kind: QEvent.Type, place: QPointF) -> None:
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        event = QMouseEvent(
            kind,
            place,
            QPointF(self._widget.mapToGlobal(place)),
            none if kind == QEvent.Type.MouseMove else left,
            none if kind == QEvent.Type.MouseButtonRelease else left,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(self._widget, event)
