"""A choice that is wider than its box ends in an ellipsis, and the tooltip says all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

import latentlab.ui
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.map.controls import MapControls
from latentlab.ui.theme import LIGHT, stylesheet

LONG = "Class (predicted by a classifier)"


@pytest.fixture
def box(qtbot: QtBot) -> ChoiceBox:
    box = ChoiceBox()
    qtbot.addWidget(box)
    box.addItems([LONG, "PCA"])
    box.setToolTip("Colour of the points")
    box.resize(110, 28)
    box.show()
    return box


def tooltip_of(box: ChoiceBox) -> str:
    QApplication.sendEvent(box, QHelpEvent(QEvent.Type.ToolTip, QPoint(3, 3), box.mapToGlobal(QPoint(3, 3))))
    return QToolTip.text()


def test_what_does_not_fit_ends_in_an_ellipsis_and_is_told_in_the_tooltip(box: ChoiceBox) -> None:
    assert box.shown_text.endswith("…")
    assert LONG.startswith(box.shown_text[:-1])
    assert len(box.shown_text) > len("PCA"), "as much as there is room for"
    assert tooltip_of(box) == f"{LONG}\nColour of the points"
    box.resize(400, 28)
    assert box.shown_text == LONG
    assert tooltip_of(box) == "Colour of the points"


@pytest.mark.parametrize("text", ["Spherical", "PC 1 · 12%", "Balanced means", "Dimensions"])
def test_a_box_as_large_as_it_likes_shows_the_whole_text(box: ChoiceBox, text: str) -> None:
    box.clear()
    box.addItem(text)
    box.resize(box.sizeHint())
    assert box.shown_text == text


def test_the_ellipsis_is_what_is_painted(box: ChoiceBox) -> None:
    """The same picture as a box that holds the shortened text itself."""
    cut = box.grab().toImage()
    box.setItemText(0, box.shown_text)
    assert box.grab().toImage() == cut
    box.setItemText(0, box.shown_text[:-1])
    assert box.grab().toImage() != cut


def test_the_open_list_is_as_wide_as_its_words(box: ChoiceBox) -> None:
    box.showPopup()
    assert box.view().width() >= box.fontMetrics().horizontalAdvance(LONG)
    box.hidePopup()


def test_a_long_list_opens_below_its_box_and_scrolls(box: ChoiceBox) -> None:
    """Instead of over the whole screen; the look of the window says so, which is set before the first one opens."""
    box.setStyleSheet(stylesheet(LIGHT))
    box.addItems([f"PC {k}" for k in range(64)])
    box.setMaxVisibleItems(20)
    box.showPopup()
    assert box.view().height() < 30 * box.view().sizeHintForRow(0)
    assert box.view().verticalScrollBar().maximum() > 0
    box.hidePopup()


def test_a_narrow_map_says_which_axes_it_has(qtbot: QtBot) -> None:
    controls = MapControls(lambda _module: True)
    qtbot.addWidget(controls)
    controls.x_axis.addItem("PC 1 · 12 % of the variance", "1")
    controls.resize(260, 44)
    controls.show()
    assert controls.x_axis.shown_text.endswith("…")


def test_every_choice_of_the_window_is_such_a_box() -> None:
    folder = Path(latentlab.ui.__file__).parent
    plain = [path.name for path in folder.rglob("*.py") if re.search(r"\bQComboBox\(\)", path.read_text("utf-8"))]
    assert plain == []
