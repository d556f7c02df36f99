"""What a move of the crosshair paints lies inside what it announces to paint anew: nothing stays behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRectF
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from latentlab.ui import theme
from latentlab.ui.map.geometry import fitted
from latentlab.ui.map.overlay import Overlay, Place

SIZE_PX = 300
CAMERA = fitted((-1.0, -1.0, 1.0, 1.0), SIZE_PX, SIZE_PX)


def painted(overlay: Overlay) -> QImage:
    image = QImage(SIZE_PX, SIZE_PX, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    overlay.paint(painter, CAMERA, theme.current())
    painter.end()
    return image


@pytest.mark.parametrize("path", [[], [(-0.5, 0.5)], [(-0.5, 0.5), (0.6, 0.2)]])
def test_a_moving_crosshair_leaves_nothing_behind(qtbot: QtBot, path: list[Place]) -> None:
    still = Overlay(path=path)
    moving = replace(still, crosshair=(0.1, 0.1), caption="1.9 spacings from the nearest encoding")
    region = moving.moving(CAMERA)
    before, after = painted(still), painted(moving)
    changed = [QPoint(x, y) for x in range(SIZE_PX) for y in range(SIZE_PX) if before.pixel(x, y) != after.pixel(x, y)]
    assert len(changed) > 100
    assert [point for point in changed if not region.contains(point)] == []


def test_the_caption_stays_beside_the_tools_that_lie_over_the_map(qtbot: QtBot) -> None:
    tools = QRectF(SIZE_PX - 40, 8, 32, 200)
    overlay = Overlay(crosshair=(0.6, 0.3), caption="1.9 × the usual gap", covered=tools)
    shown, hidden = painted(overlay), painted(replace(overlay, covered=QRectF(), caption=""))
    changed = [QPoint(x, y) for x in range(SIZE_PX) for y in range(SIZE_PX) if shown.pixel(x, y) != hidden.pixel(x, y)]
    assert len(changed) > 100
    assert not any(tools.contains(point.toPointF()) for point in changed)
    without = painted(replace(overlay, covered=QRectF()))
    behind = [QPoint(x, y) for x in range(SIZE_PX) for y in range(SIZE_PX) if without.pixel(x, y) != hidden.pixel(x, y)]
    assert any(tools.contains(point.toPointF()) for point in behind)
