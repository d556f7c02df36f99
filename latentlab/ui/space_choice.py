"""The choice between the latent spaces of a model, beside its name; not there where it has one only."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolBar

from latentlab.core.latent_model import ModelInfo
from latentlab.core.spaces import LatentSpace
from latentlab.ui.choice_box import ChoiceBox

PRIORS = {"normal": "normal prior", "uniform": "uniform prior", "empirical": "no prior of its own"}


class SpaceChoice(ChoiceBox):
    """`switch` is called with the name of the space that a person chose."""

    def __init__(self, switch: Callable[[str], None]) -> None:
        super().__init__()
        self._action: QAction | None = None
        self._names: list[str] = []
        self._switch = switch
        self._current = ""
        self.setAccessibleName("Latent space")
        self.setToolTip("The latent space one works in: sliders, map, samples, walk and arithmetic are of this space")
        self.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        self.activated.connect(self._choose)

    def join(self, bar: QToolBar) -> None:
        """Takes its place in a tool bar."""
        self._action = bar.addWidget(self)
        self._action.setVisible(False)

    def show_spaces(self, info: ModelInfo, current: str) -> None:
        self._names, self._current = [space.name for space in info.spaces], current
        with QSignalBlocker(self):
            self.clear()
            for index, space in enumerate(info.spaces):
                self.addItem(f"space {space.name}")
                self.setItemData(index, described(space), Qt.ItemDataRole.ToolTipRole)
            self.setCurrentIndex(self._names.index(current) if current in self._names else 0)
        if self._action is not None:
            self._action.setVisible(len(self._names) > 1)

    def _choose(self, index: int) -> None:
        chosen = self._names[index]
        with QSignalBlocker(self):  # it shows the new space once the state is there
            self.setCurrentIndex(self._names.index(self._current))
        self._switch(chosen)


def described(space: LatentSpace) -> str:
    """ "512 numbers, normal prior"."""
    size = " x ".join(str(side) for side in space.shape)
    return f"{size} numbers, {PRIORS[space.prior]}"
