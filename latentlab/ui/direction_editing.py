"""Editing the set of attribute directions: added, fitted anew, renamed, deleted, loaded, saved.

Every change is one undo step; what cannot be done is said in a notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from latentlab.core.direction_file import load_directions, save_directions
from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.errors import LatentlabError
from latentlab.core.fitting import METHODS, Method, fit_from_groups
from latentlab.ui.names import readable
from latentlab.ui.running import RunningJob
from latentlab.ui.workspace import Workspace


class DirectionEditing:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def add_from_groups(self, name: str, having: int, lacking: int) -> bool:
        """A direction from group `lacking` (-1: all that is not in the other) to group `having`; False: refused."""
        state, encodings = self._workspace.state, self._workspace.opened.encodings
        if encodings is None or not 0 <= having < len(state.groups):
            return False
        with_it = state.groups[having].members
        without = np.setdiff1d(np.arange(len(encodings)), with_it) if lacking < 0 else state.groups[lacking].members
        try:
            made = fit_from_groups(
                encodings.latents[with_it],
                encodings.latents[without],
                name or state.groups[having].name,
                space=encodings.space,
                checkpoint=state.checkpoint,
            )
        except LatentlabError as error:
            self._workspace.notices.report(error)
            return False
        self.add([made], f"Add {readable(made.name)}")
        return True

    def add(self, made: Sequence[Direction], label: str) -> None:
        """More directions in one undo step; one whose name is taken gets a number."""
        directions = self._workspace.state.directions
        for direction in made:
            directions = directions.with_added(replace(direction, name=_free(direction.name, directions)))
        self._workspace.change(label, directions=directions)

    def _replace(self, made: list[Direction], label: str) -> None:
        """The same, in place of those that have the names."""
        directions = self._workspace.state.directions
        for direction in made:
            directions = directions.with_added(direction)
        self._workspace.change(label, directions=directions)

    def rename(self, name: str, to: str) -> None:
        state = self._workspace.state
        if not to or to == name:
            return
        if to in state.directions:
            self._workspace.notices.warn(f"There is an attribute '{to}' already; choose another name.")
            return
        directions = DirectionSet(replace(d, name=to if d.name == name else d.name) for d in state.directions.values())
        strengths = MappingProxyType({to if n == name else n: s for n, s in state.strengths.items()})
        locked = frozenset(to if n == name else n for n in state.locked)
        self._workspace.change(f"Rename {readable(name)}", directions=directions, strengths=strengths, locked=locked)

    def delete(self, name: str) -> None:
        state = self._workspace.state
        strengths = MappingProxyType({n: s for n, s in state.strengths.items() if n != name})
        self._workspace.change(
            f"Delete {readable(name)}",
            directions=state.directions.without(name),
            strengths=strengths,
            locked=state.locked - {name},
        )

    def refit(self, method: Method) -> RunningJob | None:
        """Fits all attributes of the labels anew, as a job; None where there are no encodings."""
        encodings, checkpoint = self._workspace.opened.encodings, self._workspace.state.checkpoint
        if encodings is None:
            return None
        arguments = {
            "encodings": replace(self._workspace.opened.info.not_asked(encodings), thumbnails=None),
            "method": method,
            "checkpoint": checkpoint,
        }

        def take(fitted: list[Direction]) -> None:
            if checkpoint == self._workspace.state.checkpoint:
                self._replace(fitted, f"Fit attributes by {METHODS[method]}")

        return self._workspace.running.start(
            "Fitting attributes", "latentlab.core.refitting:run", arguments, on_done=take
        )

    def load_from(self, path: Path) -> None:
        state = self._workspace.state
        try:
            loaded = load_directions(path, dim=len(state.base), space=state.space)
        except LatentlabError as error:
            self._workspace.notices.report(error)
        else:
            self._replace(loaded, f"Load {path.name}")

    def save_to(self, path: Path) -> None:
        directions = self._workspace.state.directions
        try:
            save_directions(path, directions.values())
        except LatentlabError as error:
            self._workspace.notices.report(error)
        else:
            self._workspace.notices.info(f"Saved {len(directions)} directions to {path.name}.")


def _free(name: str, taken: DirectionSet) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free
