"""Editing the set of attribute directions: made of groups or components, fitted anew, renamed, deleted, loaded, saved.

Every change is one undo step; what cannot be done is said in a notice.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from latentlab.core.direction_file import load_directions, save_directions
from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.encodings import StoredPCA
from latentlab.core.errors import LatentlabError
from latentlab.core.fitting import METHODS, Method, fit_from_groups, principal_directions
from latentlab.ui.computing import Computing
from latentlab.ui.running import RunningJob
from latentlab.ui.sliders.basis import MOST_FOR_COMPONENTS
from latentlab.ui.workspace import Workspace

PRINCIPAL = 5  # "from PCA" adds so many


class DirectionEditing:
    def __init__(self, workspace: Workspace, computing: Computing) -> None:
        self._workspace = workspace
        self._computing = computing

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
                self._free_name(name or state.groups[having].name),
                space=encodings.space,
                checkpoint=state.checkpoint,
            )
        except LatentlabError as error:
            self._workspace.notices.report(error)
            return False
        self._workspace.change(f"Add {made.name}", directions=state.directions.with_added(made))
        return True

    def _free_name(self, name: str) -> str:
        taken, number, free = self._workspace.state.directions, 2, name
        while free in taken:
            free, number = f"{name} {number}", number + 1
        return free

    def add_principal(self) -> None:
        """The first principal components of the encodings as directions; strength 1 is one sigma."""
        encodings, state = self._workspace.opened.encodings, self._workspace.state
        if encodings is None or encodings.space != state.space:
            self._workspace.notices.warn("Principal components need encodings: encode a folder of pictures first.")
            return
        if encodings.pca is None and encodings.dim > MOST_FOR_COMPONENTS:
            self._workspace.notices.warn(
                f"Components of {encodings.dim:,} dimensions would take too long; up to {MOST_FOR_COMPONENTS:,} do not."
            )
            return

        def take(pca: StoredPCA) -> None:
            if state.checkpoint == self._workspace.state.checkpoint:
                made = principal_directions(pca, PRINCIPAL, encodings.space, state.checkpoint)
                self._add(made, "Add principal components")

        if encodings.has_principal:
            take(encodings.principal)
        else:
            self._computing.start(lambda: encodings.principal, take)

    def _add(self, made: list[Direction], label: str) -> None:
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
        self._workspace.change(f"Rename {name}", directions=directions, strengths=strengths, locked=locked)

    def delete(self, name: str) -> None:
        state = self._workspace.state
        strengths = MappingProxyType({n: s for n, s in state.strengths.items() if n != name})
        self._workspace.change(
            f"Delete {name}",
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
            "encodings": replace(self._workspace.opened.info.not_asked(encodings), thumbnails=None, extra={}),
            "method": method,
            "checkpoint": checkpoint,
        }

        def take(fitted: list[Direction]) -> None:
            if checkpoint == self._workspace.state.checkpoint:
                self._add(fitted, f"Fit attributes by {METHODS[method]}")

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
            self._add(loaded, f"Load {path.name}")

    def save_to(self, path: Path) -> None:
        directions = self._workspace.state.directions
        try:
            save_directions(path, directions.values())
        except LatentlabError as error:
            self._workspace.notices.report(error)
        else:
            self._workspace.notices.info(f"Saved {len(directions)} directions to {path.name}.")
