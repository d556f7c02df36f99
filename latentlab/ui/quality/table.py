"""Figures by group: a row for each, a column for each place that they come from."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from latentlab.core.figure_kinds import ARROWS, LATENT, Better
from latentlab.core.figures import Column, FigureTable, Group, PerDimension, Row, number
from latentlab.ui import theme
from latentlab.ui.quality.chart import DimensionChart

BETTER_SAID: dict[Better, str] = {
    "lower": "Lower is better", "higher": "Higher is better", "one": "The nearer to 1 the better", "": "",
}  # fmt: skip
NONE = "–"
COLUMN_PX = 74
BETWEEN_GROUPS_PX = 20
WIDEST_PX = 560


class FigureTableView(QScrollArea):
    """Scrolls where it does not fit; every text can be selected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Figures of the model")
        self.viewport().setAutoFillBackground(False)
        self.chart = DimensionChart()
        self.rows: dict[str, tuple[str, ...]] = {}  # path -> what its cells say

    def show_table(self, table: FigureTable, dimensions: PerDimension | None, hint: str) -> None:
        """`hint` stands above everything, where it says something."""
        self.chart.setParent(None)  # the one before is deleted with all that lies in it
        page, content = QWidget(), QWidget()
        content.setMaximumWidth(WIDEST_PX)  # a number stays near what it is called
        across = QHBoxLayout(page)
        across.setContentsMargins(theme.PADDING_PX, 4, theme.PADDING_PX, theme.PADDING_PX)
        across.addWidget(content, 1)
        across.addStretch()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(BETWEEN_GROUPS_PX)
        self.rows = {}
        if table.columns:
            column.addWidget(_text(_sources(table.columns), "caption", wraps=True, rich=True))
        if hint:
            column.addWidget(_text(hint, "caption", wraps=True))
        self.chart.show_dimensions(dimensions)
        with_chart = False
        for group in table.groups:
            column.addLayout(self._group(group))
            if group.title == LATENT and dimensions is not None:
                column.addWidget(self.chart)
                with_chart = True
        if dimensions is not None and not with_chart:
            column.addWidget(self.chart)
        column.addStretch()
        self.setWidget(page)
        page.setAutoFillBackground(False)  # the panel's own ground shows

    def _group(self, group: Group) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID_PX)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 1)
        heading = _text(group.title, "title")
        grid.addWidget(heading, 0, 0)
        for place, column in enumerate(group.columns, start=1):
            grid.setColumnMinimumWidth(place, COLUMN_PX)
            title = _text(column.title, "caption", right=True)
            title.setToolTip(column.source[:1].upper() + column.source[1:])
            grid.addWidget(title, 0, place, Qt.AlignmentFlag.AlignBottom)
        for row in group.rows:
            self._row(grid, row, group)
        for column in group.columns:
            if space := group.spaces.get(column.key):
                whose = f"{column.title}: measured" if len(group.spaces) > 1 else "Measured"
                label = _text(f"{whose} in {space}.", "caption", wraps=True)
                label.setContentsMargins(0, 6, 0, 0)
                grid.addWidget(label, grid.rowCount(), 0, 1, len(group.columns) + 1)
        return grid

    def _row(self, grid: QGridLayout, row: Row, group: Group) -> None:
        kind, at = row.kind, grid.rowCount()
        arrow = ARROWS[kind.better]
        colour = theme.current().secondary
        words = escape(kind.title) + (f'&nbsp;<span style="color: {colour}">{arrow}</span>' if arrow else "")
        title = _text(words, rich=True, wraps=True)
        title.setContentsMargins(0, theme.GRID_PX, 0, 0)
        title.setToolTip(BETTER_SAID[kind.better])
        grid.addWidget(title, at, 0, Qt.AlignmentFlag.AlignBottom)
        said: list[str] = []
        has_beside = False
        for place, column in enumerate(group.columns, start=1):
            cell = row.cells.get(column.key)
            text = NONE if cell is None else number(cell.value, kind.unit)
            beside = "" if cell is None else cell.beside
            if beside.startswith("of "):
                text, beside = f"{text} {beside}", ""
            value = _text(text, right=True)
            value.setFont(theme.tabular(value.font()))
            value.setEnabled(cell is not None)
            value.setContentsMargins(0, theme.GRID_PX, 0, 0)
            whole = f"{cell.value!r} {kind.unit}".strip() if cell else "Not measured"
            value.setToolTip(f"{column.title}: {whole}")
            value.setAccessibleName(f"{kind.title}, {column.title}: {text}. {BETTER_SAID[kind.better]}".rstrip(". "))
            grid.addWidget(value, at, place, Qt.AlignmentFlag.AlignBottom)
            said.append(text)
            if beside:
                has_beside = True
                small = _text(beside.replace("real pictures:", "real"), "caption", right=True)
                small.setToolTip(f"{column.title}: {beside} score so, beside other real pictures")
                grid.addWidget(small, at + 1, place, Qt.AlignmentFlag.AlignTop)
        if kind.meaning:
            cells = 1 if has_beside else len(group.columns) + 1
            grid.addWidget(_text(kind.meaning, "caption", wraps=True), at + 1, 0, 1, cells)
        self.rows[kind.path] = tuple(said)


def _text(words: str, role: str = "", *, wraps: bool = False, right: bool = False, rich: bool = False) -> QLabel:
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.RichText if rich else Qt.TextFormat.PlainText)
    label.setWordWrap(wraps)
    if role:
        label.setProperty("role", role)
    if role != "title":
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    if right:
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    if wraps:
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def _sources(columns: tuple[Column, ...]) -> str:
    colour = theme.current().text
    lines = []
    for column in columns:
        source = f"{escape(column.source)}." if column.source else "nothing is said of it."
        lines.append(f'<span style="color: {colour}">{escape(column.title)}</span>: {source}')
        lines += [escape(note) for note in column.notes]
    return "<br>".join(lines)
