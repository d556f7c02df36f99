"""The curves of a run with pyqtgraph: a small plot for each group of losses, or one of them large.

Importing this takes half a second: `curves_area.py` does so on a thread, once a run is watched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QResizeEvent
from PySide6.QtWidgets import QGraphicsTextItem, QWidget

from latentlab.core.run_folder import HELD_OUT, LossCurve
from latentlab.ui import theme
from latentlab.ui.training.curve_groups import CurveGroup, series_name, short, ticks, value_at
from latentlab.ui.training.progress import StepPoints

LEAST_WIDTH_PX, LEAST_HEIGHT_PX = 210, 50  # of a small plot
SHAPE = 2.6  # width to height
HOLE = 0.4  # what an empty place at the end weighs beside that
TICK_PX = 26  # between two ticks, at least
AXIS_WIDTH_PX, SPACING_PX = 42, 4
STEPS_ALPHA = 90  # of what happens between epochs: there, but behind
TITLE_PX = 18
MARGIN = 0.06  # of the range, above and below

pg.setConfigOptions(antialias=True, exitCleanup=False)


@dataclass(eq=False)
class Plot:
    """The items of one group."""

    group: CurveGroup
    item: Any
    marker: Any
    title: QGraphicsTextItem  # outside the layout: a long one takes no room from other plots
    lines: dict[tuple[str, str], Any] = field(default_factory=dict)  # by name and split
    steps: dict[str, Any] = field(default_factory=dict)  # by name
    level: Any = None


class LossCurves(pg.GraphicsLayoutWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """`chosen` an epoch was clicked, `enlarged` a group was double-clicked, `fitted` so many plots have no room."""

    _made = False
    chosen = Signal(int)
    enlarged = Signal(str)
    fitted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._all: dict[str, Plot] = {}  # by group, shown or not
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._make_next)
        self._groups: tuple[CurveGroup, ...] = ()
        self._points = StepPoints()
        self._by_step = False
        self._log = False
        self._alone = ""  # the group that is shown large
        self._marked = 0.0
        self._hovered: float | None = None
        self._columns = 0
        self.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.setAccessibleName("Curves of the losses")
        self.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.ci.layout.setSpacing(SPACING_PX)
        self._made = True  # pyqtgraph sends a first event of its size from its constructor
        self.scene().sigMouseMoved.connect(self._hover)
        self.scene().sigMouseClicked.connect(self._click)
        self.show_theme()

    # --- what is shown

    def show_curves(self, groups: tuple[CurveGroup, ...], points: StepPoints) -> None:
        """Other values; plots are made anew only where there are other losses."""
        same = [(g.key, g.names) for g in groups] == [(g.key, g.names) for g in self._groups]
        self._groups, self._points = groups, points
        for group in groups:
            if same and group.key in self._all:
                self._all[group.key].group = group
        if not same:
            self._arrange()
            for key, plot in self._all.items():
                plot.group = next(group for group in groups if group.key == key)
        self._draw_all()

    def show_way(self, *, by_step: bool, log: bool, alone: str) -> None:
        """Along epochs or steps, linear or logarithmic, all groups or one."""
        if (by_step, log, alone) == (self._by_step, self._log, self._alone):
            return
        arranged = alone != self._alone
        self._by_step, self._log, self._alone = by_step, log, alone
        if arranged:
            self._arrange()
        self._draw_all()

    def mark(self, epoch: float) -> None:
        """The epoch that pictures and map are of."""
        self._marked = epoch
        self._place_markers()
        self._write()

    def show_theme(self) -> None:
        """Pens keep their colours, so plots are made anew."""
        self.setBackground(theme.current().panel)
        for plot in self._all.values():
            if plot.item in self.ci.items:
                self.ci.removeItem(plot.item)
        self._all = {}
        self._arrange()

    def _draw_all(self) -> None:
        for plot in self.plots.values():
            self._draw(plot)
        self._write()

    # --- arranging

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._made and self._groups:
            self._arrange()
            self._draw_all()

    @property
    def plots(self) -> dict[str, Plot]:
        """Those that are shown, in order; each is made in a turn of the event loop of its own."""
        return {group.key: self._all[group.key] for group in self._shown() if group.key in self._all}

    def _shown(self) -> list[CurveGroup]:
        """As many as there is room for, the first ones first."""
        alone = [group for group in self._groups if group.key == self._alone]
        columns, rows = max(1, self.width() // LEAST_WIDTH_PX), max(1, self.height() // LEAST_HEIGHT_PX)
        return alone or list(self._groups[: columns * rows])

    def _fitting(self) -> int:
        """How many columns: so many that the plots come near to a shape in which a curve reads well."""
        count = max(1, len(self._shown()))
        most = min(count, max(1, self.width() // LEAST_WIDTH_PX))

        def off(columns: int) -> float:
            rows = -(-count // columns)
            stretched = abs(math.log(self.width() * rows / (max(self.height(), 1) * columns * SHAPE)))
            return stretched + HOLE * (rows * columns - count)

        return min(range(1, most + 1), key=off)

    def _arrange(self) -> None:
        """Every plot in its place; those that are still missing are made by and by."""
        kept = {(group.key, *group.names) for group in self._groups}
        for key, plot in list(self._all.items()):
            if plot.item in self.ci.items:
                self.ci.removeItem(plot.item)
            if (key, *plot.group.names) not in kept:
                del self._all[key]
        self._columns = self._fitting()
        for place, group in enumerate(self._shown()):
            if group.key in self._all:
                self._put(self._all[group.key], place)
        self._next.start()
        self.fitted.emit(0 if self._alone else len(self._groups) - len(self._shown()))

    def _make_next(self) -> None:
        """The first plot that is missing: pyqtgraph takes tens of milliseconds for each."""
        for place, group in enumerate(self._shown()):
            if group.key not in self._all:
                plot = self._all[group.key] = self._plot(group)
                self._put(plot, place)
                self._draw(plot)
                self._write()
                self._next.start()
                return

    def _put(self, plot: Plot, place: int) -> None:
        row, column = divmod(place, self._columns)
        self.ci.addItem(plot.item, row=row, col=column)
        last = place + self._columns >= len(self._shown())
        plot.item.getAxis("bottom").setStyle(showValues=last)
        plot.item.getAxis("bottom").setHeight(18 if last else 6)
        plot.item.setMinimumWidth(self._width_px)
        plot.item.setMaximumWidth(self._width_px)

    @property
    def _width_px(self) -> float:
        """Of every plot: columns of one width, a long title must not take from the others."""
        return max((int(self.width()) - SPACING_PX * (self._columns - 1)) / max(self._columns, 1), 1.0)

    def _plot(self, group: CurveGroup) -> Plot:
        colours = theme.current()
        item = pg.PlotItem(enableMenu=False)
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        item.getViewBox().setDefaultPadding(0.0)
        font = QFont(theme.caption_font(self))
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setStyle(tickFont=font, tickLength=-3, maxTickLevel=0, hideOverlappingLabels=True)
            axis.setPen(pg.mkPen(colours.line))
            axis.setTextPen(pg.mkPen(colours.secondary))
            axis.enableAutoSIPrefix(False)
        item.getAxis("left").setWidth(AXIS_WIDTH_PX)
        item.showGrid(x=False, y=True, alpha=0.12)
        marker = pg.InfiniteLine(angle=90, pen=pg.mkPen(colours.secondary, width=1, style=Qt.PenStyle.DotLine))
        item.addItem(marker, ignoreBounds=True)
        level = None
        if group.level is not None:
            pen = pg.mkPen(colours.secondary, width=1, style=Qt.PenStyle.DashLine)
            level = pg.InfiniteLine(pos=group.level, angle=0, pen=pen)
            item.addItem(level, ignoreBounds=True)
        item.layout.setRowFixedHeight(0, TITLE_PX)
        item.setFlag(item.GraphicsItemFlag.ItemClipsChildrenToShape)
        title = QGraphicsTextItem(item)
        title.setFont(font)
        title.setPos(AXIS_WIDTH_PX, -3)
        return Plot(group, item, marker, title, level=level)

    # --- drawing

    def _draw(self, plot: Plot) -> None:
        log = self._log and plot.group.positive
        plot.item.setLogMode(y=log)
        if plot.level is not None:
            level = plot.group.level or 1.0
            plot.level.setPos(math.log10(level) if log else level)
        for name in plot.group.names:
            self._draw_steps(plot, name)
        for curve in plot.group.curves:
            key = (curve.name, curve.split)
            if key not in plot.lines:
                plot.lines[key] = plot.item.plot(pen=self._pen(plot.group, curve), connect="finite")
            alone = len(curve.values_E) == 1
            plot.lines[key].setData(
                curve.steps_E if self._by_step else curve.epochs_E,
                curve.values_E,
                symbol="o" if alone else None,
                symbolSize=5,
                symbolPen=None,
                symbolBrush=self._colour(plot.group, curve),
            )
        self._fit(plot, log)
        self._place_markers()

    def _draw_steps(self, plot: Plot, name: str) -> None:
        points = self._points
        here = [k for k, losses in enumerate(points.losses) if name in losses]
        if name not in plot.steps:
            if not here:
                return
            colour = QColor(self._colour_of(plot.group, name, False))
            colour.setAlpha(STEPS_ALPHA)
            plot.steps[name] = plot.item.plot(pen=pg.mkPen(colour, width=1))
            plot.steps[name].setZValue(-1)
        along = [float(points.steps[k]) if self._by_step else points.epochs[k] for k in here]
        plot.steps[name].setData(np.array(along), np.array([points.losses[k][name] for k in here]))

    def _fit(self, plot: Plot, log: bool) -> None:
        """The range of the epochs' values: single steps may be far out."""
        curves = [curve for curve in plot.group.curves if len(curve.values_E)]
        values = np.concatenate([curve.values_E for curve in curves]) if curves else np.zeros(0)
        along = [curve.steps_E if self._by_step else curve.epochs_E for curve in curves]
        if sum(len(part) for part in along) < 2 * max(1, len(along)):  # hardly an epoch: the steps as well
            points = self._points
            at = points.steps if self._by_step else points.epochs
            along.append(np.array(at, np.float64))
            found = [losses[name] for losses in points.losses for name in plot.group.names if name in losses]
            values = np.concatenate([values, found])
        values = values[np.isfinite(values) & ((values > 0) | (not log))]
        if not len(values):
            return
        values = np.log10(values) if log else values
        low, high = float(values.min()), float(values.max())
        if plot.group.level is not None and not log:
            low, high = min(low, 0.0), max(high, 1.0)
        room = (high - low) * MARGIN or max(abs(high), 1e-6) * MARGIN
        end = max(float(part.max()) for part in along if len(part))
        low, high = low - room, high + room
        plot.item.setYRange(low, high, padding=0)
        rows = -(-len(self._shown()) // max(1, self._columns))
        most = max(2, int((self.height() / max(1, rows) - TITLE_PX - 18) / TICK_PX))
        plot.item.getAxis("left").setTicks([ticks(low, high, most, log=log)])
        plot.item.setXRange(0, max(end, 1), padding=0.02)

    def _pen(self, group: CurveGroup, curve: LossCurve) -> Any:
        style = Qt.PenStyle.DashLine if curve.split == HELD_OUT else Qt.PenStyle.SolidLine
        return pg.mkPen(self._colour(group, curve), width=1.6, style=style)

    def _colour(self, group: CurveGroup, curve: LossCurve) -> str:
        return self._colour_of(group, curve.name, curve.split == HELD_OUT)

    def _colour_of(self, group: CurveGroup, name: str, held_out: bool) -> str:
        colours = theme.current().classes
        place = int(held_out) if len(group.names) == 1 else group.names.index(name)
        return colours[place % len(colours)]

    # --- the epoch that is looked at

    def _place_markers(self) -> None:
        for plot in self.plots.values():
            epoch = self._marked if self._hovered is None else self._hovered
            plot.marker.setVisible(epoch > 0)
            plot.marker.setPos(self._along(epoch))

    def _along(self, epoch: float) -> float:
        """Where an epoch is on the axis."""
        curve = self._longest
        if not self._by_step or curve is None:
            return epoch
        return float(np.interp(epoch, [0, *curve.epochs_E], [0, *curve.steps_E]))

    @property
    def _longest(self) -> LossCurve | None:
        curves = [curve for group in self._groups for curve in group.curves]
        return max(curves, key=lambda curve: len(curve.values_E), default=None)

    def _epoch_at(self, scene: QPointF) -> float | None:
        curve = self._longest
        for plot in self.plots.values():
            if plot.item.getViewBox().sceneBoundingRect().contains(scene) and curve is not None:
                x = plot.item.getViewBox().mapSceneToView(scene).x()
                epoch = float(np.interp(x, [0, *curve.steps_E], [0, *curve.epochs_E])) if self._by_step else x
                return float(min(max(round(epoch), 1), int(curve.epochs_E[-1])))
        return None

    def _hover(self, scene: QPointF) -> None:
        self._look_at(self._epoch_at(scene))

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._look_at(None)

    def _look_at(self, epoch: float | None) -> None:
        if epoch != self._hovered:
            self._hovered = epoch
            self._place_markers()
            self._write()

    def _click(self, event: Any) -> None:
        plots = [p for p in self.plots.values() if p.item.sceneBoundingRect().contains(event.scenePos())]
        if plots and event.double():
            self.enlarged.emit("" if self._alone else plots[0].group.key)
        elif (epoch := self._epoch_at(event.scenePos())) is not None:
            self.chosen.emit(int(epoch))

    def legend(self, group: CurveGroup) -> list[tuple[str, str, str]]:
        """(colour, name, value at the epoch that is looked at) of each curve.

        Without a name where it is one of the splits, whose colours are the same on all plots.
        """
        epoch = self._hovered or self._marked or float("inf")
        plain = len(group.names) == 1 and self._columns > 1
        return [
            (
                self._colour(group, curve),
                "" if plain else series_name(group, curve),
                short(value_at(curve, epoch), 3 if self._columns > 1 else 4),
            )
            for curve in group.curves
        ]

    @property
    def named(self) -> bool:
        """Whether the titles say which split a curve is of."""
        return self._columns == 1

    def _write(self) -> None:
        """Titles that are the legends too; a narrow plot has a short one."""
        room_px = self._width_px - AXIS_WIDTH_PX
        for plot in self.plots.values():
            for title, named in plot.group.titles:
                plot.title.setHtml(self._words(plot.group, title, named))
                if plot.title.boundingRect().width() - plot.title.document().documentMargin() <= room_px:
                    break

    def _words(self, group: CurveGroup, title: str, named: bool) -> str:
        """`named`: with what each curve is, which the legend above all plots says too."""
        colours = theme.current()
        words = [f"<span style='color:{colours.text}'>{_html(title)}</span>"] if title else []
        for colour, name, value in self.legend(group):
            called = f"<span style='color:{colours.secondary}'>{_html(name)}&nbsp;</span>" if name and named else ""
            dot = f"<span style='color:{colour}'>\u25cf</span>&nbsp;"
            number = value.replace("-", "−")
            words.append(f"{dot}{called}<span style='color:{colours.text}'>{number}</span>")
        return "&nbsp;&nbsp; ".join(words)


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(" ", "&nbsp;")
