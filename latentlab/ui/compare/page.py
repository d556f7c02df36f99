"""Page: one aspect of the comparison. The panel alone calls these methods; only the page in sight asks for pictures."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from latentlab.core.requests import Decoded
from latentlab.core.state import State
from latentlab.ui import theme
from latentlab.ui.compare.finding import Finding
from latentlab.ui.compare.pair import Pair


class Page(QWidget):
    """`found` are the latents that both models have for the current picture."""

    finds = False  # whether the second model's latent of the current picture is wanted

    def __init__(self, pair: Pair, found: dict[str, Finding]) -> None:
        super().__init__()
        self.pair = pair
        self.found = found
        self.column = QVBoxLayout(self)  # what the page is made of, from top to bottom
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(theme.GRID_PX)

    def show_models(self) -> None:
        """Another first or second model, or other attributes; `show_state` follows."""

    def show_state(self, state: State) -> None:
        """Draw it and ask for what is missing; it is called for every change while the page is in sight."""

    def show_found(self) -> None:
        """What was found of the current picture is another."""

    def take(self, detail: str, reply: Decoded) -> None:
        """Pictures asked for under "compare/PAGE/DETAIL"."""

    def show_theme(self) -> None:
        """The colours changed."""
