"""Applying: the edits of the moment on many pictures, samples or a group: a strip, a sheet to save, samples to keep.

Shapes: D latent.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from latentlab.core.atomic import displayed
from latentlab.core.requests import Decode, Lane
from latentlab.core.state import NamedLatent, State
from latentlab.ui.before_after import BeforeAfter
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.icons import icon
from latentlab.ui.pictures import Pictures
from latentlab.ui.prior_draws import Drawn, PriorDraws
from latentlab.ui.running import RunningJob
from latentlab.ui.saved import say_saved
from latentlab.ui.theme import GRID_PX, PADDING_PX
from latentlab.ui.workspace import Workspace

CONSUMER = "attributes/strip"
FUNCTION = "latentlab.engine.edit_sheet:run"
IN_STRIP = 24  # pictures
SAMPLES_IN_SHEET = 64
MOST_IN_SHEET = 1024
MOST_KEPT = 64  # at once among the samples
NO_EDIT = "No edit is on, so both rows are the same: put an attribute on, and the lower row shows it."
NOTHING, SAMPLES, KEPT = "Apply to many pictures…", "Apply to samples", "Apply to kept samples"


class Applying(QWidget):
    """A choice of pictures with a menu beside it, and the strip of them before and after."""

    def __init__(self, workspace: Workspace, pictures: Pictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._pictures = pictures
        self._drawn: State | None = None
        self._draws = PriorDraws(workspace, f"{CONSUMER}/draws", self)
        self._draws.drawn.connect(self._take_draws)
        self._samples: list[NamedLatent] = []
        self._samples_in = ("", "")  # the model and the space that they lie in
        self.choice = ChoiceBox()
        self.choice.setAccessibleName("Apply the edits to")
        self.choice.setToolTip("Shows the edits of the moment on many pictures, before above after")
        self.choice.activated.connect(lambda _: self._show_strip())
        self.menu = QMenu(self)
        self.save_action = self.menu.addAction(icon("mdi6.content-save-outline"), "Save a sheet…", self._ask_where)
        self.keep_action = self.menu.addAction(icon("mdi6.star-outline"), "Keep the edited ones as samples", self.keep)
        self.menu.setToolTipsVisible(True)
        self.save_action.setToolTip("A PNG of all of them, before above after, with latents and edits")
        self.keep_action.setToolTip(f"The first {MOST_KEPT} at most, starred in the samples; can be undone")
        self.button = QToolButton()
        self.button.setIcon(icon("mdi6.export-variant"))
        self.button.setToolTip("What to do with them: save a sheet, keep the edited ones")
        self.button.setAccessibleName("What to do with the edited pictures")
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.button.setMenu(self.menu)
        self.button.setEnabled(False)
        self.strip = BeforeAfter(pictures)
        self.strip.hide()
        self.words = QLabel(NO_EDIT)
        self.words.setProperty("role", "caption")
        self.words.setWordWrap(True)
        self.words.setContentsMargins(PADDING_PX, 0, PADDING_PX, GRID_PX)
        self.words.hide()
        self.strip.chosen.connect(lambda item: workspace.go_to(item.latent, item.name))
        row = QHBoxLayout()
        row.setContentsMargins(PADDING_PX, 4, PADDING_PX, GRID_PX)
        row.setSpacing(GRID_PX)
        row.addWidget(self.choice, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.words)
        column.addWidget(self.strip)

    # --- drawing

    def show_state(self, new: State, old: State | None) -> None:
        drawn, self._drawn = (None if old is None else self._drawn), new
        if drawn is None or new.groups is not drawn.groups or bool(new.samples.kept) != bool(drawn.samples.kept):
            self._show_choices(new)
        moved = drawn is None or any(
            getattr(new, part) is not getattr(drawn, part)
            for part in ("strengths", "locked", "directions", "groups", "samples", "condition", "space")
        )
        if moved and self.choice.currentIndex() > 0:
            self._show_strip()

    def _show_choices(self, state: State) -> None:
        """The kept samples stand before the groups, where there are any."""
        with QSignalBlocker(self.choice):
            kept = self.choice.currentText()
            self.choice.clear()
            self.choice.addItem(NOTHING)
            self.choice.addItem(SAMPLES, SAMPLES)
            if state.samples.kept:
                self.choice.addItem(KEPT, KEPT)
            for group in state.groups:
                self.choice.addItem(f"Apply to {group.name} ({len(group.members):,})", group.name)
            self.choice.setCurrentIndex(max(0, self.choice.findText(kept)))
        if self.choice.currentIndex() == 0:
            self._show_strip()

    def chosen(self, most: int) -> list[NamedLatent]:
        """What the edits are applied to, `most` at most."""
        state, encodings, said = self._workspace.state, self._workspace.opened.encodings, self.choice.currentData()
        if self.choice.currentIndex() <= 0:
            return []
        if said == SAMPLES:
            return self._samples[:most] if self._samples_in == (state.checkpoint, state.space) else []
        if said == KEPT:
            return list(state.samples.kept[:most])
        group = next((group for group in state.groups if group.name == said), None)
        if group is None or encodings is None:
            return []
        members = group.members[:most].tolist()
        return [NamedLatent(encodings.latents[i], encodings.name_of(i)) for i in members if i < len(encodings)]

    def _show_strip(self) -> None:
        if self.choice.currentData() == SAMPLES and self._workspace.space.drawable:
            self._draw_samples()
        else:
            self._show_chosen()

    def _draw_samples(self) -> None:
        """Those of the samples panel, as far as they lie in the space that the edits are of."""
        state, info = self._workspace.state, self._workspace.opened.info
        if info.drawn_through(state.space, state.samples.truncation)[1] != state.space:
            # They are truncated elsewhere, for it has no effect here: so without.
            state = replace(state, samples=replace(state.samples, truncation=1.0))
        self._draws.ask(state, SAMPLES_IN_SHEET, state.samples.seed)

    def _take_draws(self, drawn: Drawn) -> None:
        self._samples = [NamedLatent(row, name) for row, name in zip(drawn.latents, drawn.names, strict=True)]
        self._samples_in = (self._workspace.state.checkpoint, drawn.space)
        self._show_chosen()

    def _show_chosen(self) -> None:
        state, items = self._workspace.state, self.chosen(IN_STRIP)
        self.strip.setVisible(bool(items))
        self.button.setEnabled(bool(items))
        self.words.setVisible(bool(items) and not np.any(state.edit))
        if not items:
            self._workspace.decoding.withdraw(CONSUMER)
            return
        latents = self.strip.show_latents(items, state)
        missing = self._pictures.missing(latents, state.condition)
        if missing:
            request = Decode(state.checkpoint, np.stack(missing), state.space, state.condition)
            self._workspace.decoding.submit(CONSUMER, request, Lane.VISIBLE)

    def redraw(self) -> None:
        self.strip.redraw()

    # --- what a person does

    def keep(self) -> None:
        """The edited ones join the kept samples, as one undo step."""
        state = self._workspace.state
        there = {item.latent.tobytes() for item in state.samples.kept}
        edits = ", ".join(f"{name} {strength:+g}" for name, strength in state.strengths.items())
        edited = [
            NamedLatent(
                np.asarray(item.latent + state.edit, np.float32), f"{item.name}, {edits}" if edits else item.name
            )
            for item in self.chosen(MOST_KEPT)
        ]
        new = tuple(item for item in edited if item.latent.tobytes() not in there)
        if not new:
            self._workspace.notices.info("They are among the kept samples already.")
            return
        samples = replace(state.samples, kept=state.samples.kept + new)
        self._workspace.change(f"Keep {len(new)} edited", samples=samples)
        self._workspace.notices.info(f"{len(new):,} edited pictures are among the kept samples now (the star).")

    def _ask_where(self) -> None:
        settings = self._workspace.settings
        suggested = str(Path(settings.save_folder) / "before-after.png")
        name, _ = QFileDialog.getSaveFileName(self.window(), "Save a sheet", suggested, "Picture (*.png)")
        if name:
            target = Path(name) if name.lower().endswith(".png") else Path(name + ".png")
            settings.save_folder = str(target.parent)
            self.save_to(target)

    def save_to(self, target: Path) -> RunningJob | None:
        """Starts the job that writes the sheet; None where nothing is chosen."""
        items, state, opened = self.chosen(MOST_IN_SHEET), self._workspace.state, self._workspace.opened
        if not items:
            return None
        arguments: dict[str, Any] = {
            "path": opened.info.path,
            "latents": np.stack([item.latent for item in items]),
            "edit": state.edit,
            "target": str(target),
            "space": state.space,
            "condition": state.condition,
            "strengths": dict(state.strengths),
            "locked": sorted(state.locked),
            "name": self.choice.currentText(),
            "checkpoint": opened.info.sha256,
            **opened.for_jobs,
        }
        group = next((group for group in state.groups if group.name == self.choice.currentData()), None)
        cut = group is not None and len(group.members) > len(items)

        def said(made: Any) -> None:
            """`made` is a `latentlab.engine.edit_sheet.EditSheet`."""
            of = f" of {len(group.members):,}" if cut and group is not None else ""
            text = f"Saved {displayed(target.name)}: {made.pairs:,} pictures{of} before and after."
            say_saved(self._workspace.notices, text, target)

        return self._workspace.running.start(f"Saving {displayed(target.name)}", FUNCTION, arguments, on_done=said)
