"""CurrentPicture: the picture that both models are shown, live as it changes.

Shapes: D latent, N encodings, H W C pictures, uint8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from latentlab.core.condition import Condition
from latentlab.core.requests import Decode, Decoded, Lane
from latentlab.core.spaces import FloatArray
from latentlab.core.state import State
from latentlab.ui.workspace import Workspace

Picture = NDArray[np.uint8]  # (H, W, C)
IMAGE = "image"  # the consumer of the current picture, which the window asks for


@dataclass(frozen=True, eq=False)
class Source:
    image: Picture
    latent: FloatArray  # (D,) of the first model
    space: str
    condition: Condition | None  # what the first model is asked for
    name: str
    outside: bool  # whether a person brought it; else the first model drew it


class CurrentPicture(QObject):
    """An original while its reconstruction is not edited; else what the first model draws, every finished frame."""

    changed = Signal()

    def __init__(self, workspace: Workspace, consumer: str, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._consumer = consumer
        self._last: Decoded | None = None
        self._shown: Decoded | None = None  # the one that is the source; None while an original is
        self.source: Source | None = None
        workspace.decoding.decoded.connect(self._take)

    def forget(self) -> None:
        """Another model."""
        self._last = self._shown = self.source = None

    def follow(self, state: State) -> None:
        """The state that is drawn; the picture of a state not seen before is asked for once."""
        original, last = state.original, self._last
        if original is not None and np.array_equal(original.latent, state.latent):
            shown = self.source
            if shown is None or shown.image is not original.image or shown.condition != state.condition:
                self._shown = None
                latent, condition = original.latent, state.condition
                self.source = Source(original.image, latent, state.space, condition, original.name, True)
                self.changed.emit()
        elif last is not None and np.array_equal(last.request.latents[0], state.latent):
            self._show(last)
        elif self.source is None and state.checkpoint:
            request = Decode(state.checkpoint, state.latent[None, :], state.space, state.condition)
            self._workspace.decoding.submit(self._consumer, request, Lane.VISIBLE)

    def _take(self, reply: Decoded) -> None:
        state = self._workspace.state
        if reply.consumer not in (IMAGE, self._consumer) or reply.request.checkpoint != state.checkpoint:
            return
        self._last = reply
        original = state.original
        if original is None or not np.array_equal(original.latent, state.latent):
            self._show(reply)

    def _show(self, reply: Decoded) -> None:
        if reply is self._shown:
            return
        self._shown, request = reply, reply.request
        name = self._workspace.state.name
        self.source = Source(reply.images[0], request.latents[0], request.space, request.condition, name, False)
        self.changed.emit()
