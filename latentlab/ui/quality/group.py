"""One group of figures, painted: a label for each text took 50 ms to make, and the window waited for them."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from latentlab.core.figure_kinds import ARROWS, Better
from latentlab.core.figures import Cell, Column, Group, Row, number
from latentlab.ui import theme

BETTER_SAID: dict[Better, str] = {
    "lower": "Lower is better", "higher": "Higher is better", "one": "The nearer to 1 the better", "": "",
}  # fmt: skip
NONE = "–"
NARROWEST_COLUMN_PX = 56.0
ROW_GAP_PX = 8.0
WRAPPED = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Piece:
    """One text where it is painted; `colour` is the name of one of the theme's."""

    rect: QRectF
    flags: int
    words: str
    font: QFont
    colour: str
    tip: str = ""


class FigureGroup(QWidget):
    """As high as its texts need at its width. Its accessible description says everything."""

    def __init__(self, group: Group, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.group = group
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._body = theme.tabular(self.font())
        self._body.setPixelSize(theme.BODY_PX)
        self._heading = QFont(self._body)
        self._heading.setWeight(QFont.Weight.DemiBold)
        self._caption = theme.caption_font(self)
        self._pieces: list[Piece] = []
        self._laid_out_for = -1.0
        self._height = 0.0
        self.said = _said(group)
        self.setAccessibleName(group.title)
        self.setAccessibleDescription(self.said)

    # --- sizes

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        self._lay_out(float(width))
        return round(self._height + 0.5)

    def sizeHint(self) -> QSize:
        return QSize(320, self.heightForWidth(320))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)

    def _lay_out(self, width: float) -> None:
        if width == self._laid_out_for:
            return
        self._laid_out_for = width
        self._pieces = []
        wide = self._column_widths()
        edges = self._right_edges(width, wide)
        text_width = max(edges[0] - wide[0] - theme.GRID_PX if edges else width, 60.0)
        line = QFontMetricsF(self._heading).height()
        self._add(QRectF(0, 0, text_width, line), WRAPPED, self.group.title, self._heading, "text")
        for column, right, room in zip(self.group.columns, edges, wide, strict=True):
            rect = QRectF(right - room, 0, room, line)
            tip = column.source[:1].upper() + column.source[1:]
            self._add(rect, RIGHT, column.title, self._caption, "secondary", tip)
        top = line
        for row in self.group.rows:
            top = self._lay_out_row(row, top + ROW_GAP_PX, width, text_width, edges, wide)
        for column in self.group.columns:
            if space := self.group.spaces.get(column.key):
                whose = f"{column.title}: measured" if len(self.group.spaces) > 1 else "Measured"
                top = self._wrapped(f"{whose} in {space}.", top + 6, width, self._caption, "secondary")
        self._height = top

    def _lay_out_row(
        self, row: Row, top: float, width: float, text_width: float, edges: list[float], wide: list[float]
    ) -> float:
        """Adds its pieces; gives where it ends."""
        kind, better = row.kind, BETTER_SAID[row.kind.better]
        arrow = ARROWS[kind.better]
        title = f"{kind.title}\N{NO-BREAK SPACE}{arrow}" if arrow else kind.title
        below = self._wrapped(title, top, text_width, self._body, "text", better)
        line, small = QFontMetricsF(self._body).height(), QFontMetricsF(self._caption).height()
        beside_at_all = False
        for column, right, room in zip(self.group.columns, edges, wide, strict=True):
            cell = row.cells.get(column.key)
            text, beside = _texts(cell, kind.unit)
            tip = f"{column.title}: {cell.value!r} {kind.unit}".strip() if cell else f"{column.title}: not measured"
            rect = QRectF(right - room, below - line, room, line)  # level with the last line of the title
            self._add(rect, RIGHT, text, self._body, "text" if cell else "disabled", tip)
            if beside:
                beside_at_all = True
                tip = f"{column.title}: other real pictures score so beside these"
                self._add(QRectF(right - room, below, room, small), RIGHT, beside, self._caption, "secondary", tip)
        if not kind.meaning:
            return below + (small if beside_at_all else 0)
        room = text_width if beside_at_all else width
        return self._wrapped(kind.meaning, below, room, self._caption, "secondary", better)

    def _column_widths(self) -> list[float]:
        """As wide as the widest text in each."""
        body, caption = QFontMetricsF(self._body), QFontMetricsF(self._caption)
        found = []
        for column in self.group.columns:
            wide = [NARROWEST_COLUMN_PX, caption.horizontalAdvance(column.title)]
            for row in self.group.rows:
                text, beside = _texts(row.cells.get(column.key), row.kind.unit)
                wide += [body.horizontalAdvance(text), caption.horizontalAdvance(beside)]
            found.append(max(wide) + 1)
        return found

    @staticmethod
    def _right_edges(width: float, wide: list[float]) -> list[float]:
        edges, right = [], width
        for room in reversed(wide):
            edges.append(right)
            right -= room + theme.GRID_PX
        return edges[::-1]

    def _wrapped(self, words: str, top: float, width: float, font: QFont, colour: str, tip: str = "") -> float:
        """Adds a text of as many lines as it needs; gives where it ends."""
        needed = QFontMetricsF(font).boundingRect(QRectF(0, 0, width, 10_000), WRAPPED, words).height()
        self._add(QRectF(0, top, width, needed), WRAPPED, words, font, colour, tip)
        return top + needed

    def _add(self, rect: QRectF, flags: int, words: str, font: QFont, colour: str, tip: str = "") -> None:
        self._pieces.append(Piece(rect, flags, words, font, colour, tip))

    # --- painting, tips

    def paintEvent(self, event: QPaintEvent) -> None:
        self._lay_out(float(self.width()))
        painter, colours = QPainter(self), theme.current()
        seen = QRectF(event.rect())
        for piece in self._pieces:
            if piece.rect.intersects(seen):
                painter.setFont(piece.font)
                painter.setPen(QColor(getattr(colours, piece.colour)))
                painter.drawText(piece.rect, piece.flags, piece.words)

    def tip_at(self, position: QPointF) -> str:
        return next((piece.tip for piece in self._pieces if piece.tip and piece.rect.contains(position)), "")

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(QPointF(event.pos())), self)
            return True
        return super().event(event)


def cells_of(row: Row, columns: tuple[Column, ...]) -> tuple[str, ...]:
    """What the cells of a row say."""
    return tuple(_texts(row.cells.get(column.key), row.kind.unit)[0] for column in columns)


def _texts(cell: Cell | None, unit: str) -> tuple[str, str]:
    """(the number, what stands small below it)"""
    if cell is None:
        return NONE, ""
    text = number(cell.value, unit)
    if cell.beside.startswith("of "):
        return f"{text} {cell.beside}", ""
    return text, cell.beside.replace("real pictures:", "real")


def _said(group: Group) -> str:
    lines = []
    for row in group.rows:
        cells = zip(group.columns, cells_of(row, group.columns), strict=True)
        said = ", ".join(f"{column.title} {text}" for column, text in cells if text != NONE)
        parts = (f"{row.kind.title}: {said}", BETTER_SAID[row.kind.better], row.kind.meaning.rstrip("."))
        lines.append(". ".join(part for part in parts if part) + ".")
    spaces = ((column.title, group.spaces.get(column.key)) for column in group.columns)
    lines += [f"{title}: measured in {space}." for title, space in spaces if space]
    return "\n".join(lines)
