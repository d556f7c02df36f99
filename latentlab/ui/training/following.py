"""Following: the folder of a run, read again whenever the trainer has saved something; from a shell or from here."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from latentlab.core.errors import LatentlabError
from latentlab.core.run_folder import RunReading, read_run, stamp_of
from latentlab.ui.training.reading import Reading

LOOK_MS = 700  # between two looks at the folder


class RunFollowing(QObject):
    """Reads on a thread of its own; `changed` comes on the GUI thread, and only while it is `watching`."""

    changed = Signal()  # `reading` is new, or None for another folder
    refused = Signal(str)  # the folder holds no run, and why

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder: Path | None = None
        self.reading: RunReading | None = None
        self._reading = Reading("reading a run", self)
        self._reading.done.connect(lambda found: self._take(*found))
        self._expected = False  # a new run: that its folder is not there yet is no mistake
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)

    def follow(self, folder: Path, expected: bool = False) -> None:
        """Another folder; `expected`: of a run that is only about to begin."""
        self.folder, self.reading, self._expected = folder, None, expected
        self.changed.emit()
        self.look()

    def watch(self, watching: bool) -> None:
        """Whether anybody looks."""
        if watching:
            self._timer.start()
            self.look()
        else:
            self._timer.stop()

    def look(self) -> None:
        """Reads what is new; `changed` follows where there is something."""
        folder = self.folder
        if folder is None or self._reading.busy:
            return
        before = self.reading

        def work() -> tuple[Path, RunReading | LatentlabError | None]:
            if before is not None and before.stamp == stamp_of(folder):
                return folder, None
            try:
                return folder, read_run(folder, before)
            except LatentlabError as error:
                return folder, error

        self._reading.start(work)

    def close(self) -> None:
        self._timer.stop()
        self._reading.close()

    def _take(self, folder: Path, found: RunReading | LatentlabError | None) -> None:
        if folder != self.folder or found is None:
            return
        if isinstance(found, RunReading):
            self.reading, self._expected = found, False
            self.changed.emit()
        elif self.reading is None and not self._expected:
            self.folder = None
            self.refused.emit(str(found))
