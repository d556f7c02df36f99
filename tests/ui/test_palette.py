"""The command palette finds by letters and is steered by the keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from latentlab.ui.main_window import MainWindow
from latentlab.ui.palette import Command, Palette, match, ranked

TITLES = ("Open…", "Undo", "Draw a sample", "Add keyframe", "Add Eyeglasses", "Reset layout", "Export the walk…")


def commands(chosen: list[str]) -> list[Command]:
    return [Command(title, lambda title=title: chosen.append(title)) for title in TITLES]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("undo", "Undo"),
        ("das", "Draw a sample"),
        ("ak", "Add keyframe"),
        ("EYE", "Add Eyeglasses"),
        ("reset la", "Reset layout"),
    ],
)
def test_the_best_match_comes_first(query: str, first: str) -> None:
    assert ranked(query, commands([]))[0].text == first


def test_what_a_command_is_about_finds_it_too_after_names_that_begin_so() -> None:
    """Letters that are scattered over another name do not go before it."""
    export = Command("Export the walk", int, about="GIF, MP4, frames or a strip")
    others = [Command("Change how this file is read", int), Command("Gifts", int)]
    assert [command.text for command in ranked("gif", [*others, export])] == ["Gifts", *[export.text, others[0].text]]
    assert ranked("mp4", [*others, export]) == [export]
    assert ranked("ip", [export]) == [], "not from the middle of a word"


def test_letters_out_of_order_do_not_match() -> None:
    assert match("odnu", "Undo") is None
    assert match("zz", "Undo") is None


def test_an_empty_query_lists_everything_in_its_order() -> None:
    assert [command.text for command in ranked("", commands([]))] == list(TITLES)


def test_typing_arrows_and_return_run_a_command(qtbot: QtBot) -> None:
    chosen: list[str] = []
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 600)
    window.show()
    palette = Palette(commands(chosen), window)
    palette.begin()
    qtbot.keyClicks(palette.query, "add")
    assert palette.list.count() == 2
    second = palette.list.item(1).text()
    qtbot.keyClick(palette.query, Qt.Key.Key_Down)
    qtbot.keyClick(palette.query, Qt.Key.Key_Down)  # stays on the last
    qtbot.keyClick(palette.query, Qt.Key.Key_Return)
    assert chosen == [second]


def test_return_without_a_match_runs_nothing(qtbot: QtBot) -> None:
    chosen: list[str] = []
    window = QWidget()
    qtbot.addWidget(window)
    palette = Palette(commands(chosen), window)
    palette.begin()
    qtbot.keyClicks(palette.query, "qqq")
    qtbot.keyClick(palette.query, Qt.Key.Key_Return)
    assert chosen == []


def test_the_window_lists_what_can_be_done_now(window: MainWindow) -> None:
    """No undo of nothing; what there is to undo by its name; the themes say that they are themes."""

    def texts() -> list[str]:
        return [command.text for command in window.commands.palette_commands()]

    assert not [text for text in texts() if text.startswith(("Undo", "Redo"))]
    window.workspace.go_to_encoding(3, "Jump")
    assert "Undo jump" in texts()
    assert {"Theme: dark", "Theme: light", "Theme: follow the system"} <= set(texts())
    assert ranked("gif", window.commands.palette_commands())[0].text == "Export the walk"


def test_a_shortcut_is_read_out_with_its_command(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    palette = Palette([Command("Open", int, "Ctrl+O")], window)
    item = palette.list.item(0)
    assert item.text() == "Open", "the shortcut stands at the right, it is no part of the name"
    assert item.data(Qt.ItemDataRole.AccessibleTextRole) == "Open, Ctrl+O"
    palette.begin()
    assert not palette.grab().isNull()
