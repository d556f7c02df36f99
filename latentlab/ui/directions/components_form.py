"""The form of sources that give components: the list, and what one does to the current picture.

Shapes: D latent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from latentlab.core.requests import Decode, Lane
from latentlab.core.state import NamedLatent, State
from latentlab.core.unsupervised import Component
from latentlab.ui.directions.components_list import ComponentsList, same_direction
from latentlab.ui.directions.source import DirectionSource
from latentlab.ui.names import readable
from latentlab.ui.thumbnail_strip import ThumbnailStrip

CONSUMER = "attributes/components"
SIGMAS = (-3.0, -1.5, 0.0, 1.5, 3.0)  # where a component leads
STRIP_PX = 54  # five fit beside each other in a panel of 300 px


class ComponentsForm(DirectionSource):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.components: tuple[Component, ...] = ()
        self._shown_for: State | None = None
        self.list = ComponentsList()
        self.list.wanted.connect(self._switch)
        self.list.pointed.connect(self._lead)
        self.preview = ThumbnailStrip(self.pictures, margin=0)
        self.preview.setFixedHeight(STRIP_PX)
        self.preview.setAccessibleName("Where the component leads, from -3 to 3 sigma")
        self.preview.chosen.connect(self._go)
        self.column.addWidget(self.list)
        self.column.addWidget(self.preview)

    def show_components(self, components: Sequence[Component], accessible_name: str, focus: bool = True) -> None:
        self.components = tuple(components)
        self.list.setAccessibleName(accessible_name)
        self.list.show_components(self.components)
        self.list.show_added(self.workspace.state.directions)
        self.list.setVisible(bool(self.components))
        self.preview.setVisible(bool(self.components))
        if self.components:
            self.list.setCurrentRow(0)
            if focus:
                self.list.setFocus()

    def show_nothing(self, sentence: str) -> None:
        """One sentence in place of the list."""
        self.show_components((), "")
        self.say(sentence)

    def show_state(self, new: State) -> None:
        old, self._shown_for = self._shown_for, new
        if old is None or (new.checkpoint, new.space) != (old.checkpoint, old.space):
            self.over.emit()  # these components belong to another model or space
            return
        if new.directions is not old.directions:
            self.list.show_added(new.directions)
        if new.condition != old.condition or not np.array_equal(new.latent, old.latent):
            self._lead(self.list.currentRow())

    def remember_place(self) -> None:
        """What is shown from now on is of this model and space."""
        self._shown_for = self.workspace.state

    def redraw(self) -> None:
        self.preview.redraw()
        self.list.viewport().update()

    def _switch(self, row: int) -> None:
        direction = self.components[row].direction
        there = same_direction(direction, self.workspace.state.directions)
        if there is None:
            self.editing.add([direction], f"Add {readable(direction.name)}")
        else:
            self.editing.delete(there)

    def _lead(self, row: int) -> None:
        """The current picture moved along a component."""
        state = self.workspace.state
        if not 0 <= row < len(self.components) or len(self.components[row].direction.vector) != len(state.latent):
            return
        direction = self.components[row].direction
        items = [
            NamedLatent(np.asarray(state.latent + np.float32(sigmas) * direction.vector, np.float32), said)
            for sigmas in SIGMAS
            for said in [f"{direction.name} {sigmas:+g}" if sigmas else state.name]
        ]
        self.preview.checkpoint, self.preview.space = state.checkpoint, state.space
        self.preview.set_items(items, condition=state.condition)
        missing = self.pictures.missing([item.latent for item in items], state.condition)
        if missing:
            request = Decode(state.checkpoint, np.stack(missing), state.space, state.condition)
            self.workspace.decoding.submit(CONSUMER, request, Lane.VISIBLE)

    def _go(self, index: int) -> None:
        item = self.preview.items[index]
        self.workspace.go_to(item.latent, item.name)
