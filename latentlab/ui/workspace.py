"""Workspace: what every panel is handed. Services by their interfaces, the open model, the session."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentlab.core.condition import condition_of_encoding
from latentlab.core.encodings import EncodingSet
from latentlab.core.latent_model import ImageShape, ModelInfo
from latentlab.core.requests import OpenModel
from latentlab.core.session import Session
from latentlab.core.space_switching import in_space, put_aside
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.core.state import Original, State, at

if TYPE_CHECKING:
    from latentlab.core.settings import Settings
    from latentlab.ui.decoding import Decoding
    from latentlab.ui.notices import Notices
    from latentlab.ui.projecting import Projecting
    from latentlab.ui.running import Running
    from latentlab.ui.training.training import Training

NOTHING_OPEN = ModelInfo("", "", "", ImageShape(64, 64, 3), (LatentSpace("z", (2,)),), encoder=False)


@dataclass
class OpenedModel:
    """The open model as the window knows it; `encodings` is None until some exist."""

    info: ModelInfo = NOTHING_OPEN
    encodings: EncodingSet | None = None
    request: OpenModel = field(default_factory=lambda: OpenModel(""))  # what the engine was asked for
    note: str = ""  # why there are no encodings in this space, where there are in another

    def __post_init__(self) -> None:
        self.info = self.info.drawn_around(self.encodings)

    @property
    def for_jobs(self) -> dict[str, object]:
        """How a job opens the same model, read the same way: `device`, `trust` and `options`."""
        options = {**self.request.options, **self.info.reading}
        return {"device": self.request.device or "auto", "trust": self.request.trust, "options": options}


@dataclass
class Workspace:
    session: Session
    decoding: Decoding  # pictures: submit(consumer, request, lane)
    projecting: Projecting  # maps: layouts of the encodings, their inverse
    running: Running  # jobs with progress and cancel
    notices: Notices  # messages at the bottom right
    settings: Settings
    opened: OpenedModel = field(default_factory=OpenedModel)
    training: Training | None = None  # runs of the trainer; None where there is none to start

    @property
    def in_training(self) -> bool:
        """Whether the open checkpoint is one of the run that is at work: its map is made when the run ends."""
        run = self.training.at_work if self.training is not None else None
        path = self.opened.info.path
        return run is not None and bool(path) and Path(path).absolute().parent == run.folder.absolute()

    @property
    def state(self) -> State:
        return self.session.state

    @property
    def space(self) -> LatentSpace:
        return self.opened.info.space(self.state.space)

    def go_to(
        self, latent: FloatArray, name: str, original: Original | None = None, label: str = "", space: str = ""
    ) -> None:
        """Make `latent` (D,) the current picture; within an open gesture it is part of that one undo step.

        `space`: where the latent lies; the one that is worked in if empty. Work goes on there, and that is said.
        """
        state = in_space(self.state, self.opened.info, space or self.state.space)
        if state.space != self.state.space:
            waiting = put_aside(state)
            aside = f" Put aside until you switch back: {waiting}." if waiting else ""
            self.notices.info(f"{name} lies in {state.space}, so work goes on there.{aside}")
        self.session.update(at(state, latent, name, original), label or f"Go to {name}")

    def go_to_encoding(self, index: int, label: str = "") -> None:
        """The same with an encoding; a conditional model is asked for what its picture is, as far as that is known."""
        encodings, info = self.opened.encodings, self.opened.info
        assert encodings is not None
        asked = condition_of_encoding(encodings, index, info.conditional or (), info.conditional_attributes)
        if asked is not None and asked.label is None and self.state.condition is not None:
            asked = replace(asked, label=self.state.condition.label)
        state = at(self.state, encodings.latents[index], encodings.name_of(index))
        self.session.update(replace(state, condition=asked), label or f"Go to {state.name}")

    def change(self, label: str, **parts: object) -> None:
        """`session.update` with some parts of the state replaced."""
        self.session.update(replace(self.state, **parts), label)  # type: ignore[arg-type]

    def fits(self, latent: FloatArray, space: str) -> bool:
        """Whether a latent from elsewhere can be one of this space of the open model."""
        shapes = {known.name: (known.dim,) for known in self.opened.info.spaces}
        return latent.shape == shapes.get(space) and bool(np.isfinite(latent).all())
