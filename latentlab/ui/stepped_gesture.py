"""Steps of the wheel, the keys and typing that follow each other closely are one undo step."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from latentlab.core.session import Session

PAUSE_MS = 700


class SteppedGesture(QObject):
    """Opens a gesture at the first step and closes it after a pause; a step of another label closes it at once."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._label = ""
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.finish)

    def step(self, label: str) -> None:
        """Call before the session's update of each step."""
        if label != self._label or self._session.open_gesture != label:
            self.finish()
            self._session.begin(label)
            self._label = label
        self._pause.start()

    def finish(self) -> None:
        """Close it now. A gesture that someone else has opened since stays open."""
        self._pause.stop()
        if self._label and self._session.open_gesture == self._label:
            self._session.end()
        self._label = ""
