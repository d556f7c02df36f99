"""The row of controls above what a panel shows."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout

from latentlab.ui.theme import GRID_PX, PADDING_PX


def tool_row(below_px: int = GRID_PX) -> QHBoxLayout:
    """Empty, with the margins that the panels share; `below_px`: to what the panel shows."""
    row = QHBoxLayout()
    row.setContentsMargins(PADDING_PX, GRID_PX, PADDING_PX, below_px)
    row.setSpacing(GRID_PX)
    return row
