"""Opening: models and sessions, from whatever path. What was open stays until the next is ready."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import is_native, model_info, read_encodings, read_header
from latentlab.core.comparing import beside_another
from latentlab.core.directions import DirectionSet
from latentlab.core.encodings import EncodingSet
from latentlab.core.encodings_file import encodings_beside
from latentlab.core.errors import CheckpointError, LatentlabError
from latentlab.core.first_state import first_state
from latentlab.core.fitting import fit_directions
from latentlab.core.latent_model import ModelInfo
from latentlab.core.model_folders import weights_in
from latentlab.core.readings import guess_warning
from latentlab.core.requests import Opened, OpenFailed, OpenModel
from latentlab.core.space_switching import everywhere
from latentlab.core.state import MapView, State
from latentlab.ui.crossing import Crossing
from latentlab.ui.notices import Action, Notice
from latentlab.ui.workspace import OpenedModel, Workspace


def resolved(path: Path) -> Path:
    """The checkpoint or session that a path means; a run or model folder means the weights in it. CheckpointError."""
    if path.is_dir():
        return weights_in(path)
    if not path.exists():
        raise CheckpointError(f"{displayed(path)} does not exist; check the path.")
    if not path.is_file():
        raise CheckpointError(f"{displayed(path)} is not a regular file; name a checkpoint or a session.")
    return path


def read_natively(path: Path) -> OpenedModel | None:
    """Header and encodings without torch; None when the file is of another format. Raises CheckpointError."""
    if not is_native(path):
        return None
    info = model_info(path, read_header(path))
    return OpenedModel(info, encodings_beside(info).encodings or read_encodings(path))


class Opening(QObject):
    """The window hears `shown` when `workspace.opened` is another model, `refused` when one could not be opened."""

    shown = Signal()
    begun = Signal()  # other work stands in the session, of another model or of a session's file; `shown` follows
    engine_ready = Signal()  # the engine holds the model that is shown already
    refused = Signal(str, str)  # the path, and why
    trust_wanted = Signal(str, str)  # a file that can run code, and what it is: `trust` or `refuse` it
    latent_wanted = Signal(str, str)  # a file that leaves the size of its latents open: `say_latent` or `refuse` it
    opened = Signal()  # the engine has opened what was asked for, whether it is shown already or not

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.how = OpenModel("", device="")  # device, trust and options for the next file, from the command line
        self._wanted = ""  # the path the engine was last asked for
        self._asked = OpenModel("")  # and how
        self.answered = False  # whether the engine has opened anything yet
        self._state: State | None = None  # what a session file goes on with
        self._fits: list[threading.Thread] = []
        self._fitted = Crossing(self._take_directions)  # (checkpoint, DirectionSet or why there is none)
        self._warned: list[Notice] = []  # of the model that is shown
        workspace.decoding.opened.connect(self._on_opened)
        workspace.decoding.open_failed.connect(self._on_failed)

    def begin(self, opened: OpenedModel, directions: DirectionSet | None = None) -> None:
        """The first model: its map stands before the engine has said a word."""
        state = first_state(opened.info, opened.encodings)
        self._show(opened, replace(state, directions=directions) if directions else state)
        self._ask(opened.info.path)

    def open(self, path: Path, state: State | None = None) -> None:
        """Asks the engine; the model takes over when it is ready. A session goes on at `state`."""
        try:
            found = resolved(path)
        except LatentlabError as error:
            self.refuse(displayed(path), str(error))
            return
        self._state = state
        self._ask(str(found))

    @property
    def waiting_for(self) -> str:
        """The path that is being opened; empty when nothing is."""
        return self._wanted

    def join(self) -> None:
        """Waits for directions that are being fitted."""
        for thread in self._fits:
            thread.join(2.0)

    def trust(self, path: str) -> None:
        """A person trusts the file that was last refused because it can run code: this once."""
        if path == self._asked.path:
            self._submit(replace(self._asked, trust=True))

    def say_latent(self, path: str, size: str) -> None:
        """The file that was last refused for it, with the size of its latents, as "64"."""
        if path == self._asked.path:
            self._submit(replace(self._asked, options={**self._asked.options, "latent": size}))

    def reread(self, options: Mapping[str, str]) -> None:
        """The open file with another activation or range; what was done in its latent space stays."""
        request = self._workspace.opened.request
        self._submit(replace(request, options={**request.options, **options}))

    def _ask(self, path: str) -> None:
        device = self.how.device or self._workspace.settings.device
        self._submit(replace(self.how, path=path, device=device))
        self.how = OpenModel("", device=self.how.device)  # trust and options were said of this one file

    def _submit(self, request: OpenModel) -> None:
        self._wanted, self._asked = request.path, request
        self._workspace.decoding.open(request)

    def _on_opened(self, reply: Opened) -> None:
        if reply.info.path != self._wanted:
            return  # asked for before another was
        self._wanted = ""
        self.answered = True
        current = self._workspace.opened
        same = reply.info.sha256 == current.info.sha256 and self._state is None
        if same and reply.info.reading == current.info.reading:
            self._workspace.opened = replace(current, info=reply.info, request=self._asked)
            self.engine_ready.emit()
        elif same:
            self.take_encodings(reply.encodings, reply.info)
        else:
            self._show(OpenedModel(reply.info, self._encodings(reply), self._asked), self._state)
        self._state = None
        if reply.info.path:  # a model given to explore() has none
            self._workspace.settings.add_recent(reply.info.path)
        asked = guess_warning(reply.info.reading, reply.info.guessed)  # the window asks, with pictures
        for warning in reply.info.warnings:
            if not warning.startswith(asked):
                self._warned.append(self._workspace.notices.warn(warning))
        self.opened.emit()

    def _encodings(self, reply: Opened) -> EncodingSet | None:
        if reply.encodings is not None:
            return reply.encodings
        native = read_natively(Path(reply.info.path))
        return native.encodings if native else None

    def _on_failed(self, reply: OpenFailed) -> None:
        if reply.path != self._wanted:
            return
        self._wanted = ""
        if reply.needs_trust and not self._asked.trust:
            self.trust_wanted.emit(reply.path, reply.message)
        elif reply.needs_latent and not self._asked.options.get("latent"):
            self.latent_wanted.emit(reply.path, reply.message)
        else:
            self._state = None
            self.refuse(reply.path, reply.message)

    def refuse(self, path: str, message: str) -> None:
        """Says why a file is not opened; what was open stays."""
        again = Action("Try again", lambda: self.open(Path(path)))
        self._workspace.notices.error(message, again)
        self.refused.emit(path, message)

    def take_encodings(self, encodings: EncodingSet | None, info: ModelInfo | None = None) -> None:
        """Other encodings of the open model, or another reading of it: what was done stays, but for the groups."""
        workspace = self._workspace
        opened = workspace.opened
        workspace.opened = replace(opened, info=info or opened.info, encodings=encodings, note="")
        if info is not None:
            workspace.opened.request = self._asked
        # Groups are positions among the encodings, and the view names their attributes.
        workspace.session.amend(lambda state: everywhere(state, lambda one: replace(one, groups=(), view=MapView())))
        self.shown.emit()
        if workspace.opened.encodings is not None:  # of the space one works in
            self.fit(workspace.opened.encodings)

    def _show(self, opened: OpenedModel, state: State | None) -> None:
        workspace = self._workspace
        while self._warned:
            workspace.notices.dismiss(self._warned.pop())
        before, workspace.opened = workspace.opened, opened
        workspace.decoding.checkpoint = opened.info.sha256
        if state is None:  # what is compared with stays, whatever stands beside it
            first = first_state(opened.info, opened.encodings)
            kept = beside_another(workspace.state.comparison, opened.info, before.info)
            state, fitted = replace(first, comparison=kept), False
        else:
            fitted = bool(state.directions)
        workspace.session.restart(state)
        self.begun.emit()
        self.shown.emit()
        encodings = workspace.opened.encodings  # of the space one works in
        if encodings is not None and not fitted:
            self.fit(encodings)

    def fit(self, encodings: EncodingSet) -> None:
        """Directions take a tenth of a second at 10,000 encodings: on a thread, numpy lets the window go on."""
        checkpoint = self._workspace.opened.info.sha256
        told = self._workspace.opened.info.not_asked(encodings)

        def work() -> tuple[str, DirectionSet | LatentlabError]:
            try:
                return checkpoint, fit_directions(told, checkpoint=checkpoint)
            except LatentlabError as error:
                return checkpoint, error

        self._fits = [thread for thread in self._fits if thread.is_alive()]
        self._fits.append(self._fitted.run(work, "directions"))

    def _take_directions(self, fitted: tuple[str, DirectionSet | LatentlabError]) -> None:
        checkpoint, found = fitted
        if checkpoint != self._workspace.opened.info.sha256:
            return
        if isinstance(found, LatentlabError):
            self._workspace.notices.report(found)
            return
        spaces = {direction.space for direction in found.values()}

        def merged(state: State) -> State:
            fits = state.space in spaces
            return replace(state, directions=_merged(found, state.directions)) if fits else state

        self._workspace.session.amend(lambda state: everywhere(state, merged))


def _merged(fitted: DirectionSet, own: DirectionSet) -> DirectionSet:
    """Directions the user has made meanwhile stay, after those of the checkpoint."""
    return DirectionSet([*fitted.values(), *(own[name] for name in own if name not in fitted)])
