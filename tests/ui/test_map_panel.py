"""The map panel draws any state and any encodings, writes nothing back, and trades latents with other panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDropEvent

from latentlab.core.encodings import EncodingSet
from latentlab.core.spaces import LatentSpace
from latentlab.core.state import Group, MapView, NamedLatent, Original, State, Walk, at, with_strength
from latentlab.ui import theme
from latentlab.ui.latent_mime import packed, unpacked
from latentlab.ui.map.hint import no_map
from latentlab.ui.panels.map import MapPanel
from latentlab.ui.workspace import OpenedModel, Workspace
from tests.ui.conftest import some_info
from tests.ui.map_hand import PLAIN, encodings_of, lonely, move, point_of, press, release


@pytest.fixture
def panel(map_panel: MapPanel) -> MapPanel:
    return map_panel


def test_ctrl_drag_takes_a_point_out_and_a_dropped_latent_is_gone_to(
    panel: MapPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from latentlab.ui.panels import map as module

    carried: list[QMimeData] = []
    monkeypatch.setattr(module.QDrag, "exec", lambda drag, *_: carried.append(drag.mimeData()))
    index, before = lonely(panel), panel.workspace.state
    x, y = point_of(panel, index)
    control = Qt.KeyboardModifier.ControlModifier
    press(panel.canvas, (x, y), keys=control)
    move(panel.canvas, (x + 30, y), keys=control)
    assert panel.workspace.state is before
    found = unpacked(carried[0], before.checkpoint)
    assert found is not None
    (named,) = found.latents
    assert found.space == "z"
    assert named.name == f"#{index}"
    assert np.array_equal(named.latent, encodings_of(panel).latents[index])
    copy, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    drop = QDropEvent(QPointF(50, 200), copy, carried[0], buttons, PLAIN)
    panel.dropEvent(drop)
    assert drop.isAccepted()
    assert np.array_equal(panel.workspace.state.latent, named.latent)
    assert panel.workspace.state.name == named.name
    stranger = packed([named], "another model", "z")
    state = panel.workspace.state
    panel.dropEvent(QDropEvent(QPointF(50, 200), copy, stranger, buttons, PLAIN))
    assert panel.workspace.state is state


def test_the_hint_goes_away_once_used(panel: MapPanel) -> None:
    assert panel.hint.isVisible()
    assert panel.hint.height() < 4 * panel.hint.fontMetrics().lineSpacing(), "no more than its words need"
    panel.hint.place(80, 400)
    tall = panel.hint.height()
    panel.hint.place(600, 400)
    assert panel.hint.height() < tall
    assert panel.hint.geometry().bottom() < 400
    press(panel.canvas, (200, 200))
    release(panel.canvas, (200, 200))
    assert not panel.hint.isVisible()
    assert "map" in panel.workspace.settings.hints_used


def states(state: State) -> dict[str, State]:
    edge = np.full(8, 1e6, np.float32)
    picture = np.zeros((8, 8, 3), np.uint8)
    return {
        "far": at(state, edge, "far"),
        "not finite": at(state, np.full(8, np.nan, np.float32), "nan"),
        "edited": with_strength(state, "Smiling", 3.0),
        "original": at(state, edge / 1e6, "photo", Original(picture, "photo.png", edge, 0.1)),
        "plane": replace(state, view=MapView("plane", "Smiling", "dimension 2", "none")),
        "same axes": replace(state, view=MapView("pca", "1", "1")),
        "unknown colour": replace(state, view=MapView(colour="Hat", hidden=frozenset({"Cap"}))),
        "all hidden": replace(state, view=MapView(hidden=frozenset({"low", "middle", "high"}))),
        "lattice": replace(state, view=MapView(lattice=True)),
        "groups": replace(state, groups=(Group("a", np.arange(5)), Group("b", np.array([59, 1000])))),
        "no directions": replace(state, directions=type(state.directions)()),
        "walk of another size": replace(state, walk=Walk((NamedLatent(np.zeros(3, np.float32)),), loop=True)),
        "tsne": replace(state, view=MapView("tsne")),
    }


def test_any_state_is_drawn_and_nothing_is_written_back(panel: MapPanel, settled: Callable[[], None]) -> None:
    session, start = panel.workspace.session, panel.workspace.state
    for name, state in states(start).items():
        session.update(state, name)
        panel.canvas.grab()
        settled()
        assert session.state is state, name
        assert session.undo_label == name
        panel.show_state(state, None)
        assert session.state is state, name
    for _ in states(start):
        session.undo()
        panel.canvas.grab()
    assert session.state is start


@pytest.mark.parametrize(
    "encodings",
    [
        None,
        EncodingSet(np.zeros((0, 8), np.float32)),
        EncodingSet(np.zeros((1, 8), np.float32)),
        EncodingSet(np.ones((20, 8), np.float32)),  # all in one place
        EncodingSet(np.random.default_rng(0).standard_normal((30, 1)).astype(np.float32)),
        EncodingSet(np.array([[np.nan] * 8, [1.0] * 8, [2.0] * 8], np.float32)),
        EncodingSet(np.full((3, 8), np.nan, np.float32)),
        EncodingSet(
            np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32),
            labels=np.arange(300) % 297 - 1,
            attributes=np.full((300, 1), np.nan, np.float32),
            attribute_names=("Ünïcode & more",),
        ),
        EncodingSet(
            np.random.default_rng(0).standard_normal((12_000, 8)).astype(np.float32),
            labels=np.arange(12_000) % 10_000,
            label_names=tuple(f"κλάση {index} 🎭" for index in range(10_000)),
        ),
    ],
    ids=["none", "empty", "one", "one place", "one dimension", "a NaN", "all NaN", "many classes", "10,000 classes"],
)
def test_any_encodings_are_drawn(panel: MapPanel, encodings: EncodingSet | None, settled: Callable[[], None]) -> None:
    workspace = panel.workspace
    workspace.opened = OpenedModel(workspace.opened.info, encodings)
    dim = encodings.dim if encodings is not None else 8
    start = np.zeros(dim, np.float32)
    workspace.session.restart(State(origin=start, base=start, checkpoint=workspace.state.checkpoint))
    panel.show_model()
    panel.show_state(workspace.state, None)
    settled()
    panel.canvas.grab()
    if encodings is None or not len(encodings):
        assert "no encodings" in panel.canvas.hint
        assert panel.offer.encode_button.isVisible()
        assert panel.offer.draw_button.isVisible()
        assert not any(part.isVisible() for part in (panel.hint, panel.tools, panel.controls))
        press(panel.canvas, (100, 100))
        release(panel.canvas, (100, 100))
    assert len(panel.legend.entries) <= 12


def test_a_model_still_in_training_is_told_to_wait_for_its_map(workspace: Workspace, tmp_path: Path) -> None:
    training = workspace.training
    assert training is not None
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    workspace.opened = replace(workspace.opened, info=some_info(path=str(checkpoint)), encodings=None)
    assert not workspace.in_training
    training.begin([], tmp_path / "run")
    assert workspace.in_training
    assert "at the end" in no_map(workspace.opened.info, workspace.in_training)
    workspace.opened = replace(workspace.opened, info=some_info(path=str(tmp_path / "other.safetensors")))
    assert not workspace.in_training


def test_what_is_offered_is_what_the_model_can_do(panel: MapPanel) -> None:
    info, offer = panel.workspace.opened.info, panel.offer
    wanted: list[str] = []
    panel.command_wanted.connect(wanted.append)
    offer.show_model(replace(info, encoder=False), mapped=False)
    assert "folder" not in no_map(replace(info, encoder=False))
    assert (offer.encode_button.isVisible(), offer.draw_button.isVisible()) == (False, True)
    offer.draw_button.click()
    spatial = replace(info, spaces=(LatentSpace("spatial", (2, 2, 2), "empirical"),))
    offer.show_model(spatial, mapped=False)
    assert "samples" not in no_map(spatial)
    assert (offer.encode_button.isVisible(), offer.draw_button.isVisible()) == (True, False)
    offer.encode_button.click()
    assert wanted == ["draw_map", "encode_folder"]
    assert "folder" not in no_map(replace(spatial, encoder=False))
    for nothing in (replace(info, path=""), replace(spatial, encoder=False)):
        offer.show_model(nothing, mapped=False)
        assert not offer.isVisible()
    offer.show_model(info, mapped=True)
    assert not offer.isVisible()


def test_both_themes_colour_the_dots(panel: MapPanel) -> None:
    before = theme.current()
    try:
        for chosen in (theme.LIGHT, theme.DARK):
            theme.use(chosen)
            panel.show_theme()
            assert panel.canvas.scene is not None
            assert panel.canvas.scene.cloud.colouring.colours[0] == chosen.classes[0]
            corner = panel.canvas.grab().toImage().pixelColor(2, 2).name()
            assert corner == chosen.panel
    finally:
        theme.use(before)


def test_it_can_be_named_and_reached_by_keyboard(panel: MapPanel) -> None:
    assert panel.canvas.accessibleName()
    assert panel.canvas.focusPolicy() & Qt.FocusPolicy.TabFocus
    for button in (panel.tools.lasso, panel.tools.rectangle, panel.tools.lattice, panel.tools.fit):
        assert button.accessibleName()
        assert button.toolTip()
