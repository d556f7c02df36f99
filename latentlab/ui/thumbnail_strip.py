"""ThumbnailStrip: latents as a row or a grid of pictures that are dragged out, dropped in, reordered and chosen.

One widget paints them all, those in sight only, so that a sheet of hundreds costs no widgets.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QToolTip, QWidget

from latentlab.core.condition import Condition
from latentlab.core.state import NamedLatent
from latentlab.ui.icons import icon
from latentlab.ui.latent_mime import packed, unpacked
from latentlab.ui.names import in_short
from latentlab.ui.pictures import Pictures, paint_picture
from latentlab.ui.theme import Theme, caption_font, current
from latentlab.ui.tile_layout import CAPTION_ROOM_PX, GAP_PX, TileLayout

BADGE_PX = 18
SMALLEST_WITH_BADGES_PX = 40
SMALLEST_WITH_CAPTIONS_PX = 92


class ThumbnailStrip(QAbstractScrollArea):
    """Items are shown in order; what happens to them is said by signals and drawn once `set_items` says so."""

    chosen = Signal(int)  # a click, or Enter
    dropped = Signal(int, object)  # before which item, Carried
    reordered = Signal(int, int)  # from index to index
    removed = Signal(int)
    marked = Signal(int)  # the star was clicked
    resized = Signal()

    def __init__(
        self,
        pictures: Pictures,
        parent: QWidget | None = None,
        *,
        wrapped: bool = False,
        least_side: int = 64,
        captioned: bool = False,
        margin: int = 4,
        removable: bool = False,
        reorderable: bool = False,
        markable: bool = False,
        accepts: bool = False,
    ) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._wrapped, self._least_side, self._captioned, self._margin = wrapped, least_side, captioned, margin
        self._removable, self._reorderable, self._markable = removable, reorderable, markable
        self._items: tuple[NamedLatent, ...] = ()
        self._keys, self._marks = list[bytes](), frozenset[int]()
        self.hint = ""  # said where there are no items
        self.ground = False  # whether a quiet field shows where pictures may be dropped
        self.checkpoint = ""  # latents of other models are not accepted
        self.space = ""  # where the items lie
        self.shown = -1  # the item that is the current picture
        self.current = 0
        self._hovered = -1
        self._pressed: tuple[int, QPointF] | None = None
        self._dragged = -1
        self._insertion = -1
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if wrapped else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.setAcceptDrops(accepts)
        self.viewport().setAcceptDrops(accepts)

    # --- what is shown

    def set_items(
        self, items: Sequence[NamedLatent], marks: Collection[int] = (), condition: Condition | None = None
    ) -> None:
        """Other items; `marks` are the indices that carry a star."""
        self._items = tuple(items)
        self._keys = [Pictures.key(item.latent, condition) for item in items]
        self._marks = frozenset(marks)
        self.current = min(self.current, max(0, len(items) - 1))
        self._hovered = -1
        self._fit_scroll_bars()
        self.viewport().update()

    @property
    def items(self) -> tuple[NamedLatent, ...]:
        return self._items

    def redraw(self) -> None:
        """Pictures have come."""
        self.viewport().update()

    def picture(self, index: int) -> QImage | None:
        return self._pictures.get(self._keys[index])

    @property
    def tiles(self) -> TileLayout:
        size = self.viewport().size()
        if self._wrapped:
            return TileLayout.wrapped(
                len(self._items),
                size.width(),
                size.height(),
                self._least_side,
                captioned=self._captioned,
                margin=self._margin,
            )
        captioned = self._captioned and size.height() >= SMALLEST_WITH_CAPTIONS_PX
        return TileLayout.in_a_row(len(self._items), size.height(), captioned=captioned, margin=self._margin)

    def rect_of(self, index: int) -> QRectF:
        """Of an item's picture, in the viewport."""
        return self.tiles.rect(index).translated(-self._offset())

    def badge_rect(self, index: int) -> QRectF:
        """Of the cross or the star in an item's corner, in the viewport."""
        rect = self.rect_of(index)
        return QRectF(rect.right() - BADGE_PX, rect.top(), BADGE_PX, BADGE_PX)

    def sizeHint(self) -> QSize:
        return QSize(240, self._least_side + 2 * self._margin + (CAPTION_ROOM_PX if self._captioned else 0))

    def minimumSizeHint(self) -> QSize:
        return QSize(64, 40)

    def _offset(self) -> QPointF:
        return QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def _fit_scroll_bars(self) -> None:
        tiles, size = self.tiles, self.viewport().size()
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        down.setRange(0, max(0, int(tiles.height - size.height())) if self._wrapped else 0)
        down.setPageStep(size.height())
        down.setSingleStep(int(tiles.row_height / 2))
        across.setRange(0, 0 if self._wrapped else max(0, int(tiles.width - size.width())))
        across.setPageStep(size.width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_scroll_bars()
        self.resized.emit()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.viewport().update()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.ground:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.control))
            painter.drawRoundedRect(QRectF(self.viewport().rect()), 5, 5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        if (self._insertion >= 0 and not self._reorderable) or (self.hasFocus() and not self._items):
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.drawRoundedRect(QRectF(self.viewport().rect()).adjusted(1, 1, -1, -1), 5, 5)
        if not self._items:
            painter.setPen(QColor(theme.secondary))
            painter.setFont(caption_font(self))
            area = self.viewport().rect().adjusted(8, 4, -8, -4)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.hint)
            return
        tiles, offset, dirty = self.tiles, self._offset(), QRectF(event.rect())
        for index in range(len(self._items)):
            rect = tiles.rect(index).translated(-offset)
            if rect.adjusted(0, 0, 0, CAPTION_ROOM_PX).intersects(dirty):
                self._paint_item(painter, rect, index, theme)
        if self._insertion >= 0 and self._reorderable:
            self._paint_insertion(painter, tiles, offset, theme)

    def _paint_item(self, painter: QPainter, rect: QRectF, index: int, theme: Theme) -> None:
        hot = index == self._hovered
        paint_picture(painter, rect, self.picture(index), theme)
        focused, shown = self.hasFocus() and index == self.current, index == self.shown
        marks = ((theme.accent, shown), (theme.text, focused), (theme.secondary, hot and not shown and not focused))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for inset, colour in zip((-1, 2), (colour for colour, on in marks if on), strict=False):  # one in the other
            painter.setPen(QPen(QColor(colour), 2))
            painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), 4, 4)
        if self.tiles.captioned:
            font = caption_font(self)
            painter.setFont(font)
            painter.setPen(QColor(theme.secondary))
            below = QRectF(rect.left(), rect.bottom() + 2, rect.width(), CAPTION_ROOM_PX - 2)
            name = in_short(self._items[index].name)  # whole in the tooltip
            text = QFontMetricsF(font).elidedText(name, Qt.TextElideMode.ElideMiddle, below.width())
            painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)
        marked = index in self._marks
        if rect.width() >= SMALLEST_WITH_BADGES_PX and (marked or (hot and (self._markable or self._removable))):
            self._paint_badge(painter, index, marked)

    def _paint_badge(self, painter: QPainter, index: int, marked: bool) -> None:
        box = self.badge_rect(index).adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 150))
        painter.drawRoundedRect(box, 4, 4)
        name = "mdi6.close" if self._removable else "mdi6.star" if marked else "mdi6.star-outline"
        icon(name, "#ffffff").paint(painter, box.adjusted(1, 1, -1, -1).toRect())

    def _paint_insertion(self, painter: QPainter, tiles: TileLayout, offset: QPointF, theme: Theme) -> None:
        last = self._insertion == len(self._items)
        rect = tiles.rect(self._insertion - last).translated(-offset)
        x = rect.right() + GAP_PX / 2 if last else rect.left() - GAP_PX / 2
        painter.setPen(QPen(QColor(theme.accent), 2))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))

    # --- the pointer

    def _index_at(self, position: QPointF) -> int:
        return self.tiles.index_at(position + self._offset())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._index_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or index < 0:
            return
        self.current = index
        if self._on_badge(index, event.position()):
            (self.removed if self._removable else self.marked).emit(index)
            return
        self._pressed = (index, event.position())
        self.viewport().update()

    def _on_badge(self, index: int, position: QPointF) -> bool:
        shown = (self._markable or self._removable) and self.rect_of(index).width() >= SMALLEST_WITH_BADGES_PX
        return shown and self.badge_rect(index).contains(position)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None:
            index, start = self._pressed
            if (event.position() - start).manhattanLength() >= QApplication.startDragDistance():
                self._pressed = None
                self._drag_out(index)
            return
        self._hover(self._index_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and event.button() == Qt.MouseButton.LeftButton:
            index, self._pressed = self._pressed[0], None
            if index < len(self._items):
                self.chosen.emit(index)

    def _hover(self, index: int) -> None:
        if index != self._hovered:
            self._hovered = index
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if index >= 0 else Qt.CursorShape.ArrowCursor)
            self.viewport().update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._wrapped:
            super().wheelEvent(event)
            return
        turn = event.angleDelta().y() or event.angleDelta().x()
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - turn)
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._index_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self._tip(index) if index >= 0 else "", self.viewport())
            return True
        return super().viewportEvent(event)

    def _tip(self, index: int) -> str:
        keys = ["Click (Enter): show it", "Drag: take it elsewhere"]
        if self._markable:
            keys.append("Star (K): keep it")
        if self._reorderable:
            keys.append("Alt+arrows: reorder")
        if self._removable:
            keys.append("Delete: remove")
        return "\n".join([self._items[index].name, *keys])

    # --- dragging

    def _drag_out(self, index: int) -> None:
        drag = QDrag(self)
        drag.setMimeData(packed([self._items[index]], self.checkpoint, self.space))
        picture = self.picture(index)
        if picture is not None:
            drag.setPixmap(QPixmap.fromImage(picture.scaled(64, 64, Qt.AspectRatioMode.KeepAspectRatio)))
        self._dragged = index
        drag.exec(Qt.DropAction.CopyAction)
        self._dragged = -1

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if unpacked(event.mimeData(), self.checkpoint):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._show_insertion(self.tiles.insertion_at(event.position() + self._offset()))
        event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._show_insertion(-1)

    def dropEvent(self, event: QDropEvent) -> None:
        before = self.tiles.insertion_at(event.position() + self._offset())
        self._show_insertion(-1)
        if self._dragged >= 0:  # what is dragged is our own
            if self._reorderable:
                self._reorder(self._dragged, before - (before > self._dragged))
            return
        carried = unpacked(event.mimeData(), self.checkpoint)
        if carried:
            event.acceptProposedAction()
            self.dropped.emit(before, carried)

    def _show_insertion(self, before: int) -> None:
        if before != self._insertion:
            self._insertion = before
            self.viewport().update()

    def _reorder(self, index: int, to: int) -> None:
        to = min(max(to, 0), len(self._items) - 1)
        if to != index:
            self.current = to
            self.reordered.emit(index, to)

    # --- the keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns = self.tiles.columns if self._wrapped else 0
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
            Qt.Key.Key_Home: -len(self._items),
            Qt.Key.Key_End: len(self._items),
        }
        key = Qt.Key(event.key())
        if not self._items:
            super().keyPressEvent(event)
        elif moves.get(key):
            if event.modifiers() & Qt.KeyboardModifier.AltModifier and self._reorderable:
                self._reorder(self.current, self.current + moves[key])
            else:
                self._go_to(self.current + moves[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.current)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self._removable:
            self.removed.emit(self.current)
        elif key == Qt.Key.Key_K and self._markable:
            self.marked.emit(self.current)
        else:
            super().keyPressEvent(event)

    def _go_to(self, index: int) -> None:
        self.current = min(max(index, 0), len(self._items) - 1)
        rect, area = self.rect_of(self.current), self.viewport().rect()
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        if rect.left() < 0 or rect.right() > area.width():
            across.setValue(across.value() + int(rect.left() if rect.left() < 0 else rect.right() - area.width() + 4))
        if rect.top() < 0 or rect.bottom() > area.height():
            down.setValue(down.value() + int(rect.top() if rect.top() < 0 else rect.bottom() - area.height() + 4))
        self.setAccessibleDescription(f"{self._items[self.current].name}, {self.current + 1} of {len(self._items)}")
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()
        if self._items:
            self._go_to(self.current)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()
