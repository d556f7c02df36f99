"""The row above the map: which projection, which axes, which colour; and the tools in its corner.

Choices are offered as (key, words); the keys are what `MapView` holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from latentlab.core.directions import DirectionSet
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import DataError
from latentlab.core.registry import PROJECTIONS
from latentlab.core.state import MapView
from latentlab.ui import theme
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.map import colours
from latentlab.ui.map.view import Tool
from latentlab.ui.names import readable
from latentlab.ui.projecting import IN_PLACE
from latentlab.ui.tool_button import tool_button

OPTIONAL = {"umap": "umap"}  # projections whose library may be absent: its module
OFFERED_AXES = 64
AXIS_PX = 88  # "PC 1…": which it is must be seen, its share of the variance is in the tooltip
COLOUR_RESERVE_PX = 48
FEWEST_LETTERS, MOST_LETTERS = 8, 20  # of a choice that a box has room for, where the row has it

Choices = list[tuple[str, str]]


def axis_choices(projection: str, encodings: EncodingSet | None, directions: DirectionSet) -> Choices:
    """What an axis can be; empty where the projection has none to choose."""
    if encodings is None:
        return []
    if projection == "pca":
        return [(str(k + 1), f"PC {k + 1}{share}") for k, share in enumerate(_shares(encodings))]
    if projection == "plane":
        order = np.argsort(encodings.informativeness)[::-1][:OFFERED_AXES]
        dimensions = sorted(order.tolist()) if encodings.dim <= OFFERED_AXES else order.tolist()
        return [
            *((name, readable(name)) for name in directions),
            *((f"{colours.DIMENSION}{d + 1}", f"Dimension {d + 1}") for d in dimensions),
        ]
    return []


def _shares(encodings: EncodingSet) -> list[str]:
    """How much of the variance each component holds, in words; empty words while that is not known."""
    fitted = encodings.pca is not None or "principal" in vars(encodings)
    if not fitted and encodings.latents.size > IN_PLACE:  # fitted on a thread, by and by
        return [""] * min(encodings.dim, OFFERED_AXES)
    try:
        shares_K = encodings.principal_shares
    except DataError:  # nothing is finite; the map says so
        return []
    return [f" · {share:.0%}" for share in shares_K.tolist()]


def with_projection(view: MapView, projection: str, choices: Choices) -> MapView:
    """The view with another projection; axes that it does not know become its first two."""
    known = [key for key, _ in choices]
    if len(known) < 2:  # one-dimensional latents: a line
        return replace(view, projection=projection, x="1", y="2") if known else replace(view, projection=projection)
    if view.x in known and view.y in known and view.x != view.y:
        return replace(view, projection=projection)
    return replace(view, projection=projection, x=known[0], y=known[1])


class MapControls(QWidget):
    """Signals come from the user only, never from showing a state."""

    projection_chosen = Signal(str)
    axes_chosen = Signal(str, str)
    colour_chosen = Signal(str)

    def __init__(self, installed: Callable[[str], bool], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.projection = _box("Projection of the map", 5, self)
        self.x_axis = _box("Horizontal axis", 8, self)
        self.times = QLabel("×", self)
        self.y_axis = _box("Vertical axis", 8, self)
        self.note = QLabel(self)
        self.note.setProperty("role", "caption")
        self.colour_label = ElidedLabel("Colour", self, whole=True)  # in a small window the axes need its room
        self.colour_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.colour_label.reserve_px = COLOUR_RESERVE_PX
        self.colour = _box("Colour of the points", 8, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.PADDING_PX, theme.GRID_PX, theme.PADDING_PX, theme.GRID_PX)
        row.setSpacing(6)
        for widget in (self.projection, self.x_axis, self.times, self.y_axis, self.note):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.colour_label)
        row.addWidget(self.colour)
        for key, entry in PROJECTIONS.items():
            if key not in OPTIONAL or installed(OPTIONAL[key]):
                self.projection.addItem(entry.title, key)
        self.projection.activated.connect(lambda _index: self.projection_chosen.emit(self.projection.currentData()))
        for box in (self.x_axis, self.y_axis):
            box.setMinimumWidth(AXIS_PX)
            box.activated.connect(self._choose_axes)
        self.colour.activated.connect(lambda _index: self.colour_chosen.emit(self.colour.currentData()))

    def show_trustworthiness(self, share: float | None) -> None:
        """How far neighbours on the map are neighbours in truth; None where the map is no matter of trust."""
        self.note.setVisible(share is not None)
        if share is not None:
            self.note.setText(f"trustworthiness {share:.2f}")
            self.note.setToolTip("How far neighbours on the map are neighbours in the latent space; 1 is best.")

    def _choose_axes(self, _index: int) -> None:
        self.axes_chosen.emit(self.x_axis.currentData(), self.y_axis.currentData())

    def show_view(self, view: MapView, axes: Choices, colours: Choices, colour: str) -> None:
        """`colour` is the key really in use, which may differ from the view's."""
        _select(self.projection, view.projection)
        for box, key in ((self.x_axis, view.x), (self.y_axis, view.y)):
            _fill(box, axes)
            _select(box, key)
            box.setVisible(bool(axes))
        self.times.setVisible(bool(axes))
        _fill(self.colour, colours)
        _select(self.colour, colour)
        self.setEnabled(bool(colours))


class MapTools(QWidget):
    """A column of buttons over the upper right corner of the map."""

    tool_chosen = Signal(str)
    lattice_chosen = Signal(bool)
    fit_asked = Signal()
    zoom_asked = Signal(int)  # 1 in, -1 out

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("map-tools")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(2)
        self.lasso = _tool("mdi6.lasso", "Select a group with a lasso (hold Shift and drag)", True, self)
        self.rectangle = _tool("mdi6.selection-drag", "Select a group with a rectangle", True, self)
        self.lattice = _tool("mdi6.view-grid-outline", "Decode a lattice of pictures across the map", True, self)
        self.fit = _tool("mdi6.fit-to-page-outline", "Fit the map (F)", False, self)
        self.closer = _tool("mdi6.plus", "Zoom in (+)", False, self)
        self.farther = _tool("mdi6.minus", "Zoom out (−)", False, self)
        for button in (self.lasso, self.rectangle, self.lattice, self.fit, self.closer, self.farther):
            column.addWidget(button)
        self.lasso.clicked.connect(lambda on: self._choose("lasso" if on else "go"))
        self.rectangle.clicked.connect(lambda on: self._choose("rectangle" if on else "go"))
        self.lattice.clicked.connect(self.lattice_chosen)
        self.fit.clicked.connect(lambda _on: self.fit_asked.emit())
        self.closer.clicked.connect(lambda _on: self.zoom_asked.emit(1))
        self.farther.clicked.connect(lambda _on: self.zoom_asked.emit(-1))
        self.show_theme()

    def show_theme(self) -> None:
        colours = theme.current()
        self.setStyleSheet(
            f"#map-tools {{ background: {colours.panel}; border: 1px solid {colours.line}; border-radius: 6px; }}"
        )

    def show_tool(self, tool: Tool) -> None:
        self.lasso.setChecked(tool == "lasso")
        self.rectangle.setChecked(tool == "rectangle")

    def _choose(self, tool: Tool) -> None:
        self.show_tool(tool)
        self.tool_chosen.emit(tool)


def _box(name: str, letters: int, parent: QWidget) -> ChoiceBox:
    box = ChoiceBox(parent)
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.setFixedHeight(theme.CONTROL_PX)
    box.setMinimumContentsLength(letters)
    box.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    box.setMinimumWidth(68)
    box.setMaxVisibleItems(20)
    return box


def _tool(symbol: str, tip: str, checkable: bool, parent: QWidget) -> QToolButton:
    button = tool_button(symbol, tip, checkable=checkable, parent=parent)
    button.setFixedSize(theme.CONTROL_PX, theme.CONTROL_PX)
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _fill(box: ChoiceBox, choices: Choices) -> None:
    """Only when they differ: filling anew would close an open list."""
    if [(box.itemData(i), box.itemText(i)) for i in range(box.count())] != choices:
        box.clear()
        for key, words in choices:
            box.addItem(words, key)
        # As wide as its words where there is room; the layout takes it back where there is none.
        longest = max((len(words) for _, words in choices), default=0)
        box.setMinimumContentsLength(min(max(longest, FEWEST_LETTERS), MOST_LETTERS))


def _select(box: ChoiceBox, key: str) -> None:
    box.setCurrentIndex(box.findData(key))
