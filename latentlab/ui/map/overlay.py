"""What moves over the map: the crosshair, the caption beside it, the walk's path, kept samples, the outline of a lasso.

Everything is drawn twice, first wider in the panel's colour, so that it reads over any dots.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF, QRegion

from latentlab.ui.map.geometry import Camera
from latentlab.ui.theme import CAPTION_PX, Theme

Place = tuple[float, float]  # in the world

CROSSHAIR_REACH_PX = 17.0
RING_PX = 7.0
NUMBER_PX = 9.0  # radius of a keyframe's dot
CAPTION_GAP_PX = 24.0
CAPTION_APART_PX = 4.0  # of the caption and the tools
FAR_PX = 1e5  # what lies farther out is drawn there: Qt's coordinates are not endless


@dataclass
class Overlay:
    """What is drawn over the map, at places of the world; the outline alone is on the screen."""

    crosshair: Place | None = None
    caption: str = ""
    path: list[Place] = field(default_factory=list)
    loop: bool = False
    stars: list[Place] = field(default_factory=list)
    outline: list[QPointF] = field(default_factory=list)
    covered: QRectF = field(default_factory=QRectF)  # the tools at the right, which lie over the map
    font: QFont = field(default_factory=QFont)  # of captions; kept, for each new one is looked up in the system

    def paint(self, painter: QPainter, camera: Camera, theme: Theme) -> None:
        paint_path(painter, [on_screen(camera, place) for place in self.path], self.loop, theme, self.font)
        paint_stars(painter, [on_screen(camera, place) for place in self.stars], theme)
        paint_outline(painter, self.outline, theme)
        if self.crosshair is not None:
            place = on_screen(camera, self.crosshair)
            paint_crosshair(painter, place.x(), place.y(), theme)
            if self.caption:
                paint_caption(painter, self.caption, self._caption_rect(place, camera), theme, self.font)

    def moving(self, camera: Camera) -> QRegion:
        """What a move of the crosshair has to paint anew."""
        if self.crosshair is None:
            return QRegion()
        place = on_screen(camera, self.crosshair)
        region = QRegion(crosshair_rect(place.x(), place.y()).toAlignedRect())
        if self.caption:
            region += self._caption_rect(place, camera).toAlignedRect().adjusted(-1, -1, 1, 1)
        return region

    def _caption_rect(self, place: QPointF, camera: Camera) -> QRectF:
        box = caption_rect(self.caption, place.x(), place.y(), camera.width, camera.height, self.font)
        if box.intersects(self.covered):
            box.moveRight(max(self.covered.left() - CAPTION_APART_PX, box.width()))
        return box


def on_screen(camera: Camera, place: Place) -> QPointF:
    x, y = camera.to_screen(*place)
    return QPointF(min(max(x, -FAR_PX), FAR_PX), min(max(y, -FAR_PX), FAR_PX))


def caption_font(font: QFont) -> QFont:
    small = QFont(font)
    small.setPixelSize(CAPTION_PX)
    return small


def crosshair_rect(x: float, y: float) -> QRectF:
    reach = CROSSHAIR_REACH_PX + 3
    return QRectF(x - reach, y - reach, 2 * reach, 2 * reach)


def paint_crosshair(painter: QPainter, x: float, y: float, theme: Theme) -> None:
    box = crosshair_rect(x, y)
    painter.drawImage(box.topLeft(), _crosshair(theme, painter.device().devicePixelRatioF()))


@lru_cache(maxsize=4)
def _crosshair(theme: Theme, density: float) -> QImage:
    """Drawn once: ten strokes with round ends took a quarter of a millisecond of every picture of a drag."""
    box = crosshair_rect(0, 0)
    side = round(box.width() * density)
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(density)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.translate(-box.topLeft())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((theme.panel, 5.0), (theme.text, 2.0)):
        painter.setPen(QPen(QColor(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawEllipse(QPointF(0, 0), RING_PX, RING_PX)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(
                QPointF(dx * (RING_PX + 4), dy * (RING_PX + 4)),
                QPointF(dx * CROSSHAIR_REACH_PX, dy * CROSSHAIR_REACH_PX),
            )
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.accent))
    painter.drawEllipse(QPointF(0, 0), 2.5, 2.5)
    painter.end()
    return image


def caption_rect(text: str, x: float, y: float, width: float, height: float, font: QFont) -> QRectF:
    """Where the caption of a place goes: centred below it, or above where the view ends."""
    metrics = QFontMetricsF(font)
    lines = text.split("\n")
    wide = max(metrics.horizontalAdvance(line) for line in lines) + 16
    high = metrics.lineSpacing() * len(lines) + 8
    left = x - wide / 2
    top = y + CAPTION_GAP_PX if y + CAPTION_GAP_PX + high <= height else y - CAPTION_GAP_PX - high
    return QRectF(min(max(left, 0), max(width - wide, 0)), min(max(top, 0), max(height - high, 0)), wide, high)


def paint_caption(painter: QPainter, text: str, box: QRectF, theme: Theme, font: QFont) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    painter.setPen(Qt.PenStyle.NoPen)
    for colour, inset in ((theme.line, 0.0), (theme.window, 1.0)):  # a pen along the edge takes eight times as long
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), 4 - inset, 4 - inset)
    painter.setPen(QColor(theme.text))
    painter.drawText(box.adjusted(8, 4, -8, -4), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


def paint_path(painter: QPainter, points: list[QPointF], loop: bool, theme: Theme, font: QFont) -> None:
    """The walk: a line through its keyframes, each a dot with its number."""
    if not points:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line = QPolygonF([*points, points[0]] if loop and len(points) > 2 else points)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((theme.panel, 5.0), (theme.accent, 2.0)):
        painter.setPen(
            QPen(QColor(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        )
        painter.drawPolyline(line)
    bold = QFont(font)
    bold.setBold(True)
    painter.setFont(bold)
    for number, point in enumerate(points, 1):
        painter.setPen(QPen(QColor(theme.panel), 2))
        painter.setBrush(QColor(theme.accent))
        painter.drawEllipse(point, NUMBER_PX, NUMBER_PX)
        painter.setPen(QColor(theme.on_accent))
        box = QRectF(point.x() - NUMBER_PX, point.y() - NUMBER_PX, 2 * NUMBER_PX, 2 * NUMBER_PX)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(number))


def paint_stars(painter: QPainter, points: list[QPointF], theme: Theme, radius_px: float = 7.0) -> None:
    """Kept samples."""
    if not points:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.panel), 1.5))
    painter.setBrush(QColor(theme.warning))
    turns = [(k * math.pi / 5, radius_px if k % 2 == 0 else radius_px * 0.45) for k in range(10)]
    for point in points:
        painter.drawPolygon(
            QPolygonF([QPointF(point.x() + r * math.sin(t), point.y() - r * math.cos(t)) for t, r in turns])
        )


def paint_outline(painter: QPainter, outline: list[QPointF], theme: Theme) -> None:
    """A lasso or a rectangle while it is drawn."""
    if len(outline) < 2:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    fill = QColor(theme.accent)
    fill.setAlphaF(0.14)
    painter.setBrush(QBrush(fill))
    painter.setPen(QPen(QColor(theme.accent), 1.5, Qt.PenStyle.DashLine))
    painter.drawPolygon(QPolygonF(outline))


def paint_hint(painter: QPainter, text: str, width: float, height: float, theme: Theme) -> None:
    """What would be here, in the middle of an empty map."""
    painter.setPen(QColor(theme.secondary))
    box = QRectF(24, 0, max(width - 48, 1), height)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
