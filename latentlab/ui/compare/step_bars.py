"""How much the picture changes from step to step along a path, as bars: a hole stands out."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from latentlab.core.comparing import Steps
from latentlab.ui import theme

HEIGHT_PX = 32
GAP_PX = 2


class StepBars(QWidget):
    """`top` is what the full height stands for: the same for both models, so that their bars compare."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT_PX)
        self.setAccessibleName(name)
        self.setToolTip("How much the picture changes at each step, on one scale for both models")
        self._steps: Steps | None = None
        self._top = 1.0

    def show_steps(self, steps: Steps | None, top: float) -> None:
        self._steps, self._top = steps, max(top, 1e-6)
        said = "" if steps is None else f"largest step {steps.largest:.1f} times the mean"
        self.setAccessibleDescription(said)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._steps is None:
            return
        colours, painter = theme.current(), QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        count = len(self._steps.changes)
        width = min(24.0, (self.width() - GAP_PX * (count - 1)) / count)
        left = (self.width() - count * width - GAP_PX * (count - 1)) / 2
        heights = np.clip(self._steps.changes / self._top, 0.02, 1.0) * (self.height() - 1)
        for index, height in enumerate(heights):
            largest = index == self._steps.at and self._steps.hole
            painter.setBrush(QColor(colours.warning if largest else colours.accent))
            x = left + index * (width + GAP_PX)
            painter.drawRect(QRectF(x, self.height() - float(height), width, float(height)))
