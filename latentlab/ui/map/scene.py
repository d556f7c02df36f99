"""What stands still on the map while one drags: density, dots, groups, tiles and thumbnails, in one pixmap.

Shapes: N encodings, n drawn ones, M places of tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap

from latentlab.core.spaces import FloatArray
from latentlab.ui.map import splat
from latentlab.ui.map.colours import Colouring
from latentlab.ui.map.geometry import Camera, PointIndex, bounds_of, inside_polygon, simplified, spacing_on_screen
from latentlab.ui.theme import Theme

THUMBNAIL_SPACING_PX = 36.0  # from here on pictures fit between the points
THUMBNAIL_PX = (28, 72)  # smallest and largest side
DENSITY = {True: ("#3a4150", 0.55), False: ("#c9d6ea", 0.5)}  # inhabited places: colour and opacity, by darkness
DENSITY_MARGIN = 0.15  # of the bounds, so that the shade can fade out
GROUP_RING_PX = 2.0


class Cloud:
    """The points of one layout as they are drawn: colours, who is hidden, an index for picking."""

    x_N: FloatArray
    y_N: FloatArray
    bounds: tuple[float, float, float, float]
    _index: PointIndex | None
    _order_N: NDArray[np.int64]

    def __init__(
        self, points_N2: FloatArray, colouring: Colouring, hidden: frozenset[str], previous: Cloud | None = None
    ) -> None:
        self.points_N2 = points_N2
        self.colouring = colouring
        self.hidden = hidden
        same_place = previous is not None and previous.points_N2 is points_N2
        if same_place:
            assert previous is not None
            self.x_N, self.y_N, self.bounds = previous.x_N, previous.y_N, previous.bounds
            self._index, self._order_N = previous._index, previous._order_N
        else:
            self.x_N = np.ascontiguousarray(points_N2[:, 0], np.float32)
            self.y_N = np.ascontiguousarray(points_N2[:, 1], np.float32)
            self.bounds = bounds_of(self.x_N, self.y_N)
            self._index = None
            # Files come class by class; drawn in that order the last class would cover the others.
            same_count = previous is not None and len(previous.points_N2) == len(points_N2)
            self._order_N = (
                previous._order_N
                if previous is not None and same_count
                else np.random.default_rng(0).permutation(len(points_N2))
            )
        self.shown_N = colouring.shown(hidden)
        x_N = self.x_N if self.shown_N is None else np.where(self.shown_N, self.x_N, np.float32(np.nan))
        self.drawn_x_N, self.drawn_y_N = x_N[self._order_N], self.y_N[self._order_N]
        self.drawn_codes_N = colouring.codes[self._order_N]
        self._density: QImage | None = None
        self._density_theme: Theme | None = None

    def __len__(self) -> int:
        return len(self.points_N2)

    def nearest(self, camera: Camera, x: float, y: float, radius_px: float) -> int | None:
        if self._index is None:
            self._index = PointIndex(self.x_N, self.y_N)
        return self._index.nearest(camera, x, y, radius_px, self.shown_N)

    def inside(self, outline_V2: NDArray[np.float64]) -> NDArray[np.int64]:
        """Indices of the shown points within an outline (V, 2) of the world."""
        members = inside_polygon(self.x_N, self.y_N, simplified(outline_V2))
        return members if self.shown_N is None else members[self.shown_N[members]]

    def visible(self, camera: Camera) -> NDArray[np.int64]:
        """Indices of the shown points in view, in drawing order reversed: the topmost first."""
        left, bottom, right, top = camera.visible
        x_N, y_N = self.drawn_x_N, self.drawn_y_N
        inside_N = (x_N >= left) & (x_N <= right) & (y_N >= bottom) & (y_N <= top)
        return np.asarray(self._order_N[np.flatnonzero(inside_N)[::-1]])

    def density(self, theme: Theme) -> tuple[QImage, tuple[float, float, float, float]]:
        """The shade of inhabited places and the world rectangle it covers."""
        left, bottom, right, top = self.bounds
        wide, high = (right - left) * DENSITY_MARGIN, (top - bottom) * DENSITY_MARGIN
        area = (left - wide, bottom - high, right + wide, top + high)
        if self._density is None or self._density_theme is not theme:
            colour, opacity = DENSITY[theme.dark]
            field_GG = splat.density(self.drawn_x_N, self.drawn_y_N, area)
            tint = np.broadcast_to(splat.argb((colour,)), field_GG.shape)
            pixels = splat.premultiplied(tint, field_GG * np.float32(opacity))
            self._density, self._density_theme = picture(pixels), theme
        return self._density, area


@dataclass(frozen=True, eq=False)
class Tiles:
    """Decoded pictures at places of the world; `pictures` (M,), None where nothing is near."""

    x_M: FloatArray
    y_M: FloatArray
    wide: float  # of one tile, in world units
    high: float
    pictures: tuple[QImage | None, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """All that `paint` needs besides the camera."""

    cloud: Cloud
    groups: tuple[tuple[NDArray[np.int64], str], ...] = ()  # members and the colour of their outline
    tiles: Tiles | None = None
    thumbnail: Callable[[int], QImage | None] | None = None  # None: not decoded yet, or there is none
    selected: tuple[int, ...] = field(default=())


def picture(pixels: splat.Pixels) -> QImage:
    """A QImage that owns its bytes, of premultiplied pixels (H, W)."""
    height, width = pixels.shape
    return QImage(
        np.ascontiguousarray(pixels).data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied
    ).copy()


def paint(scene: Scene, camera: Camera, theme: Theme, ratio: float, over: QPixmap | None = None) -> QPixmap:
    """The whole view at `ratio` device pixels per logical pixel; `over` is painted over where its size is right."""
    width, height = round(camera.width * ratio), round(camera.height * ratio)
    # A new pixmap for every frame would cost more than all dots: its memory comes page by page.
    pixmap = over if over is not None and (over.width(), over.height()) == (width, height) else QPixmap(width, height)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(QColor(theme.panel))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    _paint_density(painter, scene.cloud, camera, theme)
    visible_n = scene.cloud.visible(camera)
    if scene.tiles is not None:  # the pictures say what is where; dots on them would only be dirt
        _paint_tiles(painter, scene.tiles, camera)
    else:
        _paint_dots(painter, scene, camera, ratio, len(visible_n))
        _paint_thumbnails(painter, scene, camera, visible_n)
    painter.end()
    return pixmap


def _paint_density(painter: QPainter, cloud: Cloud, camera: Camera, theme: Theme) -> None:
    if not len(cloud):
        return
    shade, (left, bottom, right, top) = cloud.density(theme)
    x0, y0 = camera.to_screen(left, top)
    x1, y1 = camera.to_screen(right, bottom)
    # Only the part in view: Qt would otherwise scale the whole picture, however large that becomes.
    seen = QRectF(x0, y0, x1 - x0, y1 - y0).intersected(QRectF(0, 0, camera.width, camera.height))
    if seen.isEmpty():
        return
    per_x, per_y = shade.width() / (x1 - x0), shade.height() / (y1 - y0)
    source = QRectF((seen.x() - x0) * per_x, (seen.y() - y0) * per_y, seen.width() * per_x, seen.height() * per_y)
    painter.drawImage(seen, shade, source)


def _paint_dots(painter: QPainter, scene: Scene, camera: Camera, ratio: float, visible: int) -> None:
    cloud, colouring = scene.cloud, scene.cloud.colouring
    radius_px = splat.dot_radius_px(visible, camera.width, camera.height)
    x_N, y_N = camera.all_to_screen(cloud.drawn_x_N, cloud.drawn_y_N, ratio)
    width, height = round(camera.width * ratio), round(camera.height * ratio)
    dots = splat.stamps(splat.argb(colouring.colours), colouring.shapes, radius_px * ratio)
    pixels, margin = splat.splat(width, height, x_N, y_N, cloud.drawn_codes_N, dots)
    _draw(painter, pixels, margin, ratio)
    for members_n, colour in scene.groups:
        shown_n = members_n if cloud.shown_N is None else members_n[cloud.shown_N[members_n]]
        ring_px = max(radius_px, 1.5) + GROUP_RING_PX
        ring = splat.stamps(splat.argb((colour,)), ("ring",), ring_px * ratio)
        x_n, y_n = camera.all_to_screen(cloud.x_N[shown_n], cloud.y_N[shown_n], ratio)
        pixels, margin = splat.splat(width, height, x_n, y_n, np.zeros(len(shown_n), np.uint8), ring)
        _draw(painter, pixels, margin, ratio)


def _draw(painter: QPainter, pixels: splat.Pixels, margin: int, ratio: float) -> None:
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    painter.drawImage(QPointF(-margin / ratio, -margin / ratio), image)


def _paint_tiles(painter: QPainter, tiles: Tiles, camera: Camera) -> None:
    wide, high = tiles.wide * camera.scale_x, tiles.high * camera.scale_y
    for x, y, tile in zip(tiles.x_M.tolist(), tiles.y_M.tolist(), tiles.pictures, strict=True):
        if tile is None:
            continue
        screen_x, screen_y = camera.to_screen(x, y)
        painter.drawImage(QRectF(screen_x - wide / 2 + 0.5, screen_y - high / 2 + 0.5, wide - 1, high - 1), tile)


def thumbnail_side_px(visible: int, camera: Camera) -> float:
    """The side of thumbnails at this zoom; 0 where points are too close for any."""
    spacing = spacing_on_screen(visible, camera)
    if spacing < THUMBNAIL_SPACING_PX:
        return 0.0
    return float(np.clip(spacing * 0.9, *THUMBNAIL_PX))


def apart(x_n: Iterable[float], y_n: Iterable[float], side_px: float) -> list[int]:
    """Which of the squares of that side, in this order, can be drawn without covering an earlier one."""
    taken: dict[tuple[int, int], tuple[float, float]] = {}
    free: list[int] = []
    for index, (x, y) in enumerate(zip(x_n, y_n, strict=True)):
        column, row = int(x // side_px), int(y // side_px)
        near = [taken.get((column + dx, row + dy)) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        if any(o is not None and abs(o[0] - x) < side_px and abs(o[1] - y) < side_px for o in near):
            continue
        taken[column, row] = (x, y)
        free.append(index)
    return free


def _paint_thumbnails(painter: QPainter, scene: Scene, camera: Camera, visible_n: NDArray[np.int64]) -> None:
    side = thumbnail_side_px(len(visible_n), camera)
    if not side or scene.thumbnail is None:
        return
    cloud = scene.cloud
    x_n, y_n = camera.all_to_screen(cloud.x_N[visible_n], cloud.y_N[visible_n])
    for place in apart(x_n.tolist(), y_n.tolist(), side + 4):
        index = int(visible_n[place])
        image = scene.thumbnail(index)
        if image is None:
            continue
        scale = side / max(image.width(), image.height(), 1)
        box = QRectF(0, 0, image.width() * scale, image.height() * scale)
        box.moveCenter(QPointF(float(x_n[place]), float(y_n[place])))
        painter.drawImage(box, image)
        pen = QPen(QColor(cloud.colouring.colours[int(cloud.colouring.codes[index])]), 1.5)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawRect(box.adjusted(-0.75, -0.75, 0.75, 0.75))
