"""Spaces: which latent space one works in, and the encodings of each, taken there through the model where it can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from latentlab.core.encodings import EncodingSet
from latentlab.core.requests import InSpace, Lane, RequestFailed, ToSpace
from latentlab.core.space_switching import in_space, put_aside
from latentlab.core.spaces import FloatArray
from latentlab.core.state import State
from latentlab.ui.opening import Opening
from latentlab.ui.workspace import Workspace

LATENT, ENCODINGS = "spaces/latent", "spaces/encodings"  # consumers of the engine


class Spaces(QObject):
    """`switch` is a step that can be undone; `follow` brings the encodings of the state's space."""

    changed = Signal()  # `workspace.opened.encodings` are those of another space

    def __init__(self, workspace: Workspace, opening: Opening, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._opening = opening
        self._own: EncodingSet | None = None  # as the checkpoint carries them
        self._taken: dict[str, EncodingSet] = {}
        self._latent: tuple[int, str, State] | None = None  # ticket, the space wanted, the state it was wanted in
        self._encodings: tuple[int, str] | None = None
        opening.shown.connect(self._begin)
        workspace.decoding.in_space.connect(self._take)
        workspace.decoding.failed.connect(self._fail)

    def switch(self, to: str) -> None:
        """Work goes on in the space `to`: at the same picture where the model has a way there."""
        workspace = self._workspace
        state, info = workspace.state, workspace.opened.info
        if to == state.space or to not in {space.name for space in info.spaces}:
            return
        workspace.session.end()
        if (state.space, to) not in info.mappings:
            self._go(to, None)
            return
        request = ToSpace(state.checkpoint, state.latent[None, :], state.space, to, state.condition)
        self._latent = (workspace.decoding.submit(LATENT, request, Lane.LIVE), to, state)

    def follow(self) -> None:
        """The state is in another space: so are the encodings. `changed` is emitted."""
        self._place_encodings()
        self.changed.emit()
        self._fit()

    def _begin(self) -> None:
        """Another model or other encodings: before the panels draw them."""
        self._own, self._taken = self._workspace.opened.encodings, {}
        self._latent = self._encodings = None
        self._place_encodings()

    def _go(self, to: str, carried: FloatArray | None) -> None:
        workspace = self._workspace
        state = workspace.state
        known = to in state.elsewhere
        new = in_space(state, workspace.opened.info, to, carried)
        workspace.session.update(new, f"Switch to {to}")
        if carried is None:
            where = f"here is where you were in {to}" if known else f"work in {to} begins at a place of its own"
            workspace.notices.info(f"The model has no way from {state.space} to {to}: {where}.")
        if waiting := put_aside(new):
            workspace.notices.info(f"Put aside until you switch back: {waiting}.")

    def _place_encodings(self) -> None:
        """Those of the state's space: the checkpoint's own, or taken there; none while they are on their way."""
        workspace, own = self._workspace, self._own
        to, info = workspace.state.space, workspace.opened.info
        note, found = "", own if own is None or own.space == to else self._taken.get(to)
        if own is not None and found is None:
            if (own.space, to) in info.mappings:
                note = f"The encodings are being taken from {own.space} to {to}…"
                self._ask_for_encodings(own, to)
            else:
                note = f"The encodings lie in {own.space}, and the model has no way from there to {to}."
        workspace.opened = replace(workspace.opened, encodings=found, note=note)

    def _ask_for_encodings(self, own: EncodingSet, to: str) -> None:
        if self._encodings is None or self._encodings[1] != to:
            state = self._workspace.state
            request = ToSpace(state.checkpoint, own.latents, own.space, to, state.condition)
            self._encodings = (self._workspace.decoding.submit(ENCODINGS, request, Lane.BACKGROUND), to)

    def _take(self, reply: InSpace) -> None:
        state = self._workspace.state
        if self._latent is not None and reply.ticket == self._latent[0]:
            _, to, asked = self._latent
            self._latent = None
            if state is asked:  # nothing was done meanwhile
                self._go(to, reply.latents[0])
            else:
                self.switch(to)
        elif self._encodings is not None and reply.ticket == self._encodings[0] and self._own is not None:
            to = self._encodings[1]
            self._encodings = None
            latents_ND = np.ascontiguousarray(reply.latents, np.float32)
            self._taken[to] = replace(self._own, latents=latents_ND, space=to, pca=None, kl_per_dimension=None)
            if state.space == to:
                self.follow()

    def _fail(self, reply: RequestFailed) -> None:
        """The window says why."""
        if self._latent is not None and reply.ticket == self._latent[0]:
            to, self._latent = self._latent[1], None
            self._go(to, None)
        elif self._encodings is not None and reply.ticket == self._encodings[0]:
            self._encodings = None
            if not reply.message:
                return
            note = "The encodings could not be taken to this space, so there is no map of it."
            self._workspace.opened = replace(self._workspace.opened, note=note)
            self.changed.emit()

    def _fit(self) -> None:
        """Directions of the labels, which each space has its own of."""
        encodings = self._workspace.opened.encodings
        if encodings is not None and not self._workspace.state.directions:
            self._opening.fit(encodings)
