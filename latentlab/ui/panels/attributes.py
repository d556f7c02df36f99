"""Attributes: named directions with a strength each, how good they are, and what an edit drags along.

Shapes: D latent. What is drawn comes from `state.directions`, `strengths` and `locked`; a click writes to those.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, QTimer
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.directions import DirectionSet
from latentlab.core.fitting import METHODS, Method, leak
from latentlab.core.requests import Decoded
from latentlab.core.state import NO_STRENGTHS, ONE_CLICK, State, with_strength
from latentlab.ui.applying import Applying
from latentlab.ui.choice_box import NARROWEST_PX, ChoiceBox
from latentlab.ui.computing import Computing
from latentlab.ui.cosine_table import CosineTable
from latentlab.ui.direction_editing import DirectionEditing
from latentlab.ui.direction_words import about, made_by, said_of_leaks
from latentlab.ui.directions.adding import DirectionAdding
from latentlab.ui.icons import icon
from latentlab.ui.names import readable
from latentlab.ui.panel import Panel
from latentlab.ui.pictures import Pictures
from latentlab.ui.sliders.list import SliderList
from latentlab.ui.sliders.row import SliderRow
from latentlab.ui.stepped_gesture import SteppedGesture
from latentlab.ui.theme import PADDING_PX
from latentlab.ui.tool_button import tool_button
from latentlab.ui.tool_row import tool_row
from latentlab.ui.workspace import Workspace

STRONGEST = 3.0
ROW_PX = 44  # eight of them fit into the window as it first opens
STEP = 0.05
MOST_FOR_COVARIANCE = 4096  # numbers in a latent; beyond it leaks are angles only
FIRST_HINT = "Click a name to put it on; drag to choose how strongly; its lock keeps it as it is."
NONE_FITTED = "No label tells two groups of pictures apart. Press “Add” for other ways to an attribute."


class AttributesPanel(Panel):
    key = "attributes"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self._names: list[str] = []
        self._drawn: State | None = None
        self._pictures = Pictures()
        self._pointed = ""
        self._steps = SteppedGesture(workspace.session, self)
        self._computing = Computing(self)
        self.editing = DirectionEditing(workspace)
        self._leak_timer = QTimer(self)
        self._leak_timer.setSingleShot(True)
        self._leak_timer.setInterval(120)
        self._leak_timer.timeout.connect(self._show_leak)
        self._build()

    # --- the widgets

    def _build(self) -> None:
        self.adding = DirectionAdding(self.workspace, self.editing, self._pictures, self)
        self.method_choice = ChoiceBox()
        self.method_choice.addItems([name.capitalize() for name in METHODS.values()])
        self.method_choice.setMinimumWidth(NARROWEST_PX)
        self.method_choice.setAccessibleName("How directions are fitted")
        self.method_choice.setToolTip(
            "How directions are fitted from labels: balanced means leave out what other attributes explain"
        )
        self.method_choice.activated.connect(self._choose_method)
        self.more_button = tool_button("mdi6.dots-horizontal", "More: cosines, save, take all edits off", "More")
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more_button.setMenu(self._menu())
        self.list = SliderList(row_height=ROW_PX, title_width=110, switchable=True, number_width=48)
        self.list.setAccessibleName("Attributes")
        self.leak_label = QLabel()
        self.leak_label.setProperty("role", "caption")
        self.leak_label.setWordWrap(True)
        self.leak_label.setContentsMargins(PADDING_PX, 4, PADDING_PX, 4)
        self.leak_label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.leak_label.ensurePolished()  # captions are small
        lines = 2 * self.leak_label.fontMetrics().lineSpacing()
        self.leak_label.setMinimumHeight(lines + 8)  # else the rows above move while one points at them
        self.leak_label.setToolTip("What strength 1 of the attribute still changes, in strengths of the others")
        self.applying = Applying(self.workspace, self._pictures)
        self._lay_out()
        self._connect_list()
        self.first_focus = self.list

    def _lay_out(self) -> None:
        top = tool_row()
        top.addWidget(self.adding.button)
        top.addWidget(self.method_choice, 1)
        top.addWidget(self.more_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.adding)
        column.addWidget(self.list, 1)
        column.addWidget(self.leak_label)
        column.addWidget(self.applying)

    def _connect_list(self) -> None:
        session = self.workspace.session
        self.list.pressed.connect(self._press)
        self.list.moved.connect(self._move)
        self.list.released.connect(lambda _row: session.end())
        self.list.abandoned.connect(lambda _row: session.abandon())
        self.list.stepped.connect(self._step)
        self.list.typed.connect(lambda row, value: self._finish_and_set(self._names[row], value))
        self.list.reset.connect(lambda row: self._finish_and_set(self._names[row], 0.0))
        self.list.switched.connect(lambda row: self.switch(self._names[row]))
        self.list.lock_clicked.connect(lambda row: self.lock(self._names[row]))
        self.list.renamed.connect(lambda row, name: self.editing.rename(self._names[row], name))
        self.list.deleted.connect(lambda row: self.editing.delete(self._names[row]))
        self.list.menu_wanted.connect(self._open_row_menu)
        self.list.pointed.connect(self._point_at)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction(icon("mdi6.table"), "Cosines between attributes…", self.show_cosines)
        menu.addAction(icon("mdi6.content-save-outline"), "Save directions…", self._ask_to_save)
        menu.addSeparator()
        menu.addAction(icon("mdi6.backup-restore"), "Take all edits off", self.clear_edits)
        return menu

    def _open_row_menu(self, row: int, where: QPoint) -> None:
        name = self._names[row]
        state = self.workspace.state
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Take off\tSpace" if name in state.strengths else "Put on\tSpace", lambda: self.switch(name))
        menu.addAction("Free\tL" if name in state.locked else "Lock\tL", lambda: self.lock(name))
        menu.addAction("Rename…\tF2", lambda: self.list.edit_title(row))
        menu.addAction("Delete\tDel", lambda: self.editing.delete(name))
        menu.popup(where)

    # --- drawing

    def show_model(self) -> None:
        self._drawn = None
        self._pictures.clear()
        self.adding.close_form()
        encodings, info = self.workspace.opened.encodings, self.workspace.opened.info
        told = None if encodings is None else info.not_asked(encodings)
        labelled = told is not None and (told.attributes is not None or told.labels is not None)
        self.method_choice.setEnabled(labelled)
        self.list.hint = (
            "Attribute directions are being fitted…"
            if labelled
            else "No encodings, so no attribute can be fitted. Press “Add”: the generator's weights need none."
            if encodings is None or not len(encodings)
            else "What this model is asked for stands above the picture. For the rest press “Add”: from a selection on "
            "the map, a folder, components or the weights."
            if info.takes_condition
            else "No labels in this model. Press “Add”: from a selection on the map, a folder, components, weights."
        )

    def show_state(self, new: State, old: State | None) -> None:
        drawn, self._drawn = (None if old is None else self._drawn), new
        if drawn is None or new.directions is not drawn.directions:
            self._names = list(new.directions)
            if drawn is not None and self.method_choice.isEnabled():
                self.list.hint = NONE_FITTED
            self.list.set_rows(len(self._names), self._row)
            added = [name for name in self._names if drawn is not None and name not in drawn.directions]
            if added and drawn is not None and drawn.directions:
                self.list.go_to_row(self._names.index(added[0]))  # it may be below what one sees
            self._show_method(new.directions)
            self.leak_label.setVisible(bool(self._names))
            self._leak_timer.start()
        elif new.strengths is not drawn.strengths or new.locked != drawn.locked:
            self._redraw_rows(new, drawn)
        self.adding.show_state(new)
        self.applying.show_state(new, old)

    def _redraw_rows(self, new: State, drawn: State) -> None:
        for row, name in enumerate(self._names):
            if new.strengths.get(name) != drawn.strengths.get(name) or (name in new.locked) != (name in drawn.locked):
                self.list.redraw(row)
        if new.locked != drawn.locked:
            self._leak_timer.start()

    def _row(self, row: int) -> SliderRow:
        state = self._drawn or self.workspace.state
        direction = state.directions[self._names[row]]
        strength = state.strengths.get(direction.name, 0.0)
        return SliderRow(
            title=direction.name,
            value=strength,
            low=-STRONGEST,
            high=STRONGEST,
            locked=direction.name in state.locked,
            on=bool(strength),
            caption=made_by(direction),
            badge="predicted" if direction.predicted else "",
            tip=lambda: about(direction),
            step=STEP,
        )

    def _show_method(self, directions: DirectionSet) -> None:
        made = next((d.method for d in directions.values() if d.method in METHODS.values()), None)
        if made is not None:
            with QSignalBlocker(self.method_choice):
                self.method_choice.setCurrentIndex(list(METHODS.values()).index(made))

    # --- strengths

    def _press(self, row: int) -> None:
        self._steps.finish()
        self.workspace.session.begin(_moving(self._names[row]))

    def _move(self, row: int, value: float) -> None:
        """Nothing once the drag has been taken back, or another model opened, with the button still held."""
        name = self._names[row] if row < len(self._names) else ""
        if name and self.workspace.session.open_gesture == _moving(name):
            self._set(name, value)

    def _step(self, row: int, value: float) -> None:
        self._steps.step(_moving(self._names[row]))
        self._set(self._names[row], round(value, 3))

    def _finish_and_set(self, name: str, strength: float) -> None:
        self._steps.finish()
        self._set(name, strength)

    def _set(self, name: str, strength: float) -> None:
        state = self.workspace.state
        if strength != state.strengths.get(name, 0.0):
            self.workspace.session.update(with_strength(state, name, strength), f"Set {readable(name)} to {strength:g}")

    def switch(self, name: str) -> None:
        """Puts an attribute on at a strength that shows, or takes it off."""
        self._finish_and_set(name, 0.0 if self.workspace.state.strengths.get(name) else ONE_CLICK)

    def lock(self, name: str) -> None:
        """Every edit keeps a locked attribute as it is; a second call frees it."""
        locked = self.workspace.state.locked
        self.workspace.change(f"{'Free' if name in locked else 'Lock'} {readable(name)}", locked=locked ^ {name})

    def clear_edits(self) -> None:
        if self.workspace.state.strengths:
            self.workspace.change("Take all edits off", strengths=NO_STRENGTHS)

    # --- the set of directions

    def _choose_method(self, which: int) -> None:
        job = self.editing.refit(get_args(Method)[which])
        if job is not None:
            job.ended.connect(lambda: self._show_method(self.workspace.state.directions))

    def _ask_to_save(self) -> None:
        settings = self.workspace.settings
        suggested = str(Path(settings.save_folder) / "directions.json")
        name, _ = QFileDialog.getSaveFileName(self, "Save directions", suggested, "Directions (*.json)")
        if name:
            path = Path(name) if Path(name).suffix else Path(name + ".json")
            settings.save_folder = str(path.parent)
            self.editing.save_to(path)

    def show_cosines(self) -> CosineTable:
        table = CosineTable(self.workspace.state.directions, self)
        table.show()
        return table

    # --- what leaks

    def _point_at(self, row: int) -> None:
        if 0 <= row < len(self._names) and self._names[row] != self._pointed:
            self._pointed = self._names[row]
            self._leak_timer.start()

    def _show_leak(self) -> None:
        state, encodings = self.workspace.state, self.workspace.opened.encodings
        name = self._pointed if self._pointed in state.directions else next(iter(state.strengths), "")
        if name not in state.directions:
            self.leak_label.setText(FIRST_HINT if state.directions else "")
            return
        if encodings is not None and (encodings.space != state.space or encodings.dim > MOST_FOR_COVARIANCE):
            encodings = None
        direction = state.directions[name]
        locked = frozenset(other for other in state.locked if other in state.directions)
        self._computing.start(
            lambda: leak(direction, locked, encodings),
            lambda leaks: self.leak_label.setText(said_of_leaks(name, len(locked - {name}), leaks)),
        )

    def show_decoded(self, reply: Decoded) -> None:
        self._pictures.keep(reply)
        self.applying.redraw()
        self.adding.redraw()

    def show_theme(self) -> None:
        self.list.redraw_all()
        self.applying.redraw()
        self.adding.redraw()


def _moving(name: str) -> str:
    """What Undo calls a drag of an attribute."""
    return f"Move {readable(name)}"
