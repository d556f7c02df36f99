"""What a hand does on the map, and where its points are: for the tests of the map."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from latentlab.core.encodings import EncodingSet
from latentlab.ui.map.view import MapCanvas
from latentlab.ui.panels.map import MapPanel

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier


def mouse(
    canvas: MapCanvas,
    kind: QEvent.Type,
    at: tuple[float, float],
    button: Qt.MouseButton = LEFT,
    keys: Qt.KeyboardModifier = PLAIN,
) -> None:
    place = QPointF(*at)
    held = NONE if kind == QEvent.Type.MouseButtonRelease else button
    event = QMouseEvent(kind, place, canvas.mapToGlobal(place), button, held, keys)
    QApplication.sendEvent(canvas, event)


def press(canvas: MapCanvas, at: tuple[float, float], **how: Any) -> None:
    mouse(canvas, QEvent.Type.MouseButtonPress, at, **how)


def move(canvas: MapCanvas, at: tuple[float, float], **how: Any) -> None:
    mouse(canvas, QEvent.Type.MouseMove, at, **how)


def release(canvas: MapCanvas, at: tuple[float, float], **how: Any) -> None:
    mouse(canvas, QEvent.Type.MouseButtonRelease, at, **how)


def key(canvas: MapCanvas, code: Qt.Key, keys: Qt.KeyboardModifier = PLAIN) -> None:
    QApplication.sendEvent(canvas, QKeyEvent(QEvent.Type.KeyPress, code, keys))


def point_of(panel: MapPanel, index: int) -> tuple[float, float]:
    layout = panel.workspace.projecting.layout
    assert layout is not None
    x, y = layout.points[index].tolist()
    return panel.canvas.camera.to_screen(x, y)


def lonely(panel: MapPanel) -> int:
    """An encoding that no other is within 20 px of."""
    places = np.array([point_of(panel, i) for i in range(len(encodings_of(panel)))])
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    inside = (places > 30).all(axis=1) & (places < 400).all(axis=1)
    return int(np.where(inside, apart.min(axis=1), -1).argmax())


def encodings_of(panel: MapPanel) -> EncodingSet:
    encodings = panel.workspace.opened.encodings
    assert encodings is not None
    return encodings


def empty_place(panel: MapPanel) -> tuple[float, float]:
    places = np.array([point_of(panel, i) for i in range(len(encodings_of(panel)))])
    candidates = [(float(x), float(y)) for x in range(20, 560, 20) for y in range(20, 380, 20)]
    return max(candidates, key=lambda at: float(np.hypot(*(places - at).T).min()))


def lasso(panel: MapPanel, outline: list[tuple[float, float]], **how: Any) -> None:
    press(panel.canvas, outline[0], **how)
    for place in outline[1:]:
        move(panel.canvas, place, **how)
    release(panel.canvas, outline[-1], **how)
