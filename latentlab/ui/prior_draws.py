"""Draws from the prior for the window: truncated where truncation means something, which can take the engine.

Shapes: N draws, D latent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from latentlab.core.condition import Condition
from latentlab.core.latent_model import ModelInfo
from latentlab.core.requests import InSpace, Lane, ToSpace
from latentlab.core.spaces import FloatArray, sample_name
from latentlab.core.state import State
from latentlab.ui.workspace import Workspace

# What a person may ask for, wherever draws are shown.
LARGEST_SEED = 2**31 - 1
MOST_TRUNCATION = 1.5
SEED_PX = 90  # of the field; one for the largest seed would widen a small window
TRUNCATION = "Truncation"


@dataclass(frozen=True)
class DrawsWanted:
    """`count` draws of a seed, from one space to another or the same."""

    checkpoint: str
    route: tuple[str, str]
    condition: Condition | None
    seed: int
    truncation: float
    count: int
    around: bool | None = None  # encodings or from the prior; of no effect where the space has none


@dataclass(frozen=True, eq=False)
class Drawn:
    latents: FloatArray  # (N, D)
    space: str  # where they lie: w, where draws of z were truncated
    seed: int
    truncation: float = 1.0

    @property
    def names(self) -> list[str]:
        return [sample_name(self.seed, index, self.truncation) for index in range(len(self.latents))]


class PriorDraws(QObject):
    """Latest wins; `drawn` follows at once where no way to another space has to be gone, or it is known."""

    drawn = Signal(object)  # Drawn

    def __init__(self, workspace: Workspace, consumer: str, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._consumer = consumer
        self._info = workspace.opened.info  # of the model that is drawn from
        self._wanted: tuple[int, DrawsWanted] | None = None  # the ticket, and what for
        self._mapped: tuple[DrawsWanted, FloatArray] | None = None  # the last that came, before truncation
        workspace.decoding.in_space.connect(self._take)

    def ask(self, state: State, count: int, seed: int) -> None:
        """Of the open model, for someone who works where `state` does."""
        sheet = state.samples
        how = DrawsWanted(state.checkpoint, ("", ""), state.condition, seed, sheet.truncation, count, sheet.around)
        self.ask_of(self._workspace.opened.info, state.space, how)

    def ask_of(self, info: ModelInfo, space: str, how: DrawsWanted) -> None:
        """Of a model that the engine holds, for work in its `space`; the route of `how` is found here."""
        origin, to = info.drawn_through(space, how.truncation)
        wanted = replace(how, route=(origin, to))
        self._info, self._wanted = info, None
        if origin == to:
            home = info.space(to)
            around = wanted.around if home.around is not None else None
            latents_ND = home.sample(wanted.count, wanted.seed, wanted.truncation, around)
            self.drawn.emit(Drawn(latents_ND, to, wanted.seed, wanted.truncation))
        elif self._mapped is not None and _holds(self._mapped[0], wanted):
            self._pass_on(wanted)
        else:
            latents_ND = info.space(origin).sample(wanted.count, wanted.seed)
            request = ToSpace(wanted.checkpoint, latents_ND, origin, to, wanted.condition)
            self._wanted = (self._workspace.decoding.submit(self._consumer, request, Lane.VISIBLE), wanted)

    def _take(self, reply: InSpace) -> None:
        if self._wanted is not None and reply.ticket == self._wanted[0]:
            wanted, self._wanted = self._wanted[1], None
            self._mapped = (wanted, np.asarray(reply.latents, np.float32))
            self._pass_on(wanted)

    def _pass_on(self, wanted: DrawsWanted) -> None:
        assert self._mapped is not None
        to = wanted.route[1]
        latents_ND = self._info.space(to).truncated(self._mapped[1][: wanted.count], wanted.truncation)
        self.drawn.emit(Drawn(latents_ND, to, wanted.seed, wanted.truncation))


def _holds(there: DrawsWanted, wanted: DrawsWanted) -> bool:
    """Whether what came for one order answers another: the first draws of a seed are the same however many follow."""
    return there.count >= wanted.count and replace(there, truncation=wanted.truncation, count=wanted.count) == wanted
