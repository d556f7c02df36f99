"""Session files: the whole work saved, opened, and recovered after a crash."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject

from latentlab.core.atomic import displayed
from latentlab.core.errors import LatentlabError
from latentlab.core.project_file import SavedSession, load, save
from latentlab.ui.opening import Opening
from latentlab.ui.saved import say_saved
from latentlab.ui.workspace import Workspace


class SessionFiles(QObject):
    """`path` is the file that the present work belongs to; None until it is saved or opened from one."""

    def __init__(self, workspace: Workspace, opening: Opening, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._opening = opening
        self._document: dict[str, object] = {}
        self.path: Path | None = None
        self._coming: tuple[Path, SavedSession] | None = None  # its model is being opened
        opening.begun.connect(self._begin)

    @property
    def worth_asking(self) -> bool:
        """Whether closing would lose what took effort."""
        session, state = self._workspace.session, self._workspace.state
        made = state.walk.keyframes or state.groups or state.samples.kept or self.path
        return session.dirty and bool(made)

    def save(self, path: Path | None = None) -> bool:
        """Whether it was saved; a failure is said in a notice and the file that was there is untouched."""
        target = path or self.path
        if target is None:
            raise ValueError("a session without a file needs a path")
        workspace = self._workspace
        try:
            save(target, workspace.state, workspace.opened.info.path, document=self._document)
        except LatentlabError as error:
            workspace.notices.report(error)
            return False
        self.path = target
        workspace.session.saved = workspace.state
        workspace.settings.add_recent(target)
        say_saved(workspace.notices, f"Saved {displayed(target)}", target)
        return True

    def open(self, path: Path) -> None:
        """Its checkpoint is opened first; the work goes on where it was saved."""
        try:
            saved = load(path)
        except LatentlabError as error:
            self._opening.refuse(displayed(path), str(error))
            return
        if not saved.checkpoint_path or not Path(saved.checkpoint_path).exists():
            where = saved.checkpoint_path or "any known place"
            self._opening.refuse(
                displayed(path),
                f"The model of {displayed(path)} is not at {where}. Put it there, or beside the session.",
            )
            return
        self._coming = path, saved
        self._opening.open(Path(saved.checkpoint_path), saved.state)
        self._workspace.settings.add_recent(path)

    def _begin(self) -> None:
        """The work of the file whose model has opened, or work without a file: saving must not write over another's."""
        coming, self._coming = self._coming, None
        self.path, self._document = None, {}
        if coming is not None and coming[1].state is self._workspace.state:
            self.path, self._document = coming[0], coming[1].document
