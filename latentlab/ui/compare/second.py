"""SecondModel: the checkpoint beside the open one, opened, given back and found again as the State says."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from latentlab.core.atomic import displayed
from latentlab.core.bundled import bundled_models
from latentlab.core.directions import DirectionSet
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import LatentlabError
from latentlab.core.fitting import fit_directions
from latentlab.core.latent_model import ModelInfo
from latentlab.core.model_folders import model_name
from latentlab.core.readings import in_words
from latentlab.core.requests import Opened, OpenFailed, OpenModel
from latentlab.core.state import Comparison
from latentlab.ui.crossing import Crossing
from latentlab.ui.importing import TrustBox
from latentlab.ui.opening import read_natively, resolved
from latentlab.ui.workspace import OpenedModel, Workspace


@dataclass(frozen=True, eq=False)
class Second:
    opened: OpenedModel
    memory_bytes: int = 0
    directions: DirectionSet = field(default_factory=DirectionSet)

    @property
    def info(self) -> ModelInfo:
        return self.opened.info

    @property
    def name(self) -> str:
        return model_name(Path(self.info.path))


class SecondModel(QObject):
    """`open` and `close` are steps that can be undone; `follow` brings what the State says after undo or a session."""

    changed = Signal()  # another model, none, or its directions
    waiting = Signal()  # `opening` changed

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._window = parent
        self.held: Second | None = None
        self.opening = ""  # the path that is being opened
        self._asked = OpenModel("")
        self._step = True  # whether what is being opened becomes a step of the session
        # Paths as the State says them; the files may have been found elsewhere.
        self._held_for = ""
        self._opening_for = ""
        self._refused = ""  # could not be opened: not tried again by itself
        workspace.decoding.second_opened.connect(self._take)
        workspace.decoding.second_open_failed.connect(self._fail)
        self._fitted = Crossing(self._take_fitted)

    # --- what a person does

    def open(self, path: Path) -> None:
        """The second model gives way when the next is ready."""
        self._refused = ""
        if self.held is None or str(path) != self.held.info.path:
            self._ask(path, step=True)

    def close(self) -> None:
        """Gives up what is being opened; else the second model is let go of."""
        comparison = self._workspace.state.comparison
        if self.opening:
            self._forget_opening()
            if comparison.path and self.held is None:  # of a session: it is not wanted after all
                self._workspace.change("Close the second model", comparison=replace(comparison, path="", checkpoint=""))
            return
        if self.held is not None:
            name = self.held.name
            self._workspace.change(f"Close {name}", comparison=replace(comparison, path="", checkpoint=""))

    # --- what the State says

    def follow(self, comparison: Comparison) -> None:
        """Opens or closes until the second model is that of the State."""
        if not comparison.path:
            self._refused = ""
            if self.opening and not self._step:
                self._forget_opening()
            if self.held is not None:
                self._let_go()
        elif comparison.path not in (self._held_for, self._refused, self._opening_for):
            self._ask(self._where(comparison.path), step=False)

    def _where(self, path: str) -> Path:
        """Where the file is now: a session may have been moved with its checkpoints, or come from another machine."""
        name, first = Path(path).name, self._workspace.opened.info.path
        beside = Path(first).parent / name if first else Path(path)
        bundled = [model for model in bundled_models() if model.name == name]
        for candidate in (Path(path), beside, *bundled):
            with suppress(OSError):
                if candidate.exists():
                    return candidate
        return Path(path)

    # --- the engine

    def _ask(self, path: Path, step: bool) -> None:
        try:
            found = resolved(path)
        except LatentlabError as error:
            self._refuse(str(path), str(error), step)
            return
        self._step = step
        self._opening_for = str(found) if step else self._workspace.state.comparison.path
        self._submit(OpenModel(str(found), self._workspace.settings.device, slot="compare"))

    def _submit(self, request: OpenModel) -> None:
        self._asked, self.opening = request, request.path
        self._workspace.decoding.open(request)
        self.waiting.emit()

    def _forget_opening(self) -> None:
        """What is on its way is not kept; what is held is asked for again, as the engine has let go of the slot."""
        self.opening = self._opening_for = ""
        self._workspace.decoding.let_go("compare")
        if self.held is not None:
            self._workspace.decoding.open(self.held.opened.request)
        self.waiting.emit()

    def _let_go(self) -> None:
        self.held, self._held_for = None, ""
        self._workspace.decoding.second = ""
        self._workspace.decoding.let_go("compare")
        self.changed.emit()

    def _take(self, reply: Opened) -> None:
        if reply.info.path != self.opening:
            return  # asked for before another was, or held all the time
        self._held_for = self._opening_for
        self.opening = self._opening_for = ""
        self.waiting.emit()
        info, workspace = reply.info, self._workspace
        self.held = Second(OpenedModel(info, request=self._asked), reply.memory_bytes)
        self._refused = ""
        workspace.decoding.second = info.sha256
        self._say(info)
        self._fit(info, reply.encodings)
        self.changed.emit()
        if self._step:
            comparison = replace(workspace.state.comparison, path=info.path, checkpoint=info.sha256)
            workspace.settings.add_recent(info.path)
            workspace.change(f"Compare with {self.held.name}", comparison=comparison)

    def _say(self, info: ModelInfo) -> None:
        notices, said = self._workspace.notices, self._workspace.state.comparison
        name = model_name(Path(info.path))
        if info.guessed:
            notices.info(
                f"{name} is read as the likeliest guess: {in_words(info.reading)}. "
                "Open it on its own to choose from pictures; the choice is remembered."
            )
        if not self._step and said.checkpoint and said.checkpoint != info.sha256:
            notices.warn(f"{name} is not the file it was when the comparison was made; its pictures may differ.")
        broken = [text for text in info.warnings if "NaN" in text]
        for text in broken:
            notices.warn(f"{name}: {text}")

    def _fail(self, reply: OpenFailed) -> None:
        if self.held is not None and reply.path == self.held.info.path and not self.opening:
            self._let_go()  # the engine came back, and its file did not
            self._step = False
        elif reply.path != self.opening:
            return
        if reply.needs_trust and not self._asked.trust:
            box = TrustBox(reply.path, reply.message, self._window)
            box.finished.connect(lambda _result: self._answer_trust(box, reply))
            box.open()
        else:
            self._refuse(reply.path, reply.message, self._step)

    def _answer_trust(self, box: TrustBox, reply: OpenFailed) -> None:
        if box.clickedButton() is box.trust_button:
            self._submit(replace(self._asked, trust=True))
        else:
            self._refuse(reply.path, reply.message, self._step)

    def _refuse(self, path: str, message: str, step: bool) -> None:
        self.opening = self._opening_for = ""
        if not step:
            self._refused = self._workspace.state.comparison.path
            message = f"The second model, {displayed(Path(path).name)}, could not be opened again. {message}"
        self._workspace.notices.error(message)
        self.waiting.emit()

    # --- its attributes

    def _fit(self, info: ModelInfo, encodings: EncodingSet | None) -> None:
        """Encodings are read, and directions fitted, on a thread: a tenth of a second each."""

        def work(encodings: EncodingSet | None = encodings) -> tuple[str, DirectionSet | LatentlabError]:
            try:
                if encodings is None and (native := read_natively(Path(info.path))) is not None:
                    encodings = native.encodings
                told = info.not_asked(encodings) if encodings is not None else None
                found = fit_directions(told, checkpoint=info.sha256) if told is not None else DirectionSet()
            except LatentlabError as error:
                return info.sha256, error
            return info.sha256, found

        self._fitted.run(work, "directions of the second")

    def _take_fitted(self, fitted: tuple[str, DirectionSet | LatentlabError]) -> None:
        checkpoint, found = fitted
        if self.held is None or self.held.info.sha256 != checkpoint:
            return
        if isinstance(found, LatentlabError):
            self._workspace.notices.report(found)
            return
        first = self.held.info.spaces[0].name  # where pictures are encoded to
        self.held = replace(self.held, directions=DirectionSet(d for d in found.values() if d.space == first))
        self.changed.emit()
