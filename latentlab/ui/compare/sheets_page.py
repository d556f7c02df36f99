"""SheetsPage: a sheet of pictures of either model side by side, under a row of controls."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QGridLayout, QHBoxLayout

from latentlab.core.requests import Decoded
from latentlab.ui import theme
from latentlab.ui.compare.finding import Finding
from latentlab.ui.compare.page import Page
from latentlab.ui.compare.pair import SIDES, Pair, Side
from latentlab.ui.compare.sheet import Sheet

RESIZE_MS = 80


class SheetsPage(Page):
    """A click on a picture of the first model goes to its latent; another size draws the page anew.

    `aspect` is the page's name in requests, `shows` what its sheets are in words, `least_side_px` that of a picture.
    """

    def __init__(self, pair: Pair, found: dict[str, Finding], aspect: str, shows: str, least_side_px: int) -> None:
        super().__init__(pair, found)
        self.sheets: dict[Side, Sheet] = {
            side: Sheet(pair, f"{aspect}/{side}", side, f"{shows} the {side} model", least_side_px) for side in SIDES
        }
        self.sheets["first"].chosen.connect(self._choose)
        self._resizing = QTimer(self, singleShot=True, interval=RESIZE_MS)
        self._resizing.timeout.connect(lambda: self.show_state(pair.workspace.state))
        self.controls = QHBoxLayout()
        self.controls.setSpacing(theme.GRID_PX)
        self.grid = QGridLayout()  # a column for each model
        self.grid.setHorizontalSpacing(theme.PADDING_PX)
        self.grid.setRowStretch(0, 1)
        for column, sheet in enumerate(self.sheets.values()):
            self.grid.addWidget(sheet, 0, column)
            self.grid.setColumnStretch(column, 1)
            sheet.resized.connect(self._resizing.start)
        self.column.addLayout(self.controls)
        self.column.addLayout(self.grid, 1)

    def show_models(self) -> None:
        for sheet in self.sheets.values():
            sheet.clear()

    def take(self, detail: str, reply: Decoded) -> None:
        self.sheets[side_of(detail)].take(reply)

    def show_theme(self) -> None:
        for sheet in self.sheets.values():
            sheet.redraw()

    def _choose(self, index: int) -> None:
        sheet = self.sheets["first"]
        item = sheet.items[index]
        self.pair.workspace.go_to(item.latent, item.name, space=sheet.space)


def side_of(detail: str) -> Side:
    """Whose pictures those of "compare/PAGE/DETAIL" are."""
    return "first" if detail.startswith("first") else "second"
