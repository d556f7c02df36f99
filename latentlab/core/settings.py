"""Settings: what the window remembers between two runs, as JSON in the user's configuration folder."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, Literal, Self

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.errors import SaveError

FILE_NAME = "settings.json"
RECENT_LIMIT = 12


def config_folder() -> Path:
    """$LATENTLAB_CONFIG_HOME, else the system's place for settings."""
    return Path(os.environ.get("LATENTLAB_CONFIG_HOME") or platformdirs.user_config_dir("latentlab", appauthor=False))


def data_folder() -> Path:
    """$LATENTLAB_DATA_HOME, else the system's place for an application's data (autosaved sessions)."""
    return Path(os.environ.get("LATENTLAB_DATA_HOME") or platformdirs.user_data_dir("latentlab", appauthor=False))


class Settings(BaseModel):
    """Keys this version does not know are kept and written back. Assigning a wrong value raises ValidationError."""

    model_config = ConfigDict(extra="allow", validate_assignment=True)

    recent: list[str] = []  # paths of checkpoints and sessions, newest first
    theme: Literal["system", "dark", "light"] = "system"
    device: str = "auto"
    window_geometry: str = ""  # base64 of QMainWindow.saveGeometry
    window_layout: str = ""  # base64 of QMainWindow.saveState
    open_folder: str = ""  # where the file dialogs begin
    save_folder: str = ""
    recent_runs: list[str] = []  # folders of training runs, newest first
    runs_folder: str = ""  # where new ones are kept
    hints_used: list[str] = []  # keys of the panels whose hint has done its work
    smooth_image: bool = False  # nearest above 4x: what the decoder made, pixel by pixel
    snapshot_seconds: float = Field(default=20.0, ge=1.0, le=3600.0)

    _path: Path | None = PrivateAttr(default=None)
    _notes: list[str] = PrivateAttr(default_factory=list)

    @property
    def notes(self) -> list[str]:
        """What was wrong with the file when it was read, one sentence each, for a notice."""
        return self._notes

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Never fails: a damaged file gives the defaults, a bad value its default; both leave a backup and a note."""
        path = path or config_folder() / FILE_NAME
        settings, notes = cls(), []
        try:
            document = json.loads(path.read_bytes())
            if not isinstance(document, dict):
                raise ValueError("it is not a JSON object")
        except FileNotFoundError:
            pass
        except OSError as error:
            notes.append(f"The settings {displayed(path)} cannot be read ({error.strerror}); the defaults are used.")
        except (ValueError, RecursionError):
            notes.append(f"The settings {displayed(path)} are damaged; the defaults are used.{_backup(path)}")
        else:
            settings, dropped = cls._lenient(document)
            if dropped:
                notes.append(
                    f"The settings {displayed(path)} hold unusable values, left out: {'; '.join(dropped)}."
                    f"{_backup(path)}"
                )
        settings._path = path
        settings._notes = notes
        return settings

    @classmethod
    def _lenient(cls, document: dict[str, Any]) -> tuple[Self, list[str]]:
        """The settings in `document`, and what had to be left out of it."""
        dropped: list[str] = []
        while True:
            try:
                return cls.model_validate(document), dropped
            except ValidationError as error:
                # From the back, so that leaving one entry of a list out does not move the next.
                for mistake in reversed(error.errors()):
                    key, *inside = mistake["loc"]
                    value = document[str(key)]
                    dropped.append(f"{'.'.join(map(str, mistake['loc']))} = {mistake['input']!r:.40}")
                    if isinstance(value, list) and inside and isinstance(inside[0], int):
                        del value[inside[0]]
                    else:
                        del document[str(key)]
                        break

    def save(self) -> None:
        """Writes the file atomically, making its folder if need be. Raises SaveError."""
        path = self._path or config_folder() / FILE_NAME
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SaveError(
                f"Cannot save the settings: the folder {displayed(path.parent)} cannot be made ({error.strerror}). "
                "Set LATENTLAB_CONFIG_HOME to a folder you may write to."
            ) from error
        atomic_write(path, json.dumps(self.model_dump(), indent=1).encode())

    def add_recent(self, path: Path | str) -> None:
        """Puts a file on top of the recent ones; one whose name is not text is not remembered."""
        if displayed(path) != str(path):
            return
        self.recent = _on_top(path, self.recent)

    def add_recent_run(self, folder: Path | str) -> None:
        """The same with the folder of a training run."""
        if displayed(folder) == str(folder):
            self.recent_runs = _on_top(folder, self.recent_runs)


def _on_top(path: Path | str, others: list[str]) -> list[str]:
    first = str(Path(path).absolute())
    return [first, *(other for other in others if other != first)][:RECENT_LIMIT]


def _backup(path: Path) -> str:
    """Keeps the file as it was beside the next one, and says where."""
    backup = path.with_suffix(".backup.json")
    try:
        shutil.copy2(path, backup)
    except OSError as error:
        return f" A backup could not be kept ({error.strerror})."
    return f" The file as it was is kept as {displayed(backup)}."
