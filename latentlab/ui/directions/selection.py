"""From two groups of encodings that were selected on the map."""

from __future__ import annotations

from typing import Any

from latentlab.core.state import State
from latentlab.ui.directions.source import DirectionSource
from latentlab.ui.group_form import GroupForm

NONE_SELECTED = "Select a group on the map first: hold Shift and drag around dots. A second one is its opposite."


class FromSelection(DirectionSource):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.form = GroupForm()
        self.form.wanted.connect(self._add)
        self.column.addWidget(self.form)

    def begin(self) -> None:
        self.show_state(self.workspace.state)
        self.form.name.setFocus()

    def show_state(self, new: State) -> None:
        self.form.show_groups(new.groups)
        self.form.setVisible(bool(new.groups))
        self.say("" if new.groups else NONE_SELECTED)

    def _add(self, name: str, having: int, lacking: int) -> None:
        if self.editing.add_from_groups(name, having, lacking):
            self.form.name.clear()
            self.over.emit()
