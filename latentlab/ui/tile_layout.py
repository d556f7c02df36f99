"""Where equal square tiles lie in a row or in a grid that wraps."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

GAP_PX = 6
CAPTION_ROOM_PX = 16
SMALLEST_PX, LARGEST_PX = 24.0, 144.0


@dataclass(frozen=True)
class TileLayout:
    """`columns` tiles of `side` pixels to a row, each with room for a caption below where `captioned`."""

    count: int
    columns: int
    side: float
    captioned: bool = False
    margin: float = 0.0

    @classmethod
    def in_a_row(cls, count: int, height: float, *, captioned: bool, margin: float = 0.0) -> TileLayout:
        """One row as tall as there is room, within reason."""
        room = height - 2 * margin - (CAPTION_ROOM_PX if captioned else 0)
        side = min(max(SMALLEST_PX, room), LARGEST_PX)
        return cls(count, max(count, 1), side, captioned, margin)

    @classmethod
    def wrapped(
        cls, count: int, width: float, height: float, least_side: float, *, captioned: bool = False, margin: float = 0.0
    ) -> TileLayout:
        """Rows that fill the height with tiles of at least `least_side`, or one lower row where there is less room.

        What lies beyond the height is scrolled to.
        """
        caption = CAPTION_ROOM_PX if captioned else 0
        room, across = height - 2 * margin, width - 2 * margin
        rows = max(1, int((room + GAP_PX) // (least_side + caption + GAP_PX)))
        side = max(min((room + GAP_PX) / rows - GAP_PX - caption, across), SMALLEST_PX)
        return cls(count, max(1, int((across + GAP_PX) // (side + GAP_PX))), side, captioned, margin)

    @property
    def row_height(self) -> float:
        return self.side + GAP_PX + (CAPTION_ROOM_PX if self.captioned else 0)

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    @property
    def width(self) -> float:
        return min(self.columns, self.count) * (self.side + GAP_PX) - GAP_PX + 2 * self.margin

    @property
    def height(self) -> float:
        return self.rows * self.row_height - GAP_PX + 2 * self.margin

    def rows_in(self, height: float) -> int:
        """How many whole rows fit."""
        return max(1, int((height - 2 * self.margin + GAP_PX) // self.row_height))

    def rect(self, index: int) -> QRectF:
        """Of a tile's picture, without its caption."""
        row, column = divmod(index, self.columns)
        left = self.margin + column * (self.side + GAP_PX)
        return QRectF(left, self.margin + row * self.row_height, self.side, self.side)

    def index_at(self, point: QPointF) -> int:
        """The tile under a point; -1 beside all."""
        column = int((point.x() - self.margin) // (self.side + GAP_PX))
        row = int((point.y() - self.margin) // self.row_height)
        index = row * self.columns + column
        inside = 0 <= column < self.columns and row >= 0 and index < self.count
        return index if inside and self.rect(index).contains(point) else -1

    def insertion_at(self, point: QPointF) -> int:
        """Before which tile something dropped at a point belongs; `count` for the end."""
        row = min(max(int((point.y() - self.margin) // self.row_height), 0), max(self.rows - 1, 0))
        column = int((point.x() - self.margin + GAP_PX / 2 + self.side / 2) // (self.side + GAP_PX))
        return min(max(row * self.columns + min(max(column, 0), self.columns), 0), self.count)
