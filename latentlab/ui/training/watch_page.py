"""What one sees of a run: its curves, its sheets and its map, all of the epoch that is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QImageReader
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from latentlab.core.run_folder import RunReading
from latentlab.ui import theme
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.training.curve_groups import CurveGroup, groups_of
from latentlab.ui.training.curves_area import CurvesArea
from latentlab.ui.training.epoch_map_view import EpochMapView
from latentlab.ui.training.progress import StepPoints
from latentlab.ui.training.run_controls import RunControls
from latentlab.ui.training.run_notes import RunNotes
from latentlab.ui.training.run_state import RunState
from latentlab.ui.training.scrubber import Scrubber
from latentlab.ui.training.sheet_view import SheetView

# In the order in which one wants to see them; others after these.
SHEETS = {
    "samples": "Samples",
    "reconstructions": "Reconstructions",
    "denoised": "Denoised",
    "traversals": "Traversals",
}
COLUMNS = 8  # of a sheet of samples
GAP_PX = 2


class WatchPage(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reading: RunReading | None = None
        self._side = 0  # of a picture in its sheets
        self._groups: tuple[CurveGroup, ...] = ()
        self.controls = RunControls()
        self.notes = RunNotes()
        self.curves = CurvesArea()
        self.kind = ChoiceBox()
        self.kind.setAccessibleName("Which pictures")
        self.kind.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        self.kind.activated.connect(lambda _: self._show_sheet())
        self.sheet = SheetView()
        self.sheet.hint = "Pictures of every epoch will be here."
        self.map = EpochMapView()
        self.map.hint = "The map organising itself will be here, epoch by epoch."
        self.map_words = ElidedLabel()
        self.map_words.setFont(theme.caption_font(self.map_words))
        self.map_words.setProperty("role", "caption")
        self.map_words.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.scrubber = Scrubber()
        self.scrubber.moved.connect(self._go_to)
        self.curves.chosen.connect(lambda epoch: self.scrubber.go_to(float(epoch)))
        self._lay_out()

    def _lay_out(self) -> None:
        pictures = QSplitter(Qt.Orientation.Horizontal)
        pictures.addWidget(self.sheet)
        pictures.addWidget(self.map)
        pictures.setSizes([1000, 1000])
        row = QHBoxLayout()
        row.setSpacing(theme.GRID_PX)
        row.addWidget(self.kind)
        row.addWidget(self.scrubber, 1)
        below = QWidget()
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.setSpacing(6)
        lower.addLayout(row)
        lower.addWidget(pictures, 1)
        lower.addWidget(self.map_words)
        both = QSplitter(Qt.Orientation.Vertical)
        both.addWidget(self.curves)
        both.addWidget(below)
        both.setSizes([1000, 1300])
        for splitter in (both, pictures):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(theme.GRID_PX)
            splitter.setStyleSheet("QSplitter::handle { background: transparent; }")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PADDING_PX, 4, theme.PADDING_PX, theme.GRID_PX)
        column.setSpacing(theme.GRID_PX)
        column.addWidget(self.controls)
        column.addWidget(self.notes)
        column.addWidget(both, 1)

    def forget(self) -> None:
        """Another run follows."""
        self._reading = None
        self.notes.forget()
        self.scrubber.stop()
        self.scrubber.at = 0.0
        self.scrubber.show_epochs([])
        self.kind.clear()
        self.kind.hide()
        self.scrubber.hide()
        self.sheet.show_sheet(None)
        self.map.show_maps({})
        self.map_words.setText("")
        self.curves.show_curves((), StepPoints())

    def show_run(
        self,
        reading: RunReading | None,
        state: RunState,
        points: StepPoints,
        busy: str,
        model: str,
        notes: Sequence[str] = (),
        failure: str = "",
    ) -> None:
        """`points`: the losses between epochs, of a run that is trained here; `notes`: those not in the folder yet."""
        self.controls.show_run(state, reading, busy, model)
        if reading is None:
            self.notes.show_notes(notes, failure)
            return
        known = [f"Epoch {epoch}: {text}" for epoch, text in reading.notes]
        said = [text for _, text in reading.notes]
        self.notes.show_notes([*known, *(text for text in notes if text not in said)], failure)
        if reading is not self._reading:
            self._groups = groups_of(reading.curves)
        self.curves.show_curves(self._groups, points)
        if reading is not self._reading:
            self._reading = reading
            self._side = side_of(reading)
            self._fill_kinds(reading)
            for widget in (self.kind, self.scrubber):
                widget.setVisible(bool(reading.looks))
            self.map.show_maps(reading.maps)
            self.scrubber.show_epochs(reading.looks)
            self._show_sheet()
            self.map_words.setText(self.map.caption())
            self.map_words.setToolTip(self.map.caption())

    def show_theme(self) -> None:
        self.curves.show_theme()
        self.map.update()
        self.sheet.update()

    def close_page(self) -> None:
        """Nothing is read any more."""
        self.scrubber.stop()
        self.sheet.close_reading()
        self.curves.close_importing()

    def _fill_kinds(self, reading: RunReading) -> None:
        kinds = [*(kind for kind in SHEETS if kind in reading.sheets), *(k for k in reading.sheets if k not in SHEETS)]
        if kinds == [self.kind.itemData(place) for place in range(self.kind.count())]:
            return
        chosen = self.kind.currentData()
        self.kind.clear()
        for kind in kinds:
            self.kind.addItem(SHEETS.get(kind, kind.capitalize()), kind)
        preferred = chosen or ("reconstructions" if "reconstructions" in kinds else "samples")
        self.kind.setCurrentIndex(max(0, self.kind.findData(preferred)))

    def _go_to(self, epoch: float) -> None:
        self.map.go_to(epoch)
        self.curves.mark(epoch if self.scrubber.playing else float(self.scrubber.epoch))
        self._show_sheet()

    def _show_sheet(self) -> None:
        if self._reading is None:
            return
        by_epoch = self._reading.sheets.get(self.kind.currentData() or "", {})
        epoch = max((one for one in by_epoch if one <= self.scrubber.at), default=min(by_epoch, default=0))
        self.sheet.show_sheet(by_epoch.get(epoch), self._side)


def side_of(reading: RunReading) -> int:
    """Of a picture in the sheets of a run, in pixels: a sheet of samples always has the same columns. 0: not known."""
    path = next(iter(reading.sheets.get("samples", {}).values()), None)
    width = -1 if path is None else QImageReader(str(path)).size().width()
    return (width - GAP_PX) // COLUMNS - GAP_PX if width > 0 else 0
