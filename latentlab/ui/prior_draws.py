"""Draws from the prior for the window: truncated where truncation means something, which can take the engine.

Shapes: N draws, D latent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from latentlab.core.condition import Condition
from latentlab.core.requests import InSpace, Lane, ToSpace
from latentlab.core.spaces import FloatArray
from latentlab.core.state import State
from latentlab.ui.workspace import Workspace


@dataclass(frozen=True)
class DrawsWanted:
    """`count` draws of a seed, from one space to another or the same."""

    checkpoint: str
    route: tuple[str, str]
    condition: Condition | None
    seed: int
    truncation: float
    count: int


@dataclass(frozen=True, eq=False)
class Drawn:
    latents: FloatArray  # (N, D)
    space: str  # where they lie: w, where draws of z were truncated
    seed: int


class PriorDraws(QObject):
    """Latest wins; `drawn` follows at once where no way to another space has to be gone, or it is known."""

    drawn = Signal(object)  # Drawn

    def __init__(self, workspace: Workspace, consumer: str, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._consumer = consumer
        self._wanted: tuple[int, DrawsWanted] | None = None  # the ticket, and what for
        self._mapped: tuple[DrawsWanted, FloatArray] | None = None  # the last that came, before truncation
        workspace.decoding.in_space.connect(self._take)

    def ask(self, state: State, count: int, seed: int) -> None:
        psi = state.samples.truncation
        info = self._workspace.opened.info
        origin, to = info.drawn_through(state.space, psi)
        wanted = DrawsWanted(state.checkpoint, (origin, to), state.condition, seed, psi, count)
        self._wanted = None
        if origin == to:
            self.drawn.emit(Drawn(info.space(to).sample(count, seed, psi), to, seed))
        elif self._mapped is not None and _holds(self._mapped[0], wanted):
            self._pass_on(wanted)
        else:
            request = ToSpace(state.checkpoint, info.space(origin).sample(count, seed), origin, to, state.condition)
            self._wanted = (self._workspace.decoding.submit(self._consumer, request, Lane.VISIBLE), wanted)

    def _take(self, reply: InSpace) -> None:
        if self._wanted is not None and reply.ticket == self._wanted[0]:
            wanted, self._wanted = self._wanted[1], None
            self._mapped = (wanted, np.asarray(reply.latents, np.float32))
            self._pass_on(wanted)

    def _pass_on(self, wanted: DrawsWanted) -> None:
        assert self._mapped is not None
        to = wanted.route[1]
        space = self._workspace.opened.info.space(to)
        latents_ND = space.truncated(self._mapped[1][: wanted.count], wanted.truncation)
        self.drawn.emit(Drawn(latents_ND, to, wanted.seed))


def _holds(there: DrawsWanted, wanted: DrawsWanted) -> bool:
    """Whether what came for one order answers another: the first draws of a seed are the same however many follow."""
    return there.count >= wanted.count and replace(there, truncation=wanted.truncation, count=wanted.count) == wanted
