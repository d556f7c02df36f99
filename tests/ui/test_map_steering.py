"""Going to places of the map and looking around on it, as a hand does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from latentlab.core.condition import Condition
from latentlab.core.spaces import FloatArray
from latentlab.ui.panels.map import MapPanel
from latentlab.ui.workspace import OpenedModel
from tests.ui.map_hand import (
    NONE,
    PLAIN,
    RIGHT,
    empty_place,
    encodings_of,
    key,
    lonely,
    mouse,
    move,
    point_of,
    press,
    release,
)


@pytest.fixture
def panel(map_panel: MapPanel) -> MapPanel:
    return map_panel


def test_a_click_near_a_point_picks_exactly_that_encoding(panel: MapPanel) -> None:
    index = lonely(panel)
    x, y = point_of(panel, index)
    press(panel.canvas, (x + 4, y - 4))
    move(panel.canvas, (x + 5, y - 4))  # a hand is not that steady
    release(panel.canvas, (x + 5, y - 4))
    state = panel.workspace.state
    assert np.array_equal(state.latent, encodings_of(panel).latents[index])
    assert state.name == f"#{index}"
    cross = panel.canvas.overlay.crosshair
    assert cross is not None
    assert panel.canvas.camera.to_screen(*cross) == pytest.approx((x, y), abs=0.01)
    assert panel.workspace.session.undo_label == "Move on the map"


def test_an_empty_place_goes_through_the_inverse_and_says_how_far_it_is(panel: MapPanel) -> None:
    before = panel.workspace.state.latent
    place = empty_place(panel)
    press(panel.canvas, place)
    release(panel.canvas, place)
    state, layout = panel.workspace.state, panel.workspace.projecting.layout
    assert layout is not None
    assert layout.projection is not None
    world = panel.canvas.camera.to_world(*place)
    assert layout.projection.transform(state.latent)[0] == pytest.approx(world, abs=1e-3)
    # The other components are those of the picture one was at.
    pca = encodings_of(panel).principal
    assert pca.transform(state.latent)[2:] == pytest.approx(pca.transform(before)[2:], abs=1e-4)
    inverse = layout.projection.inverse(np.array([world], np.float32))
    assert panel.canvas.overlay.caption == f"{inverse.distance[0]:.1f} × the usual gap from the nearest encoding"
    assert float(inverse.distance[0]) > 1
    assert state.name == "map"


def test_a_drag_is_one_undo_step_and_every_move_of_it_is_a_latent(panel: MapPanel) -> None:
    session = panel.workspace.session
    before = session.state
    seen: list[FloatArray] = []
    listen = session.changed.connect(lambda new, _old: seen.append(new.latent))
    press(panel.canvas, (300, 200))
    for x in range(304, 344, 4):
        move(panel.canvas, (x, 210))
    release(panel.canvas, (340, 210))
    session.changed.disconnect(listen)
    assert len(seen) == 11
    assert len({latent.tobytes() for latent in seen}) == 11
    session.undo()
    assert session.state is before
    assert session.undo_label == ""


def test_a_gan_says_sample(panel: MapPanel) -> None:
    workspace = panel.workspace
    workspace.opened = OpenedModel(workspace.opened.info, replace(encodings_of(panel), samples=True))
    panel.show_model()
    panel.show_state(workspace.state, None)
    press(panel.canvas, empty_place(panel))
    assert panel.canvas.overlay.caption.endswith("from the nearest sample")


def test_a_conditional_model_is_asked_for_the_class_of_the_point(panel: MapPanel) -> None:
    workspace = panel.workspace
    info = replace(workspace.opened.info, conditional=("low", "middle", "high"))
    workspace.opened = OpenedModel(info, encodings_of(panel))
    index = lonely(panel)
    press(panel.canvas, point_of(panel, index))
    release(panel.canvas, point_of(panel, index))
    labels = encodings_of(panel).labels
    assert labels is not None
    assert workspace.state.condition == Condition(int(labels[index]))
    workspace.session.undo()
    assert workspace.state.condition is None
    assert not np.array_equal(workspace.state.latent, encodings_of(panel).latents[index])
    workspace.session.redo()
    asked = workspace.state.condition
    press(panel.canvas, empty_place(panel))
    assert workspace.state.condition == asked


def test_escape_takes_the_drag_back(panel: MapPanel) -> None:
    before = panel.workspace.state
    press(panel.canvas, (300, 200))
    move(panel.canvas, (350, 210))
    assert panel.workspace.state is not before
    key(panel.canvas, Qt.Key.Key_Escape)
    assert panel.workspace.state is before
    move(panel.canvas, (380, 220))
    release(panel.canvas, (380, 220))
    assert panel.workspace.state is before


def test_arrow_keys_move_the_crosshair_as_one_step(panel: MapPanel) -> None:
    start = panel.canvas.overlay.crosshair
    assert start is not None
    x, y = panel.canvas.camera.to_screen(*start)
    for code in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up):
        key(panel.canvas, code)
    key(panel.canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    moved = panel.canvas.overlay.crosshair
    assert moved is not None
    assert panel.canvas.camera.to_screen(*moved) == pytest.approx((x + 12 - 30, y - 6), abs=0.05)
    panel.workspace.session.undo()
    assert panel.workspace.session.undo_label == ""


def test_the_crosshair_follows_a_slider(panel: MapPanel) -> None:
    workspace, before = panel.workspace, panel.canvas.overlay.crosshair
    moved = workspace.state.base + encodings_of(panel).principal.components[0]
    workspace.change("Slider", base=moved)
    after = panel.canvas.overlay.crosshair
    assert before is not None
    assert after is not None
    assert after[0] - before[0] == pytest.approx(1, abs=1e-4)
    assert after[1] - before[1] == pytest.approx(0, abs=1e-4)


def test_the_wheel_zooms_to_the_pointer_and_right_or_middle_pans(panel: MapPanel) -> None:
    canvas, state = panel.canvas, panel.workspace.state
    place, world = QPointF(200, 150), canvas.camera.to_world(200, 150)
    wheel = QWheelEvent(
        place,
        canvas.mapToGlobal(place),
        QPoint(),
        QPoint(0, 120),
        NONE,
        PLAIN,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    scale = canvas.camera.scale_x
    QApplication.sendEvent(canvas, wheel)
    assert canvas.camera.scale_x > 1.1 * scale
    assert canvas.camera.to_screen(*world) == pytest.approx((200, 150))
    for button in (RIGHT, Qt.MouseButton.MiddleButton):
        at = canvas.camera.to_screen(*world)
        press(canvas, (100, 100), button=button)
        move(canvas, (130, 80), button=button)
        release(canvas, (130, 80), button=button)
        assert canvas.camera.to_screen(*world) == pytest.approx((at[0] + 30, at[1] - 20))
    key(canvas, Qt.Key.Key_F)
    assert canvas.camera.scale_x == pytest.approx(scale)
    assert panel.workspace.state is state


def test_double_click_on_an_empty_place_fits(panel: MapPanel) -> None:
    fitted = panel.canvas.camera
    panel.canvas.zoom(3)
    place = (20.0, 200.0)
    panel.canvas.camera = panel.canvas.camera.panned(2000, 0)  # nothing but emptiness
    mouse(panel.canvas, QEvent.Type.MouseButtonDblClick, place)
    assert panel.canvas.camera == fitted


def test_hover_shows_what_the_point_is(panel: MapPanel) -> None:
    index = lonely(panel)
    move(panel.canvas, point_of(panel, index), button=NONE)
    assert panel.card.isVisible()
    lines = panel.card.text.split("\n")
    assert lines[0] == f"#{index}"
    assert lines[1] == encodings_of(panel).label_of(index)
    assert ("Smiling" in lines) == bool(encodings_of(panel).attribute("Smiling")[index])
    move(panel.canvas, empty_place(panel), button=NONE)
    assert not panel.card.isVisible()


def test_thumbnails_come_when_points_are_far_apart(panel: MapPanel, settled: Callable[[], None], qtbot: QtBot) -> None:
    index = lonely(panel)
    at = QPointF(*point_of(panel, index))
    panel.canvas.zoom(6, at)
    thumbnails = panel._thumbnails

    def there() -> None:
        panel.canvas.grab()
        assert thumbnails._pictures.get(index) is not None

    qtbot.waitUntil(lambda: _passes(there))
    centre = panel.canvas.grab().toImage().pixelColor(int(at.x()) + 12, int(at.y()) + 12)
    picture = thumbnails.now(index)
    assert picture is not None
    assert centre.getRgb()[:3] == pytest.approx(picture.pixelColor(5, 5).getRgb()[:3], abs=3)


def _passes(check: Callable[[], None]) -> bool:
    try:
        check()
    except AssertionError:
        return False
    return True
