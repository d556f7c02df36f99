"""Thumbnails of encodings, decoded on a thread of their own and remembered for a while."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from latentlab.core.encodings import Thumbnails
from latentlab.ui.crossing import Crossing

LIMIT = 4096  # 64 px pictures: about 64 MB
BATCH = 32
WAITING_LIMIT = 600  # what scrolled out of view long ago is not decoded any more


class ThumbnailStore(QObject):
    """`get` answers at once, with the picture or None; `arrived` says that some of those asked for are there."""

    arrived = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source: Thumbnails | None = None
        self._pictures: OrderedDict[int, QImage] = OrderedDict()
        self._waiting: OrderedDict[int, None] = OrderedDict()
        self._busy = False
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")
        self.destroyed.connect(partial(self._worker.shutdown, wait=False, cancel_futures=True))
        self._decoded = Crossing(self._keep)

    def open(self, source: Thumbnails | None) -> None:
        self._source = source if source is not None and len(source) else None
        self._pictures.clear()
        self._waiting.clear()

    @property
    def some(self) -> bool:
        return self._source is not None

    def get(self, index: int) -> QImage | None:
        picture = self._pictures.get(index)
        if picture is not None:
            self._pictures.move_to_end(index)
            return None if picture.isNull() else picture
        if self._source is not None and 0 <= index < len(self._source):
            self._waiting[index] = None
            self._waiting.move_to_end(index)
            while len(self._waiting) > WAITING_LIMIT:
                self._waiting.popitem(last=False)
            self._next()
        return None

    def now(self, index: int) -> QImage | None:
        """Decoded here if need be: a fraction of a millisecond, for one picture such as the hover card's."""
        if index not in self._pictures and self._source is not None and 0 <= index < len(self._source):
            self._remember(index, QImage.fromData(self._source.coded(index)))
        return self.get(index)

    def _next(self) -> None:
        if self._busy or not self._waiting or self._source is None:
            return
        # Asked for last, so in view. Several at once: the map is drawn anew for each batch.
        batch = [self._waiting.popitem()[0] for _ in range(min(BATCH, len(self._waiting)))]
        self._busy = True
        self._worker.submit(_decode, self._source, batch, self._decoded)

    def _keep(self, decoded: tuple[Thumbnails, dict[int, QImage]]) -> None:
        source, pictures = decoded
        self._busy = False
        if source is self._source:
            for index, picture in pictures.items():
                self._remember(index, picture)
            self.arrived.emit()
        self._next()

    def _remember(self, index: int, picture: QImage) -> None:
        self._pictures[index] = picture  # a null picture is remembered too: damaged bytes are not tried again
        while len(self._pictures) > LIMIT:
            self._pictures.popitem(last=False)


def _decode(source: Thumbnails, batch: list[int], decoded: Crossing) -> None:
    decoded.arrived.emit((source, {index: QImage.fromData(source.coded(index)) for index in batch}))
