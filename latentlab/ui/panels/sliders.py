"""Sliders: every dimension or principal component of the latent, the most informative first.

Shapes: D latent, M sliders of the basis. A slider shows the coordinate of the shown latent; moving it moves the base,
so that attribute edits stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from PySide6.QtCore import QPoint, QSignalBlocker, Qt, QTimer
from PySide6.QtWidgets import QLineEdit, QMenu, QVBoxLayout, QWidget

from latentlab.core.encodings import EncodingSet
from latentlab.core.requests import Decode, Decoded, Lane
from latentlab.core.spaces import FloatArray
from latentlab.core.state import State
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.computing import Computing
from latentlab.ui.panel import Panel
from latentlab.ui.pictures import as_qimage
from latentlab.ui.sliders.basis import Basis, Components, Dimensions, Indices, no_components
from latentlab.ui.sliders.ends_preview import EndsPreview
from latentlab.ui.sliders.list import SliderList
from latentlab.ui.sliders.row import SliderRow
from latentlab.ui.stepped_gesture import SteppedGesture
from latentlab.ui.tool_button import tool_button
from latentlab.ui.tool_row import tool_row
from latentlab.ui.workspace import Workspace

BASES = ("dimensions", "components")
ROWS_REDRAWN_ALONE = 8
SETTLE_MS = 150  # after other edits the ends are decoded anew once it is quiet
SAME = 5e-5  # smaller changes than half of the last shown digit are rounding


class SlidersPanel(Panel):
    key = "sliders"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self._basis: Basis = Dimensions(workspace.space, None)
        self._values_M: FloatArray = np.zeros(0, np.float32)
        self._homes_M: FloatArray = np.zeros(0, np.float32)
        self._shown: Indices = np.zeros(0, np.int64)  # sliders by row, after the filter
        self._row_of: Mapping[int, int] = {}
        self._drawn: State | None = None
        self._pointed = -1
        self._ends_wanted: tuple[bytes, object] | None = None
        self._steps = SteppedGesture(workspace.session, self)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._ask_for_ends)
        self._computing = Computing(self)
        self._build()
        self.first_focus = self.list

    # --- the widgets

    def _build(self) -> None:
        self.basis_choice = ChoiceBox()
        self.basis_choice.addItems(["Dimensions", "Components"])
        self.basis_choice.setToolTip("What the sliders move: raw dimensions, or principal components in sigmas")
        self.basis_choice.setAccessibleName("Basis")
        self.basis_choice.activated.connect(self._choose_basis)
        self.filter_box = QLineEdit()
        self.filter_box.setPlaceholderText("Filter")
        self.filter_box.setClearButtonEnabled(True)
        self.filter_box.setAccessibleName("Filter sliders by name")
        self.filter_box.setToolTip("Shows the sliders whose name or number contains this")
        self.filter_box.textChanged.connect(self._filter)
        self.randomise_button = tool_button("mdi6.dice-5-outline", "Randomise the sliders that are not locked")
        self.randomise_button.clicked.connect(self.randomise)
        self.reset_button = tool_button("mdi6.backup-restore", "Reset all sliders to where this picture began")
        self.reset_button.clicked.connect(self.reset_all)
        self.list = SliderList(title_width=88)
        self.list.setAccessibleName("Sliders")
        self.list.hint = "Open a model: each number of its latent gets a slider here."
        self.ends = EndsPreview()
        top = tool_row()
        top.addWidget(self.basis_choice)
        top.addWidget(self.filter_box, 1)
        top.addWidget(self.randomise_button)
        top.addWidget(self.reset_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.list, 1)
        column.addWidget(self.ends)
        self.list.pressed.connect(self._press)
        self.list.moved.connect(self._move)
        self.list.released.connect(lambda _row: self.workspace.session.end())
        self.list.abandoned.connect(lambda _row: self.workspace.session.abandon())
        self.list.stepped.connect(self._step)
        self.list.typed.connect(self._type)
        self.list.reset.connect(self._reset)
        self.list.lock_clicked.connect(self._lock)
        self.list.renamed.connect(self._rename)
        self.list.menu_wanted.connect(self._open_menu)
        self.list.pointed.connect(self._point_at)
        self.ends.chosen.connect(self._go_to_end)

    # --- drawing

    def show_model(self) -> None:
        self._drawn = None
        self._forget_ends()
        reason = self._components_reason()
        item = self.basis_choice.model().index(1, 0)
        self.basis_choice.model().setData(item, None if not reason else 0, Qt.ItemDataRole.UserRole - 1)
        self.basis_choice.setItemData(1, reason or None, Qt.ItemDataRole.ToolTipRole)

    def _components_reason(self) -> str:
        return no_components(self.workspace.opened.encodings, self.workspace.state.space)

    def show_state(self, new: State, old: State | None) -> None:
        drawn, self._drawn = self._drawn, new
        if drawn is None or old is None or self._needs_rows(new, drawn):
            self._set_basis(new)
        elif new.latent is not drawn.latent or new.origin is not drawn.origin:
            self._redraw_values(new)
        if drawn is None or new.latent is not drawn.latent:
            self._settle.start()
        if drawn is not None and new.sliders != drawn.sliders:
            self.list.redraw_all()
            self._title_ends()

    def _needs_rows(self, new: State, drawn: State) -> bool:
        return (
            new.sliders.basis != drawn.sliders.basis
            or new.space != drawn.space
            or len(new.latent) != len(drawn.latent)
            or (bool(self.filter_box.text()) and new.sliders.names != drawn.sliders.names)
        )

    def _set_basis(self, state: State) -> None:
        encodings = self.workspace.opened.encodings
        if encodings is not None and (encodings.space != state.space or encodings.dim != len(state.latent)):
            encodings = None
        by_components = state.sliders.basis == "components" and not self._components_reason()
        if by_components and encodings is not None:
            if not encodings.has_principal:  # half a second for 10,000 x 512
                self._wait_for_components(encodings)
                return
            self._basis = Components(encodings.principal)
        else:
            self._basis = Dimensions(self.workspace.opened.info.space(state.space), encodings)
        with QSignalBlocker(self.basis_choice):
            self.basis_choice.setCurrentIndex(1 if by_components else 0)
        self._take_values(state)
        self._forget_ends()  # the same number is another slider now
        self._fill()

    def _wait_for_components(self, encodings: EncodingSet) -> None:
        self.list.hint = "Principal components are being computed…"
        self.list.set_rows(0, self._row)

        def take(_: object) -> None:
            if self._drawn is not None and self.workspace.opened.encodings is encodings:
                self._set_basis(self._drawn)

        self._computing.start(lambda: encodings.principal, take)

    def _take_values(self, state: State) -> None:
        self._values_M = self._basis.coordinates(state.latent)
        self._homes_M = (
            self._values_M
            if state.base is state.origin
            else self._basis.coordinates(state.origin) + self._basis.offsets(state.edit)
        )

    def _redraw_values(self, state: State) -> None:
        values_M, homes_M = self._values_M, self._homes_M
        self._take_values(state)
        changed = np.flatnonzero((np.abs(self._values_M - values_M) > SAME) | (np.abs(self._homes_M - homes_M) > SAME))
        if len(changed) > ROWS_REDRAWN_ALONE:
            self.list.redraw_values_soon()
            return
        for index in changed.tolist():
            row = self._row_of.get(index)
            if row is not None:
                self.list.redraw(row, value_only=True)

    def _fill(self) -> None:
        """The rows that the filter leaves, most informative first."""
        order, wanted = self._basis.order, self.filter_box.text().strip().lower()
        if wanted:
            names = self._names()
            number = int(wanted) - 1 if wanted.isascii() and wanted.isdigit() else -1
            kept = [i for i in order.tolist() if i == number or wanted in self._title(i, names).lower()]
            order = np.array(kept, np.int64)
        self._shown = order
        self._row_of = dict(zip(order.tolist(), range(len(order)), strict=True))
        if wanted and self._basis.count:
            self.list.hint = f"No slider is called “{self.filter_box.text().strip()}”."
        self.list.set_rows(len(order), self._row)

    def _names(self) -> Mapping[int, str]:
        return self.workspace.state.sliders.names

    def _title(self, index: int, names: Mapping[int, str]) -> str:
        return names.get(self._basis.first_number + index) or self._basis.title(index)

    def _row(self, row: int) -> SliderRow:
        index, basis = int(self._shown[row]), self._basis
        low, high = basis.range_of(index)
        choice = (self._drawn or self.workspace.state).sliders
        return SliderRow(
            title=self._title(index, choice.names),
            value=float(self._values_M[index]),
            low=low,
            high=high,
            home=float(self._homes_M[index]),
            locked=basis.first_number + index in choice.locked,
            share=basis.share(index),
            tip=lambda: basis.about(index),
            unit=basis.unit,
        )

    # --- moving sliders

    def _press(self, row: int) -> None:
        self._steps.finish()
        self.workspace.session.begin(f"Move {self.list.row(row).title}")

    def _move(self, row: int, value: float) -> None:
        """Nothing once the drag has been taken back, or another model opened, with the button still held."""
        label = f"Move {self.list.row(row).title}" if row < len(self.list) else ""
        if label and self.workspace.session.open_gesture == label:
            self._place(row, value, label)

    def _step(self, row: int, value: float) -> None:
        label = f"Move {self.list.row(row).title}"
        self._steps.step(label)
        self._place(row, value, label)

    def _type(self, row: int, value: float) -> None:
        self._steps.finish()
        self._place(row, value, f"Set {self.list.row(row).title} to {value:g}")

    def _place(self, row: int, value: float, label: str) -> None:
        index = self._shown[row : row + 1]
        self._update(index, np.array([value], np.float32), label)

    def _update(self, indices: Indices, shown_values: FloatArray, label: str) -> None:
        """Puts the shown coordinates of some sliders; the attribute edits stay."""
        state = self.workspace.state
        values = shown_values - self._basis.offsets(state.edit)[indices]
        self.workspace.change(label, base=self._basis.placed(state.base, indices, values))

    def _reset(self, row: int) -> None:
        """Back to where this picture began, exactly."""
        self._steps.finish()
        state, index = self.workspace.state, self._shown[row : row + 1]
        began = self._basis.coordinates(state.origin)[index]
        moved = self._basis.placed(state.base, index, began)
        self.workspace.change(f"Reset {self.list.row(row).title}", base=moved)

    def reset_all(self) -> None:
        """Every slider that is not locked goes back to where this picture began."""
        self._steps.finish()
        state = self.workspace.state
        if not state.sliders.locked:
            self.workspace.change("Reset all sliders", base=state.origin)
            return
        free = self._free()
        moved = self._basis.placed(state.base, free, self._basis.coordinates(state.origin)[free])
        self.workspace.change("Reset all sliders", base=moved)

    def randomise(self) -> None:
        """Every slider that is not locked gets the number of a new draw from the prior."""
        self._steps.finish()
        if not self.workspace.space.drawable:
            self.command_wanted.emit("draw_sample")  # which says why not
            return
        free = self._free()
        if len(free):
            seed = int(np.random.default_rng().integers(2**31))
            self._update(free, self._basis.drawn(seed)[free], "Randomise the sliders")

    def _free(self) -> Indices:
        first = self._basis.first_number
        locked = [n - first for n in self.workspace.state.sliders.locked if 0 <= n - first < self._basis.count]
        return np.setdiff1d(np.arange(self._basis.count), locked)

    # --- locks, names, basis, filter

    def _lock(self, row: int) -> None:
        choice, number = self.workspace.state.sliders, self._number(row)
        verb = "Free" if number in choice.locked else "Lock"
        locked = choice.locked ^ {number}
        self.workspace.change(f"{verb} {self.list.row(row).title}", sliders=replace(choice, locked=locked))

    def _rename(self, row: int, name: str) -> None:
        choice, number = self.workspace.state.sliders, self._number(row)
        names = {n: text for n, text in choice.names.items() if n != number}
        if name and name != self._basis.title(int(self._shown[row])):
            names[number] = name
        label = f"Rename {self.list.row(row).title}"
        self.workspace.change(label, sliders=replace(choice, names=MappingProxyType(names)))

    def _number(self, row: int) -> int:
        return self._basis.first_number + int(self._shown[row])

    def _choose_basis(self, which: int) -> None:
        basis = BASES[which]
        if basis != self.workspace.state.sliders.basis:
            choice = replace(self.workspace.state.sliders, basis=basis)  # type: ignore[arg-type]
            self.workspace.change(f"Sliders along {basis}", sliders=choice)

    def go_to_dimension(self, index: str) -> None:
        """Brings the slider of a dimension, counted from 0, into view, whatever was filtered."""
        self.filter_box.clear()
        self._choose_basis(0)
        row = self._row_of.get(int(index))
        if row is not None:
            self.list.go_to_row(row)

    def _filter(self, _text: str) -> None:
        self._fill()

    def _open_menu(self, row: int, where: QPoint) -> None:
        locked = self.list.row(row).locked
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        reset = menu.addAction("Reset\tBackspace", lambda: self._reset(row))
        reset.setEnabled(not locked)
        menu.addAction("Free\tL" if locked else "Lock\tL", lambda: self._lock(row))
        menu.addAction("Rename…\tF2", lambda: self.list.edit_title(row))
        menu.popup(where)

    # --- where the slider leads

    def _forget_ends(self) -> None:
        self._pointed = -1
        self._ends_wanted = None
        self.ends.clear()

    def _point_at(self, row: int) -> None:
        index = int(self._shown[row]) if 0 <= row < len(self._shown) else -1
        if index == self._pointed or index < 0:
            return
        self._pointed = index
        self._title_ends()
        self._ask_for_ends()

    def _title_ends(self) -> None:
        if 0 <= self._pointed < self._basis.count:
            low, high = self._basis.range_of(self._pointed)
            unit = f" {self._basis.unit}" if self._basis.unit else ""
            title = self._title(self._pointed, self._names())
            self.ends.show_title(title, f"{low:.1f}{unit}".replace("-", "−"), f"{high:.1f}{unit}")

    def _end_latents(self) -> FloatArray:
        """(2, D): the shown latent with the pointed slider at its low and at its high end."""
        state, index = self.workspace.state, np.array([self._pointed])
        low, high = self._basis.range_of(self._pointed)
        ends = [self._basis.placed(state.latent, index, np.array([end], np.float32)) for end in (low, high)]
        return np.stack(ends)

    def _ask_for_ends(self) -> None:
        if not 0 <= self._pointed < self._basis.count:
            return
        state = self.workspace.state
        latents = self._end_latents()
        wanted = (latents.tobytes(), state.condition)
        if wanted == self._ends_wanted:  # the slider itself was moved: its ends stay where they are
            return
        self._ends_wanted = wanted
        request = Decode(state.checkpoint, latents, state.space, state.condition)
        self.workspace.decoding.submit(self.consumer("ends"), request, Lane.VISIBLE)

    def show_decoded(self, reply: Decoded) -> None:
        if reply.consumer == self.consumer("ends") and len(reply.images) == 2:
            self.ends.show_pictures(as_qimage(reply.images[0]), as_qimage(reply.images[1]))

    def _go_to_end(self, end: int) -> None:
        row = self._row_of.get(self._pointed)
        if row is not None and not self.list.row(row).locked:
            self._steps.finish()
            self._place(row, self._basis.range_of(self._pointed)[end], f"Move {self.list.row(row).title} to its end")

    def show_theme(self) -> None:
        self.list.redraw_all()
        self.ends.update()
