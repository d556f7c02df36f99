"""Steering: what presses, drags and arrow keys on the map do to the session. One drag is one undo step."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject

from latentlab.core.projections import Inverse
from latentlab.core.spaces import FloatArray
from latentlab.ui.stepped_gesture import SteppedGesture
from latentlab.ui.workspace import Workspace

MOVE = "Move on the map"
SETTLING = "The map is still settling: click a point, or wait for the rest."


class Steering(QObject):
    """`place` and `caption` belong to the latent that was last set from here; the panel asks `belongs`."""

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._keys = SteppedGesture(workspace.session, self)
        self._near: FloatArray | None = None  # gives what the map does not determine
        self._latent: FloatArray | None = None
        self.place: tuple[float, float] | None = None
        self.caption = ""

    def press(self, x: float, y: float, index: int) -> None:
        """Go to encoding `index`, or to the place itself where it is -1; a drag may follow."""
        self._keys.finish()
        self._near = self._workspace.state.latent
        self._workspace.session.begin(MOVE)
        if index < 0:
            self._go(x, y)
        else:
            self._go_to_encoding(index)

    def drag(self, x: float, y: float) -> None:
        """Nothing once the drag has been taken back, or another model opened, with the button still held."""
        if self._workspace.session.open_gesture == MOVE:
            self._go(x, y)

    def release(self) -> None:
        """The drag is over; a gesture that someone else has opened stays open."""
        if self._workspace.session.open_gesture == MOVE:
            self._workspace.session.end()

    def abandon(self) -> None:
        self._workspace.session.abandon()

    def nudge(self, x: float, y: float) -> None:
        """Arrow keys: steps that follow each other closely are one undo step."""
        if not self._keys_continue():
            self._near = self._workspace.state.latent
        self._keys.step(MOVE)
        self._go(x, y)

    def belongs(self, latent: FloatArray) -> bool:
        """Whether `latent` is where this object went last, so that `place` and `caption` are its own."""
        return self._latent is not None and np.array_equal(latent, self._latent)

    def forget(self) -> None:
        """Another layout: the place means nothing there."""
        self._latent = None
        self.place, self.caption = None, ""

    def _keys_continue(self) -> bool:
        return self._workspace.session.open_gesture == MOVE and self._near is not None

    def _go_to_encoding(self, index: int) -> None:
        encodings, layout = self._workspace.opened.encodings, self._workspace.projecting.layout
        assert encodings is not None
        assert layout is not None
        latent = encodings.latents[index]
        if not self._workspace.fits(latent, encodings.space):
            self._workspace.notices.warn(f"{encodings.name_of(index)} holds numbers that are not finite.")
            return
        self._near = latent
        x, y = layout.points[index].tolist()
        label = encodings.label_of(index)
        name = encodings.name_of(index)
        self._remember(latent, (x, y), f"{name} · {label}" if label else name)
        self._workspace.go_to_encoding(index, MOVE)

    def _go(self, x: float, y: float) -> None:
        layout = self._workspace.projecting.layout
        if layout is None:
            return
        if layout.projection is None:
            self.caption = SETTLING
            return
        inverse = layout.projection.inverse(np.array([[x, y]], np.float32), near=self._near)
        latent = self._workspace.space.clip(inverse.latents[0])
        self._remember(latent, (x, y), cue(inverse, self._samples, layout.settled))
        self._workspace.go_to(latent, "map", label=MOVE)

    def _remember(self, latent: FloatArray, place: tuple[float, float], caption: str) -> None:
        self._latent, self.place, self.caption = np.array(latent, np.float32), place, caption

    @property
    def _samples(self) -> bool:
        encodings = self._workspace.opened.encodings
        return encodings is not None and encodings.samples


def cue(inverse: Inverse, samples: bool = False, settled: bool = True) -> str:
    """How much the latent of a place is a guess, in words."""
    noun = "sample" if samples else "encoding"
    distance = float(inverse.distance[0])
    cue = f"{distance:.1f} × the usual gap from the nearest {noun}"
    if inverse.exact:
        return cue
    return f"a guess from its neighbours{'' if settled else ', which still move'}\n{cue}"
