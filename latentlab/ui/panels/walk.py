"""Walk: keyframes in order, the way between them, playing and scrubbing it, and exporting it as a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.paths import INTERPOLATIONS
from latentlab.core.requests import Decode, Decoded, Lane
from latentlab.core.space_switching import put_aside
from latentlab.core.state import NamedLatent, State, Walk
from latentlab.ui.carrying import Carrying
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.export_form import ExportForm, ExportKind
from latentlab.ui.icons import icon
from latentlab.ui.latent_mime import Carried
from latentlab.ui.panel import Panel
from latentlab.ui.pictures import Pictures
from latentlab.ui.running import RunningJob
from latentlab.ui.saved import say_saved
from latentlab.ui.sliders.lone import LoneSlider
from latentlab.ui.sliders.row import SliderRow
from latentlab.ui.stepped_gesture import SteppedGesture
from latentlab.ui.theme import PADDING_PX, pad
from latentlab.ui.thumbnail_strip import ThumbnailStrip
from latentlab.ui.tool_button import tool_button
from latentlab.ui.tool_row import tool_row
from latentlab.ui.walk_playing import SCRUB, WalkPlaying
from latentlab.ui.workspace import Workspace

LONGEST_S = 600.0
SHORTEST_S = 0.2
MOST_FPS = 120
HINT = "A walk goes from picture to picture: add the current one (Ctrl+Return), or drop some here"


class WalkPanel(Panel):
    key = "walk"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self._pictures = Pictures()
        self._drawn: State | None = None
        self._steps = SteppedGesture(workspace.session, self)
        self.playing = WalkPlaying(workspace, self)
        self.playing.advanced.connect(lambda: self.scrub.redraw_all())
        self.playing.toggled.connect(self._show_playing)
        self._carrying = Carrying(workspace, self.consumer("dropped"), self)
        self._build()
        self.first_focus = self.strip

    # --- the widgets

    def _build(self) -> None:
        self.play_button = tool_button("mdi6.play", "Play (Ctrl+Space)")
        self.play_button.clicked.connect(self.toggle_play)
        self.add_button = tool_button("mdi6.key-plus", "Add the current picture (Ctrl+Return)")
        self.add_button.clicked.connect(self.add_current)
        self.interpolation = ChoiceBox()
        self.interpolation.addItems([name.capitalize() for name in INTERPOLATIONS])
        self.interpolation.setAccessibleName("Interpolation")
        self.interpolation.setToolTip(
            "Linear: straight, for encodings of a VAE. Spherical: on the sphere, for draws from a normal prior"
        )
        self.interpolation.activated.connect(self._choose_interpolation)
        self.loop_button = tool_button("mdi6.repeat", "Loop: from the last keyframe back to the first", checkable=True)
        self.loop_button.clicked.connect(lambda on: self._change("Loop" if on else "No loop", loop=on))
        self.seconds = QDoubleSpinBox()
        pad(self.seconds)
        self.seconds.setRange(SHORTEST_S, LONGEST_S)
        self.seconds.setDecimals(1)
        self.seconds.setSuffix(" s")
        self.seconds.setToolTip("How long the walk takes")
        self.seconds.setAccessibleName("Seconds")
        self.fps = QSpinBox()
        pad(self.fps)
        self.fps.setRange(1, MOST_FPS)
        self.fps.setSuffix(" fps")
        self.fps.setToolTip("Pictures per second in what is exported")
        self.fps.setAccessibleName("Frames per second")
        for field in (self.seconds, self.fps):
            field.setKeyboardTracking(False)
            field.setFixedWidth(68)
        self.seconds.valueChanged.connect(lambda value: self._step("Length of the walk", seconds=float(value)))
        self.fps.valueChanged.connect(lambda value: self._step("Frames per second", fps=int(value)))
        self.export_button = tool_button("mdi6.export-variant", "Export (Ctrl+Shift+E)")
        self.export_button.clicked.connect(self.export)
        self.scrub = LoneSlider(
            self.workspace.session,
            self._steps,
            SCRUB,
            self._scrub_row,
            lambda time_s: self.playing.go_to(time_s, SCRUB),
            title_width=0,
            number_width=58,
        )
        self.scrub.setAccessibleName("Time on the walk")
        self.strip = ThumbnailStrip(
            self._pictures, captioned=True, removable=True, reorderable=True, accepts=True, least_side=56
        )
        self.strip.setAccessibleName("Keyframes")
        self.strip.setMinimumHeight(72)
        self.strip.hint = HINT
        self._connect()
        self._lay_out()

    def _connect(self) -> None:
        self.strip.chosen.connect(self._choose)
        self.strip.dropped.connect(self.drop)
        self.strip.reordered.connect(self._reorder)
        self.strip.removed.connect(self._remove)
        self.scrub.taken.connect(self.playing.stop)

    def _lay_out(self) -> None:
        top = tool_row(below_px=4)
        for widget in (self.play_button, self.loop_button, self.interpolation, self.seconds, self.fps):
            top.addWidget(widget)
        top.addStretch()
        top.addWidget(self.add_button)
        top.addWidget(self.export_button)
        middle = QHBoxLayout()
        middle.setContentsMargins(PADDING_PX - 4, 0, PADDING_PX - 4, 0)
        middle.addWidget(self.strip)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.addLayout(top)
        column.addLayout(middle, 1)
        column.addWidget(self.scrub)

    # --- drawing

    def show_model(self) -> None:
        self.playing.stop()
        self.playing.time_s = 0.0
        self._drawn = None
        self._pictures.clear()

    def show_state(self, new: State, old: State | None) -> None:
        drawn, self._drawn = (None if old is None else self._drawn), new
        if drawn is None or new.walk is not drawn.walk:
            self._show_walk(new.walk)
        if drawn is None or new.walk.keyframes is not drawn.walk.keyframes or new.condition != drawn.condition:
            self._show_keyframes(new)
        elif new.origin is not drawn.origin:
            self._show_current(new)

    def _show_walk(self, walk: Walk) -> None:
        with (
            QSignalBlocker(self.interpolation),
            QSignalBlocker(self.loop_button),
            QSignalBlocker(self.seconds),
            QSignalBlocker(self.fps),
        ):
            self.interpolation.setCurrentIndex(INTERPOLATIONS.index(walk.interpolation))
            self.loop_button.setChecked(walk.loop)
            self.seconds.setValue(walk.seconds)
            self.fps.setValue(walk.fps)
        possible = len(walk.keyframes) >= 2
        self.export_button.setEnabled(possible)
        self.scrub.setVisible(possible)
        self.scrub.redraw_all()

    def _show_keyframes(self, state: State) -> None:
        keyframes = state.walk.keyframes
        waiting = put_aside(state)
        self.strip.hint = f"Put aside until you switch back: {waiting}. {HINT}" if waiting else HINT
        self.strip.checkpoint, self.strip.space = state.checkpoint, state.space
        self.strip.set_items(keyframes, condition=state.condition)
        self._show_current(state)
        missing = self._pictures.missing([keyframe.latent for keyframe in keyframes], state.condition)
        if missing:
            request = Decode(state.checkpoint, np.stack(missing), state.space, state.condition)
            self.workspace.decoding.submit(self.consumer("keyframes"), request, Lane.VISIBLE)

    def _show_current(self, state: State) -> None:
        here = state.latent.tobytes()
        shown = (i for i, item in enumerate(self.strip.items) if item.latent.tobytes() == here)
        index = next(shown, -1)
        if index != self.strip.shown:
            self.strip.shown = index
            self.strip.redraw()

    def _show_playing(self, playing: bool) -> None:
        self.play_button.setIcon(icon("mdi6.pause" if playing else "mdi6.play"))
        said = "Pause (Ctrl+Space)" if playing else "Play (Ctrl+Space)"
        self.play_button.setToolTip(said)
        self.play_button.setAccessibleName(said)

    def _scrub_row(self) -> SliderRow:
        walk = (self._drawn or self.workspace.state).walk
        return SliderRow(
            title="Time",
            value=min(self.playing.time_s, walk.seconds),
            low=0.0,
            high=walk.seconds,
            unit="s",
            stops=tuple(self._stops(walk)),
            tip=lambda: "Where on the walk the picture is",
            step=1 / walk.fps,
        )

    @staticmethod
    def _stops(walk: Walk) -> list[float]:
        """When the walk passes its keyframes, in seconds."""
        count = len(walk.keyframes)
        stretches = count if walk.loop else count - 1
        return [walk.seconds * k / stretches for k in range(stretches + 1)] if stretches > 0 else []

    def show_decoded(self, reply: Decoded) -> None:
        self._pictures.keep(reply)
        self.strip.redraw()

    def show_theme(self) -> None:
        self.strip.redraw()
        self.scrub.redraw_all()

    # --- keyframes

    def add_current(self) -> None:
        """Appends the current picture."""
        state = self.workspace.state
        name = state.name or f"keyframe {len(state.walk.keyframes) + 1}"
        self._change("Add keyframe", keyframes=(*state.walk.keyframes, NamedLatent(state.latent, name)))

    def drop(self, before: int, carried: Carried) -> None:
        """Latents from elsewhere, in front of the keyframe at `before`."""
        self._carrying.take(carried, lambda latents: self.insert(before, latents))

    def insert(self, before: int, latents: Sequence[NamedLatent]) -> None:
        keyframes = self.workspace.state.walk.keyframes
        self._change("Add keyframe", keyframes=(*keyframes[:before], *latents, *keyframes[before:]))

    def _reorder(self, index: int, to: int) -> None:
        keyframes = list(self.workspace.state.walk.keyframes)
        keyframes.insert(to, keyframes.pop(index))
        self._change("Reorder keyframes", keyframes=tuple(keyframes))

    def _remove(self, index: int) -> None:
        keyframes = self.workspace.state.walk.keyframes
        self._change(f"Remove {keyframes[index].name}", keyframes=keyframes[:index] + keyframes[index + 1 :])

    def _choose(self, index: int) -> None:
        self.playing.stop()
        item = self.strip.items[index]
        self.workspace.go_to(item.latent, item.name)

    # --- the way

    def _choose_interpolation(self, which: int) -> None:
        chosen = INTERPOLATIONS[which]
        if chosen != self.workspace.state.walk.interpolation:
            self._change(f"{chosen.capitalize()} interpolation", interpolation=chosen)

    def _change(self, label: str, **parts: Any) -> None:
        self._steps.finish()
        self.playing.stop()
        self.workspace.change(label, walk=replace(self.workspace.state.walk, **parts))

    def _step(self, label: str, **parts: Any) -> None:
        self.playing.stop()
        self._steps.step(label)
        self.workspace.change(label, walk=replace(self.workspace.state.walk, **parts))

    def toggle_play(self) -> None:
        """Plays from where one is, or pauses."""
        self._steps.finish()
        self.playing.toggle()

    def play(self) -> None:
        """What the window's action calls."""
        self.toggle_play()

    # --- export

    def export(self) -> None:
        """Asks for format, size and place, then exports as a job."""
        walk, info = self.workspace.state.walk, self.workspace.opened.info
        if len(walk.keyframes) < 2:
            self.workspace.notices.info("A walk needs two keyframes before it can be exported.")
            return
        self.playing.stop()
        self.form = ExportForm(walk, info.image, self.workspace.decoding.decode_ms, self)
        self.form.wanted.connect(self._ask_where)
        self.form.open()

    def _ask_where(self, kind: ExportKind, scale: int) -> None:
        settings = self.workspace.settings
        suggested = str(Path(settings.save_folder) / f"walk{kind.ending}")
        path, _ = QFileDialog.getSaveFileName(self, "Export the walk", suggested, kind.filter)
        if path:
            target = Path(path) if Path(path).suffix or not kind.ending else Path(path + kind.ending)
            settings.save_folder = str(target.parent)
            self.export_to(target, kind.key, scale)

    def export_to(self, path: Path, kind: str, scale: int = 1) -> RunningJob:
        """Starts the job that writes the walk; `kind` is "mp4", "gif", "frames" or "strip"."""
        state, walk, how = self.workspace.state, self.workspace.state.walk, self.workspace.opened.for_jobs
        arguments: dict[str, Any] = {
            "checkpoint_path": self.workspace.opened.info.path,
            "keyframes": np.stack([keyframe.latent for keyframe in walk.keyframes]),
            "path": str(path),
            "kind": kind,
            "interpolation": walk.interpolation,
            "loop": walk.loop,
            "seconds": walk.seconds,
            "fps": walk.fps,
            "space": state.space,
            "condition": state.condition,
            "scale": scale,
            "device": self.workspace.settings.device,
            "trust": how["trust"],
            "reading": how["options"],
        }
        running, notices = self.workspace.running, self.workspace.notices

        def said(result: Any) -> None:
            size = f"{result.bytes_written / 1e6:.1f} MB"
            text = " ".join([f"Saved {path.name}: {result.frames:,} frames, {size}.", *result.notes])
            say_saved(notices, text, path)

        return running.start(f"Exporting {path.name}", "latentlab.engine.exporting:run", arguments, on_done=said)
