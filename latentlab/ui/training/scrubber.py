"""Scrubber: which epoch is looked at, and playing through all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QToolButton, QWidget

from latentlab.ui import theme
from latentlab.ui.icons import icon

TICK_MS = 16
WHOLE_S = 12.0  # a long run is played in so many seconds,
EPOCH_S = 0.6  # a short one with so many for each epoch


class Scrubber(QWidget):
    """Stays at the newest epoch as long as nobody has gone back; `moved` is between two epochs while it plays."""

    moved = Signal(float)  # the epoch looked at

    def __init__(self, parent: QWidget | None = None, clock_s: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(parent)
        self._clock_s = clock_s
        self._epochs: list[int] = []
        self._began_s = 0.0
        self.at = 0.0
        self.play_button = QToolButton()
        self.play_button.clicked.connect(self.toggle)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Epoch")
        self.slider.setToolTip("Which epoch the pictures and the map are of")
        self.slider.valueChanged.connect(self._choose)
        self.label = QLabel()
        self.label.setFont(theme.tabular(self.label.font()))
        self.label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID_PX)
        row.addWidget(self.play_button)
        row.addWidget(self.slider, 1)
        row.addWidget(self.label)
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self.setFocusProxy(self.slider)
        self._show_playing()

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    @property
    def epoch(self) -> int:
        """The last one that is reached, of those there are; 0 where there is none."""
        return max((epoch for epoch in self._epochs if epoch <= self.at), default=0)

    def show_epochs(self, epochs: Sequence[int]) -> None:
        """Those that can be looked at, in order."""
        if [*epochs] == self._epochs:
            return
        newest = not self._epochs or self.at >= self._epochs[-1]
        self._epochs = [*epochs]
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(0, len(epochs) - 1))
        self.setEnabled(len(epochs) > 1)
        self.label.setFixedSize(self.label.fontMetrics().boundingRect(f" epoch {max(epochs, default=0)}0").size())
        if not self.playing and (newest or self.at not in self._epochs):
            self.go_to(float(epochs[-1]) if epochs else 0.0)
        else:
            self._show_at()

    def go_to(self, epoch: float) -> None:
        self.at = epoch
        self._show_at()
        self.moved.emit(epoch)

    def toggle(self) -> None:
        """Plays on from where one is, from the first epoch at the end; or pauses."""
        if self.playing:
            self.stop()
            return
        if len(self._epochs) < 2:
            return
        if self.at >= self._epochs[-1]:
            self.at = float(self._epochs[0])
        self._began_s = self._clock_s() - self._place_of(self.at) * self._pace_s
        self._timer.start()
        self._show_playing()

    def stop(self) -> None:
        if self.playing:
            self._timer.stop()
            self._show_playing()
            self.go_to(float(self.epoch))

    def tick(self) -> None:
        """Goes on as far as the clock says."""
        place = (self._clock_s() - self._began_s) / self._pace_s
        if place >= len(self._epochs) - 1:
            self.at = float(self._epochs[-1])
            self.stop()
            return
        before = self._epochs[int(place)]
        self.go_to(before + (self._epochs[int(place) + 1] - before) * (place % 1))

    @property
    def _pace_s(self) -> float:
        return min(EPOCH_S, WHOLE_S / max(1, len(self._epochs) - 1))

    def _place_of(self, epoch: float) -> int:
        return max(0, sum(one <= epoch for one in self._epochs) - 1)

    def _choose(self, place: int) -> None:
        if self.playing:
            self._timer.stop()
            self._show_playing()
        if place < len(self._epochs):
            self.go_to(float(self._epochs[place]))

    def _show_at(self) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(self._place_of(self.at))
        self.label.setText(f"epoch {self.epoch}" if self._epochs else "")

    def _show_playing(self) -> None:
        said = "Pause" if self.playing else "Play through the epochs"
        self.play_button.setIcon(icon("mdi6.pause" if self.playing else "mdi6.play"))
        self.play_button.setIconSize(QSize(theme.ICON_PX, theme.ICON_PX))
        self.play_button.setToolTip(said)
        self.play_button.setAccessibleName(said)
