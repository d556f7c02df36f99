"""How far a layout in the making is, at the foot of the map, with Cancel."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from latentlab.ui import theme
from latentlab.ui.elided_label import SEPARATOR, fitting
from latentlab.ui.running import RunningJob

WIDEST_PX = 420
LEAST_BAR_PX = 24
LEFT_PX, RIGHT_PX = theme.PADDING_PX, 6


class MapProgress(QWidget):
    cancelled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("map-progress")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title = QLabel(self)
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.setMinimumWidth(LEAST_BAR_PX)
        self._said = ""
        self._bar.setAccessibleName("Progress of the layout")
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setFixedHeight(theme.CONTROL_PX - 4)
        self._cancel.clicked.connect(lambda _on: self.cancelled.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(LEFT_PX, 6, RIGHT_PX, 6)
        row.setSpacing(theme.GRID_PX)
        row.addWidget(self._title)
        row.addWidget(self._bar, 1)
        row.addWidget(self._cancel)
        self.show_theme()
        self.hide()

    @property
    def cancel_button(self) -> QPushButton:
        return self._cancel

    @property
    def text(self) -> str:
        """All of it, whatever there is room for."""
        return self._said

    def show_theme(self) -> None:
        colours = theme.current()
        self.setStyleSheet(
            f"#map-progress {{ background: {colours.window}; border: 1px solid {colours.line}; border-radius: 8px; }}"
        )

    def show_job(self, job: RunningJob | None) -> None:
        """None: nothing is computed for the map that is shown."""
        self.setVisible(job is not None)
        if job is None:
            return
        latest = job.latest
        share = latest.done / latest.total if latest.total else 0.0
        self._bar.setRange(0, 1000 if latest.total else 0)
        self._bar.setValue(round(1000 * share))
        words = f"{job.title} {share:.0%}" if latest.total else job.title
        self._said = f"{words}{SEPARATOR}{latest.text}" if latest.text else words
        self._show_text()
        self._cancel.setEnabled(not job.cancelling)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_text()

    def _show_text(self) -> None:
        taken = LEFT_PX + RIGHT_PX + 2 * theme.GRID_PX + LEAST_BAR_PX + self._cancel.sizeHint().width()
        self._title.setText(fitting(self._said, QFontMetricsF(self._title.font()), self.width() - taken))

    def place(self, width: int, height: int) -> None:
        """At the foot of a view of this size."""
        wide = min(WIDEST_PX, max(width - 32, 160))
        high = self.sizeHint().height()
        self.setGeometry((width - wide) // 2, height - high - 16, wide, high)
