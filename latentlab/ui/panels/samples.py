"""Samples: a sheet of draws from the prior, as many as there is room for, by seed and truncation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSpinBox, QToolButton, QVBoxLayout, QWidget

from latentlab.core.requests import Decode, Decoded, Lane
from latentlab.core.space_switching import in_space
from latentlab.core.spaces import LatentSpace
from latentlab.core.state import NamedLatent, State
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.icons import icon
from latentlab.ui.panel import Panel
from latentlab.ui.pictures import Pictures
from latentlab.ui.prior_draws import LARGEST_SEED, MOST_TRUNCATION, SEED_PX, TRUNCATION, Drawn, PriorDraws
from latentlab.ui.sheet_saving import SheetSaving
from latentlab.ui.sliders.lone import LoneSlider
from latentlab.ui.sliders.row import SliderRow
from latentlab.ui.stepped_gesture import SteppedGesture
from latentlab.ui.theme import PADDING_PX, pad
from latentlab.ui.thumbnail_strip import ThumbnailStrip
from latentlab.ui.tile_layout import TileLayout
from latentlab.ui.tool_button import tool_button
from latentlab.ui.tool_row import tool_row
from latentlab.ui.workspace import Workspace

LEAST_SIDE_PX = 60
MARGIN_PX = 4
MOST = 256
RESIZE_MS = 80
AROUND = "Below 1 draws are less varied; near 0 they blur into the mean of the encodings, which need not look like any"
HINT = "Click or star one"
UNDRAWABLE = "Draws from this space are no pictures"
INSTEAD = ": drop a picture on the image, or encode a folder (File menu)"


class SamplesPanel(Panel):
    key = "samples"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self._pictures = Pictures()
        self._drawn: State | None = None
        self._used = False  # whether a sample was clicked
        self._space = ""  # where what is on the sheet lies
        self._draws = PriorDraws(workspace, self.consumer("draws"), self)
        self._draws.drawn.connect(self._take_draws)
        self._steps = SteppedGesture(workspace.session, self)
        self._resizing = QTimer(self)
        self._resizing.setSingleShot(True)
        self._resizing.setInterval(RESIZE_MS)
        self._resizing.timeout.connect(self._fill)
        self._build()
        self._lay_out()
        self.first_focus = self.sheet

    def _build(self) -> None:
        self.draw_button = tool_button(
            "mdi6.dice-multiple-outline", "Draw new samples: the next seed", "Draw new samples"
        )
        self.draw_button.clicked.connect(self.draw_next)
        self.seed_field = QSpinBox()
        pad(self.seed_field)
        self.seed_field.setPrefix("seed ")
        self.seed_field.setRange(0, LARGEST_SEED)
        self.seed_field.setKeyboardTracking(False)
        self.seed_field.setFixedWidth(SEED_PX)
        self.seed_field.setToolTip("The same seed draws the same samples on every machine")
        self.seed_field.setAccessibleName("Seed")
        self.seed_field.valueChanged.connect(self._choose_seed)
        self.truncation = LoneSlider(
            self.workspace.session,
            self._steps,
            TRUNCATION,
            self._truncation_row,
            self._truncate,
            title_width=72,
            number_width=44,
        )
        self.truncation.setMinimumWidth(160)
        self.truncation.setMaximumWidth(300)
        self.way = ChoiceBox()
        self.way.addItem("From prior", False)
        self.way.addItem("Around data", True)
        self.way.setAccessibleName("Where samples are drawn from")
        self.way.setToolTip(
            "The prior is what the model was told latents look like; encodings are where those of the data lie.\n"
            "Draws around encodings start at one and move towards and away from its neighbours"
        )
        self.way.activated.connect(self._choose_way)
        self.kept_button = QToolButton()
        self.kept_button.setCheckable(True)
        self.kept_button.setIcon(icon("mdi6.star-outline"))
        self.kept_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.kept_button.toggled.connect(lambda _: self._fill())
        self.save_button = tool_button(
            "mdi6.content-save-outline",
            "Save a sheet of samples: the first 64 of this seed, or the kept ones",
            "Save a sheet",
        )
        self.save_button.clicked.connect(self.save_sheet)
        self._saving = SheetSaving(self.workspace, self)
        self.sheet = ThumbnailStrip(
            self._pictures, wrapped=True, least_side=LEAST_SIDE_PX, margin=MARGIN_PX, markable=True
        )
        self.sheet.setAccessibleName("Samples")
        self.sheet.setMinimumHeight(72)
        self.sheet.resized.connect(self._resizing.start)
        self.sheet.chosen.connect(self._choose)
        self.sheet.marked.connect(self._keep)
        self.hint = ElidedLabel(HINT, whole=True)
        self.hint.setProperty("role", "caption")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def _lay_out(self) -> None:
        top = tool_row(below_px=4)
        top.addWidget(self.draw_button)
        top.addWidget(self.seed_field)
        top.addWidget(self.truncation, 1)
        top.addWidget(self.way)
        top.addStretch()
        top.addWidget(self.hint)
        top.addWidget(self.kept_button)
        top.addWidget(self.save_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        sides = QHBoxLayout()
        sides.setContentsMargins(PADDING_PX - MARGIN_PX, 0, PADDING_PX - MARGIN_PX, MARGIN_PX)
        sides.addWidget(self.sheet)
        column.addLayout(sides, 1)
        self.truncation.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

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
        if (
            drawn is None
            or new.samples is not drawn.samples
            or new.condition != drawn.condition
            or new.space != drawn.space
            or new.elsewhere is not drawn.elsewhere
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
        """The draws that there is room for, or the kept ones of the space that they lie in."""
        state = self._drawn
        if state is None:
            return
        info = self.workspace.opened.info
        to = info.drawn_through(state.space, state.samples.truncation)[1]
        self._show_kept(len(_kept_in(state, to)))
        self._show_way(state, info.space(to))
        drawable = info.space(to).drawable
        self.sheet.hint = "" if drawable else UNDRAWABLE + (INSTEAD if info.encoder else "")
        if self.kept_button.isChecked():
            self._show_items(list(_kept_in(state, to)), to)
        elif drawable:
            self._draws.ask(state, self._room(), state.samples.seed)
        else:
            self._show_items([], to)

    def _show_way(self, state: State, space: LatentSpace) -> None:
        """Where draws come from, where that can be chosen."""
        self.way.setVisible(space.can_choose)
        self.way.setCurrentIndex(self.way.findData(space.draws_around(state.samples.around)))

    def _take_draws(self, drawn: Drawn) -> None:
        if self._drawn is not None and not self.kept_button.isChecked():
            named = [NamedLatent(row, name) for row, name in zip(drawn.latents, drawn.names, strict=True)]
            self._show_items(named, drawn.space)

    def _show_items(self, items: list[NamedLatent], space: str) -> None:
        """What has no picture yet is asked for in one batch."""
        state = self._drawn
        assert state is not None
        kept = {item.latent.tobytes() for item in _kept_in(state, space)}
        marks = {i for i, item in enumerate(items) if item.latent.tobytes() in kept}
        self._space = space
        self._show_hint(state)
        self.sheet.checkpoint, self.sheet.space = state.checkpoint, space
        self.sheet.set_items(items, marks, state.condition)
        self._show_current(state)
        missing = self._pictures.missing([item.latent for item in items], state.condition)
        if missing:
            request = Decode(state.checkpoint, np.stack(missing), space, state.condition)
            self.workspace.decoding.submit(self.consumer("sheet"), request, Lane.VISIBLE)

    def _show_hint(self, state: State) -> None:
        """What a click does, until it has been used; and where it leads, where that is another space."""
        away = self._space != state.space
        self.hint.setText(f"Truncated in {self._space}: a click leads there" if away else HINT)
        self.hint.setVisible(away or not self._used)

    def _room(self) -> int:
        size = self.sheet.viewport().size()
        tiles = TileLayout.wrapped(1, size.width(), size.height(), LEAST_SIDE_PX, margin=MARGIN_PX)
        return min(MOST, tiles.columns * tiles.rows_in(size.height()))

    def _show_current(self, state: State) -> None:
        here = state.origin.tobytes()
        shown = (i for i, item in enumerate(self.sheet.items) if item.latent.tobytes() == here)
        index = next(shown, -1)
        if index != self.sheet.shown:  # a drag comes here with every event
            self.sheet.shown = index
            self.sheet.redraw()

    def _truncation_row(self) -> SliderRow:
        state = self._drawn or self.workspace.state
        return SliderRow(
            title=TRUNCATION,
            value=state.samples.truncation,
            low=0.0,
            high=MOST_TRUNCATION,
            home=1.0,
            step=0.05,
            tip=self._truncation_tip,
        )

    def _truncation_tip(self) -> str:
        around = self.workspace.space.draws_around(self.workspace.state.samples.around)
        said = AROUND if around else "Below 1 draws are more typical and less varied; 0 is the mean of the prior"
        origin = self.workspace.state.space
        to = self.workspace.opened.info.drawn_through(origin, 0)[1]
        if to == origin:
            return said
        return f"{said}.\nIt has no effect in {origin}, so draws are taken to {to} and truncated there"

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

    def save_sheet(self) -> None:
        """Of the kept ones where these are shown, else of the seed's first draws."""
        state, info = self.workspace.state, self.workspace.opened.info
        space = info.drawn_through(state.space, state.samples.truncation)[1]
        self._saving.save(_kept_in(state, space) if self.kept_button.isChecked() else (), space)

    def _choose_seed(self, seed: int) -> None:
        self._steps.finish()
        with QSignalBlocker(self.kept_button):
            self.kept_button.setChecked(False)
        self.workspace.change(f"Seed {seed}", samples=replace(self.workspace.state.samples, seed=seed))

    def _choose_way(self, index: int) -> None:
        sheet, around = self.workspace.state.samples, bool(self.way.itemData(index))
        if around != self.workspace.space.draws_around(sheet.around):
            self.workspace.change(f"Samples {self.way.itemText(index).lower()}", samples=replace(sheet, around=around))

    def _truncate(self, value: float) -> None:
        sheet = self.workspace.state.samples
        value = round(value, 3)
        if value != sheet.truncation:
            self.workspace.change(f"{TRUNCATION} {value:g}", samples=replace(sheet, truncation=value))

    def _choose(self, index: int) -> None:
        item = self.sheet.items[index]
        self._used = True
        self.hint.hide()
        self.workspace.go_to(item.latent, item.name, space=self._space)

    def _keep(self, index: int) -> None:
        """Bookmarks a sample, or lets it go."""
        item, home, info = self.sheet.items[index], self.workspace.state.space, self.workspace.opened.info
        state = in_space(self.workspace.state, info, self._space)
        key = item.latent.tobytes()
        before = state.samples.kept
        kept = tuple(other for other in before if other.latent.tobytes() != key)
        label = f"Let {item.name} go"
        if len(kept) == len(before):
            kept, label = (*kept, item), f"Keep {item.name}"
        state = replace(state, samples=replace(state.samples, kept=kept))
        self.workspace.session.update(in_space(state, info, home), label)


def _kept_in(state: State, space: str) -> tuple[NamedLatent, ...]:
    """The bookmarks of a space, which may be put aside."""
    there = state if space == state.space else state.elsewhere.get(space)
    return there.samples.kept if there is not None else ()
