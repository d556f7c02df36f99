"""What is known of both models, side by side; of a figure that compares, the better one is marked."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTableWidget, QTableWidgetItem

from latentlab.core.comparing import data_of
from latentlab.core.comparing_figures import FigureRow, comparable, figure_rows, figured
from latentlab.core.state import State
from latentlab.ui import theme
from latentlab.ui.compare.finding import Finding
from latentlab.ui.compare.page import Page
from latentlab.ui.compare.pair import Pair
from latentlab.ui.icons import icon

BETTER = "better"
SHARE, MOST_PX = 0.28, 240  # of the width, for the numbers of one model


class FiguresPage(Page):
    def __init__(self, pair: Pair, found: dict[str, Finding]) -> None:
        super().__init__(pair, found)
        self._rows: list[FigureRow] = []
        self.table = QTableWidget(0, 3)
        self.table.setAccessibleName("Figures of both models")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(24)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.note = QLabel()
        self.note.setProperty("role", "caption")
        self.note.setWordWrap(True)
        self.column.setSpacing(4)
        self.column.addWidget(self.table, 1)
        self.column.addWidget(self.note)

    def show_models(self) -> None:
        self._rows = []

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The names of the figures keep the room that the numbers do not need."""
        super().resizeEvent(event)
        width = min(MOST_PX, round(self.width() * SHARE))
        for column in (1, 2):
            self.table.setColumnWidth(column, width)

    def show_state(self, _state: State) -> None:
        held = self.pair.held
        if held is None or self._rows:
            return
        first = self.pair.opened("first").info
        self._rows = figure_rows(figured(first), figured(held.info))
        self.table.setHorizontalHeaderLabels(["", self.pair.first_name, held.name])
        self.note.setText(_note(data_of(first), data_of(held.info), comparable(first, held.info)))
        self._fill()

    def show_theme(self) -> None:
        self._fill()

    def _fill(self) -> None:
        self.table.clearSpans()
        self.table.setRowCount(len(self._rows))
        for number, row in enumerate(self._rows):
            if row.heading:
                self.table.setSpan(number, 0, 1, 3)
                self.table.setItem(number, 0, _heading(row.title))
                continue
            for column, text in enumerate((row.title, row.first, row.second)):
                better = row.better == ("", "first", "second")[column] and column > 0
                self.table.setItem(number, column, _item(text, row.tip, better, column == 0))


def _item(text: str, tip: str, better: bool, title: bool) -> QTableWidgetItem:
    colours = theme.current()
    item = QTableWidgetItem(text)
    item.setToolTip(tip or text)
    item.setForeground(QColor(colours.secondary if title else colours.text))
    if better:
        font = QFont()
        font.setBold(True)
        item.setFont(font)
        item.setForeground(QColor(colours.good))
        item.setIcon(icon("mdi6.check", "good"))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{text}, {BETTER}")
    return item


def _heading(text: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    font = QFont()
    font.setBold(True)
    item.setFont(font)
    item.setForeground(QColor(theme.current().text))
    item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
    return item


def _note(first: str, second: str, compares: bool) -> str:
    if compares:
        return f"Both were trained on {first}; the better of two figures is marked."
    if first and second:
        return f"Trained on {first} and on {second}: figures of different data do not compare, so none is marked."
    return "What one of them was trained on is not known, so no figure is marked as better."
