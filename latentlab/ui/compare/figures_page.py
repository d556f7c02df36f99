"""What is known of both models, side by side; of a figure that compares, the better one is marked."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
)

from latentlab.core.comparing import data_of
from latentlab.core.comparing_figures import (
    Figured,
    FigureRow,
    as_csv,
    as_text,
    figure_pairs,
    figure_rows,
    figured,
    why_not_comparable,
)
from latentlab.core.state import State
from latentlab.ui import theme
from latentlab.ui.compare.finding import Finding
from latentlab.ui.compare.page import Page
from latentlab.ui.compare.pair import Pair
from latentlab.ui.computing import Computing
from latentlab.ui.icons import icon
from latentlab.ui.tool_button import tool_button

BETTER = "better"
SHARE, MOST_PX = 0.28, 240  # of the width, for the numbers of one model


class FiguresPage(Page):
    def __init__(self, pair: Pair, found: dict[str, Finding]) -> None:
        super().__init__(pair, found)
        self._rows: list[FigureRow] = []
        self._read = False  # whether the figures of these models were asked for
        self._both: tuple[Figured, Figured] | None = None
        self._computing = Computing(self)
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
        self.copy_button = self._copying()
        below = QHBoxLayout()
        below.addWidget(self.note, 1)
        below.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignTop)
        self.column.addLayout(below)

    def _copying(self) -> QToolButton:
        button = tool_button("mdi6.content-copy", "Copy the figures of both as text or CSV", "Copy figures")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setEnabled(False)
        menu = QMenu(button)
        menu.addAction("Copy as text", lambda: self.copy("text"))
        menu.addAction("Copy as CSV", lambda: self.copy("CSV"))
        button.setMenu(menu)
        return button

    def copy(self, form: str) -> None:
        """The figures of both to the clipboard, as "text" or "CSV"."""
        held = self.pair.held
        if self._both is None or held is None:
            return
        names = (self.pair.first_name, held.name)
        text = as_csv(figure_pairs(*self._both), names) if form == "CSV" else as_text(self._rows, names)
        QGuiApplication.clipboard().setText(text)
        self.pair.workspace.notices.info(f"The figures of both are on the clipboard as {form}.")

    def show_models(self) -> None:
        self._rows, self._both, self._read = [], None, False
        self.copy_button.setEnabled(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The names of the figures keep the room that the numbers do not need."""
        super().resizeEvent(event)
        width = min(MOST_PX, round(self.width() * SHARE))
        for column in (1, 2):
            self.table.setColumnWidth(column, width)

    def show_state(self, _state: State) -> None:
        """Files are read for it, and encodings counted through: on a thread, once for two models."""
        held = self.pair.held
        if held is None or self._read:
            return
        self._read = True
        first, second = self.pair.opened("first"), self.pair.opened("second")
        names = first.info.sha256, second.info.sha256

        def compute() -> tuple[Figured, Figured]:
            return figured(first.info, first.encodings), figured(second.info, second.encodings)

        def take(both: tuple[Figured, Figured]) -> None:
            now = self.pair.held
            if now is not None and (self.pair.opened("first").info.sha256, now.info.sha256) == names:
                self._show(both, now.name)

        self._computing.start(compute, take)

    def _show(self, both: tuple[Figured, Figured], second_name: str) -> None:
        self._both, self._rows = both, figure_rows(*both)
        first, second = both[0].info, both[1].info
        self.table.setHorizontalHeaderLabels(["", self.pair.first_name, second_name])
        self.note.setText(_note(data_of(first), data_of(second), why_not_comparable(first, second)))
        self.copy_button.setEnabled(True)
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


def _note(first: str, second: str, unlike: str) -> str:
    if not unlike:
        return f"Both were trained on {first}; the better of two figures is marked."
    if first and first == second:
        return f"Both were trained on {first}, but {unlike}: figures of other sizes do not compare, so none is marked."
    if first and second:
        return f"Trained on {first} and on {second}: figures of different data do not compare, so none is marked."
    return "What one of them was trained on is not known, so no figure is marked as better."
