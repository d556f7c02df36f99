"""MapView's widget: shows a scene through a camera and says in signals what a person does there.

It knows nothing of sessions or models. During a drag only the crosshair is drawn anew, over a kept pixmap.
Shapes: N encodings, V vertices of an outline.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Literal

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from latentlab.ui import theme
from latentlab.ui.map.geometry import PICK_RADIUS_PX, ZOOM_LIMITS, Camera, fitted
from latentlab.ui.map.overlay import Overlay, caption_font, on_screen, paint_hint
from latentlab.ui.map.scene import Scene, paint
from latentlab.ui.space_key import BY_KEYBOARD

Tool = Literal["go", "lasso", "rectangle"]

AT_ONCE = 200_000  # up to so many points are drawn anew in the paint event itself; more wait one frame
FRAME_MS = 12
WHEEL_FACTOR = 1.0018  # per eighth of a degree
KEY_FACTOR = 1.25
STILL_PX = 3.0
TOOLS_PX, HINT_PX = 24, 24  # kept free on the right and below beside the margin, where tools and hint lie over the map
NUDGE_PX, FAR_NUDGE_PX = 6.0, 30.0
ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class _Drag(Enum):
    NONE = 0
    GO = 1
    PAN = 2
    SELECT = 3
    CARRY = 4


class MapCanvas(QWidget):
    pressed = Signal(float, float, int)  # a place of the world, and the encoding within reach of the pointer or -1
    dragged = Signal(float, float)
    released = Signal()
    abandoned = Signal()  # Escape during a drag
    nudged = Signal(float, float)  # the place the arrow keys ask for
    selected = Signal(object)  # indices (n,) within an outline, or none
    carried = Signal(int)  # an encoding is dragged out of the map
    hovered = Signal(int, QPointF)  # the encoding under the pointer or -1, and where the pointer is
    tool_changed = Signal(str)
    resized = Signal(int, int)
    camera_moved = Signal()
    menu_asked = Signal(QPoint)  # global position

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)
        self.setAccessibleName("Map of the encodings")
        self.setAccessibleDescription(
            "Arrow keys move through the latent space, plus and minus zoom, F fits the map, Escape takes a drag back."
        )
        self.tool: Tool = "go"
        self.scene: Scene | None = None
        self.hint = ""
        self.camera = Camera()
        self._fitted_scale = 100.0
        self._follows = True  # the camera fits the whole map until it is moved by hand
        self.overlay = Overlay(font=caption_font(self.font()))
        self._drag = _Drag.NONE
        self._drag_button = Qt.MouseButton.NoButton
        self._press = QPointF()
        self._far = False  # whether the pointer left the place where it was pressed: a click picks a point exactly
        self._last = QPointF()
        self._space_held = False
        self._focus_shown = False
        self._hovered = -1
        self._canvas: QPixmap | None = None
        self._canvas_camera: Camera | None = None
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(FRAME_MS)
        self._redraw.timeout.connect(self._draw_now)

    # --- what is shown ----------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(640, 560)

    def show_scene(self, scene: Scene | None, hint: str = "") -> None:
        """`hint` is shown where there is no scene. The camera follows until it was moved by hand."""
        self.scene, self.hint = scene, hint
        if scene is None:  # what was under a hand is gone
            self._drag, self.overlay.outline = _Drag.NONE, []
        if self._follows and self._drag is _Drag.NONE:  # nothing moves under a hand
            self._fit()
        self.redraw()

    def redraw(self) -> None:
        """What stands still changed: colours, thumbnails, tiles."""
        self._canvas_camera = None
        self.update()

    def place_crosshair(self, place: tuple[float, float] | None, caption: str = "") -> None:
        overlay = self.overlay
        if (place, caption) != (overlay.crosshair, overlay.caption):
            before = overlay.moving(self.camera)
            overlay.crosshair, overlay.caption = place, caption
            self.update(before.united(overlay.moving(self.camera)))

    def show_marks(self, path: list[tuple[float, float]], loop: bool, stars: list[tuple[float, float]]) -> None:
        """The walk's keyframes and the kept samples, at places of the world."""
        overlay = self.overlay
        if (path, loop, stars) != (overlay.path, overlay.loop, overlay.stars):
            overlay.path, overlay.loop, overlay.stars = path, loop, stars
            self.update()

    def follow(self) -> None:
        """Fit whatever is shown next, until the view is moved by hand."""
        self._follows = True

    def fit(self) -> None:
        """Show the whole map and keep doing so."""
        self._follows = True
        self._fit()
        self.redraw()
        self.camera_moved.emit()

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Around a point of the screen; by default the crosshair where it is in view, else the middle."""
        if at is None:
            place, at = self.overlay.crosshair, QPointF(self.width() / 2, self.height() / 2)
            if place is not None and QRectF(self.rect()).contains(cross := on_screen(self.camera, place)):
                at = cross
        low, high = ZOOM_LIMITS
        scale = min(max(self.camera.scale_x * factor, self._fitted_scale * low), self._fitted_scale * high)
        self._look(self.camera.zoomed(scale / self.camera.scale_x, at.x(), at.y()))

    def _look(self, camera: Camera) -> None:
        self._follows = False
        self.camera = camera
        self.update()
        self.camera_moved.emit()

    def _fit(self) -> None:
        if self.scene is not None and self.width() > 0 and self.height() > 0:
            width, height = self.width(), self.height()
            beside, below = min(TOOLS_PX, width // 10), min(HINT_PX, height // 10)
            self.camera = fitted(self.scene.cloud.bounds, width, height, beside, below)
            self._fitted_scale = self.camera.scale_x

    # --- painting ---------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = theme.current()
        if self.scene is None:
            painter.fillRect(self.rect(), QColor(colours.panel))
            paint_hint(painter, self.hint, self.width(), self.height(), colours)
            return
        if self._canvas is None or (
            self._canvas_camera != self.camera and (len(self.scene.cloud) <= AT_ONCE or self._canvas_camera is None)
        ):
            self._draw_canvas()
        self._paint_canvas(painter, event.rect(), colours)
        self.overlay.paint(painter, self.camera, colours)
        if self._focus_shown:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_canvas(self, painter: QPainter, region: QRect, colours: theme.Theme) -> None:
        assert self._canvas is not None
        if self._canvas_camera == self.camera:
            ratio = self._canvas.devicePixelRatio()
            source = QRectF(region.x() * ratio, region.y() * ratio, region.width() * ratio, region.height() * ratio)
            painter.drawPixmap(QRectF(region), self._canvas, source)
            return
        # The picture of a moment ago, moved and scaled, until the new one is drawn within a frame.
        assert self._canvas_camera is not None
        old = self._canvas_camera
        left, top = self.camera.to_screen(*old.to_world(0, 0))
        right, bottom = self.camera.to_screen(*old.to_world(old.width, old.height))
        painter.fillRect(region, QColor(colours.panel))
        painter.drawPixmap(QRectF(left, top, right - left, bottom - top), self._canvas, QRectF(self._canvas.rect()))
        if not self._redraw.isActive():
            self._redraw.start()

    def _draw_canvas(self) -> None:
        assert self.scene is not None
        if (self.camera.width, self.camera.height) != (self.width(), self.height()):
            self.camera = replace(self.camera, width=self.width(), height=self.height())
        self._canvas = paint(self.scene, self.camera, theme.current(), self.devicePixelRatioF(), over=self._canvas)
        self._canvas_camera = self.camera

    def _draw_now(self) -> None:
        if self.scene is not None and self._canvas_camera != self.camera:
            self._draw_canvas()
            self.update()

    # --- events -----------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.camera = self.camera.resized(max(self.width(), 1), max(self.height(), 1))
        if self._follows:
            self._fit()
        super().resizeEvent(event)
        self.resized.emit(self.width(), self.height())
        self.camera_moved.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._drag is not _Drag.NONE or self.scene is None:
            return
        self._press = self._last = event.position()
        self._far = False
        self._drag_button = event.button()
        self._hover(-1, event.position())
        if event.button() != Qt.MouseButton.LeftButton or self._space_held:
            self._drag = _Drag.PAN
        elif self.tool != "go" or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._drag = _Drag.SELECT
            self.overlay.outline = [event.position()]
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._drag = _Drag.CARRY
        else:
            self._drag = _Drag.GO
            x, y = self.camera.to_world(event.position().x(), event.position().y())
            self.pressed.emit(x, y, self._pick(event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.tool == "go" and self._pick(event.position()) < 0:
            self.fit()
        else:
            self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        moved, self._last = place - self._last, place
        match self._drag:
            case _Drag.NONE:
                self._hover(self._pick(place), place)
            case _Drag.GO:
                self._far = self._far or (place - self._press).manhattanLength() >= STILL_PX
                if self._far:
                    self.dragged.emit(*self.camera.to_world(place.x(), place.y()))
            case _Drag.PAN:
                if not moved.isNull():
                    self.setCursor(Qt.CursorShape.ClosedHandCursor)
                    self._look(self.camera.panned(moved.x(), moved.y()))
            case _Drag.SELECT:
                self._extend_outline(place)
            case _Drag.CARRY if (place - self._press).manhattanLength() >= QApplication.startDragDistance():
                self._drag = _Drag.NONE  # the drag and drop takes the release
                if (index := self._pick(self._press)) >= 0:
                    self.carried.emit(index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != self._drag_button:
            return
        drag, self._drag = self._drag, _Drag.NONE
        self._show_cursor()
        if drag is _Drag.GO:
            self.released.emit()
        elif drag is _Drag.SELECT:
            self._close_outline()
        elif drag is _Drag.PAN and event.button() == Qt.MouseButton.RightButton:
            travelled = (event.position() - self._press).manhattanLength()
            if travelled < QApplication.startDragDistance():
                self.menu_asked.emit(event.globalPosition().toPoint())

    def leaveEvent(self, event: object) -> None:
        self._hover(-1, self._last)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.scene is not None and event.angleDelta().y():
            self._hover(-1, event.position())
            self.zoom(WHEEL_FACTOR ** event.angleDelta().y(), event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape and self._drag in (_Drag.GO, _Drag.SELECT):
            self._give_up()
        elif key == Qt.Key.Key_Escape and self.tool != "go":
            self.choose_tool("go")
        elif key in ARROWS and self.scene is not None:
            self._nudge(key, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(KEY_FACTOR)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / KEY_FACTOR)
        elif key == Qt.Key.Key_F and not event.modifiers():
            self.fit()
        elif key == Qt.Key.Key_Space:
            self._space_held = True
            self._show_cursor()
            event.ignore()  # the window's too: the picture before the edits
        elif key == Qt.Key.Key_Menu:
            self.menu_asked.emit(self.mapToGlobal(self.rect().center()))
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space_held = False
            self._show_cursor()
            event.ignore()
        else:
            super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.overlay.font = caption_font(self.font())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._focus_shown = event.reason() in BY_KEYBOARD
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._space_held = self._focus_shown = False
        super().focusOutEvent(event)
        self.update()

    # --- what events mean -------------------------------------------------------------------------------------

    def choose_tool(self, tool: Tool) -> None:
        self.tool = tool
        self._show_cursor()
        self.tool_changed.emit(tool)

    def _show_cursor(self) -> None:
        if self._space_held:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.setCursor(Qt.CursorShape.ArrowCursor if self.tool == "go" else Qt.CursorShape.CrossCursor)

    def _pick(self, place: QPointF) -> int:
        if self.scene is None or self.scene.tiles is not None:  # under tiles no point can be seen
            return -1
        index = self.scene.cloud.nearest(self.camera, place.x(), place.y(), PICK_RADIUS_PX)
        return -1 if index is None else index

    def _nudge(self, key: Qt.Key, far: bool) -> None:
        start = self.overlay.crosshair or (self.camera.centre_x, self.camera.centre_y)
        x, y = self.camera.to_screen(*start)
        step = FAR_NUDGE_PX if far else NUDGE_PX
        self.nudged.emit(*self.camera.to_world(x + ARROWS[key][0] * step, y + ARROWS[key][1] * step))

    def _hover(self, index: int, place: QPointF) -> None:
        if index != self._hovered:
            self._hovered = index
            self.hovered.emit(index, place)

    def _extend_outline(self, place: QPointF) -> None:
        if self.tool == "rectangle":
            box = QRectF(self._press, place).normalized()
            self.overlay.outline = [box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft()]
        else:
            self.overlay.outline.append(place)
        self.update()

    def _close_outline(self) -> None:
        outline, self.overlay.outline = self.overlay.outline, []
        self.update()
        if self.scene is not None and len(outline) >= 3:
            vertices = [self.camera.to_world(point.x(), point.y()) for point in outline]
            self.selected.emit(self.scene.cloud.inside(np.array(vertices)))

    def _give_up(self) -> None:
        drag, self._drag = self._drag, _Drag.NONE
        self.overlay.outline = []
        self.update()
        if drag is _Drag.GO:
            self.abandoned.emit()
