"""What is measured, how, and how far it is: the head of the quality panel."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.ui import theme
from latentlab.ui.choice_box import NARROWEST_PX, ChoiceBox
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.icons import icon
from latentlab.ui.running import RunningJob
from latentlab.ui.tool_button import tool_button

FEATURES = ("pixels", "classifier")
COUNT, FEWEST, MOST = 1000, 32, 20_000
MEASURE_TIP = "With the thumbnails of the encodings, or of a generator with its draws alone"


class MeasureControls(QWidget):
    wanted = Signal()  # measure with what the checkpoint carries
    folder_wanted = Signal()
    archive_wanted = Signal()
    copy_wanted = Signal(str)  # "text", "csv", "json"
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.measure_button = QPushButton(icon("mdi6.gauge"), "Measure")
        self.measure_button.clicked.connect(lambda _=False: self.wanted.emit())
        self.pictures_button = QPushButton(icon("mdi6.folder-image"), "Measure with pictures…")
        self.pictures_button.setToolTip(
            "Real pictures say more: those the model was not trained on say most.\n"
            "Or drop a folder of them, or an .npz, on this panel"
        )
        pictures = QMenu(self.pictures_button)
        pictures.addAction("A folder…", self.folder_wanted.emit)
        pictures.addAction("An .npz file…", self.archive_wanted.emit)
        self.pictures_button.setMenu(pictures)
        self.copy_button = self._copy_button()
        self.features = ChoiceBox()
        self.features.addItems(["Compare pixels", "Compare by a classifier"])
        self.features.setMinimumWidth(NARROWEST_PX)
        self.features.setAccessibleName("Feature space")
        self.features.setToolTip(
            "Where draws are compared with pictures. Pixels: 64 principal components, quick, and forgiving of blur.\n"
            "A classifier: trained on the pictures' labels first, which takes a minute and needs labels"
        )
        self.count = QSpinBox()
        theme.pad(self.count)
        self.count.setRange(FEWEST, MOST)
        self.count.setSingleStep(100)
        self.count.setValue(COUNT)
        self.count.setGroupSeparatorShown(True)
        self.count.setSuffix(" pictures")
        self.count.setFixedWidth(112)
        self.count.setAccessibleName("Pictures measured on")
        self.count.setToolTip("At most so many are measured on, and as many draws are compared with them")
        self._progress = MeasureProgress(self)
        self._progress.cancelled.connect(self.cancelled)
        self._lay_out()

    def _copy_button(self) -> QToolButton:
        button = tool_button("mdi6.content-copy", "Copy all figures as text, CSV or JSON", "Copy all figures")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for title, form in (("Copy as text", "text"), ("Copy as CSV", "csv"), ("Copy as JSON", "json")):
            menu.addAction(title, self._asking(form))
        button.setMenu(menu)
        return button

    def _asking(self, form: str) -> Callable[[], None]:
        return lambda: self.copy_wanted.emit(form)

    def _lay_out(self) -> None:
        self._first, second = QWidget(), QHBoxLayout()
        first = QHBoxLayout(self._first)
        first.setContentsMargins(0, 0, 0, 0)
        for row in (first, second):
            row.setSpacing(theme.GRID_PX)
        first.addWidget(self.measure_button)
        first.addWidget(self.pictures_button)
        first.addStretch()
        second.addWidget(self.features)
        second.addWidget(self.count)
        second.addStretch()
        second.addWidget(self.copy_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PADDING_PX, theme.GRID_PX, theme.PADDING_PX, theme.GRID_PX)
        column.setSpacing(theme.GRID_PX)
        column.addWidget(self._first)
        column.addWidget(self._progress)
        column.addLayout(second)

    @property
    def options(self) -> dict[str, object]:
        return {"features": FEATURES[self.features.currentIndex()], "count": self.count.value()}

    def show_possible(self, alone: str, with_pictures: str, copyable: bool) -> None:
        """Why the model cannot be measured alone, or with pictures; empty where it can."""
        self.measure_button.setEnabled(not alone)
        self.measure_button.setToolTip(alone or MEASURE_TIP)
        self.pictures_button.setEnabled(not with_pictures)
        self.copy_button.setEnabled(copyable)

    def show_job(self, job: RunningJob | None) -> None:
        """None: nothing is being measured."""
        had_focus = self._progress.cancel_button.hasFocus()
        self._first.setVisible(job is None)
        self._progress.show_job(job)
        for field in (self.features, self.count):
            field.setEnabled(job is None)
        if job is None and had_focus:
            self.measure_button.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def progress(self) -> MeasureProgress:
        return self._progress


class MeasureProgress(QWidget):
    """In place of the buttons while the job runs: how far it is, with Cancel."""

    cancelled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedHeight(theme.CONTROL_PX)
        self.text = ElidedLabel()
        self.text.setProperty("role", "caption")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the measurement")
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.clicked.connect(lambda _=False: self.cancelled.emit())
        said = QVBoxLayout()
        said.setSpacing(4)
        said.addWidget(self.text)
        said.addWidget(self.bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID_PX)
        row.addLayout(said, 1)
        row.addWidget(self.cancel_button)
        self.hide()

    def show_job(self, job: RunningJob | None) -> None:
        self.setVisible(job is not None)
        if job is None:
            return
        latest = job.latest
        self.bar.setRange(0, 1000 if latest.total else 0)
        self.bar.setValue(round(1000 * latest.done / latest.total) if latest.total else 0)
        self.text.setText(latest.text[:1].upper() + latest.text[1:] or job.title)
        self.cancel_button.setEnabled(not job.cancelling)
