"""SliderList: any number of sliders with number fields in one widget that paints only the rows one can see.

A row is one control: its rail, its number field, its lock and, where it has one, its switch. A drag emits `pressed`,
`moved` and `released`; the wheel and the keys emit `stepped`; typing emits `typed`. Nothing is emitted by drawing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
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
from PySide6.QtWidgets import QAbstractScrollArea, QLineEdit, QToolTip, QWidget

from latentlab.ui.slider_row import RowGeometry, SliderRow, paint_row
from latentlab.ui.theme import CONTROL_PX, current

FINE = 0.1  # of the pointer's way, while Shift is held
STEP = 0.01  # of the range, for one press of an arrow key or one notch of the wheel
DRAG_STARTS_PX = 3

Part = str  # "switch", "title", "rail", "number", "lock"; empty between them


@dataclass
class _Drag:
    row: int
    start_x: float
    start_value: float
    moved: bool = False


class SliderList(QAbstractScrollArea):
    """Rows come from `row_at(number)` whenever one is painted, so that 100,000 cost no more than those in sight."""

    pressed = Signal(int)
    moved = Signal(int, float)
    released = Signal(int)
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
        self._drag: _Drag | None = None
        self._hovered = -1
        self.current = 0
        self.hint = ""  # shown instead of rows where there are none
        self._editor = QLineEdit(self.viewport())
        self._editor.hide()
        self._editor.editingFinished.connect(self._take_text)
        self._edited: tuple[int, Part] | None = None
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.verticalScrollBar().setSingleStep(row_height)
        self.verticalScrollBar().valueChanged.connect(self._dismiss_editor)

    # --- what is shown

    def set_rows(self, count: int, row_at: Callable[[int], SliderRow]) -> None:
        """Other rows; the editor closes, the current row stays where it exists."""
        self._dismiss_editor()
        self._count, self._row_at = count, row_at
        self._hovered = -1
        self.current = min(self.current, max(0, count - 1))
        self._fit_scroll_bar()
        self.viewport().update()

    def __len__(self) -> int:
        return self._count

    def row(self, number: int) -> SliderRow:
        return self._row_at(number)

    def redraw(self, number: int) -> None:
        """One row has changed."""
        self.viewport().update(self.rect_of(number))

    def redraw_all(self) -> None:
        self.viewport().update()

    def rect_of(self, number: int) -> QRect:
        """Of a row, in the viewport."""
        height = self._geometry.height
        return QRect(0, number * height - self.verticalScrollBar().value(), self.viewport().width(), height)

    def part_rect(self, number: int, part: Part) -> QRectF:
        """Of a part of a row, in the viewport: "switch", "title", "rail", "number" or "lock"."""
        return self._geometry.parts(QRectF(self.rect_of(number)))[part]

    def handle_position(self, number: int) -> QPoint:
        """Where the handle of a row is, in the viewport."""
        row = self.row(number)
        rail = self.part_rect(number, "rail")
        return QPointF(self._geometry.track(rail, row).x_of(row.value), rail.center().y()).toPoint()

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
            )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._dismiss_editor()
        self._fit_scroll_bar()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.viewport().update()

    # --- the pointer

    def _at(self, position: QPointF) -> tuple[int, Part]:
        number = int((position.y() + self.verticalScrollBar().value()) // self._geometry.height)
        if not 0 <= number < self._count:
            return -1, ""
        parts = self._geometry.parts(QRectF(self.rect_of(number)))
        for part, rect in parts.items():
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
            self.switched.emit(number)
        elif part == "number":
            self.edit_number(number)
        elif part == "rail":
            self._begin_drag(number, event)

    def _begin_drag(self, number: int, event: QMouseEvent) -> None:
        row = self.row(number)
        if row.locked:
            QToolTip.showText(event.globalPosition().toPoint(), f"{row.title} is locked; click its lock to free it.")
            return
        track = self._geometry.track(self.part_rect(number, "rail"), row)
        x = event.position().x()
        self._drag = _Drag(number, x, row.value)
        self.pressed.emit(number)
        if abs(track.x_of(row.value) - x) > 8:  # beside the handle: it jumps there
            self._drag.start_value = track.snapped(x, row.marks)
            self._drag.moved = True
            self.moved.emit(number, self._drag.start_value)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            self._hover(event.position())
            return
        drag, x = self._drag, event.position().x()
        if not drag.moved and abs(x - drag.start_x) < DRAG_STARTS_PX:
            return
        drag.moved = True
        row = self.row(drag.row)
        track = self._geometry.track(self.part_rect(drag.row, "rail"), row)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            way = (x - drag.start_x) * FINE
            value = track.value_at(track.x_of(drag.start_value) + way)
        else:
            value = track.snapped(track.x_of(drag.start_value) + x - drag.start_x, row.marks)
        self.moved.emit(drag.row, value)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and event.button() == Qt.MouseButton.LeftButton:
            number, self._drag = self._drag.row, None
            self.released.emit(number)
            self.redraw(number)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        number, part = self._at(event.position())
        if number < 0:
            return
        if part == "rail" and not self.row(number).locked:
            self.reset.emit(number)
        elif part == "title" and self._renamable and not self._geometry.switchable:
            self.edit_title(number)
        else:
            self.mousePressEvent(event)

    def _hover(self, position: QPointF) -> None:
        number, part = self._at(position)
        shape = Qt.CursorShape.PointingHandCursor if part in ("switch", "lock") else Qt.CursorShape.ArrowCursor
        if part == "number":
            shape = Qt.CursorShape.IBeamCursor
        if part == "title" and self._geometry.switchable:
            shape = Qt.CursorShape.PointingHandCursor
        self.viewport().setCursor(shape)
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
            tip = self._tip(number, part) if number >= 0 else ""
            QToolTip.showText(event.globalPos(), tip, self.viewport())
            return True
        return super().viewportEvent(event)

    def _tip(self, number: int, part: Part) -> str:
        row = self.row(number)
        if part == "lock":
            return f"{'Free' if row.locked else 'Lock'} {row.title} (L)"
        if part == "switch" or (part == "title" and self._geometry.switchable):
            return f"{row.tip or row.title}\n{'Take off' if row.on else 'Put on'} (Space)"
        if part == "rail":
            return "Drag; Shift for fine steps; double-click resets (Backspace); arrow keys, or Ctrl and the wheel"
        if part == "number":
            return "Type a number (Enter)"
        return row.tip or row.title

    # --- the keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._count or not self._key(event):
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
            Qt.Key.Key_Space: lambda: self.switched.emit(number),
        }
        way = ways.get(Qt.Key(key))
        if way is not None:
            way()
            return True
        if event.text() and event.text() in "0123456789-.":
            self.edit_number(number, event.text())
            return True
        return False

    def _step(self, number: int, notches: float) -> None:
        row = self.row(number)
        if not row.locked:
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
        row = self.row(number)
        if not row.locked:
            self._open_editor(number, "number", row.number, text)
            self._editor.setAlignment(Qt.AlignmentFlag.AlignRight)

    def edit_title(self, number: int) -> None:
        if self._renamable:
            self._open_editor(number, "title", self.row(number).title, None)
            self._editor.setAlignment(Qt.AlignmentFlag.AlignLeft)

    @property
    def editor(self) -> QLineEdit:
        return self._editor

    def _open_editor(self, number: int, part: Part, said: str, text: str | None) -> None:
        self._edited = (number, part)
        rect = self.part_rect(number, part).toRect()
        self._editor.setStyleSheet("min-height: 0; padding: 0 4px;")
        self._editor.setGeometry(rect)
        self._editor.setAccessibleName(f"{self.row(number).title}, {'value' if part == 'number' else 'name'}")
        self._editor.setText(said if text is None else text)
        self._editor.show()
        self._editor.setFocus()
        if text is None:
            self._editor.selectAll()

    def _take_text(self) -> None:
        if self._edited is None:
            return
        (number, part), text = self._edited, self._editor.text().strip()
        had_focus = self._editor.hasFocus()
        self._dismiss_editor()
        if had_focus:
            self.setFocus()
        if part == "title":
            if text != self.row(number).title:
                self.renamed.emit(number, text)
        else:
            value = _number(text)
            if value is not None and text != self.row(number).number:
                self.typed.emit(number, value)

    def _dismiss_editor(self) -> None:
        if self._edited is not None:
            self._edited = None
            self._editor.hide()

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and self._edited is not None
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            self._dismiss_editor()
            self.setFocus()
            event.accept()
            return True
        return super().event(event)


def _number(text: str) -> float | None:
    """A finite number as people write it, also with a decimal comma and a real minus; None where it is none."""
    try:
        value = float(text.replace(",", ".").replace("−", "-").split()[0])
    except (ValueError, IndexError):
        return None
    return value if math.isfinite(value) and abs(value) <= 1e6 else None
