"""Groups: what can be done with selections of encodings. Functions of the state first, then their menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import LatentlabError, OptionError
from latentlab.core.fitting import fit_from_groups
from latentlab.core.state import Group, State
from latentlab.ui.theme import Theme
from latentlab.ui.workspace import Workspace

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def next_name(groups: tuple[Group, ...]) -> str:
    """ "group A", "group B", …, "group Z", "group 27", …: the first that is free."""
    taken = {group.name for group in groups}
    names = [f"group {letter}" for letter in LETTERS] + [f"group {n}" for n in range(27, 28 + len(groups))]
    return next(name for name in names if name not in taken)


def with_group(state: State, members: NDArray[np.int64]) -> State:
    return replace(state, groups=(*state.groups, Group(next_name(state.groups), members)))


def without_group(state: State, name: str) -> State:
    return replace(state, groups=tuple(group for group in state.groups if group.name != name))


def renamed(state: State, name: str, new_name: str) -> State:
    """Raises OptionError for an empty name or one that is taken."""
    new_name = new_name.strip()
    if not new_name:
        raise OptionError("A group needs a name.")
    if new_name != name and any(group.name == new_name for group in state.groups):
        raise OptionError(f"There is a group '{new_name}' already; choose another name.")
    return replace(state, groups=tuple(replace(g, name=new_name) if g.name == name else g for g in state.groups))


def with_direction(state: State, encodings: EncodingSet, towards: str, away: str) -> tuple[State, str]:
    """The state with a direction from group `away` to group `towards`, and its name. Raises DataError."""
    members = {group.name: group.members for group in state.groups}
    base = name = towards if away == "the rest" else f"{towards} − {away}"
    number = 2
    while name in state.directions:
        name, number = f"{base} ({number})", number + 1
    rest = np.setdiff1d(np.arange(len(encodings)), members[towards]) if away == "the rest" else members[away]
    direction = fit_from_groups(
        encodings.latents[members[towards]],
        encodings.latents[rest],
        name,
        space=encodings.space,
        checkpoint=state.checkpoint,
    )
    return replace(state, directions=state.directions.with_added(direction)), name


def outline_colours(count: int, theme: Theme) -> list[str]:
    """One colour per group for its outlines, told apart from the dots by being rings."""
    cycle = (theme.text, theme.danger, theme.good, theme.accent, theme.warning)
    return [cycle[k % len(cycle)] for k in range(count)]


def group_menu(workspace: Workspace, name: str, parent: QWidget) -> QMenu:
    """What can be done with one group; every entry is one undo step."""
    menu = QMenu(parent)
    for away in [*(g.name for g in workspace.state.groups if g.name != name), "the rest"]:
        menu.addAction(f"Make a direction from {away} to {name}", _making(workspace, name, away))
    menu.addSeparator()
    menu.addAction("Rename…", lambda: ask_name(workspace, name, parent))
    menu.addAction("Delete", lambda: workspace.session.update(without_group(workspace.state, name), f"Delete {name}"))
    return menu


def _making(workspace: Workspace, towards: str, away: str) -> Callable[[], None]:
    def make() -> None:
        encodings = workspace.opened.encodings
        if encodings is None:
            return
        try:
            state, name = with_direction(workspace.state, encodings, towards, away)
        except LatentlabError as error:
            workspace.notices.report(error)
        else:
            workspace.session.update(state, f"Make direction {name}")

    return make


def ask_name(workspace: Workspace, name: str, parent: QWidget) -> None:
    new_name, accepted = QInputDialog.getText(parent, "Rename group", "Name of the group", text=name)
    if accepted:
        try:
            workspace.session.update(renamed(workspace.state, name, new_name), f"Rename {name}")
        except LatentlabError as error:
            workspace.notices.report(error)
