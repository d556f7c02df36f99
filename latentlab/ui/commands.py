"""Commands: what the actions of the menus, the tool bar and the palette do, wherever they were triggered."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QFileDialog, QMainWindow, QMessageBox

from latentlab.core.bundled import bundled_models, docs_folder
from latentlab.core.model_folders import ENDINGS, model_name, patterns
from latentlab.core.project_file import ENDING as SESSION_ENDING
from latentlab.core.spaces import sample_name
from latentlab.core.state import ONE_CLICK, back_to_origin, with_strength
from latentlab.ui import theme
from latentlab.ui.actions import ACTIONS
from latentlab.ui.docks import Docks
from latentlab.ui.icons import icon
from latentlab.ui.importing import Importing
from latentlab.ui.map_making import MapMaking
from latentlab.ui.messages import MessagesDialog, about_text
from latentlab.ui.model_words import described
from latentlab.ui.names import readable
from latentlab.ui.opening import Opening
from latentlab.ui.palette import Command, Palette
from latentlab.ui.panels.image import ImagePanel
from latentlab.ui.picture_exchange import is_picture
from latentlab.ui.prior_draws import Drawn, PriorDraws
from latentlab.ui.session_files import SessionFiles
from latentlab.ui.shortcuts import ShortcutsDialog
from latentlab.ui.space_switching import Spaces
from latentlab.ui.workspace import Workspace

SEEDS = 100_000  # small enough to be read and typed


class Commands(QObject):
    """Methods are named in the table of actions; `find` turns a target of that table into something to call."""

    themed = Signal()  # the colours changed

    def __init__(
        self, workspace: Workspace, opening: Opening, files: SessionFiles, docks: Docks, window: QMainWindow
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._opening = opening
        self._files = files
        self._docks = docks
        self._window = window
        self.spaces = Spaces(workspace, opening, window)
        self.importing = Importing(workspace, opening, window)
        self.map_making = MapMaking(workspace, opening, window, lambda: docks.in_sight("map"))
        self._draws = PriorDraws(workspace, "commands/draw", self)
        self._draws.drawn.connect(self._show_draw)
        docks.made.connect(lambda panel: panel.command_wanted.connect(lambda target: self.find(target)()))

    def find(self, target: str) -> Callable[[], object]:
        if target.startswith("raise:"):
            return lambda: self._docks.raise_panel(target.removeprefix("raise:"))
        if target.startswith("open:"):
            return lambda: self.open_path(Path(target.removeprefix("open:")))
        if target.startswith("picture:"):
            return lambda: self._read_picture(target.removeprefix("picture:"))
        key, dot, method = target.partition(".")
        if not dot:
            own: Callable[[], object] = getattr(self, key)
            return own
        return lambda: self._in_panel(key, method)

    # --- files

    def open_file(self) -> None:
        settings = self._workspace.settings
        name, _ = QFileDialog.getOpenFileName(
            self._window,
            "Open a checkpoint or a session",
            settings.open_folder,
            f"Checkpoints and sessions ({patterns((*ENDINGS, SESSION_ENDING))});;All files (*)",
        )
        if name:
            settings.open_folder = str(Path(name).parent)
            self.open_path(Path(name))

    def open_path(self, path: Path) -> None:
        """A checkpoint, a session, or a picture: that is encoded, or searched for, wherever it was dropped."""
        if path.suffix == SESSION_ENDING:
            self._files.open(path)
        elif is_picture([QUrl.fromLocalFile(str(path))]):
            self._in_panel("image", f"read_picture:{path}")
        else:
            self._opening.open(path)

    def choose_reading(self) -> None:
        self.importing.choose_reading()

    def encode_folder(self) -> None:
        self.map_making.choose_folder()

    def draw_map(self) -> None:
        self.map_making.draw()

    def save_map(self) -> None:
        self._of_map("save_figure")

    def copy_map(self) -> None:
        self._of_map("copy_figure")

    def _of_map(self, name: str) -> None:
        from latentlab.ui.map import figure  # here, so that the window starts without it
        from latentlab.ui.panels.map import MapPanel

        if isinstance(panel := self._docks.raise_panel("map"), MapPanel):
            getattr(figure, name)(panel)

    def save_session(self) -> bool:
        return self._files.save() if self._files.path else self.save_session_as()

    def save_session_as(self) -> bool:
        settings, info = self._workspace.settings, self._workspace.opened.info
        before = self._files.path
        of_model = f"{model_name(Path(info.path)) if info.path else info.family}{SESSION_ENDING}"
        suggested = before or Path(settings.save_folder) / of_model
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Save the session", str(suggested), f"Sessions (*{SESSION_ENDING})"
        )
        if not name:
            return False
        path = Path(name) if name.endswith(SESSION_ENDING) else Path(name + SESSION_ENDING)
        settings.save_folder = str(path.parent)
        return self._files.save(path)

    def quit(self) -> None:
        if self.may_leave():
            self._window.close()

    def may_leave(self) -> bool:
        """Asks only about a run at work, and about unsaved work that took effort: a walk, groups, bookmarks, or a
        session that has a file.
        """
        if not self._may_stop_training():
            return False
        if not self._files.worth_asking:
            return True
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self._window,
            "Save the session?",
            "Your walk, groups and bookmarks are not saved.",
            buttons.Save | buttons.Discard | buttons.Cancel,
            buttons.Save,
        )
        return self.save_session() if answer == buttons.Save else answer == buttons.Discard

    def _may_stop_training(self) -> bool:
        run = self._workspace.training.at_work if self._workspace.training is not None else None
        if run is None:
            return True
        question = QMessageBox(self._window)
        question.setIcon(QMessageBox.Icon.Question)
        question.setWindowTitle("Stop the training?")
        question.setText(f"{run.name} is being trained. It is saved, and can be resumed where it stopped.")
        stop = question.addButton("Stop and close", QMessageBox.ButtonRole.AcceptRole)
        question.addButton(QMessageBox.StandardButton.Cancel)
        question.setDefaultButton(stop)
        question.exec()
        return question.clickedButton() is stop

    # --- edits

    def undo(self) -> None:
        self._workspace.session.undo()

    def redo(self) -> None:
        self._workspace.session.redo()

    def revert(self) -> None:
        self._workspace.session.update(back_to_origin(self._workspace.state), "Back to the origin")

    def draw_sample(self) -> None:
        workspace = self._workspace
        if not workspace.space.drawable:
            self.map_making.say_undrawable()
            return
        self._draws.ask(workspace.state, 1, secrets.randbelow(SEEDS))

    def _show_draw(self, drawn: Drawn) -> None:
        name = sample_name(drawn.seed, truncation=drawn.truncation)
        self._workspace.go_to(drawn.latents[0], name, label="Draw a sample", space=drawn.space)

    def random_encoding(self) -> None:
        encodings = self._workspace.opened.encodings
        if encodings is None or not len(encodings):
            self._workspace.notices.info("This model carries no encodings to jump to; draw a sample instead.")
            return
        index = secrets.randbelow(len(encodings))
        self._workspace.go_to_encoding(index)

    def add_keyframe(self) -> None:
        """With whatever is in front left there."""
        from latentlab.ui.panels.walk import WalkPanel  # here, so that the window starts without it

        if isinstance(panel := self._docks.panel("walk"), WalkPanel):
            panel.add_current()

    def cancel_jobs(self) -> None:
        self._workspace.running.cancel_all()

    # --- view

    def theme_system(self) -> None:
        self.choose_theme("system")

    def theme_dark(self) -> None:
        self.choose_theme("dark")

    def theme_light(self) -> None:
        self.choose_theme("light")

    def choose_theme(self, choice: theme.Choice) -> None:
        self._workspace.settings.theme = choice
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        theme.apply(application, theme.chosen(choice))
        self.themed.emit()

    def toggle_full_screen(self) -> None:
        """The window comes back as large as it was."""
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def reset_layout(self) -> None:
        self._docks.reset()

    def show_palette(self) -> None:
        Palette(self.palette_commands(), self._window).begin()

    def palette_commands(self) -> list[Command]:
        """Every action that can be triggered now, then attributes, models and recent files."""
        commands = []
        for spec in ACTIONS:
            action = self._window.findChild(QAction, f"action-{spec.key}")
            if spec.key == "palette" or action is None or not action.isEnabled():
                continue
            shortcut = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            symbol = icon(spec.icon or "mdi6.circle-small", "secondary")
            _, _, below = spec.menu.partition("/")
            text = action.text().replace("&&", "&").removesuffix("…")  # undo and redo say what
            text = f"{below}: {text[:1].lower()}{text[1:]}" if below else text
            commands.append(Command(text, self.find(spec.target), shortcut, symbol, spec.tip))
        plus, model = icon("mdi6.plus"), icon("mdi6.cube-outline")
        commands += [
            Command(f"Add {readable(name)}", lambda name=name: self._add_attribute(name), "attribute", plus, name)  # type: ignore[misc]
            for name in self._workspace.state.directions
        ]
        commands += [
            Command(f"Switch to the latent space {name}", lambda name=name: self.spaces.switch(name), "", model)  # type: ignore[misc]
            for name in (space.name for space in self._workspace.opened.info.spaces)
            if name != self._workspace.state.space
        ]
        bundled = bundled_models()
        paths = dict.fromkeys([*bundled, *map(Path, self._workspace.settings.recent)])
        commands += [
            Command(
                f"Open {path.name}",
                lambda path=path: self.open_path(path),  # type: ignore[misc]
                icon=model,
                about=described(path).replace("-", " ") if path in bundled else "",
            )
            for path in paths
        ]
        return commands

    # --- help

    def show_shortcuts(self) -> None:
        ShortcutsDialog(self._window).open()

    def show_messages(self) -> None:
        MessagesDialog(self._workspace.notices, self._window).open()

    def show_model_info(self) -> None:
        from latentlab.ui.model_dialog import ModelDialog  # here, so that the window starts without it

        ModelDialog(self._workspace.opened, self._window).open()

    def show_guide(self) -> None:
        """Beside the window: one reads on while one works."""
        from latentlab.ui.user_guide import UserGuide, is_installed

        if is_installed():
            UserGuide(self._window).show()
        else:
            self._workspace.notices.warn(f"The user guide is not here: {docs_folder()} holds no documentation.")

    def show_about(self) -> None:
        self._workspace.notices.info(about_text())

    # --- inside

    def _add_attribute(self, name: str) -> None:
        self._workspace.session.update(with_strength(self._workspace.state, name, ONE_CLICK), f"Add {readable(name)}")

    def _read_picture(self, path: str) -> None:
        """With whatever is in front left there."""
        if isinstance(panel := self._docks.panel("image"), ImagePanel):
            panel.read_picture(path)

    def _in_panel(self, key: str, method: str) -> None:
        """`method` of a panel, which is brought to the front; "method:text" calls it with the text."""
        panel, (name, _, text) = self._docks.raise_panel(key), method.partition(":")
        if panel is not None:
            getattr(panel, name)(*([text] if text else []))
