"""Arithmetic: mean(A) − mean(B) + mean(C) of dropped pictures, or a typed expression, with a live result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from latentlab.core.expressions import Scope, scope_of
from latentlab.core.requests import Decode, Decoded, Lane
from latentlab.core.state import NamedLatent, State
from latentlab.ui.arithmetic_result import Result, example, result_of
from latentlab.ui.carrying import Carrying
from latentlab.ui.expression_field import ExpressionField
from latentlab.ui.latent_mime import Carried
from latentlab.ui.panel import Panel
from latentlab.ui.pictures import Pictures
from latentlab.ui.stepped_gesture import SteppedGesture
from latentlab.ui.theme import GRID_PX, PADDING_PX
from latentlab.ui.thumbnail_strip import ThumbnailStrip
from latentlab.ui.tool_button import tool_button
from latentlab.ui.workspace import Workspace

SLOTS = {"a": ("A", "What has it"), "b": ("− B", "What has it not"), "c": ("+ C", "What it is added to")}
SLOT_PX = 72
RESULT_PX = 120
SCROLL_BAR_PX = 10
TYPING = "Type an expression"


class ArithmeticPanel(Panel):
    key = "arithmetic"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self._pictures = Pictures()
        self._drawn: State | None = None
        self._result = Result(None)
        self._steps = SteppedGesture(workspace.session, self)
        self.slots: dict[str, ThumbnailStrip] = {}
        self._carrying = {key: Carrying(workspace, self.consumer(f"dropped-{key}"), self) for key in SLOTS}
        self._build()
        self.first_focus = self.expression

    # --- the widgets

    def _build(self) -> None:
        self.expression = ExpressionField(self._scope)
        self.expression.setClearButtonEnabled(True)
        self.expression.setAccessibleName("Expression")
        self.expression.setToolTip(
            "Names: current, origin, #12, attributes, groups, keyframes, A, B, C\n"
            "Functions: mean(a, b), lerp(a, b, t), slerp(a, b, t), sample(seed)\n"
            "Enter makes the result the current picture"
        )
        self.expression.textChanged.connect(self._type)
        self.expression.decided.connect(lambda: self._show_said(self._result))
        self.expression.editingFinished.connect(self._steps.finish)
        self.expression.returnPressed.connect(self.make_current)
        self.said = QLabel()
        self.said.setProperty("role", "caption")
        self.said.setWordWrap(True)
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.said.setMinimumHeight(32)
        self.result = ThumbnailStrip(self._pictures, margin=0)
        self.result.setFixedSize(RESULT_PX, RESULT_PX)
        self.result.setAccessibleName("Result")
        self.result.setToolTip("The result: click to make it the current picture, drag it elsewhere")
        self.result.hint = "The result"
        self.result.ground = True
        self.result.chosen.connect(lambda _: self.make_current())
        self.current_button = QPushButton("Make current")
        self.current_button.setToolTip("Show the result as the current picture (Enter in the expression)")
        self.current_button.clicked.connect(self.make_current)
        self._lay_out()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID_PX)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, key in enumerate(SLOTS):
            self._add_slot(grid, row, key)
        beside = QVBoxLayout()
        beside.setSpacing(GRID_PX)
        beside.addWidget(self.said, 1)
        beside.addWidget(self.current_button)
        bottom = QHBoxLayout()
        bottom.setSpacing(PADDING_PX)
        bottom.addWidget(self.result)
        bottom.addLayout(beside, 1)
        inner = QWidget()
        rows = QVBoxLayout(inner)
        rows.setContentsMargins(PADDING_PX, 0, PADDING_PX, PADDING_PX)
        rows.setSpacing(GRID_PX)
        rows.addLayout(grid)
        rows.addLayout(bottom)
        rows.addStretch(1)  # in a tall window the result stays below the slots
        column = QVBoxLayout(self)
        column.setContentsMargins(0, GRID_PX, 0, 0)
        column.setSpacing(GRID_PX)
        top = QHBoxLayout()
        top.setContentsMargins(PADDING_PX, 0, PADDING_PX, 0)
        top.addWidget(self.expression)
        column.addLayout(top)
        column.addWidget(_scrolling(inner))

    def _add_slot(self, grid: QGridLayout, row: int, key: str) -> None:
        sign, meaning = SLOTS[key]
        label = QLabel(sign)
        label.setProperty("role", "title")
        label.setMinimumWidth(26)
        label.setToolTip(meaning)
        strip = ThumbnailStrip(self._pictures, removable=True, accepts=True, margin=3)
        strip.setFixedHeight(SLOT_PX)
        strip.setAccessibleName(f"Slot {sign[-1]}: {meaning}")
        strip.hint = f"{meaning}: drop pictures here"
        strip.ground = True
        strip.dropped.connect(lambda _before, carried, key=key: self.drop(key, carried))
        strip.removed.connect(lambda index, key=key: self._remove(key, index))
        strip.chosen.connect(lambda index, strip=strip: self._show(strip.items[index]))
        add = tool_button("mdi6.plus", f"Add the current picture to {sign[-1]}")
        add.clicked.connect(lambda _=False, key=key: self.add_current(key))
        clear = tool_button("mdi6.close", f"Clear {sign[-1]}")
        clear.clicked.connect(lambda _=False, key=key: self.clear(key))
        buttons = QVBoxLayout()
        buttons.setSpacing(2)
        buttons.addWidget(add)
        buttons.addWidget(clear)
        grid.addWidget(label, row, 0)
        grid.addWidget(strip, row, 1)
        grid.addLayout(buttons, row, 2)
        self.slots[key] = strip

    def _scope(self) -> Scope:
        return scope_of(self.workspace.state, self.workspace.opened.encodings, self.workspace.space)

    # --- drawing

    def show_model(self) -> None:
        self._drawn = None
        self._pictures.clear()

    def show_state(self, new: State, old: State | None) -> None:
        drawn, self._drawn = (None if old is None else self._drawn), new
        slots = new.arithmetic
        if drawn is None or new.directions is not drawn.directions:
            self.expression.setPlaceholderText(example(new.directions))
        if drawn is None or slots is not drawn.arithmetic or new.condition != drawn.condition:
            if slots.expression != self.expression.text():
                with QSignalBlocker(self.expression):
                    self.expression.setText(slots.expression)
            for key, strip in self.slots.items():
                items = getattr(slots, key)
                strip.checkpoint, strip.space = new.checkpoint, new.space
                if strip.items != items or drawn is None or new.condition != drawn.condition:
                    strip.set_items(items, condition=new.condition)
        self._show_result(new)
        self._ask_for_pictures(new)

    def _show_result(self, state: State) -> None:
        encodings, space = self.workspace.opened.encodings, self.workspace.opened.info.space(state.space)
        result = self._result = result_of(state, encodings, space)
        self._show_said(result)
        self.current_button.setEnabled(result.latent is not None)
        items = [] if result.latent is None else [NamedLatent(result.latent, result.name)]
        self.result.checkpoint, self.result.space = state.checkpoint, state.space
        self.result.set_items(items, condition=state.condition)

    def _show_said(self, result: Result) -> None:
        """A name that is still being completed is no mistake yet."""
        completing = bool(self.expression.offered)
        self.expression.underline(None if completing else result.span)
        said = result.said if result.latent is None or result.said else f"= {result.name}"
        self.said.setText("" if completing and result.span else said)
        role = "danger" if result.span and not completing else "caption"
        if self.said.property("role") != role:
            self.said.setProperty("role", role)
            self.said.style().polish(self.said)

    def _ask_for_pictures(self, state: State) -> None:
        slots, latents = state.arithmetic, [] if self._result.latent is None else [self._result.latent]
        wanted = {"result": latents, "slots": [item.latent for item in (*slots.a, *slots.b, *slots.c)]}
        for detail, shown in wanted.items():
            missing = self._pictures.missing(shown, state.condition)
            if missing:
                request = Decode(state.checkpoint, np.stack(missing), state.space, state.condition)
                self.workspace.decoding.submit(self.consumer(detail), request, Lane.VISIBLE)

    def show_decoded(self, reply: Decoded) -> None:
        self._pictures.keep(reply)
        self.result.redraw()
        for strip in self.slots.values():
            strip.redraw()

    def show_theme(self) -> None:
        span, self.expression.error_span = self.expression.error_span, None
        self.expression.underline(span)
        self.result.redraw()

    # --- what a person does

    def drop(self, key: str, carried: Carried) -> None:
        """Pictures from elsewhere for a slot."""
        self._carrying[key].take(carried, lambda latents: self.add(key, latents))

    def add(self, key: str, latents: Sequence[NamedLatent]) -> None:
        """Pictures for slot "a", "b" or "c"; several are averaged."""
        slots = self.workspace.state.arithmetic
        self._fill(key, (*getattr(slots, key), *latents), f"Add to {key.upper()}")

    def add_current(self, key: str) -> None:
        state = self.workspace.state
        self.add(key, [NamedLatent(state.latent, state.name)])

    def clear(self, key: str) -> None:
        slots = self.workspace.state.arithmetic
        if getattr(slots, key):
            self._fill(key, (), f"Clear {key.upper()}")

    def _remove(self, key: str, index: int) -> None:
        items = getattr(self.workspace.state.arithmetic, key)
        self._fill(key, items[:index] + items[index + 1 :], f"Remove from {key.upper()}")

    def _fill(self, key: str, items: tuple[NamedLatent, ...], label: str) -> None:
        self._steps.finish()
        parts: dict[str, Any] = {key: items}
        self.workspace.change(label, arithmetic=replace(self.workspace.state.arithmetic, **parts))

    def _type(self, text: str) -> None:
        slots = self.workspace.state.arithmetic
        if text != slots.expression:
            self._steps.step(TYPING)
            self.workspace.change(TYPING, arithmetic=replace(slots, expression=text))

    def make_current(self) -> None:
        """The result becomes the current picture."""
        self._steps.finish()
        if self._result.latent is not None:
            self.workspace.go_to(self._result.latent, self._result.name)

    def _show(self, item: NamedLatent) -> None:
        self.workspace.go_to(item.latent, item.name)


def _scrolling(inner: QWidget) -> QScrollArea:
    """In a low window the slots scroll: else raising the panel would make the window higher than its screen."""
    area = QScrollArea()
    area.setWidget(inner)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumWidth(inner.minimumSizeHint().width() + SCROLL_BAR_PX)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    inner.setAutoFillBackground(False)  # the panel's ground, not the window's
    area.viewport().setAutoFillBackground(False)
    return area
