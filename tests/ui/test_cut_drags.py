"""A drag that is taken back, or loses its model, with the button still held: what follows of it does nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from latentlab.core.latent_model import ModelInfo
from latentlab.core.spaces import LatentSpace
from latentlab.ui.main_window import MainWindow
from latentlab.ui.sliders.list import SliderList
from tests.ui.conftest import FakeEngine, deliver, some_info

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@dataclass
class Hand:
    """Holds something, and knows two places that it can drag it to."""

    widget: QWidget
    places: tuple[QPoint, QPoint, QPoint]

    def press_and_drag(self) -> None:
        QTest.mousePress(self.widget, LEFT, NO_KEY, self.places[0])
        QTest.mouseMove(self.widget, self.places[1])

    def go_on(self) -> None:
        QTest.mouseMove(self.widget, self.places[2])

    def release(self) -> None:
        QTest.mouseRelease(self.widget, LEFT, NO_KEY, self.places[2])


def on_slider(sliders: SliderList, row: int) -> Hand:
    low, high = sliders.row(row).low, sliders.row(row).high
    ends = sliders.position_of(row, high), sliders.position_of(row, (low + high) / 2)
    return Hand(sliders.viewport(), (sliders.handle_position(row), *ends))


def on_map(window: MainWindow) -> Hand:
    panel: Any = window.docks.raise_panel("map")
    return Hand(panel.canvas, (QPoint(40, 40), QPoint(90, 60), QPoint(60, 90)))


def on_row(panel: str, row: int) -> Callable[[MainWindow], Hand]:
    def hand(window: MainWindow) -> Hand:
        found: Any = window.docks.raise_panel(panel)
        deliver()
        return on_slider(found.truncation if panel == "samples" else found.list, row)

    return hand


HANDS = {
    "map": on_map,
    "slider": on_row("sliders", 5),
    "attribute": on_row("attributes", 1),
    "truncation": on_row("samples", 0),
}


@pytest.fixture(params=list(HANDS))
def hand(request: pytest.FixtureRequest, window: MainWindow) -> Hand:
    hand = HANDS[request.param](window)
    before = window.workspace.state
    hand.press_and_drag()
    assert window.workspace.state is not before
    return hand


def smaller() -> ModelInfo:
    return some_info(sha256="d" * 64, encoder=False, spaces=(LatentSpace("z", (4,)),))


def test_a_drag_that_is_undone_with_the_button_held_stays_undone(window: MainWindow, hand: Hand) -> None:
    window.actions_by_key["undo"].trigger()
    undone, label = window.workspace.state, window.workspace.session.undo_label
    hand.go_on()
    hand.release()
    assert window.workspace.state is undone
    assert window.workspace.session.undo_label == label
    window.actions_by_key["redo"].trigger()
    assert window.workspace.state is not undone


def test_a_model_that_opens_during_a_drag_is_not_dragged(
    window: MainWindow, engine: FakeEngine, hand: Hand, tmp_path: Path
) -> None:
    other = tmp_path / "other.pt"
    other.write_bytes(b"weights")
    engine.info = smaller()
    window.commands.open_path(other)
    deliver()
    opened = window.workspace.state
    assert opened.checkpoint == "d" * 64
    hand.go_on()
    hand.release()
    assert window.workspace.state is opened
    assert not window.workspace.session.open_gesture
    assert not window.workspace.notices.log
