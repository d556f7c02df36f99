"""How much attribute directions point the same way: a table of cosines, coloured by sign and size."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDialog, QHeaderView, QLabel, QTableView, QVBoxLayout, QWidget

from latentlab.core.directions import DirectionSet
from latentlab.core.fitting import cosine_table
from latentlab.ui.names import readable
from latentlab.ui.theme import GRID_PX, PADDING_PX, current, tabular

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
ALONG, AGAINST = "#d55e00", "#0072b2"  # a colour-blind-safe pair
MOST_OPAQUE = 170


class CosineModel(QAbstractTableModel):
    def __init__(self, directions: DirectionSet, parent: QWidget) -> None:
        super().__init__(parent)
        self._names = list(directions)
        self._cosines_KK = cosine_table(directions)
        self._digits = tabular(parent.font())

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._names)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._names)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        cosine = float(self._cosines_KK[index.row(), index.column()])
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return f"{cosine:.2f}".replace("-", "−")
            case Qt.ItemDataRole.BackgroundRole if index.row() != index.column():
                colour = QColor(ALONG if cosine > 0 else AGAINST)
                colour.setAlpha(round(MOST_OPAQUE * min(abs(cosine), 1.0)))
                return colour
            case Qt.ItemDataRole.ForegroundRole if index.row() == index.column():
                return QColor(current().disabled)
            case Qt.ItemDataRole.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignCenter
            case Qt.ItemDataRole.FontRole:
                return self._digits
            case Qt.ItemDataRole.ToolTipRole:
                return f"{self._names[index.row()]} and {self._names[index.column()]}: cosine {cosine:.3f}"
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return readable(self._names[section])
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._names[section]
        return None


class CosineTable(QDialog):
    def __init__(self, directions: DirectionSet, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Cosines between attributes")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        said = QLabel("1: the same direction. 0: independent. −1: opposite. Lock what should not come along.")
        said.setProperty("role", "caption")
        said.setWordWrap(True)
        self.table = QTableView()
        self.table.setModel(CosineModel(directions, self))
        self.table.setSelectionMode(QTableView.SelectionMode.NoSelection)
        self.table.setShowGrid(False)
        self.table.setAccessibleName("Cosines between attributes")
        self.table.verticalHeader().setDefaultSectionSize(28)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        column = QVBoxLayout(self)
        column.setContentsMargins(PADDING_PX, PADDING_PX, PADDING_PX, PADDING_PX)
        column.setSpacing(GRID_PX)
        column.addWidget(said)
        column.addWidget(self.table)
        rows = max(2, len(directions))
        self.resize(min(900, 140 + 72 * rows), min(640, 104 + 28 * rows))
