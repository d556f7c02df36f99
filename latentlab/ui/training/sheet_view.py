"""SheetView: a sheet of pictures that the trainer wrote, its pictures on the panel's own ground.

Sheets are rows of square pictures 2 px apart on white (`training/sheets.py`); a sheet that is not is shown as it is.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QRectF, QSize, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QDrag,
    QGuiApplication,
    QImage,
    QImageReader,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
)
from PySide6.QtWidgets import QApplication, QMenu, QSizePolicy, QWidget

from latentlab.ui import theme
from latentlab.ui.training.reading import Reading

GAP_PX = 2  # between pictures of a sheet
KEPT = 24  # sheets held in memory
LARGEST_PX = 2048  # longer sides are read smaller
DRAGGED_PX = 96


class SheetView(QWidget):
    """`show_sheet(path, side)`; files are read on a thread, and the sheet before stays until then."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(96, 96)
        self.setAccessibleName("Pictures of the run")
        self.hint = ""
        self._side = 0  # of a picture in the file
        self._wanted: tuple[str, int] = ("", 0)  # path and when it was written
        self._image = QImage()
        self._kept: OrderedDict[tuple[str, int], QImage] = OrderedDict()
        self._reading = Reading("reading a sheet", self)
        self._reading.done.connect(lambda found: self._take(*found))
        self._pressed: QPoint | None = None

    @property
    def path(self) -> Path | None:
        return Path(self._wanted[0]) if self._wanted[0] else None

    @property
    def image(self) -> QImage:
        return self._image

    def show_sheet(self, path: Path | None, side: int = 0) -> None:
        """`side` of one picture in pixels; 0 where that is not known."""
        self._side = side
        if path is None:
            self._wanted, self._image = ("", 0), QImage()
            self.update()
            return
        try:
            wanted = (str(path), path.stat().st_mtime_ns)
        except OSError:
            return
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if wanted in self._kept:
            self._kept.move_to_end(wanted)
            self._image = self._kept[wanted]
            self.update()
            return
        self._reading.start(lambda: (wanted, loaded(wanted[0])))

    def close_reading(self) -> None:
        self._reading.close()

    def _take(self, wanted: tuple[str, int], image: QImage) -> None:
        if image.isNull():
            return
        self._kept[wanted] = image.convertToFormat(QImage.Format.Format_RGB32)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        if wanted == self._wanted:
            self._image = self._kept[wanted]
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 240)

    def tiles(self) -> list[tuple[QRectF, QRectF]]:
        """(where in the view, where in the file) of each picture; one pair for a sheet of another make."""
        size = self._image.size()
        pitch = self._side + GAP_PX
        columns, rows = (size.width() - GAP_PX) // pitch, (size.height() - GAP_PX) // pitch
        regular = self._side > 0 and size == QSize(columns * pitch + GAP_PX, rows * pitch + GAP_PX)
        if not regular:
            columns = rows = 1
        width, height = (columns, rows) if regular else (size.width(), size.height())
        gap = 2.0 if regular else 0.0
        side = min((self.width() - gap * (columns - 1)) / width, (self.height() - gap * (rows - 1)) / height)
        if side < 1e-3:
            return []
        across, down = (width * side + gap * (columns - 1), height * side + gap * (rows - 1))
        left = (self.width() - across) / 2
        if not regular:
            return [(QRectF(left, 0, across, down), QRectF(self._image.rect()))]
        return [
            (
                QRectF(left + column * (side + gap), row * (side + gap), side, side),
                QRectF(GAP_PX + column * pitch, GAP_PX + row * pitch, self._side, self._side),
            )
            for row in range(rows)
            for column in range(columns)
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = theme.current()
        if self._image.isNull():
            painter.setPen(QColor(colours.secondary))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.hint)
            return
        tiles = self.tiles()
        ratio = self.devicePixelRatioF()
        if tiles:  # up to 4 times its size a picture is smooth, beyond that every pixel is worth seeing
            place, source = tiles[0]
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, place.width() * ratio < 4 * source.width())
        for place, source in tiles:
            painter.drawImage(place, self._image, source)

    # --- out

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._image.isNull():
            return
        menu = QMenu(self)
        menu.addAction("Copy this sheet", self.copy)
        menu.exec(event.globalPos())

    def copy(self) -> None:
        if not self._image.isNull():
            QGuiApplication.clipboard().setImage(self._image)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not self._image.isNull():
            self._pressed = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Out of the window: the file itself."""
        if self._pressed is None or self.path is None:
            return
        if (event.position().toPoint() - self._pressed).manhattanLength() >= QApplication.startDragDistance():
            self._pressed = None
            mime = QMimeData()
            mime.setUrls([QUrl.fromLocalFile(str(self.path))])
            mime.setImageData(self._image)
            drag = QDrag(self)
            drag.setMimeData(mime)
            drag.setPixmap(QPixmap.fromImage(self._image.scaledToWidth(DRAGGED_PX)))
            drag.exec(Qt.DropAction.CopyAction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None


def loaded(path: str) -> QImage:
    """The picture in a file, smaller where it is huge; a null image where there is none."""
    reader = QImageReader(path)
    size = reader.size()
    if max(size.width(), size.height()) > LARGEST_PX:
        reader.setScaledSize(size.scaled(LARGEST_PX, LARGEST_PX, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()
