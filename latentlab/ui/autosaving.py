"""Autosaving: unsaved work is kept beside the settings, and offered again after a crash."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from latentlab.core.errors import LatentlabError
from latentlab.core.project_file import load
from latentlab.core.snapshots import LeftBehind, Snapshots
from latentlab.core.state import State
from latentlab.ui.crossing import Crossing
from latentlab.ui.notices import Action
from latentlab.ui.opening import Opening
from latentlab.ui.workspace import Workspace


class Autosaving(QObject):
    """A snapshot at most every `settings.snapshot_seconds` while anything is unsaved, written off the GUI thread."""

    def __init__(self, workspace: Workspace, opening: Opening, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._opening = opening
        self._snapshots = Snapshots()
        self._kept: State | None = None
        self._restoring: LeftBehind | None = None
        self._writer: threading.Thread | None = None
        self._written = Crossing(self._take_written)
        self._timer = QTimer(self, interval=round(1000 * workspace.settings.snapshot_seconds))
        self._timer.timeout.connect(self.snapshot)
        opening.shown.connect(self._restored)

    def begin(self) -> None:
        """From now on work is kept; what a crash left behind is offered."""
        try:
            self._snapshots.open()
        except LatentlabError as error:
            self._workspace.notices.report(error)
            return
        self._timer.start()
        for left in self._snapshots.left_behind()[:1]:
            self._offer(left)

    def snapshot(self) -> None:
        workspace = self._workspace
        state = workspace.state
        if not workspace.session.dirty:
            self._snapshots.discard()
            self._kept = None
        elif state is not self._kept and not (self._writer and self._writer.is_alive()):
            self._kept = state
            path = workspace.opened.info.path
            self._writer = self._written.run(partial(_written, self._snapshots, state, path), "autosaving")

    def close(self) -> None:
        """A clean end leaves nothing behind."""
        self._timer.stop()
        if self._writer is not None:
            self._writer.join(2.0)
        self._snapshots.close()

    def _take_written(self, error: LatentlabError | None) -> None:
        if error is not None:
            self._timer.stop()  # said once, not every twenty seconds
            self._workspace.notices.report(error)

    def _offer(self, left: LeftBehind) -> None:
        when = datetime.fromtimestamp(left.saved_at)
        self._workspace.notices.warn(
            f"latentlab ended unexpectedly; unsaved work of {when:%d %B, %H:%M} was kept.",
            Action("Restore", lambda: self._restore(left)),
            Action("Discard", lambda: self._snapshots.forget(left)),
        )

    def _restore(self, left: LeftBehind) -> None:
        try:
            saved = load(left.path)
        except LatentlabError as error:
            self._workspace.notices.report(error)
            self._snapshots.forget(left)
            return
        self._restoring = left
        self._opening.open(Path(saved.checkpoint_path), saved.state)

    def _restored(self) -> None:
        """Only now does the new work stand for what was left behind: it is unsaved still."""
        if self._restoring is not None:
            session = self._workspace.session
            session.saved = replace(session.state)
            self._snapshots.forget(self._restoring)
            self._restoring = None


def _written(snapshots: Snapshots, state: State, path: str) -> LatentlabError | None:
    """What went wrong, if anything."""
    try:
        snapshots.write(state, path)
    except LatentlabError as error:
        return error
    return None
