"""Names where there is little room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from latentlab.core.directions import DirectionSet
from latentlab.core.expressions import completions, scope_of
from latentlab.core.state import NamedLatent
from latentlab.ui import theme
from latentlab.ui.cosine_table import CosineModel
from latentlab.ui.direction_words import said_of_leaks
from latentlab.ui.main_window import MainWindow
from latentlab.ui.map.colours import choices, colouring
from latentlab.ui.map.controls import axis_choices
from latentlab.ui.map.legend import Legend
from latentlab.ui.names import in_short, readable
from latentlab.ui.palette import ranked
from latentlab.ui.panels.attributes import AttributesPanel
from latentlab.ui.pictures import Pictures
from latentlab.ui.thumbnail_strip import ThumbnailStrip


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("sample 3 of seed 0", "sample 3"),
        ("sample 3 of seed 0, truncation 0.7", "sample 3"),
        ("sample of seed 38154", "seed 38154"),
        ("sample 3 of seed 0, edited", "sample 3, edited"),
        ("1030.png", "1030.png"),
        ("a sample of seed 3", "a sample of seed 3"),
    ],
)
def test_a_sample_is_called_by_its_number_or_its_seed(name: str, short: str) -> None:
    assert in_short(name) == short


def test_the_caption_is_short_and_the_tooltip_says_the_seed(qtbot: QtBot) -> None:
    """The same picture as a strip whose item has the short name itself."""
    latent = np.zeros(4, np.float32)
    strip = ThumbnailStrip(Pictures(), captioned=True)
    qtbot.addWidget(strip)
    strip.resize(200, 120)
    strip.set_items([NamedLatent(latent, "sample 3 of seed 0")])
    shown = strip.grab().toImage()
    assert "sample 3 of seed 0" in strip._tip(0)
    strip.set_items([NamedLatent(latent, "sample 3")])
    assert strip.grab().toImage() == shown
    strip.set_items([NamedLatent(latent, "sample 4")])
    assert strip.grab().toImage() != shown


# --- attributes


HAIR = "Brown_Hair"


@pytest.fixture
def haired(window: MainWindow) -> MainWindow:
    """Whose first attribute is called as data sets call it."""
    workspace = window.workspace
    encodings = workspace.opened.encodings
    assert encodings is not None
    workspace.opened.encodings = replace(encodings, attribute_names=(HAIR, "Smiling"))
    first = next(iter(workspace.state.directions.values()))
    workspace.change("Other attributes", directions=DirectionSet([replace(first, name=HAIR)]))
    return window


def test_an_attribute_is_shown_without_the_underscores_of_its_data(haired: MainWindow, qtbot: QtBot) -> None:
    workspace = haired.workspace
    encodings, directions = workspace.opened.encodings, workspace.state.directions
    assert (HAIR, "Brown Hair") in choices(encodings)
    assert (HAIR, "Brown Hair") in axis_choices("plane", encodings, directions)
    assert said_of_leaks(HAIR, 0, {"Grey_Hair": 0.5}) == "Brown Hair also moves Grey Hair +0.50"
    assert CosineModel(directions, haired).headerData(0, Qt.Orientation.Horizontal) == "Brown Hair"
    assert encodings is not None
    legend = Legend(lambda _name: QMenu())
    qtbot.addWidget(legend)
    legend.show_legend(colouring(encodings, HAIR, theme.current()), frozenset(), (), [])
    assert legend.entries[HAIR].text().startswith("Brown Hair (")
    assert legend.entries[HAIR].toolTip().startswith(HAIR), "the name itself"
    attributes = haired.docks.panel("attributes")
    assert isinstance(attributes, AttributesPanel)
    row = attributes.list.row(0)
    assert row.title == HAIR, "what one edits when one renames it"
    assert row.spoken.startswith("Brown Hair,")
    assert row.tip().startswith(HAIR)


def test_undo_calls_an_attribute_as_the_panels_do(haired: MainWindow) -> None:
    session, attributes = haired.workspace.session, haired.docks.panel("attributes")
    assert isinstance(attributes, AttributesPanel)
    said = []
    for step in (
        lambda: attributes.switch(HAIR),
        lambda: attributes.lock(HAIR),
        lambda: attributes.lock(HAIR),
        lambda: attributes.editing.rename(HAIR, "Red_Hair"),
        lambda: attributes.editing.delete("Red_Hair"),
        session.undo,
        lambda: attributes.list.stepped.emit(0, 1.25),
    ):
        step()
        said.append(session.open_gesture or session.undo_label)
    assert said == [
        "Set Brown Hair to 2",
        "Lock Brown Hair",
        "Free Brown Hair",
        "Rename Brown Hair",
        "Delete Red Hair",
        "Rename Brown Hair",
        "Move Red Hair",
    ]


def test_expressions_and_the_palette_know_the_name_itself(haired: MainWindow) -> None:
    assert completions("brown", 5, scope_of(haired.workspace.state, None, None)) == [HAIR]
    commands = haired.commands.palette_commands()
    for typed in ("brown hair", "brown_hair"):
        assert ranked(typed, commands)[0].text == "Add Brown Hair"


def test_only_underscores_are_taken_out() -> None:
    assert readable("T-shirt/top") == "T-shirt/top"
    assert readable("5_o_Clock_Shadow") == "5 o Clock Shadow"
