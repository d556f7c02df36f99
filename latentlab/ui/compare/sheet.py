"""Sheet: latents of one model as a grid of pictures, of which each may be asked for under a condition of its own.

Shapes: N pictures, D latent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtWidgets import QSizePolicy

from latentlab.core.condition import Condition
from latentlab.core.requests import Decoded
from latentlab.core.spaces import FloatArray
from latentlab.core.state import NamedLatent
from latentlab.ui.compare.pair import Pair, Side
from latentlab.ui.pictures import Pictures
from latentlab.ui.thumbnail_strip import ThumbnailStrip
from latentlab.ui.tile_layout import TileLayout

MARGIN_PX = 2
MOST = 100


class Sheet(ThumbnailStrip):
    """Pictures are kept while the latents and what is asked for stay the same."""

    def __init__(self, pair: Pair, place: str, side: Side, name: str, least_side: int) -> None:
        self._own = Pictures()
        super().__init__(self._own, wrapped=True, least_side=least_side, margin=MARGIN_PX)
        self._pair = pair
        self._place = place
        self._side: Side = side
        self._least = least_side
        self._conditions: tuple[Condition | None, ...] = ()
        self._coming: list[NamedLatent] = []  # a path whose pictures are asked for
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)  # columns of one width

    @property
    def room(self) -> int:
        """How many whole pictures fit."""
        size = self.viewport().size()
        tiles = TileLayout.wrapped(1, size.width(), size.height(), self._least, margin=MARGIN_PX)
        return max(1, min(MOST, tiles.columns * tiles.rows_in(size.height())))

    def clear(self) -> None:
        self._own.clear()
        self._conditions = ()
        self.set_items([])

    def show_latents(
        self, latents_ND: FloatArray, names: Sequence[str], conditions: Sequence[Condition | None], space: str = ""
    ) -> None:
        """What is not here yet is asked for, in one batch for each condition."""
        opened = self._pair.opened(self._side)
        kept = min(len(conditions), len(self._conditions))
        if tuple(conditions[:kept]) != self._conditions[:kept]:
            self._own.clear()
        self._conditions = tuple(conditions)
        self.checkpoint, self.space = opened.info.sha256, space or opened.info.spaces[0].name
        items = [NamedLatent(latent, name) for latent, name in zip(latents_ND, names, strict=True)]
        self.set_items(items)
        missing = {item.tobytes() for item in self._own.missing(latents_ND)}
        for number, condition in enumerate(dict.fromkeys(conditions)):
            wanted = [
                latent
                for latent, asked in zip(latents_ND, conditions, strict=True)
                if asked == condition and latent.tobytes() in missing
            ]
            if wanted:
                self._pair.decode(f"{self._place}/{number}", self._side, np.stack(wanted), condition, space)

    def show_path(self, latents_ND: FloatArray, names: Sequence[str], condition: Condition | None, space: str) -> None:
        """All of them in one batch, so that they can be measured together; the pictures of before stay until then."""
        opened = self._pair.opened(self._side)
        self.checkpoint, self.space = opened.info.sha256, space or opened.info.spaces[0].name
        self._coming = [NamedLatent(latent, name) for latent, name in zip(latents_ND, names, strict=True)]
        self._pair.decode(f"{self._place}/path", self._side, latents_ND, condition, space)

    def take(self, reply: Decoded) -> None:
        self._own.keep(replace(reply, request=replace(reply.request, condition=None)))
        if self._coming and np.array_equal(self._coming[-1].latent, reply.request.latents[-1]):
            self.set_items(self._coming)
        self.redraw()

    def _tip(self, index: int) -> str:
        if self._side == "first":
            return super()._tip(index)
        return f"{self.items[index].name}\nOf the second model: click a picture of the first to work with it"
