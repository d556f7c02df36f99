"""Menus and tool bar, made from the table of actions; they show the history and the open model."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMainWindow, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from latentlab.core.bundled import bundled_models
from latentlab.core.model_folders import model_name
from latentlab.core.project_file import ENDING as SESSION_ENDING
from latentlab.ui import theme
from latentlab.ui.actions import ACTIONS, LAST, MENUS, Actions, tooltip
from latentlab.ui.commands import Commands
from latentlab.ui.icons import icon
from latentlab.ui.model_words import described
from latentlab.ui.space_choice import SpaceChoice
from latentlab.ui.workspace import Workspace

RECENT_SHOWN = 8
NAME_LETTERS = 40  # of the model's name in the tool bar; the whole of it stands in the tooltip


class Menus:
    def __init__(self, window: QMainWindow, actions: Actions, commands: Commands, workspace: Workspace) -> None:
        self._window = window
        self._actions = actions
        self._commands = commands
        self._workspace = workspace
        self.menus = {name: window.menuBar().addMenu(title) for name, title in MENUS.items()}
        self._submenus: dict[str, QMenu] = {}
        self.recent = QMenu("Open recent", window)
        self.recent.aboutToShow.connect(lambda: self._fill(self.recent, bundled=False))
        for spec in ACTIONS:
            self._menu(spec.menu).addAction(actions[spec.key])
            if spec.key == "open":
                self.menus["File"].addMenu(self.recent)
            if spec.key in LAST:
                self._menu(spec.menu).addSeparator()
        self._themes = QActionGroup(window)
        for choice in ("system", "dark", "light"):
            self._themes.addAction(actions[f"theme-{choice}"])
        actions[f"theme-{workspace.settings.theme}"].setChecked(True)
        self.model_button = QToolButton()
        self.space_choice = SpaceChoice(commands.spaces.switch)
        self._tool_bar()
        self.show_history()

    @property
    def model_name(self) -> str:
        """That of its file; a model given to explore() has none and is called by its class."""
        info = self._workspace.opened.info
        if info.path:
            return model_name(Path(info.path))
        return info.family if info.sha256 else "No model"

    def show_history(self) -> None:
        session = self._workspace.session
        for key, word, label in (("undo", "Undo", session.undo_label), ("redo", "Redo", session.redo_label)):
            action = self._actions[key]
            text = f"{word} {label[:1].lower()}{label[1:]}" if label else word
            if action.text() != text.replace("&", "&&") or action.isEnabled() != bool(label):
                action.setText(text.replace("&", "&&"))
                action.setToolTip(tooltip(text, action.shortcut().toString()))
                action.setEnabled(bool(label))

    def show_model(self) -> None:
        name = self.model_name
        shown = name if len(name) <= NAME_LETTERS else f"{name[: NAME_LETTERS // 2]}…{name[1 - NAME_LETTERS // 2 :]}"
        self.model_button.setText(shown.replace("&", "&&"))
        self.model_button.setToolTip("Choose a model" if shown == name else f"{name}\nChoose a model")
        for key in ("class-next", "class-previous"):
            self._actions[key].setEnabled(bool(self._workspace.opened.info.conditional))
        self.space_choice.show_spaces(self._workspace.opened.info, self._workspace.state.space)
        self._window.setWindowTitle(f"{name} — latentlab")

    def _menu(self, name: str) -> QMenu:
        top, _, below = name.partition("/")
        if not below:
            return self.menus[top]
        if name not in self._submenus:
            self._submenus[name] = self.menus[top].addMenu(below)
        return self._submenus[name]

    def _tool_bar(self) -> None:
        bar = QToolBar("Tools", self._window)
        bar.setObjectName("tool-bar")
        bar.setMovable(False)
        bar.setIconSize(QSize(theme.ICON_PX, theme.ICON_PX))
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        models = QMenu("Models", self._window)
        models.aboutToShow.connect(lambda: self._fill(models, bundled=True))
        self.model_button.setMenu(models)
        self.model_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.model_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.model_button.setIcon(icon("mdi6.cube-outline"))
        self.model_button.setToolTip("Choose a model")
        self.model_button.setAccessibleName("Model")
        self.model_button.setObjectName("model")
        bar.addWidget(self.model_button)
        self.space_choice.join(bar)
        bar.addSeparator()
        for spec in ACTIONS:
            if spec.tool_bar:
                bar.addAction(self._actions[spec.key])
                if spec.key in ("redo", "keyframe"):
                    bar.addSeparator()
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        find = QToolButton()
        find.setDefaultAction(self._actions["palette"])
        find.setText("Search   Ctrl+K")
        find.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        find.setObjectName("search")
        find.setAccessibleName("Find a command")
        bar.addWidget(find)
        self._window.addToolBar(bar)

    def _fill(self, menu: QMenu, bundled: bool) -> None:
        menu.clear()
        models = bundled_models() if bundled else []
        for path in models:
            self._add_path(menu, path, described(path))
        recent = [path for path in map(Path, self._workspace.settings.recent) if path not in models][:RECENT_SHOWN]
        if models and recent:
            menu.addSeparator()
        for path in recent:
            self._add_path(menu, path, "session" if path.suffix == SESSION_ENDING else "")
        if not models and not recent:
            menu.addAction("Nothing opened yet").setEnabled(False)
        if bundled:
            menu.addSeparator()
            menu.addAction(self._actions["open"])

    def _add_path(self, menu: QMenu, path: Path, about: str = "") -> None:
        """`about` stands at the right, where a shortcut would."""
        name = model_name(path).replace("&", "&&")
        action = QAction(f"{name}\t{about}" if about else name, menu)
        action.setToolTip(str(path))
        action.setCheckable(True)
        action.setChecked(str(path) == self._workspace.opened.info.path)
        action.triggered.connect(lambda: self._commands.open_path(path))
        menu.addAction(action)
        menu.setToolTipsVisible(True)
