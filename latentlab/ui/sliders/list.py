"""SliderList: any number of sliders with number fields in one widget that paints only the rows one can see.

A row is one control: its rail, its number field, its lock and, where it has one, its switch. A drag emits `pressed`,
`moved` and `released`; the wheel and the keys emit `stepped`; typing emits `typed`. Nothing is emitted by drawing.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from latentlab.ui.row_editor import RowEditor, number_in
from latentlab.ui.sliders.row import RowGeometry, SliderRow, paint_row, tip_of
from latentlab.ui.sliders.track import Drag
from latentlab.ui.theme import CONTROL_PX, current, tabular

STEP = 0.01  # of the range, for one press of an arrow key or one notch of the wheel
SOON_MS = 50

Part = str  # "switch", "title", "rail", "number", "lock"; empty between them


class SliderList(QAbstractScrollArea):
    """Rows come from `row_at(number)` whenever one is painted, so that 100,000 cost no more than those in sight."""

    pressed = Signal(int)
    moved = Signal(int, float)
    released = Signal(int)
    abandoned = Signal(int)  # Escape during a drag
    stepped = Signal(int, float)
    typed = Signal(int, float)
    reset = Signal(int)
    lock_clicked = Signal(int)
    switched = Signal(int)
    renamed = Signal(int, str)
    deleted = Signal(int)
    pointed = Signal(int)  # the row under the pointer, else the one with the focus; -1 for none
    menu_wanted = Signal(int, QPoint)  # global position

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        row_height: int = CONTROL_PX,
        title_width: int = 96,
        renamable: bool = True,
        lockable: bool = True,
        switchable: bool = False,
        number_width: int = 56,
    ) -> None:
        super().__init__(parent)
        self._geometry = RowGeometry(row_height, title_width, number_width, lockable, switchable)
        self._renamable = renamable
        self._count = 0
        self._row_at: Callable[[int], SliderRow] = lambda _: SliderRow("", 0.0, 0.0, 1.0)
        self._drag: Drag | None = None
        self._hovered = -1
        self.current = 0
        self.hint = ""  # shown instead of rows where there are none
        self.editor = RowEditor(self)
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS)
        self._soon.timeout.connect(lambda: self.viewport().update(self._geometry.values(self.viewport().rect())))
        self.setFont(tabular(self.font()))
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.verticalScrollBar().setSingleStep(row_height)
        self.verticalScrollBar().valueChanged.connect(self.editor.dismiss)

    # --- what is shown

    def set_rows(self, count: int, row_at: Callable[[int], SliderRow]) -> None:
        """Other rows; the editor closes, the current row stays where it exists."""
        self.editor.dismiss()
        self._count, self._row_at = count, row_at
        self._hovered = -1
        self.current = min(self.current, max(0, count - 1))
        self._fit_scroll_bar()
        self.viewport().update()

    def __len__(self) -> int:
        return self._count

    def row(self, number: int) -> SliderRow:
        return self._row_at(number)

    def redraw(self, number: int, *, value_only: bool = False) -> None:
        """One row has changed, or only where its handle stands and what its number says."""
        rect = self.rect_of(number)
        self.viewport().update(self._geometry.values(rect) if value_only else rect)

    def redraw_all(self) -> None:
        self.viewport().update()

    def redraw_values_soon(self) -> None:
        """The values have moved by somebody else's hand, a drag on the map: no eye reads them at every picture."""
        if not self._soon.isActive():
            self._soon.start()

    def rect_of(self, number: int) -> QRect:
        """Of a row, in the viewport."""
        height = self._geometry.height
        return QRect(0, number * height - self.verticalScrollBar().value(), self.viewport().width(), height)

    def part_rect(self, number: int, part: Part) -> QRectF:
        """Of a part of a row, in the viewport: "switch", "title", "rail", "number" or "lock"."""
        return self._geometry.parts(QRectF(self.rect_of(number)))[part]

    def handle_position(self, number: int) -> QPoint:
        """Where the handle of a row is, in the viewport."""
        return self.position_of(number, self.row(number).value)

    def position_of(self, number: int, value: float) -> QPoint:
        """Where the handle of a row would be for a value, in the viewport."""
        rail = self.part_rect(number, "rail")
        return QPointF(self._geometry.track(rail, self.row(number)).x_of(value), rail.center().y()).toPoint()

    def go_to_row(self, number: int) -> None:
        """The row with the keyboard focus; scrolled into sight."""
        if not self._count:
            return
        old, self.current = self.current, min(max(number, 0), self._count - 1)
        rect = self.rect_of(self.current)
        bar = self.verticalScrollBar()
        if rect.top() < 0:
            bar.setValue(bar.value() + rect.top())
        elif rect.bottom() > self.viewport().height():
            bar.setValue(bar.value() + rect.bottom() - self.viewport().height() + 1)
        self.redraw(old)
        self.redraw(self.current)
        self._say_current()
        self.pointed.emit(self.current)

    def sizeHint(self) -> QSize:
        return QSize(320, self._geometry.height * min(max(self._count, 1), 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self._geometry.height)

    def _fit_scroll_bar(self) -> None:
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, self._count * self._geometry.height - self.viewport().height()))

    def _say_current(self) -> None:
        if self._count:
            self.setAccessibleDescription(self.row(self.current).spoken)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._count:
            painter.setPen(QColor(theme.secondary))
            area = self.viewport().rect().adjusted(12, 8, -12, -8)
            painter.drawText(area, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, self.hint)
            return
        height, offset = self._geometry.height, self.verticalScrollBar().value()
        dirty = event.rect()
        first = max(0, (dirty.top() + offset) // height)
        last = min(self._count - 1, (dirty.bottom() + offset) // height)
        for number in range(first, last + 1):
            paint_row(
                painter,
                self._geometry,
                QRectF(self.rect_of(number)),
                self.row(number),
                theme,
                self.font(),
                hot=number == self._hovered or (self._drag is not None and self._drag.row == number),
                focused=number == self.current and self.hasFocus(),
                dirty=QRectF(dirty),
            )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.editor.dismiss()
        self._fit_scroll_bar()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.viewport().update()

    # --- the pointer

    def _at(self, position: QPointF) -> tuple[int, Part]:
        number = int((position.y() + self.verticalScrollBar().value()) // self._geometry.height)
        if not 0 <= number < self._count:
            return -1, ""
        for part, rect in self._geometry.parts(QRectF(self.rect_of(number))).items():
            if rect.contains(position):
                return number, part
        return number, ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number, part = self._at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or number < 0:
            return
        self.go_to_row(number)
        if part == "lock":
            self.lock_clicked.emit(number)
        elif part == "switch" or (part == "title" and self._geometry.switchable):
            self._switch(number)
        elif part == "number":
            self.edit_number(number)
        elif part == "rail":
            self._begin_drag(number, event)

    def _refuses(self, number: int) -> bool:
        """Whether the row is locked; says so where it is."""
        row = self.row(number)
        if row.locked:
            where = self.viewport().mapToGlobal(self.part_rect(number, "rail").center().toPoint())
            QToolTip.showText(where, f"{row.title} is locked; its lock frees it (L).", self.viewport())
        return row.locked

    def _switch(self, number: int) -> None:
        if self._geometry.switchable and not self._refuses(number):
            self.switched.emit(number)

    def _begin_drag(self, number: int, event: QMouseEvent) -> None:
        if self._refuses(number):
            return
        row = self.row(number)
        track = self._geometry.track(self.part_rect(number, "rail"), row)
        self._drag = Drag(number, track, row.value, row.marks, event.position().x())
        self.pressed.emit(number)
        if self._drag.moved:  # pressed beside the handle: it jumps there
            self.moved.emit(number, self._drag.start_value)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            self._hover(event.position())
            return
        fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        value = self._drag.value_at(event.position().x(), fine)
        if value is not None:
            self.moved.emit(self._drag.row, value)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and event.button() == Qt.MouseButton.LeftButton:
            number, self._drag = self._drag.row, None
            self.released.emit(number)
            self.redraw(number)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        number, part = self._at(event.position())
        if number < 0:
            return
        if part == "rail":
            if not self.row(number).locked:
                self.reset.emit(number)
        elif part in ("title", "switch") and self._geometry.switchable:
            return  # the first click has done it; a second one would take it back
        elif part == "title" and self._renamable:
            self.edit_title(number)
        else:
            self.mousePressEvent(event)

    def _hover(self, position: QPointF) -> None:
        number, part = self._at(position)
        pressable = part in ("switch", "lock") or (part == "title" and self._geometry.switchable)
        shape = Qt.CursorShape.PointingHandCursor if pressable else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor if part == "number" else shape)
        if number != self._hovered:
            old, self._hovered = self._hovered, number
            self.redraw(old)
            self.redraw(number)
            self.pointed.emit(number if number >= 0 else self.current if self.hasFocus() else -1)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(QPointF(-1, -1))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolls; with Ctrl held it moves the slider under the pointer."""
        number, _ = self._at(event.position())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and number >= 0:
            self._step(number, event.angleDelta().y() / 120)
            event.accept()
        elif self.verticalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff:
            event.ignore()
        else:
            super().wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        number = self.current if keyboard else self._at(QPointF(event.pos()))[0]
        if 0 <= number < self._count:
            where = self.viewport().mapToGlobal(self.rect_of(number).bottomLeft()) if keyboard else event.globalPos()
            self.go_to_row(number)
            self.menu_wanted.emit(number, where)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number, part = self._at(QPointF(event.pos()))
            tip = tip_of(self.row(number), part, self._geometry.switchable) if number >= 0 else ""
            QToolTip.showText(event.globalPos(), tip, self.viewport())
            return True
        return super().viewportEvent(event)

    # --- the keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._drag is not None and event.key() == Qt.Key.Key_Escape:
            number, self._drag = self._drag.row, None
            self.abandoned.emit(number)
        elif not self._count or not self._key(event):
            super().keyPressEvent(event)

    def _key(self, event: QKeyEvent) -> bool:
        key, number = event.key(), self.current
        coarse = 10.0 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        page = max(1, self.viewport().height() // self._geometry.height - 1)
        ways = {
            Qt.Key.Key_Up: lambda: self.go_to_row(number - 1),
            Qt.Key.Key_Down: lambda: self.go_to_row(number + 1),
            Qt.Key.Key_PageUp: lambda: self.go_to_row(number - page),
            Qt.Key.Key_PageDown: lambda: self.go_to_row(number + page),
            Qt.Key.Key_Home: lambda: self.go_to_row(0),
            Qt.Key.Key_End: lambda: self.go_to_row(self._count - 1),
            Qt.Key.Key_Left: lambda: self._step(number, -coarse),
            Qt.Key.Key_Right: lambda: self._step(number, coarse),
            Qt.Key.Key_Backspace: lambda: None if self.row(number).locked else self.reset.emit(number),
            Qt.Key.Key_Delete: lambda: self.deleted.emit(number),
            Qt.Key.Key_Return: lambda: self.edit_number(number),
            Qt.Key.Key_Enter: lambda: self.edit_number(number),
            Qt.Key.Key_F2: lambda: self.edit_title(number),
            Qt.Key.Key_L: lambda: self.lock_clicked.emit(number) if self._geometry.lockable else None,
            Qt.Key.Key_Space: lambda: self._switch(number),
        }
        if (way := ways.get(Qt.Key(key))) is not None:
            way()
            return True
        if event.text() and event.text() in "0123456789-.":
            self.edit_number(number, event.text())
            return True
        return False

    def _step(self, number: int, notches: float) -> None:
        row = self.row(number)
        if not self._refuses(number):
            step = row.step or (row.high - row.low) * STEP
            self.stepped.emit(number, min(max(row.value + notches * step, row.low), row.high))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.redraw(self.current)
        self._say_current()
        if self._count:
            self.pointed.emit(self.current)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.redraw(self.current)

    # --- the one editor

    def edit_number(self, number: int, text: str | None = None) -> None:
        """Opens the number field of a row; `text` replaces what it says."""
        if not self._refuses(number):
            row = self.row(number)
            rect = self.part_rect(number, "number").toRect()
            self.editor.open(
                rect,
                row.number if text is None else text,
                f"{row.title}, value",
                lambda said: self._take_number(number, said),
                select=text is None,
                right=True,
            )

    def edit_title(self, number: int) -> None:
        if self._renamable:
            title, rect = self.row(number).title, self.part_rect(number, "title").toRect()
            self.editor.open(rect, title, f"{title}, name", lambda said: self._take_title(number, said))

    def _take_number(self, number: int, said: str) -> None:
        if (value := number_in(said)) is not None and said != self.row(number).number:
            self.typed.emit(number, value)

    def _take_title(self, number: int, said: str) -> None:
        if said != self.row(number).title:
            self.renamed.emit(number, said)
