"""The map panel: every encoding a point, the current latent a crosshair, and the way from a place to its picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QDrag, QDragEnterEvent, QDropEvent, QImage, QPixmap
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from latentlab.core.encodings import EncodingSet
from latentlab.core.registry import PROJECTIONS
from latentlab.core.requests import Decoded, RequestFailed
from latentlab.core.state import MapView, NamedLatent, State
from latentlab.ui import theme
from latentlab.ui.carrying import show_carried
from latentlab.ui.latent_mime import packed, unpacked
from latentlab.ui.map import colours
from latentlab.ui.map.card import HoverCard
from latentlab.ui.map.controls import MapControls, MapTools, axis_choices, with_projection
from latentlab.ui.map.groups import group_menu, next_name, outline_colours, with_group
from latentlab.ui.map.hint import NONE_INSIDE, NOTHING_YET, MapHint, no_map
from latentlab.ui.map.lattice import Lattice
from latentlab.ui.map.legend import Legend
from latentlab.ui.map.offer import MapOffer
from latentlab.ui.map.progress import MapProgress
from latentlab.ui.map.scene import Cloud, Scene
from latentlab.ui.map.steering import Steering
from latentlab.ui.map.thumbnails import ThumbnailStore
from latentlab.ui.map.view import KEY_FACTOR, MapCanvas
from latentlab.ui.names import readable
from latentlab.ui.panel import Panel
from latentlab.ui.projecting import Key
from latentlab.ui.workspace import Workspace


class MapPanel(Panel):
    key = "map"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.controls = MapControls(lambda module: find_spec(module) is not None, self)
        self.canvas = MapCanvas(self)
        self.first_focus = self.canvas
        self.legend = Legend(lambda name: group_menu(workspace, name, self), self)
        self.tools = MapTools(self.canvas)
        self.progress = MapProgress(self.canvas)
        self.offer = MapOffer(self.canvas, self.command_wanted)
        self.card = HoverCard(self.canvas)
        self.hint = MapHint(self.canvas)
        self.hint.show_usage(self.key not in workspace.settings.hints_used)
        self._steering = Steering(workspace, self)
        self._thumbnails = ThumbnailStore(self)
        self._lattice = Lattice(workspace, self.consumer("lattice"), self)
        self._state = workspace.state  # what is drawn
        self._cloud: Cloud | None = None
        self._colouring: tuple[tuple[object, ...], colours.Colouring] | None = None
        self._view_before = MapView()  # what a cancelled projection goes back to
        self._shown_key: Key = ()  # of the layout on screen
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.controls)
        column.addWidget(self.canvas, 1)
        margins = QVBoxLayout()
        margins.setContentsMargins(theme.PADDING_PX, theme.GRID_PX // 2, theme.PADDING_PX, theme.GRID_PX // 2)
        margins.addWidget(self.legend)
        column.addLayout(margins)
        self.setAcceptDrops(True)
        self._connect()

    def _connect(self) -> None:
        projecting, canvas = self.workspace.projecting, self.canvas
        projecting.changed.connect(self._show_layout)
        projecting.progressed.connect(self._show_progress)
        projecting.failed.connect(self._refused)
        projecting.noted.connect(self.workspace.notices.info)
        projecting.given_up.connect(self._go_back)
        self.progress.cancelled.connect(projecting.cancel)
        canvas.pressed.connect(self._press)
        canvas.dragged.connect(self._steering.drag)
        canvas.released.connect(self._steering.release)
        canvas.abandoned.connect(self._steering.abandon)
        canvas.nudged.connect(self._steering.nudge)
        canvas.selected.connect(self._select)
        canvas.carried.connect(self._carry)
        canvas.hovered.connect(self._hover)
        canvas.camera_moved.connect(self._look)
        canvas.resized.connect(self._place_overlays)
        canvas.menu_asked.connect(self._show_menu)
        self.controls.projection_chosen.connect(self._choose_projection)
        self.controls.axes_chosen.connect(lambda x, y: self._change_view("Choose the map's axes", x=x, y=y))
        self.controls.colour_chosen.connect(
            lambda colour: self._change_view("Colour the map", colour=colour, hidden=frozenset())
        )
        self.legend.toggled.connect(self._toggle)
        self.legend.singled.connect(self._single)
        self.tools.tool_chosen.connect(canvas.choose_tool)
        self.tools.lattice_chosen.connect(lambda on: self._change_view("Lattice" if on else "No lattice", lattice=on))
        canvas.tool_changed.connect(self.tools.show_tool)
        self.tools.fit_asked.connect(canvas.fit)
        self.tools.zoom_asked.connect(lambda way: canvas.zoom(KEY_FACTOR**way))
        self._thumbnails.arrived.connect(canvas.redraw)
        self._lattice.changed.connect(self._show_scene)

    @property
    def _encodings(self) -> EncodingSet | None:
        """Of the open model; an empty set is none."""
        encodings = self.workspace.opened.encodings
        return encodings if encodings is not None and len(encodings) else None

    # --- drawing: nothing here writes to the session -----------------------------------------------------------

    def show_model(self) -> None:
        encodings = self._encodings
        self._cloud, self._colouring = None, None
        self.hint.say("")
        self._steering.release()
        self._steering.forget()
        self._lattice.stop()
        self._thumbnails.open(encodings.thumbnails if encodings is not None else None)
        self._state = self.workspace.state
        self.canvas.follow()
        self.card.hide()
        self.workspace.projecting.open(encodings)
        opened = self.workspace.opened
        why_none = opened.note or no_map(opened.info, self.workspace.in_training)
        self.canvas.show_scene(None, why_none if encodings is None else NOTHING_YET)
        self.offer.show_model(opened.info, encodings is not None or bool(opened.note))
        self.tools.setHidden(encodings is None)
        self.controls.setHidden(encodings is None)
        self._show_hint()

    def show_state(self, new: State, old: State | None) -> None:
        self._state = new
        self.hint.say("")
        encodings = self._encodings
        if old is None or new.view != old.view or new.directions is not old.directions:
            if old is not None and new.view.projection != old.view.projection:
                self._view_before = old.view
                self._lattice.stop()
            self._show_controls(new)
            self.workspace.projecting.ask(new.view, new.directions)
        if old is None or (new.view, new.groups) != (old.view, old.groups):
            self._show_cloud()
        if encodings is None:
            return
        if old is None or not np.array_equal(new.latent, old.latent):
            self._show_crosshair(new)
        if old is None or new.walk is not old.walk or new.samples is not old.samples:
            self._show_marks(new)
        if new.view.lattice:
            self._lattice.look(self.canvas.camera)
        elif old is not None and old.view.lattice:
            self._lattice.stop()

    def show_theme(self) -> None:
        self._colouring = None
        self.tools.show_theme()
        self.legend.show_theme()
        self.card.show_theme()
        self.hint.show_theme()
        self.progress.show_theme()
        self._show_cloud()

    def show_decoded(self, reply: Decoded) -> None:
        if reply.consumer == self.consumer("lattice"):
            self._lattice.take(reply)

    def show_failure(self, reply: RequestFailed) -> None:
        self._lattice.give_up(reply)

    def _show_controls(self, state: State) -> None:
        encodings, view = self._encodings, state.view
        axes = axis_choices(view.projection, encodings, state.directions)
        colour = colours.chosen(encodings, view.colour) if encodings is not None else view.colour
        self.controls.show_view(view, axes, colours.choices(encodings), colour)
        self.tools.lattice.setChecked(view.lattice)

    def _show_layout(self) -> None:
        """The projection is another one, or settled a little more."""
        self._steering.forget()
        layout = self.workspace.projecting.layout
        if layout is not None and layout.key != self._shown_key:
            self._shown_key = layout.key
            self.canvas.follow()  # a close look at one map is nowhere on another
        self.controls.show_trustworthiness(getattr(layout.projection, "trustworthiness", None) if layout else None)
        self._show_cloud()
        self._show_crosshair(self._state)
        self._show_marks(self._state)
        self._look()

    def _show_cloud(self) -> None:
        layout, encodings = self.workspace.projecting.layout, self._encodings
        state = self._state
        if layout is None or encodings is None or len(layout.points) != len(encodings):
            self.legend.show_legend(None, frozenset(), (), [])
            return
        colouring = self._coloured(state.view.colour)
        before = self._cloud
        if (
            before is None
            or before.points_N2 is not layout.points
            or before.colouring is not colouring
            or before.hidden != state.view.hidden
        ):
            self._cloud = Cloud(layout.points, colouring, state.view.hidden, before)
        colours = outline_colours(len(state.groups), theme.current())
        self.legend.show_legend(colouring, state.view.hidden, state.groups, colours)
        self._show_scene()

    def _coloured(self, colour: str) -> colours.Colouring:
        encodings = self._encodings
        assert encodings is not None
        key = (id(encodings), colour, theme.current())
        if self._colouring is None or self._colouring[0] != key:
            self._colouring = (key, colours.colouring(encodings, colour, theme.current()))
        return self._colouring[1]

    def _show_scene(self) -> None:
        if self._cloud is None:
            return
        groups = self._state.groups
        count = len(self._cloud)
        outlined = tuple(
            (group.members[group.members < count], colour)
            for group, colour in zip(groups, outline_colours(len(groups), theme.current()), strict=True)
        )
        thumbnail: Callable[[int], QImage | None] | None = self._thumbnails.get if self._thumbnails.some else None
        tiles = self._lattice.tiles if self._state.view.lattice else None
        self.canvas.show_scene(Scene(self._cloud, outlined, tiles, thumbnail))

    def _show_crosshair(self, state: State) -> None:
        if self._steering.belongs(state.latent):
            self.canvas.place_crosshair(self._steering.place, self._steering.caption)
            return
        place = self._places([NamedLatent(state.latent)])
        self.canvas.place_crosshair(place[0] if place else None)

    def _show_marks(self, state: State) -> None:
        keyframes = self._places(list(state.walk.keyframes))
        self.canvas.show_marks(keyframes, state.walk.loop, self._places(list(state.samples.kept)))

    def _places(self, latents: list[NamedLatent]) -> list[tuple[float, float]]:
        """Where latents belong on the map."""
        layout = self.workspace.projecting.layout
        encodings = self._encodings
        fitting = [item.latent for item in latents if encodings is not None and item.latent.shape == (encodings.dim,)]
        if layout is None or layout.projection is None or not fitting:
            return []
        places_M2 = layout.projection.transform(np.stack(fitting))
        return [(float(x), float(y)) for x, y in places_M2 if np.isfinite(x) and np.isfinite(y)]

    def _show_progress(self) -> None:
        job = self.workspace.projecting.job
        self.progress.show_job(job)
        self._show_hint()

    def _show_hint(self) -> None:
        """Where there is a map to drag on, nothing in its way, and nobody has yet."""
        busy = self.workspace.projecting.job is not None
        used = self.key in self.workspace.settings.hints_used
        self.hint.show_usage(not (busy or used or self._encodings is None))

    def _hover(self, index: int, pointer: QPointF) -> None:
        encodings = self._encodings
        if index < 0 or encodings is None:
            self.card.hide()
        else:
            self.card.show_encoding(encodings, index, self._thumbnails.now(index), pointer)

    def _look(self) -> None:
        if self._state.view.lattice:
            self._lattice.look(self.canvas.camera)

    def _place_overlays(self, width: int, height: int) -> None:
        """Tools, progress and hint, wherever the canvas is resized: by the window, or by a legend of more rows."""
        self.tools.adjustSize()
        self.tools.move(width - self.tools.width() - theme.GRID_PX, theme.GRID_PX)
        self.canvas.overlay.covered = QRectF(self.tools.geometry())
        self.progress.place(width, height)
        self.offer.place()
        self.hint.place(width - self.tools.width() - 3 * theme.PADDING_PX, height - theme.GRID_PX)

    # --- what a person does ------------------------------------------------------------------------------------

    def fit(self) -> None:
        self.canvas.fit()

    def toggle_lattice(self) -> None:
        self._change_view("Lattice", lattice=not self.workspace.state.view.lattice)

    def show_pca(self) -> None:
        self._choose_projection("pca")

    def show_tsne(self) -> None:
        self._choose_projection("tsne")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if unpacked(event.mimeData(), self.workspace.state.checkpoint):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A latent from elsewhere: go there."""
        carried = unpacked(event.mimeData(), self.workspace.state.checkpoint)
        if carried:
            event.acceptProposedAction()
            show_carried(self.workspace, carried)

    def _carry(self, index: int) -> None:
        """A point is dragged out, to any slot of the window."""
        encodings = self._encodings
        if encodings is not None:
            drag = QDrag(self)
            named = NamedLatent(encodings.latents[index], encodings.name_of(index))
            drag.setMimeData(packed([named], self.workspace.state.checkpoint, encodings.space))
            picture = self._thumbnails.now(index)
            if picture is not None:
                drag.setPixmap(QPixmap.fromImage(picture.scaled(64, 64, Qt.AspectRatioMode.KeepAspectRatio)))
            drag.exec(Qt.DropAction.CopyAction)

    def _use_hint(self) -> None:
        used = self.workspace.settings.hints_used
        if self.key not in used:
            self.workspace.settings.hints_used = [*used, self.key]
            self.hint.show_usage(False)

    def _press(self, x: float, y: float, index: int) -> None:
        self._use_hint()
        self.hint.say("")
        self._steering.press(x, y, index)
        if not self._steering.belongs(self.workspace.state.latent):
            self.canvas.place_crosshair(self.canvas.overlay.crosshair, self._steering.caption)

    def _change_view(self, label: str, **parts: object) -> None:
        view = replace(self.workspace.state.view, **parts)  # type: ignore[arg-type]
        if view != self.workspace.state.view:
            self.workspace.change(label, view=view)

    def _choose_projection(self, projection: str) -> None:
        state = self.workspace.state
        axes = axis_choices(projection, self._encodings, state.directions)
        view = with_projection(state.view, projection, axes)
        if view != state.view:
            self.workspace.change(_switch_label(projection), view=view)

    def _toggle(self, key: str) -> None:
        hidden = self.workspace.state.view.hidden
        label = f"{'Show' if key in hidden else 'Hide'} {readable(key)}"
        self._change_view(label, hidden=hidden ^ {key})

    def _single(self, key: str) -> None:
        others = frozenset(self.legend.entries) - {key}
        hidden = frozenset() if self.workspace.state.view.hidden == others else others
        self._change_view(f"Only {readable(key)}" if hidden else "Show all", hidden=hidden)

    def _select(self, members: NDArray[np.int64]) -> None:
        state = self.workspace.state
        self.hint.say("" if len(members) else NONE_INSIDE)
        if len(members):
            self.workspace.session.update(with_group(state, members), f"Select {next_name(state.groups)}")

    def _refused(self, message: str) -> None:
        """The map that was there stays; where there was none, the message takes its place."""
        if self._cloud is None:
            self.canvas.show_scene(None, message)
        else:
            self.workspace.notices.error(message)

    def _go_back(self, projection: str) -> None:
        """The map of before: by taking the switch back while it is the last step, else by a step of its own."""
        session = self.workspace.session
        if session.state.view.projection != projection:
            return
        if session.undo_label == _switch_label(projection) and not session.open_gesture:
            session.undo()
        else:
            before = self._view_before if self._view_before.projection != projection else MapView()
            self._change_view(
                f"Back to {PROJECTIONS[before.projection].title}", projection=before.projection, x=before.x, y=before.y
            )

    def _show_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction("Fit the map", self.canvas.fit)
        for group in self.workspace.state.groups:
            submenu = group_menu(self.workspace, group.name, menu)
            submenu.setTitle(group.name)
            menu.addMenu(submenu)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)


def _switch_label(projection: str) -> str:
    return f"Map by {PROJECTIONS[projection].title}"
