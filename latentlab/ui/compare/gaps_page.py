"""A straight path between the encodings of two pictures, decoded by both: where a latent space has holes, it shows.

Shapes: T pictures along the path, D latent.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from latentlab.core.comparing import Steps, steps_along
from latentlab.core.condition import Condition
from latentlab.core.paths import lerp
from latentlab.core.requests import Decode, Decoded
from latentlab.core.spaces import FloatArray
from latentlab.core.state import NamedLatent, State
from latentlab.ui import theme
from latentlab.ui.compare.current import Picture
from latentlab.ui.compare.finding import Finding
from latentlab.ui.compare.pair import SIDES, Pair, Side
from latentlab.ui.compare.search import Search
from latentlab.ui.compare.sheets_page import SheetsPage, side_of
from latentlab.ui.compare.step_bars import StepBars
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.tool_button import tool_button

LEAST_SIDE_PX = 44
FEWEST = 5


class GapsPage(SheetsPage):
    finds = True

    def __init__(self, pair: Pair, found: dict[str, Finding]) -> None:
        super().__init__(pair, found, "gaps", "Path in", LEAST_SIDE_PX)
        self.far = Finding(pair, "gaps/far", "second", self)  # the other end, in the second model
        self.far.changed.connect(self.show_found)
        # Of the end's latent, as the first model draws it.
        self._end_picture: tuple[bytes, Picture, Condition | None] | None = None
        self._asked: dict[Side, tuple[bytes, Condition | None]] = {}
        self._steps: dict[Side, Steps] = {}
        self.bars = {side: StepBars(f"Steps of the path in the {side} model") for side in SIDES}
        self.captions = {side: ElidedLabel() for side in SIDES}
        self.between = ElidedLabel()
        self.between.setAccessibleName("The ends of the path")
        self.other_button = tool_button(
            "mdi6.dice-multiple-outline",
            "Another end for the path; it begins at the current picture",
            "Another end for the path",
        )
        self.other_button.clicked.connect(self.another_end)
        self.searches = (Search(found["second"]), Search(self.far))
        self._lay_out()

    def _lay_out(self) -> None:
        self.controls.addWidget(self.other_button)
        self.controls.addWidget(self.between, 1)
        self.grid.setVerticalSpacing(4)
        for column, side in enumerate(SIDES):
            caption = self.captions[side]
            caption.setProperty("role", "caption")
            for part in (caption, self.bars[side]):
                part.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            caption.setFont(theme.caption_font(caption))
            caption.setAccessibleName(f"Steps of the {side} model")
            self.grid.addWidget(self.bars[side], 2, column)
            self.grid.addWidget(caption, 3, column)
        self.waiting = QLabel()
        self.waiting.setProperty("role", "caption")
        self.waiting.setWordWrap(True)
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.looking = QWidget()
        self.looking.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)
        rows = QVBoxLayout(self.looking)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.waiting)
        for search in self.searches:
            rows.addWidget(search)
        self.grid.addWidget(self.looking, 1, 1)

    # --- drawing

    def show_models(self) -> None:
        super().show_models()
        self.far.forget()
        self._end_picture = None
        self._asked.clear()
        self._steps.clear()
        for side in SIDES:
            self.bars[side].show_steps(None, 1.0)
            self.captions[side].setText("")

    def show_state(self, state: State) -> None:
        source = self.pair.source
        if source is None or self.pair.held is None or not self.isVisible():
            return
        end = self._end(state)
        if end is None or len(end.latent) != len(source.latent):
            return
        self.between.setText(f"{source.name}  to  {end.name}, straight")
        self._show_path("first", source.latent, end.latent, source.condition, source.space)
        if self._end_picture is not None and self._end_picture[0] == end.latent.tobytes():
            self.far.look_for(self._end_picture[1], self.pair.condition("second"))
        self.show_found()

    def show_found(self) -> None:
        near, far = self.found["second"], self.far
        if self.pair.held is None:
            return
        for search in self.searches:
            search.show_search()
        searched = near.searches and not (near.fresh and far.fresh)
        self.waiting.setText("No encoder: both ends have to be searched for." if searched else "")
        self.looking.setVisible(searched)
        if near.found is not None and far.found is not None and (near.encodes or (near.fresh and far.fresh)):
            condition = near.found.condition
            self._show_path("second", near.found.latent, far.found.latent, condition, "")

    def _end(self, state: State) -> NamedLatent | None:
        return state.comparison.end or self.pair.far_end()

    def _show_path(
        self, side: Side, start: FloatArray, end: FloatArray, condition: Condition | None, space: str
    ) -> None:
        count = max(FEWEST, self.sheets["first"].room)
        latents_TD = lerp(start, end, np.linspace(0, 1, count))
        wanted = (latents_TD.tobytes(), condition)
        if self._asked.get(side) == wanted:
            return
        self._asked[side] = wanted
        names = [f"{step / (count - 1):.0%} of the way" for step in range(count)]
        self.sheets[side].show_path(latents_TD, names, condition, space)

    def take(self, detail: str, reply: Decoded) -> None:
        super().take(detail, reply)
        side = side_of(detail)
        if len(reply.images) < FEWEST:
            return
        self._steps[side] = steps_along(reply.images)
        if side == "first":
            known, request = self._end_picture, reply.request
            if known is None or known[0] != _last(request) or known[2] != request.condition:
                # Not for each path of another length: what was searched for would have to be searched for again.
                self._end_picture = (_last(request), reply.images[-1], request.condition)
            self.show_state(self.pair.workspace.state)
        top = max(float(steps.changes.max()) for steps in self._steps.values())
        for shown, steps in self._steps.items():
            self.bars[shown].show_steps(steps, top)
            jump = f"a jump at step {steps.at + 1}: " if steps.hole else "largest step "
            self.captions[shown].setText(f"{jump}{steps.largest:.1f} × the mean")

    def show_theme(self) -> None:
        super().show_theme()
        for bars in self.bars.values():
            bars.update()

    # --- what a person does

    def another_end(self) -> None:
        """At another encoding, or another draw where there are none."""
        workspace = self.pair.workspace
        encodings, space = workspace.opened.encodings, workspace.space
        if encodings is not None and len(encodings) and encodings.space == workspace.state.space:
            index = secrets.randbelow(len(encodings))
            end = NamedLatent(encodings.latents[index], encodings.name_of(index))
        elif space.drawable:
            seed = secrets.randbelow(100_000)
            end = NamedLatent(space.sample(1, seed=seed)[0], f"sample of seed {seed}")
        else:
            return
        workspace.change("Another end", comparison=replace(workspace.state.comparison, end=end))


def _last(request: Decode) -> bytes:
    return bytes(request.latents[-1].tobytes())
