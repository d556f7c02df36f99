"""What of the list of sliders is painted anew, and when: a drag pays for it with every picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from latentlab.core.state import State
from latentlab.ui.panels.sliders import SlidersPanel
from latentlab.ui.workspace import OpenedModel, Workspace
from tests.ui.conftest import CHECKPOINT, some_info

DIM = 64


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot, follow: Callable[[SlidersPanel], None]) -> SlidersPanel:
    place = np.zeros(DIM, np.float32)
    workspace.opened = OpenedModel(some_info(DIM), None)
    workspace.session.restart(State(origin=place, base=place, checkpoint=CHECKPOINT))
    panel = SlidersPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(360, 640)
    with qtbot.waitExposed(panel):
        panel.show()
    follow(panel)
    QApplication.processEvents()
    return panel


@contextmanager
def watched(widget: QWidget) -> Iterator[list[QRect]]:
    """What of a widget is painted meanwhile."""
    painted: list[QRect] = []

    class Painted(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if isinstance(event, QPaintEvent):
                painted.append(event.rect())
            return False

    watcher = Painted()
    widget.installEventFilter(watcher)
    yield painted
    widget.removeEventFilter(watcher)


def test_a_drag_paints_what_changes_of_its_row(panel: SlidersPanel, qtbot: QtBot) -> None:
    rows, viewport = panel.list, panel.list.viewport()
    rows.pressed.emit(5)
    rows.moved.emit(5, 0.1)
    QApplication.processEvents()
    before = viewport.grab().toImage()
    with watched(viewport) as painted:
        rows.moved.emit(5, 0.7)
        qtbot.waitUntil(lambda: bool(painted))
    after = viewport.grab().toImage()
    rows.released.emit(5)
    assert all(rect.height() <= rows.rect_of(5).height() for rect in painted)
    places = [QPoint(x, y) for x in range(after.width()) for y in range(after.height())]
    changed = [place for place in places if before.pixel(place) != after.pixel(place)]
    assert len(changed) > 100
    assert [place for place in changed if not any(rect.contains(place) for rect in painted)] == []


def test_moves_by_another_hand_are_painted_together(panel: SlidersPanel, workspace: Workspace, qtbot: QtBot) -> None:
    """A drag on the map moves every slider with every picture; painting all of them each time held the picture up."""
    rows, count = panel.list, 20
    with watched(rows.viewport()) as painted:
        for step in range(1, count + 1):
            workspace.go_to(np.full(DIM, step / count, np.float32), "map")
            QApplication.sendPostedEvents()  # a frame, in no time
        assert not painted
        qtbot.waitUntil(lambda: bool(painted))
    last = rows.viewport().height() // rows.rect_of(0).height() - 1  # in sight
    for row in (0, last):
        assert painted[0].contains(rows.part_rect(row, "rail").toRect())
        assert painted[0].contains(rows.part_rect(row, "number").toRect())
    assert not painted[0].intersects(rows.part_rect(0, "title").toRect())  # a name does not change
