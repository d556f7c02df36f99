"""What menus say: letters that open them, letters in names that open none, and what is a session."""

from __future__ import annotations

import numpy as np

from latentlab.core.state import Group
from latentlab.ui.main_window import MainWindow
from latentlab.ui.shortcuts import ShortcutsDialog


def test_every_menu_opens_with_alt_and_a_letter_of_its_own(window: MainWindow) -> None:
    titles = [menu.title() for menu in window.menus.menus.values()]
    letters = [title[title.index("&") + 1].upper() for title in titles]
    assert len(set(letters)) == len(titles)
    dialog = ShortcutsDialog(window)
    assert f"Alt+{', '.join(letters)}" in dialog.text.toPlainText()


def test_an_ampersand_in_a_name_is_no_letter_to_press(window: MainWindow) -> None:
    window.workspace.change("Salt & pepper 1.0", groups=(Group("Salt & pepper", np.array([1, 2])),))
    undo = window.actions_by_key["undo"]
    assert undo.text() == "Undo salt && pepper 1.0"
    assert undo.toolTip().startswith("Undo salt & pepper 1.0")
    assert "Undo salt & pepper 1.0" in [command.text for command in window.commands.palette_commands()]


def test_a_recent_session_is_told_from_a_model(window: MainWindow) -> None:
    window.workspace.settings.recent = ["/sessions/tuesday.latentlab", "/sessions/mine.safetensors"]
    window.menus.recent.aboutToShow.emit()
    assert [action.text() for action in window.menus.recent.actions()] == ["tuesday\tsession", "mine"]
