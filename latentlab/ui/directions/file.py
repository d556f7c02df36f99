"""From a file of directions (JSON) that was saved before, or by somebody else."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from latentlab.ui.directions.source import DirectionSource


class FromFile(DirectionSource):
    def begin(self) -> None:
        """There is nothing to fill in but the name of the file."""
        settings = self.workspace.settings
        self.over.emit()
        path, _ = QFileDialog.getOpenFileName(
            self.window(), "Load directions", settings.open_folder, "Directions (*.json)"
        )
        if path:
            settings.open_folder = str(Path(path).parent)
            self.editing.load_from(Path(path))
