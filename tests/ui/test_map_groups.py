"""Groups from a lasso, what becomes of them, the lattice and the marks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from latentlab.core.requests import Decode, Lane, RequestFailed
from latentlab.core.state import Group, MapView, NamedLatent, Walk
from latentlab.ui.panels.map import MapPanel
from latentlab.ui.workspace import Workspace
from tests.ui.map_hand import empty_place, encodings_of, key, lasso, point_of, press, release


@pytest.fixture
def panel(map_panel: MapPanel) -> MapPanel:
    return map_panel


def test_a_lasso_makes_a_group_in_one_step(panel: MapPanel) -> None:
    state = panel.workspace.state
    panel.tools.lasso.click()
    lasso(panel, [(0, 0), (280, 0), (280, 600), (0, 600)])
    (group,) = panel.workspace.state.groups
    left = [i for i in range(60) if point_of(panel, i)[0] < 280]
    assert group.name == "group A"
    assert sorted(group.members.tolist()) == left
    assert panel.workspace.state.latent is not None
    assert np.array_equal(panel.workspace.state.latent, state.latent)
    key(panel.canvas, Qt.Key.Key_Escape)
    assert panel.canvas.tool == "go"
    assert not panel.tools.lasso.isChecked()
    lasso(panel, [(300, 0), (700, 0), (700, 600), (300, 600)], keys=Qt.KeyboardModifier.ShiftModifier)
    assert [g.name for g in panel.workspace.state.groups] == ["group A", "group B"]
    panel.workspace.session.undo()
    panel.workspace.session.undo()
    assert panel.workspace.state is state


def test_a_rectangle_leaves_hidden_classes_out_and_an_empty_one_makes_nothing(panel: MapPanel) -> None:
    encodings = encodings_of(panel)
    panel.workspace.change("Hide", view=MapView(hidden=frozenset({"low"})))
    panel.tools.rectangle.click()
    lasso(panel, [(0, 0), (10, 10), (640, 600)])
    (group,) = panel.workspace.state.groups
    assert encodings.labels is not None
    assert sorted(group.members.tolist()) == np.flatnonzero(encodings.labels != 0).tolist()
    lasso(panel, [(1, 1), (2, 2), (3, 3)])
    assert len(panel.workspace.state.groups) == 1


def test_an_outline_round_nothing_says_so_until_one_goes_on(panel: MapPanel) -> None:
    """Also where nobody needs the hint any more, and not for a click."""
    press(panel.canvas, empty_place(panel))
    release(panel.canvas, empty_place(panel))
    assert not panel.hint.isVisible(), "used"
    x, y = empty_place(panel)
    around = [(x - 1, y - 1), (x + 1, y - 1), (x + 1, y + 1), (x - 1, y + 1)]
    panel.tools.lasso.click()
    lasso(panel, around)
    assert panel.workspace.state.groups == ()
    assert panel.hint.isVisible()
    assert "no group" in panel.hint.text()
    lasso(panel, [(0, 0), (280, 0), (280, 600), (0, 600)])
    assert len(panel.workspace.state.groups) == 1
    assert not panel.hint.isVisible()
    lasso(panel, around)
    assert panel.hint.isVisible()
    panel.workspace.change("Hide", view=MapView(hidden=frozenset({"low"})))
    assert not panel.hint.isVisible(), "one goes on, wherever that is"
    lasso(panel, around)
    assert panel.hint.isVisible()
    key(panel.canvas, Qt.Key.Key_Escape)
    press(panel.canvas, (x, y))
    assert not panel.hint.isVisible()
    release(panel.canvas, (x, y))


def with_two_groups(workspace: Workspace) -> None:
    latents = workspace.opened.encodings.latents if workspace.opened.encodings else np.zeros((0, 8))
    high, low = np.flatnonzero(latents[:, 3] > 0), np.flatnonzero(latents[:, 3] <= 0)
    workspace.change("Groups", groups=(Group("bright", high), Group("dim", low)))


def test_two_groups_make_a_direction(panel: MapPanel) -> None:
    workspace = panel.workspace
    with_two_groups(workspace)
    menu = panel.legend._group_menu("bright")
    actions = {action.text(): action for action in menu.actions()}
    actions["Make a direction from dim to bright"].trigger()
    direction = workspace.state.directions["bright − dim"]
    assert int(np.abs(direction.vector).argmax()) == 3
    assert direction.vector[3] > 0
    assert direction.method.startswith("two groups")
    workspace.session.undo()
    assert "bright − dim" not in workspace.state.directions
    actions["Make a direction from the rest to bright"].trigger()
    assert "bright" in workspace.state.directions


def test_a_group_is_renamed_and_deleted(panel: MapPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    from latentlab.ui.map import groups

    workspace = panel.workspace
    with_two_groups(workspace)
    answers = iter([("faces with light", True), ("dim", True), ("never", False)])
    monkeypatch.setattr(groups.QInputDialog, "getText", lambda *_, **__: next(answers))
    groups.ask_name(workspace, "bright", panel)
    assert [g.name for g in workspace.state.groups] == ["faces with light", "dim"]
    groups.ask_name(workspace, "faces with light", panel)  # taken
    assert [g.name for g in workspace.state.groups] == ["faces with light", "dim"]
    assert any("dim" in notice.text for notice in workspace.notices.shown)
    groups.ask_name(workspace, "dim", panel)
    actions = {action.text(): action for action in panel.legend._group_menu("dim").actions()}
    actions["Delete"].trigger()
    assert [g.name for g in workspace.state.groups] == ["faces with light"]


def test_the_lattice_asks_for_pictures_at_rest_and_shows_them(
    panel: MapPanel, engine: Any, qtbot: QtBot, settled: Callable[[], None]
) -> None:
    panel.tools.lattice.click()
    assert panel.workspace.state.view.lattice
    qtbot.waitUntil(lambda: any(consumer == "map/lattice" for consumer, *_ in engine.requests))
    consumer, request, lane, _ = engine.requests[-1]
    assert (consumer, lane) == ("map/lattice", Lane.VISIBLE)
    assert isinstance(request, Decode)
    settled()
    assert panel.canvas.scene is not None
    tiles = panel.canvas.scene.tiles
    assert tiles is not None
    assert len(tiles.pictures) == len(request.latents)
    layout = panel.workspace.projecting.layout
    assert layout is not None
    assert layout.projection is not None
    places = np.stack([tiles.x_M, tiles.y_M], axis=1)
    assert layout.projection.transform(request.latents) == pytest.approx(places, abs=1e-3)
    panel.tools.lattice.click()
    assert panel.canvas.scene.tiles is None


def test_a_drag_within_the_plane_asks_for_no_new_lattice(panel: MapPanel, engine: Any, qtbot: QtBot) -> None:
    panel.tools.lattice.click()
    qtbot.waitUntil(lambda: any(consumer == "map/lattice" for consumer, *_ in engine.requests))
    count = len(engine.requests)
    press(panel.canvas, empty_place(panel))
    release(panel.canvas, empty_place(panel))
    panel._lattice._ask()
    assert len(engine.requests) == count
    panel.canvas.zoom(1.5)
    panel._lattice._ask()
    assert len(engine.requests) == count + 1


def test_a_lattice_that_fails_is_said_by_the_window_alone_and_asked_for_again(
    panel: MapPanel, engine: Any, qtbot: QtBot
) -> None:
    engine.hold = True
    panel.tools.lattice.click()
    qtbot.waitUntil(lambda: any(consumer == "map/lattice" for consumer, *_ in engine.requests))
    asked = len(engine.requests)
    panel.show_failure(RequestFailed("map/lattice", asked, "", "It belonged to a model that is no longer open."))
    assert panel.workspace.notices.log == []
    panel._lattice._ask()
    assert len(engine.requests) == asked + 1


def test_the_walk_and_kept_samples_are_on_the_map(panel: MapPanel) -> None:
    workspace, latents = panel.workspace, encodings_of(panel).latents
    frames = tuple(NamedLatent(latents[i], f"#{i}") for i in (3, 5, 9))
    samples = replace(workspace.state.samples, kept=(frames[0],))
    workspace.change("Walk", walk=Walk(frames), samples=samples)
    overlay = panel.canvas.overlay
    layout = workspace.projecting.layout
    assert layout is not None
    assert np.array(overlay.path) == pytest.approx(layout.points[[3, 5, 9]], abs=1e-4)
    assert not overlay.loop
    assert len(overlay.stars) == 1
