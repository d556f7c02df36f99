"""The same attribute put on the same picture by both models: before above after, one strength for both."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from PySide6.QtCore import QMimeData, QSignalBlocker, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel

from latentlab.core.comparing import shared_attributes
from latentlab.core.condition import Condition
from latentlab.core.requests import Decoded
from latentlab.core.spaces import FloatArray
from latentlab.core.state import NamedLatent, State
from latentlab.ui import latent_mime, theme
from latentlab.ui.choice_box import NARROWEST_PX, ChoiceBox
from latentlab.ui.compare.cells import PictureCell
from latentlab.ui.compare.finding import Finding
from latentlab.ui.compare.page import Page
from latentlab.ui.compare.pair import SIDES, Pair, Side
from latentlab.ui.compare.search import Search
from latentlab.ui.names import readable
from latentlab.ui.panels.attributes import STRONGEST
from latentlab.ui.sliders.lone import LoneSlider
from latentlab.ui.sliders.row import SliderRow
from latentlab.ui.stepped_gesture import SteppedGesture

STRENGTH = "Strength"
STEP = 0.1
NONE_SHARED = "The two models share no attribute: attributes come from the labels of their encodings."
WHEN = ("before", "after")


class AttributePage(Page):
    finds = True

    def __init__(self, pair: Pair, found: dict[str, Finding]) -> None:
        super().__init__(pair, found)
        self._steps = SteppedGesture(pair.workspace.session, self)
        self._names: list[str] = []
        self._asked: dict[Side, tuple[bytes, str, float, Condition | None]] = {}
        self._latents: dict[Side, FloatArray] = {}  # (2, D) before and after, as they are shown
        self.choice = ChoiceBox()
        self.choice.setMinimumWidth(NARROWEST_PX)
        self.choice.setAccessibleName("Attribute")
        self.choice.setToolTip("An attribute that both models have")
        self.choice.activated.connect(self._choose)
        session = pair.workspace.session
        self.slider = LoneSlider(session, self._steps, STRENGTH, self._row, self._set, title_width=64, number_width=48)
        self.hint = QLabel(NONE_SHARED)
        self.hint.setProperty("role", "caption")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.cells = {
            (side, when): PictureCell(f"{when.capitalize()}, {side} model", clickable=side == "first")
            for side in SIDES
            for when in WHEN
        }
        self.search = Search(found["second"])
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(theme.GRID_PX)
        top.addWidget(self.choice)
        top.addWidget(self.slider, 1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.PADDING_PX)
        grid.setVerticalSpacing(theme.GRID_PX)
        for column, side in enumerate(SIDES):
            grid.setColumnStretch(column, 1)
            for row, when in enumerate(WHEN):
                grid.setRowStretch(row, 1)
                grid.addWidget(self.cells[side, when], row, column)
        self.cells["second", "before"].column.addWidget(self.search)
        self.column.addLayout(top)
        self.column.addWidget(self.hint, 1)
        self.column.addLayout(grid, 1)

    def _connect(self) -> None:
        for index, when in enumerate(WHEN):
            view = self.cells["first", when].view
            view.clicked.connect(partial(self._go_to, index))
            view.make_mime = partial(self._mime, index)

    # --- drawing

    def show_models(self) -> None:
        self._asked.clear()
        self._latents.clear()
        for cell in self.cells.values():
            cell.show_picture(None, "")

    def show_state(self, state: State) -> None:
        held = self.pair.held
        if held is None:
            return
        names = shared_attributes(
            (d.name for d in state.directions.values() if d.space == state.space), held.directions
        )
        if names != self._names or self.choice.count() != len(names):
            self._names = names
            with QSignalBlocker(self.choice):
                self.choice.clear()
                self.choice.addItems([readable(name) for name in names])
        name = self._name(state)
        with QSignalBlocker(self.choice):
            self.choice.setCurrentIndex(names.index(name) if name else -1)
        self.hint.setVisible(not names)
        for part in (self.choice, self.slider, *self.cells.values()):
            part.setVisible(bool(names))
        self.slider.redraw_all()
        self.show_found()

    def show_found(self) -> None:
        state, held, source = self.pair.workspace.state, self.pair.held, self.pair.source
        self.search.show_search()
        name = self._name(state)
        if held is None or source is None or not name:
            return
        first = state.directions[name]
        if first.space == source.space:
            self._ask("first", source.latent, first.vector, source.condition, source.space)
        second = self.found["second"].found
        if second is not None:
            self._ask("second", second.latent, held.directions[name].vector, second.condition, "")

    def _ask(self, side: Side, latent: FloatArray, vector: FloatArray, condition: Condition | None, space: str) -> None:
        """Before and after in one request, unless these are what was asked for last."""
        comparison = self.pair.workspace.state.comparison
        name, strength = self._name(self.pair.workspace.state), comparison.strength
        wanted = (latent.tobytes(), name, strength, condition)
        if self._asked.get(side) == wanted:
            return
        self._asked[side] = wanted
        after = (latent + np.float32(strength) * vector).astype(np.float32)
        self.pair.decode(f"attribute/{side}", side, np.stack([latent, after]), condition, space)

    def take(self, detail: str, reply: Decoded) -> None:
        side: Side = "first" if detail == "first" else "second"
        comparison = self.pair.workspace.state.comparison
        name = self._name(self.pair.workspace.state)
        self._latents[side] = reply.request.latents
        searched = self.found["second"]
        stale = side == "second" and searched.searches and not searched.fresh
        before = "of the picture before" if stale else "before"
        self.cells[side, "before"].show_picture(reply.images[0], before)
        self.cells[side, "after"].show_picture(reply.images[1], f"{comparison.strength:+g} {name.replace('_', ' ')}")

    def show_theme(self) -> None:
        self.slider.redraw_all()

    def _name(self, state: State) -> str:
        chosen = state.comparison.attribute
        return chosen if chosen in self._names else next(iter(self._names), "")

    def _row(self) -> SliderRow:
        return SliderRow(
            title=STRENGTH,
            value=self.pair.workspace.state.comparison.strength,
            low=-STRONGEST,
            high=STRONGEST,
            step=STEP,
            tip=lambda: "For both models; 1 is the distance between the averages without and with the attribute",
        )

    # --- what a person does

    def _choose(self, index: int) -> None:
        self._steps.finish()
        name, comparison = self._names[index], self.pair.workspace.state.comparison
        if name != self._name(self.pair.workspace.state):
            self.pair.workspace.change(f"Compare {readable(name)}", comparison=replace(comparison, attribute=name))

    def _set(self, value: float) -> None:
        comparison, value = self.pair.workspace.state.comparison, round(value, 3)
        if value != comparison.strength:
            self.pair.workspace.change(f"{STRENGTH} {value:g}", comparison=replace(comparison, strength=value))

    def _named(self, index: int) -> NamedLatent | None:
        if "first" not in self._latents or self.pair.source is None:
            return None
        state = self.pair.workspace.state
        name = self.pair.source.name
        if index:
            name = f"{name} {state.comparison.strength:+g} {self._name(state)}"
        return NamedLatent(self._latents["first"][index], name)

    def _go_to(self, index: int) -> None:
        if (item := self._named(index)) is not None:
            self.pair.workspace.go_to(item.latent, item.name)

    def _mime(self, index: int) -> QMimeData:
        item, state = self._named(index), self.pair.workspace.state
        return QMimeData() if item is None else latent_mime.packed([item], state.checkpoint, state.space)
