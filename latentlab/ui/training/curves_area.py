"""CurvesArea: the curves, and how they are looked at. The library that draws them is imported on a thread, on use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from latentlab.core.run_folder import HELD_OUT, TRAIN
from latentlab.ui import theme
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.qt_types import TypesMaking
from latentlab.ui.tool_button import tool_button
from latentlab.ui.training.copying import copyable
from latentlab.ui.training.curve_groups import CurveGroup
from latentlab.ui.training.progress import StepPoints
from latentlab.ui.training.reading import Reading

if TYPE_CHECKING:
    from latentlab.ui.training.curves import LossCurves

DRAWING = "latentlab.ui.training.curves"
ALL = "All losses"


class CurvesArea(QWidget):
    chosen = Signal(int)  # an epoch

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves: LossCurves | None = None
        self._groups: tuple[CurveGroup, ...] = ()
        self._points = StepPoints()
        self._drawn: tuple[object, ...] = ()
        self._marked = 0.0
        self._asked = False  # for the library
        self._without_room = 0  # plots that are not shown
        self._named = False  # whether the titles of the plots name the splits
        self._importing = Reading("importing pyqtgraph", self)
        self._importing.done.connect(self._take_imported)
        self._types = TypesMaking(self)
        self._types.done.connect(lambda: self._importing.start(imported))
        self._build()
        self._lay_out()
        self.copy_action = copyable(self, "Copy the curves as a picture", lambda: self.curves)
        self.show_curves((), self._points)

    def _build(self) -> None:
        self.which = ChoiceBox()
        self.which.setAccessibleName("Which losses")
        self.which.setToolTip("All of them small, or one large (double-click a plot)")
        self.which.activated.connect(lambda _: self._show_way())
        self.along = ChoiceBox()
        self.along.addItems(["by epoch", "by step"])
        self.along.setAccessibleName("Along epochs or steps")
        self.along.activated.connect(lambda _: self._show_way())
        self.log_button = QToolButton()
        self.log_button.setText("log")
        self.log_button.setCheckable(True)
        self.log_button.setToolTip("Logarithmic, for losses that are never negative")
        self.log_button.setAccessibleName("Logarithmic")
        self.log_button.toggled.connect(lambda _: self._show_way())
        self.back_button = tool_button("mdi6.view-grid-outline", "All losses again")
        self.back_button.clicked.connect(lambda: self.enlarge(""))
        self.back_button.hide()
        self.hint = QLabel("The losses will be drawn here after the first steps.")
        self.hint.setProperty("role", "caption")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.hint.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.legend = QLabel()
        self.legend.setFont(theme.caption_font(self.legend))
        self.legend.setTextFormat(Qt.TextFormat.RichText)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(theme.GRID_PX)
        row.addWidget(self.which)
        row.addWidget(self.back_button)
        row.addWidget(self.legend)
        row.addStretch()
        row.addWidget(self.along)
        row.addWidget(self.log_button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addLayout(row)
        self._column.addWidget(self.hint, 1)
        self.setMinimumHeight(120)

    def show_curves(self, groups: tuple[CurveGroup, ...], points: StepPoints) -> None:
        drawn = (groups, points, len(points.steps), points.steps[-1:])
        if self.curves is not None and groups is self._groups and drawn == self._drawn:
            return  # steps come more often than there is anything new to see
        self._groups, self._points, self._drawn = groups, points, drawn
        keys = [self.which.itemData(k) for k in range(self.which.count())]
        if keys != ["", *(group.key for group in groups)]:
            chosen = self.which.currentData()
            self.which.clear()
            self.which.addItem(ALL, "")
            for group in groups:
                self.which.addItem(group.title, group.key)
            self.which.setCurrentIndex(max(0, self.which.findData(chosen)))
        for widget in (self.which, self.along, self.log_button):
            widget.setVisible(bool(groups))
        self._show_legend()
        if groups and not self._asked:
            self._asked = True
            self._types.start()
        if self.curves is not None:
            self.curves.setVisible(bool(groups))
            self.hint.setVisible(not groups)
            self.curves.show_curves(groups, points)

    def mark(self, epoch: float) -> None:
        self._marked = epoch
        if self.curves is not None:
            self.curves.mark(epoch)

    def enlarge(self, key: str) -> None:
        """One group large; all of them with an empty key."""
        self.which.setCurrentIndex(max(0, self.which.findData(key)))
        self._show_way()

    def _show_legend(self) -> None:
        """What the colours of all plots with one loss mean, where their titles do not say it."""
        colours = theme.current()
        splits = {curve.split for group in self._groups for curve in group.curves if len(group.names) == 1}
        words = [
            f"<span style='color:{colour}'>\u25cf</span> <span style='color:{colours.secondary}'>{name}</span>"
            for colour, split, name in (
                (colours.classes[0], TRAIN, "training"),
                (colours.classes[1], HELD_OUT, "held out"),
            )
            if split in splits and not self._named
        ]
        if self._without_room:
            more = f"<span style='color:{colours.secondary}'>+{self._without_room} more</span>"
            words.append(more)
        self.legend.setText(" &nbsp; ".join(words))
        self.legend.setToolTip("Choose one, or make room" if self._without_room else "")

    def _take_fitted(self, without_room: int) -> None:
        assert self.curves is not None
        if (without_room, self.curves.named) != (self._without_room, self._named):
            self._without_room, self._named = without_room, self.curves.named
            self._show_legend()

    def show_theme(self) -> None:
        self._show_legend()
        if self.curves is not None:
            self.curves.show_theme()

    def close_importing(self) -> None:
        self._types.stop()
        self._importing.close()

    def _show_way(self) -> None:
        alone = self.which.currentData() or ""
        self.back_button.setVisible(bool(alone))
        if self.curves is not None:
            by_step = self.along.currentIndex() == 1
            self.curves.show_way(by_step=by_step, log=self.log_button.isChecked(), alone=alone)

    def _take_imported(self, error: ImportError | None) -> None:
        if error is not None:
            self.hint.setText(f"The losses cannot be drawn: {error}. Install pyqtgraph.")
            return
        from latentlab.ui.training.curves import LossCurves

        self.curves = LossCurves(self)
        for part in (self.curves, self.curves.viewport()):
            part.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # ours
        self.curves.chosen.connect(self.chosen)
        self.curves.enlarged.connect(self.enlarge)
        self.curves.fitted.connect(self._take_fitted)
        self._drawn = ()
        self._column.addWidget(self.curves, 1)
        self._show_way()
        self.show_curves(self._groups, self._points)
        self.curves.mark(self._marked)


def imported() -> ImportError | None:
    """What is wrong with the library that draws the curves, if anything; half a second where it is new."""
    try:
        import_module(DRAWING)
    except ImportError as error:
        return error
    return None
