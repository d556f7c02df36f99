"""Colours, the legend that filters, and the choice of axes."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from latentlab.core.state import MapView
from latentlab.ui.panels.map import MapPanel
from tests.ui.map_hand import encodings_of, lonely, point_of


@pytest.fixture
def panel(map_panel: MapPanel) -> MapPanel:
    return map_panel


def test_the_legend_hides_a_class_and_undo_brings_it_back(panel: MapPanel) -> None:
    session, encodings = panel.workspace.session, encodings_of(panel)
    assert encodings.labels is not None
    index = lonely(panel)
    name = encodings.label_of(index)
    assert set(panel.legend.entries) == {"low", "middle", "high"}
    panel.legend.entries[name].click()
    assert session.state.view.hidden == {name}
    assert not panel.legend.entries[name].isChecked()
    assert panel.canvas._pick(QPointF(*point_of(panel, index))) == -1
    assert panel.canvas.scene is not None
    shown = panel.canvas.scene.cloud.shown_N
    assert shown is not None
    assert (shown == (encodings.labels != encodings.labels[index])).all()
    session.undo()
    assert panel.legend.entries[name].isChecked()
    assert panel.canvas._pick(QPointF(*point_of(panel, index))) == index


def test_only_one_class_and_all_again(panel: MapPanel) -> None:
    panel.legend.singled.emit("low")
    assert panel.workspace.state.view.hidden == {"middle", "high"}
    panel.legend.singled.emit("low")
    assert panel.workspace.state.view.hidden == frozenset()


def test_choosing_another_colour_or_axis_is_one_undo_step_each(panel: MapPanel) -> None:
    controls, session = panel.controls, panel.workspace.session
    controls.colour.setCurrentIndex(controls.colour.findData("Smiling"))
    controls.colour.activated.emit(controls.colour.currentIndex())
    assert session.state.view.colour == "Smiling"
    assert set(panel.legend.entries) == {"Smiling", "not Smiling"}
    controls.y_axis.setCurrentIndex(controls.y_axis.findData("3"))
    controls.y_axis.activated.emit(controls.y_axis.currentIndex())
    layout = panel.workspace.projecting.layout
    assert layout is not None
    assert layout.axes == ("PC 1", "PC 3")
    session.undo()
    session.undo()
    assert session.state.view == MapView()
    assert controls.colour.currentData() == "class"
    assert controls.y_axis.currentData() == "2"


def test_a_number_has_a_colour_bar(panel: MapPanel) -> None:
    panel.workspace.change("Colour", view=MapView(colour="dimension 3"))
    assert panel.canvas.scene is not None
    colouring = panel.canvas.scene.cloud.colouring
    assert colouring.bar is not None
    assert colouring.bar.low == -colouring.bar.high  # signed values diverge from 0
    assert panel.legend.entries == {}


def test_a_plane_has_the_chosen_directions_as_axes(panel: MapPanel) -> None:
    panel.controls.projection_chosen.emit("plane")
    view, layout = panel.workspace.state.view, panel.workspace.projecting.layout
    assert (view.projection, view.x, view.y) == ("plane", "Eyeglasses", "Smiling")
    assert layout is not None
    assert layout.axes == ("Eyeglasses", "Smiling")
    panel.workspace.session.undo()
    assert panel.controls.x_axis.currentData() == "1"


def test_another_projection_is_seen_whole_however_close_one_had_looked(panel: MapPanel) -> None:
    panel.canvas.zoom(20, QPointF(30, 30))
    close = panel.canvas.camera
    panel.controls.colour_chosen.emit("")
    assert panel.canvas.camera == close  # the same map in other colours stays as one looks at it
    panel.controls.projection_chosen.emit("plane")
    assert panel.canvas.scene is not None
    camera, points_N2 = panel.canvas.camera, panel.canvas.scene.cloud.points_N2
    places = np.array([camera.to_screen(x, y) for x, y in points_N2.tolist()])
    seen = (places >= 0).all(axis=1) & (places[:, 0] < camera.width) & (places[:, 1] < camera.height)
    assert seen.mean() > 0.9


def test_an_axis_that_does_not_exist_is_said_and_the_map_stays(panel: MapPanel) -> None:
    before = panel.workspace.projecting.layout
    panel.workspace.change("Plane", view=MapView(projection="plane", x="Beard", y="Smiling"))
    assert any("Beard" in notice.text for notice in panel.workspace.notices.shown)
    assert panel.workspace.projecting.layout is before
    assert panel.workspace.state.view.x == "Beard"  # drawing writes nothing back
