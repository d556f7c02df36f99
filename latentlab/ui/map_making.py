"""Map making: encodings for a model that has none, or other ones, as a job; they are kept beside the checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from latentlab.core.atomic import displayed
from latentlab.core.encodings import EncodingSet
from latentlab.core.first_state import first_encoding
from latentlab.ui.map.hint import NOT_YET
from latentlab.ui.messages import TextDialog
from latentlab.ui.notices import Action, Notice
from latentlab.ui.opening import Opening
from latentlab.ui.running import RunningJob
from latentlab.ui.workspace import Workspace

FOLDER = "latentlab.engine.map_making:run_folder"
DRAWS = "latentlab.engine.map_making:run_draws"


class MapMaking(QObject):
    """Encodes a folder or draws samples for the map; says what is missing where a model without encodings opens."""

    def __init__(
        self, workspace: Workspace, opening: Opening, window: QWidget, map_in_sight: Callable[[], bool]
    ) -> None:
        super().__init__(window)
        self._map_in_sight = map_in_sight
        self._workspace = workspace
        self._opening = opening
        self._window = window
        self._job: RunningJob | None = None
        self._offered: Notice | None = None  # that there is no map yet
        opening.opened.connect(self._offer)
        opening.shown.connect(self._withdraw)

    def choose_folder(self) -> None:
        """Asks for the folder, where the model can encode one."""
        if not self._possible():
            return
        if not self._workspace.opened.info.encoder:
            self._workspace.notices.warn(
                "This model has no encoder, so a folder of pictures cannot be encoded. Its own samples can be the map.",
                Action("Draw samples", self.draw),
            )
            return
        settings = self._workspace.settings
        folder = QFileDialog.getExistingDirectory(self._window, "Encode a folder of pictures", settings.open_folder)
        if folder:
            settings.open_folder = folder
            self.encode(Path(folder))

    def encode(self, folder: Path) -> RunningJob | None:
        """Every picture of a folder, with the labels of its class folders or of its attributes.csv."""
        return self._start(f"Encoding {displayed(folder.name)}", FOLDER, folder=str(folder))

    def draw(self) -> RunningJob | None:
        """Draws from the prior."""
        if not self._workspace.opened.info.spaces[0].drawable:
            self.say_undrawable()
            return None
        return self._start("Drawing samples", DRAWS)

    def say_undrawable(self) -> None:
        """Why nothing is drawn from a prior that describes no pictures, and where work begins instead."""
        why = "Draws from this model's prior are no pictures"
        if self._workspace.opened.info.encoder:
            begin = "Begin with pictures of yours: drop one on the image, or encode a folder."
            self._workspace.notices.warn(f"{why}. {begin}", Action("Encode a folder…", self.choose_folder))
        else:
            self._workspace.notices.warn(f"{why}, and it has no encoder. Begin at the middle, with the sliders.")

    def _possible(self) -> bool:
        if not self._workspace.opened.info.path:
            self._workspace.notices.warn(
                "This model has no file to keep a map beside; give explore() images=… instead."
            )
            return False
        if self._job is not None:
            self._workspace.notices.info("A map is being made already; its progress and Cancel are in the status line.")
            return False
        return True

    def _start(self, title: str, function: str, **arguments: Any) -> RunningJob | None:
        if not self._possible():
            return None
        opened = self._workspace.opened
        self._withdraw()
        arguments |= {"path": opened.info.path, "checkpoint": opened.info.sha256, **opened.for_jobs}
        job = self._workspace.running.start(title, function, arguments)
        job.done.connect(lambda made: self._take(made, opened.info.sha256, dict(opened.info.reading)))
        job.ended.connect(self._end)
        self._job = job
        return job

    def _end(self) -> None:
        self._job = None

    def _take(self, made: Any, checkpoint: str, reading: dict[str, str]) -> None:
        """`made` is a `latentlab.engine.map_making.Made`."""
        workspace, encodings = self._workspace, made.encodings
        info = workspace.opened.info
        if (info.sha256, dict(info.reading)) != (checkpoint, reading):
            workspace.notices.info(f"The map is kept as {displayed(made.path)} for the next opening.")
            return
        before = workspace.opened.encodings
        self._opening.take_encodings(encodings)
        self._begin(encodings)
        kind = "samples drawn" if encodings.samples else "pictures encoded"
        said = f"{len(encodings):,} {kind}; kept {_where(Path(made.path), Path(info.path))}."
        actions = []
        if made.skipped:
            said += f" {len(made.skipped):,} files could not be used."
            text = "\n".join(made.skipped)
            actions.append(Action("Which", lambda: TextDialog("Files that were skipped", text, self._window).open()))
        if before is not None:
            actions.append(Action("Back to the map before", lambda: self._go_back(before, made.path, checkpoint)))
        workspace.notices.info(said, *actions)

    def _begin(self, encodings: EncodingSet) -> None:
        """Where the prior draws no pictures, work begins at one of the encodings now."""
        state = self._workspace.state
        index = first_encoding(encodings)
        if index is not None and encodings.space == state.space and not self._workspace.space.drawable:
            self._workspace.go_to(encodings.latents[index], encodings.name_of(index))

    def _go_back(self, before: EncodingSet, path: str, checkpoint: str) -> None:
        try:
            Path(path).unlink(missing_ok=True)
        except OSError as error:
            self._workspace.notices.warn(f"{displayed(path)} cannot be removed: {error.strerror}.")
        if self._workspace.opened.info.sha256 == checkpoint:
            self._opening.take_encodings(before)

    def _withdraw(self) -> None:
        """Another model, or a map: the offer is of the past."""
        if self._offered is not None:
            self._workspace.notices.dismiss(self._offered)
            self._offered = None

    def _offer(self) -> None:
        opened = self._workspace.opened
        info, encodings = opened.info, opened.encodings
        if not info.path or info.guessed or (encodings is not None and len(encodings)):
            return  # one question at a time: how the file is read comes first
        if self._map_in_sight():
            return  # it offers the same, in the middle
        if self._workspace.in_training:
            self._offered = self._workspace.notices.info(NOT_YET, fades=True)
            return
        actions = [Action("Encode a folder…", self.choose_folder)] if info.encoder else []
        if info.spaces[0].drawable:
            actions.append(Action("Draw samples", self.draw))
        if actions:
            self._offered = self._workspace.notices.info(
                "This checkpoint carries no encodings, so there is no map yet.", *actions
            )


def _where(path: Path, checkpoint: Path) -> str:
    """A file beside the checkpoint by its name, one elsewhere by its path: that is news."""
    if path.parent == checkpoint.parent:
        return f"beside the checkpoint as {displayed(path.name)}"
    return f"as {displayed(path)}, because the checkpoint's own folder cannot be written to"
