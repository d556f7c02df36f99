"""Everything that is known of a model, group by group, with the bars of its dimensions."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from latentlab.core.figure_kinds import LATENT
from latentlab.core.figures import Column, FigureTable, PerDimension
from latentlab.ui import theme
from latentlab.ui.quality.chart import DimensionChart
from latentlab.ui.quality.group import FigureGroup, cells_of

BETWEEN_GROUPS_PX = 20
WIDEST_PX = 560


class FigureTableView(QScrollArea):
    """Scrolls where it does not fit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Figures of the model")
        self.viewport().setAutoFillBackground(False)
        self.chart = DimensionChart()
        self.rows: dict[str, tuple[str, ...]] = {}  # path -> what its cells say
        self.said = ""  # everything, as a screen reader has it

    def show_table(self, table: FigureTable, dimensions: PerDimension | None, hint: str) -> None:
        """`hint` stands above everything, where it says something."""
        self.chart.setParent(None)  # the page before is deleted with all that lies in it
        page, content = QWidget(), QWidget()
        content.setMaximumWidth(WIDEST_PX)  # a number stays near what it is called
        across = QHBoxLayout(page)
        across.setContentsMargins(theme.PADDING_PX, 4, theme.PADDING_PX, theme.PADDING_PX)
        across.addWidget(content, 1)
        across.addStretch()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(BETWEEN_GROUPS_PX)
        words = [*_sources(table.columns), *([escape(hint)] if hint else [])]
        if words:
            column.addWidget(_caption("<br>".join(words)))
        self.chart.show_dimensions(dimensions)
        groups = [FigureGroup(group) for group in table.groups]
        places = [group.title for group in table.groups]
        for shown in groups:
            column.addWidget(shown)
            if dimensions is not None and shown.group.title == (LATENT if LATENT in places else places[-1]):
                column.addWidget(self.chart)
                self.chart.show()  # only now that it lies in something: alone it would be a window
        column.addStretch()
        self.setWidget(page)
        page.setAutoFillBackground(False)  # the panel's own ground shows
        self.rows = {row.kind.path: cells_of(row, group.columns) for group in table.groups for row in group.rows}
        self.said = "\n".join([*words, *(shown.said for shown in groups)])


def _caption(words: str) -> QLabel:
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setWordWrap(True)
    label.setProperty("role", "caption")
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def _sources(columns: tuple[Column, ...]) -> list[str]:
    """A line for each column, and what is to be noted of it."""
    colour = theme.current().text
    lines: list[str] = []
    for column in columns:
        source = f"{escape(column.source)}." if column.source else "nothing is said of it."
        lines += [f'<span style="color: {colour}">{escape(column.title)}</span>: {source}', *map(escape, column.notes)]
    return lines
