"""Standing: how typical the shown latent is and which encoding is nearest, for the status line and the caption."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from latentlab.core.errors import OptionError
from latentlab.core.typicality import Nearest, Typicality
from latentlab.ui.workspace import Workspace

PAUSE_MS = 80  # during a drag a number that changes more often cannot be read


@dataclass(frozen=True)
class Place:
    """`percentile` of the prior, 0 to 100; `nearest` is None where there are no encodings.

    `by_encodings`: the prior is measured, so the percentile is that of the encodings it was measured from.
    """

    percentile: float
    nearest: Nearest | None
    name: str = ""  # of the nearest encoding
    by_encodings: bool = False

    @property
    def word(self) -> str:
        if self.percentile < 1:  # in many dimensions hardly any draw is so close
            return "near the mean"
        if self.percentile < 97.5:
            return "typical"
        return "unusual" if self.percentile < 99.9 else "far out"

    @property
    def explained(self) -> str:
        """What the percentile means, for a tooltip."""
        nearer = min(100, max(0, round(self.percentile)))
        of, mean = ("encodings", "their mean") if self.by_encodings else ("draws from the prior", "its mean")
        return f"{self.word.capitalize()}: of 100 {of} {nearer} lie nearer to {mean}"

    def caption(self, shown: str = "") -> str:
        """`shown`: what the picture is called, which is not said twice where it is that encoding."""
        parts = [f"{ordinal(self.percentile)} percentile"]
        if self.nearest is not None and not (self.nearest.sigmas < 0.005 and self.name == shown):
            away = self.nearest.sigmas
            # A draw may come so close to an encoding that it rounds to 0.00, and is still another picture.
            parts.append(f"is {self.name}" if self.nearest.distance == 0 else f"{away:.2f} σ from {self.name}")
        return " · ".join(parts)


class Standing(QObject):
    """Measures at most every 80 ms, on the GUI thread: 1 ms for 10,000 encodings of 64 numbers."""

    found = Signal(object)  # Place

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._typicality: Typicality | None = None
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._measure)
        self.place: Place | None = None

    def show_model(self) -> None:
        self._typicality = None
        self.ask()

    def ask(self) -> None:
        """The latent has changed; `found` follows."""
        if not self._timer.isActive():
            self._timer.start()

    def _measure(self) -> None:
        workspace = self._workspace
        encodings = workspace.opened.encodings
        if encodings is not None and encodings.space != workspace.state.space:
            encodings = None
        if self._typicality is None:
            self._typicality = Typicality(workspace.space, encodings)
        try:
            percentile = self._typicality.percentile(workspace.state.latent)
        except OptionError:  # between two models of different size
            return
        nearest = self._typicality.nearest(workspace.state.latent)
        name = encodings.name_of(nearest.index) if encodings is not None and nearest is not None else ""
        self.place = Place(percentile, nearest, name, self._typicality.by_encodings)
        self.found.emit(self.place)


def ordinal(number: float) -> str:
    """62.4 as "62nd"."""
    whole = min(100, max(0, round(number)))
    ending = "th" if whole % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{whole}{ending}"
