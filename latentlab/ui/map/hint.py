"""What the map says of itself: how to use it, that it is on its way, why there is none."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from latentlab.core.latent_model import ModelInfo
from latentlab.ui import theme

NARROWEST_PX = 80
ROUND_TEXT_PX = 20
HINT = "Drag anywhere: the picture follows.  Wheel: zoom.  Right-drag: pan.  Shift-drag: select."
NOTHING_YET = "The map is being laid out…"
NOT_YET = "This model is still being trained; its run makes the map at the end."
NONE_INSIDE = "Nothing lies within that outline, so it makes no group."


class MapHint(QLabel):
    """How to use the map, at its lower left, until somebody has; and a sentence now and then."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(HINT, parent)
        self._wanted = False
        self._said = ""
        self._corner = (NARROWEST_PX, 0)  # how wide it may be, and where its lower edge is
        self.setProperty("role", "caption")
        self.setWordWrap(True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.show_theme()

    def show_usage(self, wanted: bool) -> None:
        self._wanted = wanted
        self._draw()

    def say(self, sentence: str) -> None:
        """In place of the usage; nothing: the usage again, where it is wanted."""
        if sentence != self._said:
            self._said = sentence
            self._draw()

    def place(self, room_px: int, bottom_px: int) -> None:
        self._corner = (room_px, bottom_px)
        wide = self.fontMetrics().horizontalAdvance(self.text()) + ROUND_TEXT_PX
        width_px = max(NARROWEST_PX, min(wide, room_px))
        self.resize(width_px, self.heightForWidth(width_px))  # never fixed: Qt would not go below a height once fixed
        self.move(theme.PADDING_PX, bottom_px - self.height())

    def show_theme(self) -> None:
        self.setStyleSheet(f"background: {theme.current().panel}; border-radius: 4px; padding: 2px 6px;")

    def _draw(self) -> None:
        self.setText(self._said or HINT)
        self.setHidden(not (self._said or self._wanted))
        self.place(*self._corner)


def no_map(info: ModelInfo, in_training: bool = False) -> str:
    """Why there is no map of a model without encodings, and how to get one."""
    if in_training:
        return f"{NOT_YET}\nThen press “Reload model” in the panel Training."
    if not info.path:
        return "There is no map of this model.\nexplore(…, images=…) makes one of pictures of yours."
    none = "This checkpoint carries no encodings, so there is no map yet."
    if not info.spaces[0].drawable and not info.encoder:
        return f"{none}\nIt has no encoder, and draws from its prior are no pictures. Its sliders work."
    if not info.spaces[0].drawable:
        return f"{none}\nDraws from its prior are no pictures: a folder of yours can be the map."
    if not info.encoder:
        return f"{none}\nThe model has no encoder, but samples that it draws can be the map."
    return f"{none}\nA folder of pictures can be the map, or samples that the model draws."
