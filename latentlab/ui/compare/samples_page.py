"""Draws of both models from the same seed, at the same truncation: those of the samples panel."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, QTimer
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSpinBox, QToolButton, QVBoxLayout

from latentlab.core.comparing import each_class_in_turn
from latentlab.core.requests import Decoded
from latentlab.core.state import State
from latentlab.ui import theme
from latentlab.ui.compare.finding import Finding
from latentlab.ui.compare.page import Page
from latentlab.ui.compare.pair import SIDES, Pair, Side
from latentlab.ui.compare.sheet import Sheet
from latentlab.ui.icons import icon
from latentlab.ui.stepped_gesture import SteppedGesture

LEAST_SIDE_PX = 52
LARGEST_SEED = 2**31 - 1
MOST_TRUNCATION = 1.5
RESIZE_MS = 80
TRUNCATION = "Truncation"
UNDRAWABLE = "Draws from this space are no pictures"


class SamplesPage(Page):
    def __init__(self, pair: Pair, found: dict[str, Finding]) -> None:
        super().__init__(pair, found)
        self._steps = SteppedGesture(pair.workspace.session, self)
        self.sheets: dict[Side, Sheet] = {
            side: Sheet(pair, f"samples/{side}", side, f"Samples of the {side} model", LEAST_SIDE_PX) for side in SIDES
        }
        self.draw_button = QToolButton()
        self.draw_button.setIcon(icon("mdi6.dice-multiple-outline"))
        self.draw_button.setToolTip("Draw new samples of both: the next seed")
        self.draw_button.setAccessibleName("Draw new samples of both")
        self.draw_button.clicked.connect(self.draw_next)
        self.seed_field = QSpinBox()
        theme.pad(self.seed_field)
        self.seed_field.setPrefix("seed ")
        self.seed_field.setRange(0, LARGEST_SEED)
        self.seed_field.setKeyboardTracking(False)
        self.seed_field.setAccessibleName("Seed")
        self.seed_field.setToolTip("The same seed for both, and for the samples panel")
        self.seed_field.valueChanged.connect(self._choose_seed)
        self.truncation_field = QDoubleSpinBox()
        theme.pad(self.truncation_field)
        self.truncation_field.setPrefix("truncation ")
        self.truncation_field.setRange(0.0, MOST_TRUNCATION)
        self.truncation_field.setSingleStep(0.05)
        self.truncation_field.setKeyboardTracking(False)
        self.truncation_field.setAccessibleName(TRUNCATION)
        self.truncation_field.setToolTip("Below 1 draws are more typical and less varied; the same for both")
        self.truncation_field.valueChanged.connect(self._truncate)
        self._resizing = QTimer(self, singleShot=True, interval=RESIZE_MS)
        self._resizing.timeout.connect(lambda: self.show_state(pair.workspace.state))
        self._lay_out()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(theme.GRID_PX)
        for part in (self.draw_button, self.seed_field, self.truncation_field):
            top.addWidget(part)
        top.addStretch()
        beside = QHBoxLayout()
        beside.setSpacing(theme.PADDING_PX)
        for sheet in self.sheets.values():
            beside.addWidget(sheet, 1)
            sheet.resized.connect(self._resizing.start)
        self.sheets["first"].chosen.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID_PX)
        column.addLayout(top)
        column.addLayout(beside, 1)

    # --- drawing

    def show_models(self) -> None:
        for sheet in self.sheets.values():
            sheet.clear()

    def show_state(self, state: State) -> None:
        if self.pair.held is None or not self.isVisible():
            return
        drawn = state.samples
        with QSignalBlocker(self.seed_field), QSignalBlocker(self.truncation_field):
            self.seed_field.setValue(drawn.seed)
            self.truncation_field.setValue(drawn.truncation)
        count = self.sheets["first"].room
        for side, sheet in self.sheets.items():
            info = self.pair.opened(side).info
            space = info.spaces[0]
            sheet.hint = "" if space.drawable else UNDRAWABLE
            if not space.drawable:
                sheet.set_items([])
                continue
            asked = self.pair.condition(side)
            mixed = not self.pair.opened("first").info.conditional
            conditions = each_class_in_turn(asked, info, count) if mixed else [asked] * count
            names = [f"sample {i} of seed {drawn.seed}" for i in range(count)]
            if info.conditional:
                labels = [condition.label if condition else None for condition in conditions]
                names = [
                    name if label is None else f"{name}, asked for {info.conditional[label]}"
                    for name, label in zip(names, labels, strict=True)
                ]
            sheet.show_latents(space.sample(count, drawn.seed, drawn.truncation), names, conditions, space.name)

    def take(self, detail: str, reply: Decoded) -> None:
        self.sheets["first" if detail.startswith("first") else "second"].take(reply)

    def show_theme(self) -> None:
        for sheet in self.sheets.values():
            sheet.redraw()

    # --- what a person does

    def draw_next(self) -> None:
        self._choose_seed((self.pair.workspace.state.samples.seed + 1) % (LARGEST_SEED + 1))

    def _choose_seed(self, seed: int) -> None:
        self._steps.finish()
        drawn = self.pair.workspace.state.samples
        self.pair.workspace.change(f"Seed {seed}", samples=replace(drawn, seed=seed))

    def _truncate(self, value: float) -> None:
        drawn, value = self.pair.workspace.state.samples, round(value, 3)
        if value != drawn.truncation:
            self._steps.step(TRUNCATION)
            self.pair.workspace.change(f"{TRUNCATION} {value:g}", samples=replace(drawn, truncation=value))

    def _choose(self, index: int) -> None:
        sheet = self.sheets["first"]
        item = sheet.items[index]
        self.pair.workspace.go_to(item.latent, item.name, space=sheet.space)
