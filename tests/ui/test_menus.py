"""The menus: what belongs together stands together; dialogs show every file that can be opened; full screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from latentlab.core.model_folders import ENDINGS
from latentlab.core.requests import Encode
from latentlab.ui.actions import ACTIONS
from latentlab.ui.main_window import MainWindow
from latentlab.ui.model_words import described
from latentlab.ui.palette import ranked
from latentlab.ui.panels.compare import ComparePanel
from latentlab.ui.shortcuts import ShortcutsDialog
from tests.ui.conftest import FakeEngine, some_info


def groups(window: MainWindow, menu: str) -> list[list[str]]:
    """The texts of a menu, between its lines."""
    found: list[list[str]] = [[]]
    for action in window.menus.menus[menu].actions():
        if action.isSeparator():
            found.append([])
        else:
            found[-1].append(action.text())
    return found


def test_what_belongs_together_stands_between_two_lines(window: MainWindow) -> None:
    assert groups(window, "File")[0] == ["Open…", "Open recent"]
    walk = ["Add keyframe", "Play the walk", "Export the walk…"]
    assert walk in groups(window, "Explore")
    assert ["Map by PCA", "Map by t-SNE", "Make a map of samples"] in groups(window, "Explore")
    assert all(groups(window, menu)[-1] for menu in window.menus.menus), "no line at the end"


def test_dialogs_show_every_kind_of_checkpoint(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def ask(*arguments: object) -> tuple[str, str]:
        shown.append(str(arguments[3]))
        return "", ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", ask)
    window.commands.open_file()
    compare = window.docks.panel("compare")
    assert isinstance(compare, ComparePanel)
    compare.choose_file()
    assert len(shown) == 2
    assert all(f"*{ending}" in patterns for ending in ENDINGS for patterns in shown)
    assert "*.latentlab" in shown[0]


def test_full_screen_and_back(window: MainWindow) -> None:
    window.setWindowState(Qt.WindowState.WindowMaximized)
    window.actions_by_key["full-screen"].trigger()
    assert window.isFullScreen()
    window.actions_by_key["full-screen"].trigger()
    assert not window.isFullScreen()
    assert window.isMaximized(), "as large as it was"


def test_a_picture_is_encoded_wherever_it_is_dropped(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot: QtBot
) -> None:
    """It is no checkpoint, and nobody means one."""
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(tmp_path / "me.PNG")
    opened = len(engine.opens)
    window.docks.raise_panel("quality")
    window.commands.open_path(tmp_path / "me.PNG")
    qtbot.waitUntil(lambda: any(isinstance(request, Encode) for _, request, *_ in engine.requests))
    assert len(engine.opens) == opened
    assert window.docks.in_sight("image"), "where it will be seen"


def test_a_bundled_model_says_what_it_is(window: MainWindow, tmp_path: Path) -> None:
    models = window.menus.model_button.menu()
    models.aboutToShow.emit()
    texts = dict(action.text().partition("\t")[::2] for action in models.actions())
    assert texts["faces-vae"] == "cartoon-faces, 64 px, variational autoencoder"
    assert texts["digits-cgan"] == "mnist, 28 px, conditional GAN"
    assert ranked("cartoon", window.commands.palette_commands())[0].text == "Open faces-vae-128.safetensors"
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing")
    assert described(broken) == "", "opening it says why"


def test_help_tells_all_keys(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_key["shortcuts"].trigger()
    dialog = window.findChild(ShortcutsDialog)
    assert dialog is not None
    lines = dialog.text.toPlainText().splitlines()
    for spec in ACTIONS:
        if spec.shortcut:
            keys = QKeySequence(spec.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
            said = [line.split("  ") for line in lines if line.strip().startswith(f"{keys} ")]
            assert any(spec.text.removesuffix("…") in line[-1] for line in said), spec.key
    assert "Map" in lines
    dialog.accept()


def test_a_picture_dropped_on_the_comparison_is_compared_there(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot: QtBot
) -> None:
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(tmp_path / "me.png")
    panel = window.docks.raise_panel("compare")
    assert isinstance(panel, ComparePanel)
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(tmp_path / "me.png"))])
    how = (Qt.DropAction.CopyAction, dropped, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    opened = len(engine.opens)
    panel.dropEvent(QDropEvent(QPointF(20, 200), *how))
    qtbot.waitUntil(lambda: any(isinstance(request, Encode) for _, request, *_ in engine.requests))
    assert len(engine.opens) == opened
    assert window.docks.in_sight("compare")


def test_classes_are_stepped_through_only_where_the_model_is_asked_for_one(window: MainWindow) -> None:
    step = [window.actions_by_key[key] for key in ("class-next", "class-previous")]
    assert not any(action.isEnabled() for action in step)
    assert "Next class" not in [command.text for command in window.commands.palette_commands()]
    window.workspace.opened.info = some_info(conditional=("low", "high"))
    window.menus.show_model()
    assert all(action.isEnabled() for action in step)
    assert "Next class" in [command.text for command in window.commands.palette_commands()]
