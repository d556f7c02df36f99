"""Samples saved as one picture: a sheet of the seed's first draws, or of the kept ones, by a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from latentlab.core.atomic import displayed
from latentlab.core.spaces import FloatArray
from latentlab.core.state import NamedLatent
from latentlab.ui.prior_draws import Drawn, PriorDraws
from latentlab.ui.running import RunningJob
from latentlab.ui.saved import say_saved
from latentlab.ui.workspace import Workspace

FUNCTION = "latentlab.engine.edit_sheet:run"
DRAWS = 64
NOTHING = "There are no samples to save: draws from this space are no pictures."


class SheetSaving(QObject):
    """`save` asks where; the file then holds `kept`, or where there are none the first 64 draws of the seed."""

    def __init__(self, workspace: Workspace, panel: QWidget) -> None:
        super().__init__(panel)
        self._workspace = workspace
        self._panel = panel
        self._target: Path | None = None
        self._draws = PriorDraws(workspace, "samples/saving", self)
        self._draws.drawn.connect(self._take)

    def save(self, kept: tuple[NamedLatent, ...], space: str) -> None:
        workspace = self._workspace
        if not kept and not workspace.opened.info.space(space).drawable:
            workspace.notices.info(NOTHING)
            return
        settings = workspace.settings
        seed = workspace.state.samples.seed
        suggested = str(Path(settings.save_folder) / ("kept-samples.png" if kept else f"samples-seed-{seed}.png"))
        name, _ = QFileDialog.getSaveFileName(self._panel.window(), "Save a sheet of samples", suggested, "PNG (*.png)")
        if name:
            target = Path(name) if name.lower().endswith(".png") else Path(name + ".png")
            settings.save_folder = str(target.parent)
            self.save_to(target, kept, space)

    def save_to(self, target: Path, kept: tuple[NamedLatent, ...], space: str) -> None:
        if kept:
            self._start(target, np.stack([item.latent for item in kept]), space, "kept samples")
            return
        self._target = target
        state = self._workspace.state
        self._draws.ask(state, DRAWS, state.samples.seed)

    def _take(self, drawn: Drawn) -> None:
        if self._target is not None:
            target, self._target = self._target, None
            self._start(target, drawn.latents, drawn.space, f"samples of seed {drawn.seed}")

    def _start(self, target: Path, latents_ND: FloatArray, space: str, name: str) -> RunningJob | None:
        state, opened = self._workspace.state, self._workspace.opened
        arguments: dict[str, Any] = {
            "path": opened.info.path,
            "latents": latents_ND,
            "edit": None,
            "target": str(target),
            "space": space,
            "condition": state.condition,
            "name": name,
            "checkpoint": opened.info.sha256,
            **opened.for_jobs,
        }

        def said(made: Any) -> None:
            """`made` is a `latentlab.engine.edit_sheet.EditSheet`."""
            text = f"Saved {displayed(target.name)}: {made.pairs:,} {name}."
            say_saved(self._workspace.notices, text, target)

        return self._workspace.running.start(f"Saving {displayed(target.name)}", FUNCTION, arguments, on_done=said)
