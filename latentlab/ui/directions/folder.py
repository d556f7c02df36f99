"""From a folder of pictures with something, against a folder without it or against everything on the map: as a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QSizePolicy, QWidget

from latentlab.core.atomic import displayed
from latentlab.core.state import State
from latentlab.ui.directions.source import DirectionSource
from latentlab.ui.icons import icon
from latentlab.ui.messages import TextDialog
from latentlab.ui.names import readable
from latentlab.ui.notices import Action
from latentlab.ui.running import RunningJob
from latentlab.ui.theme import GRID_PX

FUNCTION = "latentlab.engine.folder_direction:run"
SEARCHED = (
    "This model has no encoder: up to 20 pictures of each folder are searched for, which takes seconds for each. "
    "Both folders are needed."
)
NO_WAY = "This model has no encoder, and its latents cannot be searched for, so no folder can be used."
NO_FILE = "This model lives in the process that called explore(): use model.direction_from(images, others) there."
NO_MAP = "This model carries no encodings: a second folder, of pictures without it, is needed."
BOTH = "The pictures of a folder against those of another, or against everything on the map."
UNCHOSEN = "Choose a folder…"
EVERYTHING = "Everything on the map"
NAME_PX = 160  # of a folder, on its button


class FromFolder(DirectionSource):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.having: Path | None = None
        self.lacking: Path | None = None
        self.job: RunningJob | None = None
        self.name = QLineEdit()
        self.name.setPlaceholderText("Name of the attribute")
        self.name.setAccessibleName("Name of the new attribute")
        self.name.returnPressed.connect(self.encode)
        self.having_button = self._folder_button("Folder of pictures with it", self._choose_having)
        self.lacking_button = self._folder_button("Folder of pictures without it", self._choose_lacking)
        self.add = QPushButton("Encode and add")
        self.add.setProperty("primary", True)
        self.add.clicked.connect(self.encode)
        self.fields = QWidget()
        grid = QGridLayout(self.fields)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID_PX)
        grid.addWidget(QLabel("With it"), 0, 0)
        grid.addWidget(self.having_button, 0, 1, 1, 2)
        grid.addWidget(QLabel("Without it"), 1, 0)
        grid.addWidget(self.lacking_button, 1, 1, 1, 2)
        grid.addWidget(self.name, 2, 0, 1, 2)
        grid.addWidget(self.add, 2, 2)
        grid.setColumnStretch(1, 1)
        self.column.addWidget(self.fields)

    def _folder_button(self, accessible_name: str, choose: Any) -> QPushButton:
        button = QPushButton()
        button.setIcon(icon("mdi6.folder-image"))
        button.setAccessibleName(accessible_name)
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # a long name widens no panel
        button.clicked.connect(choose)
        return button

    # --- drawing

    def begin(self) -> None:
        self._show()
        self.having_button.setFocus()

    def show_state(self, new: State) -> None:
        self._show()

    def _show(self) -> None:
        info = self.workspace.opened.info
        possible = bool(info.path) and (info.encoder or info.invertible)
        self.fields.setVisible(possible)
        if not info.path:
            self.say(NO_FILE)
        elif not possible:
            self.say(NO_WAY)
        elif not info.encoder:
            self.say(SEARCHED)
        else:
            self.say(BOTH if self._map_serves() else NO_MAP)
        self.having_button.setText(UNCHOSEN if self.having is None else self._short(self.having))
        self.having_button.setToolTip("Pictures that have it" if self.having is None else displayed(self.having))
        otherwise = EVERYTHING if self._map_serves() else UNCHOSEN
        self.lacking_button.setText(otherwise if self.lacking is None else self._short(self.lacking))
        self.lacking_button.setToolTip("Pictures without it" if self.lacking is None else displayed(self.lacking))
        self.add.setEnabled(self._ready())
        self.add.setToolTip(
            "Encode the pictures and fit the direction between them (Enter)"
            if self._ready()
            else "It is being made; its progress and Cancel are in the status line"
            if self.job is not None
            else "Choose the folders first"
        )

    def _short(self, folder: Path) -> str:
        name = displayed(folder.name) or displayed(folder)
        return self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, NAME_PX)

    def _map_serves(self) -> bool:
        """Whether the encodings can stand for pictures without it: of an encoder, in the space it encodes into."""
        opened = self.workspace.opened
        encodings = opened.encodings
        first = opened.info.spaces[0].name
        return opened.info.encoder and encodings is not None and len(encodings) > 0 and encodings.space == first

    def _ready(self) -> bool:
        enough = self.having is not None and (self.lacking is not None or self._map_serves())
        return enough and self.job is None

    # --- what a person does

    def _choose_having(self) -> None:
        folder = self._asked("A folder of pictures with it")
        if folder is not None:
            self.having = folder
            if not self.name.text():
                self.name.setText(displayed(folder.name))
            self._show()

    def _choose_lacking(self) -> None:
        """Where the dialog is left without a folder, everything on the map it is again."""
        self.lacking = self._asked("A folder of pictures without it")
        self._show()

    def _asked(self, title: str) -> Path | None:
        settings = self.workspace.settings
        folder = QFileDialog.getExistingDirectory(self.window(), title, settings.open_folder)
        if folder:
            settings.open_folder = folder
        return Path(folder) if folder else None

    def encode(self) -> None:
        """Starts the job; the direction is added when it is done, as one undo step."""
        if not self._ready() or self.having is None:
            return
        opened = self.workspace.opened
        against = None
        if self.lacking is None and opened.encodings is not None:
            against = opened.encodings.latents
        name = self.name.text().strip() or displayed(self.having.name)
        arguments = {
            "path": opened.info.path,
            "with_folder": str(self.having),
            "without_folder": "" if self.lacking is None else str(self.lacking),
            "name": name,
            "against": against,
            "checkpoint": opened.info.sha256,
            **opened.for_jobs,
        }
        checkpoint = opened.info.sha256
        self.job = self.workspace.running.start(
            f"Encoding pictures for {name}", FUNCTION, arguments, on_done=lambda made: self._take(made, checkpoint)
        )
        self.job.ended.connect(self._end)
        self._show()

    def _take(self, made: Any, checkpoint: str) -> None:
        """`made` is a `latentlab.engine.folder_direction.FolderDirection`."""
        workspace, direction = self.workspace, made.direction
        if checkpoint != workspace.state.checkpoint or direction.space != workspace.state.space:
            workspace.notices.info(f"{direction.name} was made for another model or space, so it is not added.")
            return
        self.editing.add([direction], f"Add {readable(direction.name)}")
        told = "" if direction.auc is None else f" It tells held-out ones apart with AUC {direction.auc:.2f}."
        said = f"{direction.name} rests on {made.with_it:,} pictures with it and {made.without:,} without.{told}"
        actions = []
        if made.skipped:
            said += f" {len(made.skipped):,} files could not be used."
            text, window = "\n".join(made.skipped), self.window()
            actions.append(Action("Which", lambda: TextDialog("Files that were skipped", text, window).open()))
        workspace.notices.info(said, *actions)
        self.name.clear()
        self.having = self.lacking = None
        self.over.emit()

    def _end(self) -> None:
        self.job = None
        self._show()
