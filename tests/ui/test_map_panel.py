"""What a person does on the map, and what the map shows of any state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from latentlab.core.encodings import EncodingSet
from latentlab.core.projections.job import run as run_projection
from latentlab.core.requests import Decode, Done, JobFailed, Lane, Partial, Progress
from latentlab.core.spaces import FloatArray
from latentlab.core.state import Group, MapView, NamedLatent, Original, State, Walk, at, with_strength
from latentlab.ui import theme
from latentlab.ui.latent_mime import packed, unpacked
from latentlab.ui.map_view import MapCanvas
from latentlab.ui.panel import Panel
from latentlab.ui.panels.map import MapPanel
from latentlab.ui.workspace import OpenedModel, Workspace

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(
    qtbot: QtBot, workspace: Workspace, follow: Callable[[Panel], None], settled: Callable[[], None]
) -> Iterator[MapPanel]:
    panel = MapPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(640, 560)
    follow(panel)
    panel.show()
    qtbot.waitExposed(panel)
    settled()
    yield panel
    workspace.projecting.close()


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


# --- going there -------------------------------------------------------------------------------------------------


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
    assert panel.canvas.overlay.caption == f"{inverse.distance[0]:.1f} spacings from the nearest encoding"
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
    assert workspace.state.condition == labels[index]
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


# --- looking -----------------------------------------------------------------------------------------------------


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


# --- colours, legend, axes ---------------------------------------------------------------------------------------


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


def test_an_axis_that_does_not_exist_is_said_and_the_map_stays(panel: MapPanel) -> None:
    before = panel.workspace.projecting.layout
    panel.workspace.change("Plane", view=MapView(projection="plane", x="Beard", y="Smiling"))
    assert any("Beard" in notice.text for notice in panel.workspace.notices.shown)
    assert panel.workspace.projecting.layout is before
    assert panel.workspace.state.view.x == "Beard"  # drawing writes nothing back


# --- t-SNE -------------------------------------------------------------------------------------------------------


class _Silent:
    def progress(self, done: float, total: float, text: str = "") -> None: ...
    def partial(self, value: Any) -> None: ...


def tsne_result(encodings: EncodingSet) -> dict[str, Any]:
    """What the job would hand back, made quickly: a PCA under the name of t-SNE's neighbours."""
    points = encodings.principal.transform(encodings.latents)[:, :2] * 3
    return {
        "kind": "tsne",
        "spherical": False,
        "layout": points.astype(np.float32),
        "approximate": np.zeros(len(encodings), bool),
        "notes": (),
        "trustworthiness": 0.9,
    }


def test_tsne_settles_before_ones_eyes_and_is_kept(panel: MapPanel, jobs: Any, settled: Callable[[], None]) -> None:
    workspace, encodings = panel.workspace, encodings_of(panel)
    panel.controls.projection_chosen.emit("tsne")
    (job,) = jobs.started
    assert job.function == "latentlab.core.projections.job:run"
    assert job.arguments["kind"] == "tsne"
    assert job.arguments["latents"] is encodings.latents
    assert panel.canvas.scene is not None
    before = panel.canvas.scene.cloud.points_N2
    job.say(Progress(100, 750, "iteration 100 of 750"))
    settled()
    assert panel.progress.isVisible()
    assert "13%" in panel.progress.text
    assert panel.canvas.scene.cloud.points_N2 is before  # the old map until there is something to see
    step = np.random.default_rng(0).standard_normal((len(encodings), 2)).astype(np.float32)
    job.say(Partial(step))
    settled()
    assert panel.canvas.scene.cloud.points_N2 is step
    assert panel.canvas.overlay.crosshair == pytest.approx(step[0].tolist(), abs=1e-4)  # rides along on #0
    place = empty_place(panel)
    press(panel.canvas, place)
    release(panel.canvas, place)
    assert panel.canvas.overlay.caption.startswith("a guess from its neighbours, which still move\n")
    workspace.session.undo()
    job.say(Done(tsne_result(encodings)))
    settled()
    assert not panel.progress.isVisible()
    assert panel.canvas.overlay.crosshair is not None
    assert panel.controls.note.text() == "trustworthiness 0.90"
    press(panel.canvas, empty_place(panel))
    release(panel.canvas, empty_place(panel))
    assert panel.canvas.overlay.caption.startswith("a guess from its neighbours\n")
    workspace.session.undo()
    workspace.session.undo()
    assert workspace.state.view.projection == "pca"
    workspace.session.redo()
    assert len(jobs.started) == 1  # kept
    layout = workspace.projecting.layout
    assert layout is not None
    assert layout.key == ("tsne",)


def test_cancel_goes_back_to_the_map_before(panel: MapPanel, jobs: Any, settled: Callable[[], None]) -> None:
    workspace = panel.workspace
    before = workspace.state
    panel.controls.projection_chosen.emit("tsne")
    jobs.started[0].say(Partial(np.zeros((60, 2), np.float32)))
    settled()
    panel.progress.cancel_button.click()
    settled()
    assert jobs.started[0].cancelled
    assert workspace.state is before
    layout = workspace.projecting.layout
    assert layout is not None
    assert layout.key == ("pca", "1", "2")
    assert not panel.progress.isVisible()
    assert panel.controls.projection.currentData() == "pca"


def test_cancel_after_other_work_leaves_that_work(panel: MapPanel, jobs: Any, settled: Callable[[], None]) -> None:
    workspace = panel.workspace
    panel.controls.projection_chosen.emit("tsne")
    workspace.session.update(with_strength(workspace.state, "Smiling", 1.0), "Smiling")
    panel.progress.cancel_button.click()
    settled()
    assert workspace.state.view == MapView()
    assert workspace.state.strengths == {"Smiling": 1.0}


def test_a_failed_layout_is_said_and_the_map_stays(panel: MapPanel, jobs: Any, settled: Callable[[], None]) -> None:
    panel.controls.projection_chosen.emit("tsne")
    jobs.started[0].say(JobFailed("t-SNE ran out of memory; close something and try again.", "trace"))
    settled()
    assert panel.workspace.state.view.projection == "pca"
    assert not panel.progress.isVisible()


def test_another_model_cancels_what_runs(panel: MapPanel, jobs: Any, settled: Callable[[], None]) -> None:
    workspace = panel.workspace
    panel.controls.projection_chosen.emit("tsne")
    workspace.opened = OpenedModel(workspace.opened.info, replace(encodings_of(panel)))
    workspace.session.restart(replace(workspace.state, view=MapView()))
    panel.show_model()
    panel.show_state(workspace.state, None)
    settled()
    assert jobs.started[0].cancelled
    layout = workspace.projecting.layout
    assert layout is not None
    assert layout.projection is not None


def test_the_real_job_hands_back_what_the_map_takes_up(panel: MapPanel, jobs: Any, settled: Any) -> None:
    """With so few encodings the method gives its PCA and a note: quick, and the whole way is walked."""
    workspace = panel.workspace
    workspace.opened = OpenedModel(
        workspace.opened.info, replace(encodings_of(panel), latents=np.eye(4, 8, dtype="f4"))
    )
    panel.show_model()
    workspace.session.restart(replace(workspace.state, view=MapView(projection="tsne")))
    job = jobs.started[-1]
    job.say(Done(run_projection(_Silent(), **job.arguments)))
    settled()
    layout = workspace.projecting.layout
    assert layout is not None
    assert layout.projection is not None
    assert workspace.notices.shown  # the note


# --- groups ------------------------------------------------------------------------------------------------------


def lasso(panel: MapPanel, outline: list[tuple[float, float]], **how: Any) -> None:
    press(panel.canvas, outline[0], **how)
    for place in outline[1:]:
        move(panel.canvas, place, **how)
    release(panel.canvas, outline[-1], **how)


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
    from latentlab.ui import map_groups

    workspace = panel.workspace
    with_two_groups(workspace)
    answers = iter([("faces with light", True), ("dim", True), ("never", False)])
    monkeypatch.setattr(map_groups.QInputDialog, "getText", lambda *_, **__: next(answers))
    map_groups.ask_name(workspace, "bright", panel)
    assert [g.name for g in workspace.state.groups] == ["faces with light", "dim"]
    map_groups.ask_name(workspace, "faces with light", panel)  # taken
    assert [g.name for g in workspace.state.groups] == ["faces with light", "dim"]
    assert any("dim" in notice.text for notice in workspace.notices.shown)
    map_groups.ask_name(workspace, "dim", panel)
    actions = {action.text(): action for action in panel.legend._group_menu("dim").actions()}
    actions["Delete"].trigger()
    assert [g.name for g in workspace.state.groups] == ["faces with light"]


# --- lattice and marks -------------------------------------------------------------------------------------------


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


# --- between panels ---------------------------------------------------------------------------------------------


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
    (named,) = unpacked(carried[0], before.checkpoint)
    assert named.name == f"#{index}"
    assert np.array_equal(named.latent, encodings_of(panel).latents[index])
    copy, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    drop = QDropEvent(QPointF(50, 200), copy, carried[0], buttons, PLAIN)
    panel.dropEvent(drop)
    assert drop.isAccepted()
    assert np.array_equal(panel.workspace.state.latent, named.latent)
    assert panel.workspace.state.name == named.name
    stranger = packed([named], "another model")
    state = panel.workspace.state
    panel.dropEvent(QDropEvent(QPointF(50, 200), copy, stranger, buttons, PLAIN))
    assert panel.workspace.state is state


def test_the_hint_goes_away_once_used(panel: MapPanel) -> None:
    assert panel.hint.isVisible()
    press(panel.canvas, (200, 200))
    release(panel.canvas, (200, 200))
    assert not panel.hint.isVisible()
    assert "map" in panel.workspace.settings.hints_used


# --- any state ---------------------------------------------------------------------------------------------------


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
    ],
    ids=["none", "empty", "one", "one place", "one dimension", "a NaN", "all NaN", "many classes"],
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
        press(panel.canvas, (100, 100))
        release(panel.canvas, (100, 100))
    assert len(panel.legend.entries) <= 12


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
