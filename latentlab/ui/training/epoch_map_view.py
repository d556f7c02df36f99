"""EpochMapView: where the same pictures lie after each epoch, so that one sees the map organise itself.

Shapes: N points, C colours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from latentlab.core.run_folder import EpochMap
from latentlab.core.spaces import FloatArray
from latentlab.ui import theme
from latentlab.ui.map import splat
from latentlab.ui.map.colours import REST
from latentlab.ui.training.copying import copyable

MARGIN_PX = 10
NEAR_PX = 8
QUIET = {True: "#474c55", False: "#c3c8d0"}  # pictures behind the draws, by darkness
OUTLYING = 0.995  # of the points of all epochs lie within the view
WORDS = {
    "components": "principal components of the latents",
    "latents": "the two numbers of a latent",
    "pictures": "principal components of the pictures",
}


class EpochMapView(QWidget):
    """`show_maps` once there are others, `go_to` an epoch or between two: points move from the one to the next."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(96, 96)
        self.setAccessibleName("Map of the run")
        self.hint = ""
        self.copy_action = copyable(self, "Copy the map as a picture")
        self._maps: Mapping[int, EpochMap] = {}
        self._epochs: list[int] = []
        self._at = 0.0
        self._centre = np.zeros(2, np.float32)
        self._reach = 1.0  # from the centre to the border of the view

    @property
    def at(self) -> float:
        return self._at

    def show_maps(self, maps: Mapping[int, EpochMap]) -> None:
        self._maps, self._epochs = maps, sorted(maps)
        if maps:
            points_N2 = np.concatenate([one.layout_N2 for one in maps.values()])
            self._centre = np.median(points_N2, axis=0)
            self._reach = max(float(np.quantile(np.abs(points_N2 - self._centre), OUTLYING)), 1e-6) * 1.05
        self.update()

    def go_to(self, epoch: float) -> None:
        if epoch != self._at:
            self._at = epoch
            self.update()

    @property
    def shown(self) -> EpochMap | None:
        """The map of the epoch one is at, or of the last before it."""
        place = bisect_right(self._epochs, self._at)
        return self._maps[self._epochs[max(place - 1, 0)]] if self._epochs else None

    def layout_now(self) -> FloatArray | None:
        """(N, 2), between two epochs on the way from the one to the other."""
        shown = self.shown
        if shown is None:
            return None
        place = bisect_right(self._epochs, self._at)
        if 0 < place < len(self._epochs):
            before, after = self._epochs[place - 1], self._epochs[place]
            following = self._maps[after].layout_N2
            if following.shape == shown.layout_N2.shape:
                share = np.float32((self._at - before) / (after - before))
                share = share * share * (3 - 2 * share)  # begins and ends gently
                return np.asarray(shown.layout_N2 + share * (following - shown.layout_N2), np.float32)
        return shown.layout_N2

    def caption(self) -> str:
        """ "360 held-out pictures · principal components of the latents, 46 % of their variance"."""
        shown = self.shown
        if shown is None:
            return ""
        known = int((~shown.drawn_N).sum())
        who = f"{known} held-out pictures" + (f" and {len(shown.drawn_N) - known} draws" if shown.drawn_N.any() else "")
        share = "" if shown.of == "latents" else f", {shown.share:.0%} of the variance"
        return f"{who} · {WORDS.get(shown.of, shown.of)}{share}"

    def colours(self, shown: EpochMap) -> tuple[list[str], tuple[str, ...], np.ndarray]:
        """(C colours, C shapes, (N,) codes): one for each class; pictures are quiet behind the draws of a generator."""
        colours = theme.current()
        count = len(colours.classes)
        known = bool((shown.labels_N >= 0).any())
        codes = np.where(shown.labels_N >= 0, shown.labels_N % count, 0 if not known else count)
        if shown.drawn_N.any():
            codes = np.where(shown.drawn_N, codes, count + 1)
        shapes = tuple(splat.SHAPES[k % len(splat.SHAPES)] if known else "circle" for k in range(count))
        unknown = colours.accent if shown.drawn_N.any() else REST[colours.dark]
        return [*colours.classes, unknown, QUIET[colours.dark]], (*shapes, "circle", "circle"), codes.astype(np.uint8)

    def places(self, layout_N2: FloatArray) -> FloatArray:
        """(N, 2) pixels of the view."""
        scale = (min(self.width(), self.height()) / 2 - MARGIN_PX) / self._reach
        centred = (layout_N2 - self._centre) * np.array([scale, -scale], np.float32)
        return np.asarray(centred + np.array([self.width() / 2, self.height() / 2], np.float32), np.float32)

    def sizeHint(self) -> QSize:
        return QSize(240, 240)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        shown, layout_N2 = self.shown, self.layout_now()
        if shown is None or layout_N2 is None:
            painter.setPen(QColor(theme.current().secondary))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.hint)
            return
        ratio = self.devicePixelRatioF()
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        colours, shapes, codes_N = self.colours(shown)
        radius = min(4.5, max(2.2, min(self.width(), self.height()) / 90))
        dots = splat.stamps(splat.argb(colours), shapes, radius * ratio)
        places_N2 = self.places(layout_N2) * np.float32(ratio)
        pixels, margin = splat.splat(width, height, places_N2[:, 0], places_N2[:, 1], codes_N, dots)
        view = pixels[margin : margin + height, margin : margin + width].copy()
        image = QImage(view.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied)
        painter.drawImage(QRectF(0, 0, self.width(), self.height()), image)

    def event(self, event: object) -> bool:
        if isinstance(event, QHelpEvent):
            text = self.words_at(event.pos())
            QToolTip.showText(event.globalPos(), text or self.caption(), self)
            return True
        return super().event(event)  # type: ignore[arg-type]

    def words_at(self, place: QPoint | QPointF) -> str:
        """What the point under a place is; empty beside all."""
        shown, layout_N2 = self.shown, self.layout_now()
        if shown is None or layout_N2 is None:
            return ""
        away_N = np.hypot(*(self.places(layout_N2) - np.array([place.x(), place.y()], np.float32)).T)
        nearest = int(away_N.argmin())
        if away_N[nearest] > NEAR_PX:
            return ""
        label = int(shown.labels_N[nearest])
        name = shown.label_names[label] if 0 <= label < len(shown.label_names) else ""
        kind = "a draw" if shown.drawn_N[nearest] else "a held-out picture"
        return f"{kind}: {name}" if name else kind
