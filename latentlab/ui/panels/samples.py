"""Samples: a sheet of draws from the prior, as many as there is room for, by seed and truncation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSpinBox, QToolButton, QVBoxLayout, QWidget

from latentlab.core.requests import Decode, Decoded, Lane
from latentlab.core.state import NamedLatent, State
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.icons import icon
from latentlab.ui.panel import Panel
from latentlab.ui.pictures import Pictures
from latentlab.ui.sliders.list import SliderList
from latentlab.ui.sliders.row import SliderRow
from latentlab.ui.stepped_gesture import SteppedGesture
from latentlab.ui.theme import CONTROL_PX, GRID_PX, PADDING_PX, pad
from latentlab.ui.thumbnail_strip import ThumbnailStrip
from latentlab.ui.tile_layout import TileLayout
from latentlab.ui.workspace import Workspace

LEAST_SIDE_PX = 60
MARGIN_PX = 4
MOST = 256
LARGEST_SEED = 2**31 - 1
MOST_TRUNCATION = 1.5
RESIZE_MS = 80
TRUNCATION = "Truncation"
UNDRAWABLE = "Draws from this space are no pictures"
INSTEAD = ": drop a picture on the image, or encode a folder (File menu)"


class SamplesPanel(Panel):
    key = "samples"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self._pictures = Pictures()
        self._drawn: State | None = None
        self._steps = SteppedGesture(workspace.session, self)
        self._resizing = QTimer(self)
        self._resizing.setSingleShot(True)
        self._resizing.setInterval(RESIZE_MS)
        self._resizing.timeout.connect(self._fill)
        self._build()
        self.setFocusProxy(self.sheet)

    def _build(self) -> None:
        self.draw_button = QToolButton()
        self.draw_button.setIcon(icon("mdi6.dice-multiple-outline"))
        self.draw_button.setToolTip("Draw new samples: the next seed")
        self.draw_button.setAccessibleName("Draw new samples")
        self.draw_button.clicked.connect(self.draw_next)
        self.seed_field = QSpinBox()
        pad(self.seed_field)
        self.seed_field.setPrefix("seed ")
        self.seed_field.setRange(0, LARGEST_SEED)
        self.seed_field.setKeyboardTracking(False)
        self.seed_field.setFixedWidth(96)
        self.seed_field.setToolTip("The same seed draws the same samples on every machine")
        self.seed_field.setAccessibleName("Seed")
        self.seed_field.valueChanged.connect(self._choose_seed)
        self.truncation = SliderList(title_width=72, renamable=False, lockable=False, number_width=44)
        self.truncation.setFixedHeight(CONTROL_PX)
        self.truncation.setMinimumWidth(220)
        self.truncation.setMaximumWidth(300)
        self.truncation.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.truncation.setAccessibleName(TRUNCATION)
        self.truncation.set_rows(1, self._truncation_row)
        self.kept_button = QToolButton()
        self.kept_button.setCheckable(True)
        self.kept_button.setIcon(icon("mdi6.star-outline"))
        self.kept_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.kept_button.toggled.connect(lambda _: self._fill())
        self.sheet = ThumbnailStrip(
            self._pictures, wrapped=True, least_side=LEAST_SIDE_PX, margin=MARGIN_PX, markable=True
        )
        self.sheet.setAccessibleName("Samples")
        self.sheet.setMinimumHeight(72)
        self.sheet.resized.connect(self._resizing.start)
        self.sheet.chosen.connect(self._choose)
        self.sheet.marked.connect(self._keep)
        self.hint = ElidedLabel("Click to show, drag elsewhere, star to keep")
        self.hint.setProperty("role", "caption")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        top = QHBoxLayout()
        top.setContentsMargins(PADDING_PX, GRID_PX, PADDING_PX, 4)
        top.setSpacing(GRID_PX)
        top.addWidget(self.draw_button)
        top.addWidget(self.seed_field)
        top.addWidget(self.truncation, 1)
        top.addStretch()
        top.addWidget(self.hint)
        top.addWidget(self.kept_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        sides = QHBoxLayout()
        sides.setContentsMargins(PADDING_PX - MARGIN_PX, 0, PADDING_PX - MARGIN_PX, MARGIN_PX)
        sides.addWidget(self.sheet)
        column.addLayout(sides, 1)
        self.truncation.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.truncation.pressed.connect(lambda _: self._press())
        self.truncation.moved.connect(lambda _, value: self._truncate(value))
        self.truncation.released.connect(lambda _: self.workspace.session.end())
        self.truncation.abandoned.connect(lambda _: self.workspace.session.abandon())
        self.truncation.stepped.connect(lambda _, value: self._step(value))
        self.truncation.typed.connect(lambda _, value: self._type(value))
        self.truncation.reset.connect(lambda _: self._type(1.0))

    # --- drawing

    def show_model(self) -> None:
        self._drawn = None
        self._pictures.clear()

    def show_state(self, new: State, old: State | None) -> None:
        drawn, self._drawn = (None if old is None else self._drawn), new
        if drawn is None or new.samples is not drawn.samples:
            with QSignalBlocker(self.seed_field):
                self.seed_field.setValue(new.samples.seed)
            self.truncation.redraw_all()
            self._show_kept(len(new.samples.kept))
        if (
            drawn is None
            or new.samples is not drawn.samples
            or new.condition != drawn.condition
            or new.space != drawn.space
        ):
            self._fill()
        elif new.origin is not drawn.origin:
            self._show_current(new)

    def _show_kept(self, count: int) -> None:
        self.kept_button.setText(f"{count}")
        self.kept_button.setEnabled(bool(count))
        said = f"Show the {count} kept" if count else "Nothing is kept yet: press the star on a sample (K)"
        self.kept_button.setToolTip(said)
        self.kept_button.setAccessibleName(said)
        if not count:
            with QSignalBlocker(self.kept_button):
                self.kept_button.setChecked(False)

    def _fill(self) -> None:
        """The draws that there is room for, or the kept ones; what has no picture yet is asked for in one batch."""
        state = self._drawn
        if state is None:
            return
        items = list(state.samples.kept) if self.kept_button.isChecked() else self._draws(state)
        kept = {item.latent.tobytes() for item in state.samples.kept}
        marks = {i for i, item in enumerate(items) if item.latent.tobytes() in kept}
        self.sheet.checkpoint = state.checkpoint
        self.sheet.set_items(items, marks, state.condition)
        self._show_current(state)
        missing = self._pictures.missing([item.latent for item in items], state.condition)
        if missing:
            request = Decode(state.checkpoint, np.stack(missing), state.space, state.condition)
            self.workspace.decoding.submit(self.consumer("sheet"), request, Lane.VISIBLE)

    def _draws(self, state: State) -> list[NamedLatent]:
        sheet = state.samples
        space = self.workspace.opened.info.space(state.space)
        encoder = self.workspace.opened.info.encoder
        self.sheet.hint = "" if space.drawable else UNDRAWABLE + (INSTEAD if encoder else "")
        if not space.drawable:
            return []
        latents_ND = space.sample(self._room(), sheet.seed, sheet.truncation)
        return [NamedLatent(latent, f"sample {i} of seed {sheet.seed}") for i, latent in enumerate(latents_ND)]

    def _room(self) -> int:
        size = self.sheet.viewport().size()
        tiles = TileLayout.wrapped(1, size.width(), size.height(), LEAST_SIDE_PX, margin=MARGIN_PX)
        return min(MOST, tiles.columns * tiles.rows_in(size.height()))

    def _show_current(self, state: State) -> None:
        here = state.origin.tobytes()
        shown = (i for i, item in enumerate(self.sheet.items) if item.latent.tobytes() == here)
        self.sheet.shown = next(shown, -1)
        self.sheet.redraw()

    def _truncation_row(self, _row: int) -> SliderRow:
        state = self._drawn or self.workspace.state
        return SliderRow(
            title=TRUNCATION,
            value=state.samples.truncation,
            low=0.0,
            high=MOST_TRUNCATION,
            home=1.0,
            step=0.05,
            tip=lambda: "Below 1 draws are more typical and less varied; 0 is the mean of the prior",
        )

    def show_decoded(self, reply: Decoded) -> None:
        self._pictures.keep(reply)
        self.sheet.redraw()

    def show_theme(self) -> None:
        self.truncation.redraw_all()
        self.sheet.redraw()

    # --- what a person does

    def draw_next(self) -> None:
        """The samples of the next seed."""
        self._choose_seed((self.workspace.state.samples.seed + 1) % (LARGEST_SEED + 1))

    def _choose_seed(self, seed: int) -> None:
        self._steps.finish()
        with QSignalBlocker(self.kept_button):
            self.kept_button.setChecked(False)
        self.workspace.change(f"Seed {seed}", samples=replace(self.workspace.state.samples, seed=seed))

    def _press(self) -> None:
        self._steps.finish()
        self.workspace.session.begin(TRUNCATION)

    def _step(self, value: float) -> None:
        self._steps.step(TRUNCATION)
        self._truncate(value)

    def _type(self, value: float) -> None:
        self._steps.finish()
        self._truncate(min(max(value, 0.0), MOST_TRUNCATION))

    def _truncate(self, value: float) -> None:
        sheet = self.workspace.state.samples
        value = round(value, 3)
        if value != sheet.truncation:
            self.workspace.change(f"{TRUNCATION} {value:g}", samples=replace(sheet, truncation=value))

    def _choose(self, index: int) -> None:
        item = self.sheet.items[index]
        self.hint.hide()  # it has been used
        self.workspace.go_to(item.latent, item.name)

    def _keep(self, index: int) -> None:
        """Bookmarks a sample, or lets it go."""
        item, sheet = self.sheet.items[index], self.workspace.state.samples
        key = item.latent.tobytes()
        kept = tuple(other for other in sheet.kept if other.latent.tobytes() != key)
        if len(kept) == len(sheet.kept):
            self.workspace.change(f"Keep {item.name}", samples=replace(sheet, kept=(*kept, item)))
        else:
            self.workspace.change(f"Let {item.name} go", samples=replace(sheet, kept=kept))
