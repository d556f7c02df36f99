"""Pair: the two models as a page of the panel asks them. `first` is the one that is worked with.

Shapes: B batch, N encodings, D latent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from PySide6.QtWidgets import QWidget

from latentlab.core.comparing import condition_beside
from latentlab.core.condition import Condition
from latentlab.core.model_folders import model_name
from latentlab.core.requests import Decode, Encode, Lane
from latentlab.core.spaces import FloatArray
from latentlab.core.state import NamedLatent
from latentlab.ui.compare.current import CurrentPicture, Picture, Source
from latentlab.ui.compare.second import Second, SecondModel
from latentlab.ui.workspace import OpenedModel, Workspace

Side = Literal["first", "second"]
SIDES: tuple[Side, Side] = ("first", "second")
FAR = 64  # encodings that the default end of a path is chosen among


class Pair:
    """Requests go on the visible lane: the picture under the pointer always goes first."""

    def __init__(self, workspace: Workspace, key: str, panel: QWidget) -> None:
        self.workspace = workspace
        self._key = key
        self.second = SecondModel(workspace, panel)
        self._classed: tuple[Source | None, str] | None = None
        self.current = CurrentPicture(workspace, f"{key}/current", panel)

    @property
    def held(self) -> Second | None:
        return self.second.held

    @property
    def source(self) -> Source | None:
        return self.current.source

    @property
    def first_name(self) -> str:
        """That of its file; a model given to explore() has none and is called by its class."""
        info = self.workspace.opened.info
        return model_name(Path(info.path)) if info.path else info.family or "this model"

    def opened(self, side: Side) -> OpenedModel:
        """Of the second only while there is one."""
        if side == "first":
            return self.workspace.opened
        assert self.second.held is not None
        return self.second.held.opened

    def condition(self, side: Side) -> Condition | None:
        """What a side is asked for at the current picture: the second for the same class and attributes, by name."""
        state = self.workspace.state
        if side == "first":
            return state.condition
        other = self.opened("second").info
        if not other.takes_condition:
            return None
        first = self.workspace.opened.info
        here = self._class_here() if other.conditional and not first.conditional else ""
        return condition_beside(state.condition, here, first, other)

    def decode(
        self, place: str, side: Side, latents_BD: FloatArray, condition: Condition | None, space: str = ""
    ) -> int:
        """`place`: which of a page's pictures; the reply's consumer is "compare/PLACE". The ticket."""
        info = self.opened(side).info
        request = Decode(info.sha256, latents_BD, space or info.spaces[0].name, condition)
        return self.workspace.decoding.submit(f"{self._key}/{place}", request, Lane.VISIBLE)

    def encode(self, place: str, side: Side, image: Picture, condition: Condition | None) -> int:
        request = Encode(self.opened(side).info.sha256, image[None], condition)
        return self.workspace.decoding.submit(f"{self._key}/{place}", request, Lane.VISIBLE)

    def withdraw(self, place: str) -> None:
        self.workspace.decoding.withdraw(f"{self._key}/{place}")

    def far_end(self) -> NamedLatent | None:
        """Where a path ends that nobody chose an end for: at an encoding far from the current picture, or a draw."""
        source, workspace = self.source, self.workspace
        if source is None:
            return None
        encodings = workspace.opened.encodings
        if encodings is not None and len(encodings) and encodings.dim == len(source.latent):
            some_F = np.linspace(0, len(encodings) - 1, min(FAR, len(encodings))).astype(np.int64)
            away_F = np.linalg.norm(encodings.latents[some_F] - source.latent, axis=1)
            index = int(some_F[int(np.nanargmax(away_F))]) if np.isfinite(away_F).any() else int(some_F[0])
            return NamedLatent(encodings.latents[index], encodings.name_of(index))
        space = workspace.opened.info.space(source.space)
        if not space.drawable:
            return None
        return NamedLatent(space.sample(1, seed=1)[0], "sample 0 of seed 1")

    def _class_here(self) -> str:
        """The class of the encoding nearest to the current picture; empty where none is known."""
        if self._classed is None or self._classed[0] is not self.source:
            self._classed = (self.source, self._nearest_class())  # 20 ms at 10,000 x 512: once for each picture
        return self._classed[1]

    def _nearest_class(self) -> str:
        source, encodings = self.source, self.workspace.opened.encodings
        if source is None or encodings is None or encodings.labels is None or encodings.dim != len(source.latent):
            return ""
        away_N = np.square(encodings.latents - source.latent).sum(axis=1)
        return encodings.label_of(int(np.nanargmin(away_N))) if np.isfinite(away_N).any() else ""
