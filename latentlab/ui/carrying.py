"""Carrying: latents that were dropped, taken to the space one works in, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject

from latentlab.core.requests import InSpace, Lane, ToSpace
from latentlab.core.state import NamedLatent
from latentlab.ui.latent_mime import Carried
from latentlab.ui.workspace import Workspace

Taken = Callable[[tuple[NamedLatent, ...]], None]


def show_carried(workspace: Workspace, carried: Carried) -> None:
    """The first latent that was dropped becomes the current picture, in the space it lies in."""
    first = carried.latents[0]
    if workspace.fits(first.latent, carried.space):
        workspace.go_to(first.latent, first.name, space=carried.space)
    else:
        say_misfit(workspace, carried)


def say_misfit(workspace: Workspace, carried: Carried) -> None:
    workspace.notices.warn(f"What was dropped is no latent of this model's space {carried.space}, so it is left out.")


class Carrying(QObject):
    """`take` calls back with latents of the state's space: at once, or when the engine has mapped them."""

    def __init__(self, workspace: Workspace, consumer: str, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._consumer = consumer
        self._under_way: tuple[int, Carried, Taken] | None = None  # the ticket first
        workspace.decoding.in_space.connect(self._take_mapped)

    def take(self, carried: Carried, taken: Taken) -> None:
        workspace, to = self._workspace, self._workspace.state.space
        fitting = tuple(item for item in carried.latents if workspace.fits(item.latent, carried.space))
        if not fitting:
            say_misfit(workspace, carried)
        elif carried.space == to:
            taken(fitting)
        elif (carried.space, to) in workspace.opened.info.mappings:
            rows_ND, state = np.stack([item.latent for item in fitting]), workspace.state
            request = ToSpace(state.checkpoint, rows_ND, carried.space, to, state.condition)
            ticket = workspace.decoding.submit(self._consumer, request, Lane.VISIBLE)
            self._under_way = (ticket, replace(carried, latents=fitting), taken)
        else:
            workspace.notices.warn(
                f"What was dropped lies in {carried.space}, and the model has no way from there to {to}. "
                f"Switch to {carried.space}, then drop it."
            )

    def _take_mapped(self, reply: InSpace) -> None:
        if self._under_way is None or reply.ticket != self._under_way[0]:
            return
        (_, carried, taken), self._under_way = self._under_way, None
        if self._workspace.state.space != reply.request.to:  # switched meanwhile
            self.take(carried, taken)
            return
        rows = zip(carried.latents, np.asarray(reply.latents, np.float32), strict=True)
        taken(tuple(NamedLatent(row, item.name) for item, row in rows))
