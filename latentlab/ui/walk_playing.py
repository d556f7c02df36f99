"""Playing a walk: the current picture follows the way through the keyframes by the clock. One play is one undo step.

Shapes: K keyframes, D latent.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from latentlab.core import paths
from latentlab.core.state import State
from latentlab.ui.workspace import Workspace

TICK_MS = 16
PLAY = "Play the walk"
SCRUB = "Scrub the walk"


class WalkPlaying(QObject):
    """`time_s` is where on the walk one is. Anything else that changes the picture ends a play."""

    advanced = Signal()  # `time_s` is new
    toggled = Signal(bool)  # plays or not

    def __init__(self, workspace: Workspace, parent: QObject, clock_s: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._clock_s = clock_s
        self._began_s = 0.0
        self._shown: State | None = None
        self.time_s = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def toggle(self) -> None:
        if self.playing:
            self.stop()
        else:
            self.start()

    def start(self) -> None:
        """From where one is; from the beginning at the end. Says what is missing with fewer than two keyframes."""
        walk = self._workspace.state.walk
        if len(walk.keyframes) < 2:
            self._workspace.notices.info("A walk needs two keyframes: show a picture and add it (Ctrl+Return), twice.")
            return
        if self.time_s >= walk.seconds:
            self.time_s = 0.0
        self._began_s = self._clock_s() - self.time_s
        self._workspace.session.begin(PLAY)
        self._shown = None
        self._timer.start()
        self.toggled.emit(True)

    def stop(self) -> None:
        """What was played is one undo step. A gesture that someone else has opened stays open."""
        if self.playing:
            self._timer.stop()
            if self._workspace.session.open_gesture == PLAY:
                self._workspace.session.end()
            self.toggled.emit(False)

    def tick(self) -> None:
        """Shows the picture of this moment."""
        state = self._workspace.state
        walk = state.walk
        interrupted = self._shown is not None and state is not self._shown
        if interrupted or self._workspace.session.open_gesture != PLAY or len(walk.keyframes) < 2:
            self.stop()
            return
        passed_s = self._clock_s() - self._began_s
        if walk.loop:
            passed_s %= walk.seconds
        self.go_to(min(passed_s, walk.seconds), PLAY)
        self._shown = self._workspace.state
        if not walk.loop and passed_s >= walk.seconds:
            self.stop()

    def go_to(self, time_s: float, label: str) -> None:
        """The picture at a time of the walk becomes the current one."""
        state = self._workspace.state
        walk = state.walk
        if not walk.keyframes:
            return
        self.time_s = min(max(time_s, 0.0), walk.seconds)
        keyframes_KD = np.stack([keyframe.latent for keyframe in walk.keyframes])
        latent = paths.at(keyframes_KD, self.time_s / walk.seconds, walk.interpolation, walk.loop)
        self._workspace.go_to(latent, f"walk at {self.time_s:.1f} s", label=label)
        self.advanced.emit()
