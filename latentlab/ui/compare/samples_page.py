"""Draws of both models from the same seed, at the same truncation: those of the samples panel."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

from latentlab.core.comparing import each_class_in_turn
from latentlab.core.state import State
from latentlab.ui import theme
from latentlab.ui.compare.finding import Finding
from latentlab.ui.compare.pair import SIDES, Pair, Side
from latentlab.ui.compare.sheets_page import SheetsPage
from latentlab.ui.prior_draws import LARGEST_SEED, MOST_TRUNCATION, SEED_PX, TRUNCATION, Drawn, DrawsWanted, PriorDraws
from latentlab.ui.stepped_gesture import SteppedGesture
from latentlab.ui.tool_button import tool_button

LEAST_SIDE_PX = 52
UNDRAWABLE = "Draws from this space are no pictures"


class SamplesPage(SheetsPage):
    def __init__(self, pair: Pair, found: dict[str, Finding]) -> None:
        super().__init__(pair, found, "samples", "Samples of", LEAST_SIDE_PX)
        self._steps = SteppedGesture(pair.workspace.session, self)
        self._draws: dict[Side, PriorDraws] = {}
        for side in SIDES:
            self._draws[side] = PriorDraws(pair.workspace, f"compare/samples/{side}/draws", self)
            self._draws[side].drawn.connect(partial(self._show_draws, side))
        self.draw_button = tool_button(
            "mdi6.dice-multiple-outline", "Draw new samples of both: the next seed", "Draw new samples of both"
        )
        self.draw_button.clicked.connect(self.draw_next)
        self.seed_field = QSpinBox()
        theme.pad(self.seed_field)
        self.seed_field.setPrefix("seed ")
        self.seed_field.setRange(0, LARGEST_SEED)
        self.seed_field.setFixedWidth(SEED_PX)
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
        for part in (self.draw_button, self.seed_field, self.truncation_field):
            self.controls.addWidget(part)
        self.controls.addStretch()

    # --- drawing

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
            # In the space one works in, where the model has one of that name: w of a StyleGAN, on either side.
            space = next((one for one in info.spaces if one.name == state.space), info.spaces[0])
            sheet.hint = "" if space.drawable else UNDRAWABLE
            if space.drawable:
                asked = self.pair.condition(side)
                how = DrawsWanted(info.sha256, ("", ""), asked, drawn.seed, drawn.truncation, count, drawn.around)
                self._draws[side].ask_of(info, space.name, how)
            else:
                sheet.set_items([])

    def _show_draws(self, side: Side, drawn: Drawn) -> None:
        if self.pair.held is None:
            return
        count, info, asked = len(drawn.latents), self.pair.opened(side).info, self.pair.condition(side)
        mixed = not self.pair.opened("first").info.conditional
        conditions = each_class_in_turn(asked, info, count) if mixed else [asked] * count
        names = drawn.names
        if info.conditional:
            labels = [condition.label if condition else None for condition in conditions]
            names = [
                name if label is None else f"{name}, asked for {info.conditional[label]}"
                for name, label in zip(names, labels, strict=True)
            ]
        self.sheets[side].show_latents(drawn.latents, names, conditions, drawn.space)

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
