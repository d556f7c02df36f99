"""Decoded pictures as Qt wants them, and a store of small ones by the latent they show.

Shapes: B batch, D latent, H W C pictures.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from latentlab.core.condition import Condition
from latentlab.core.requests import Decoded
from latentlab.core.spaces import FloatArray
from latentlab.ui.theme import Theme

THUMBNAIL_PX = 192  # the longest side that is stored: 96 px at twice the density


def as_qimage(image_HWC: NDArray[np.uint8]) -> QImage:
    """A copy that owns its bytes; C is 1 or 3."""
    height, width, channels = image_HWC.shape
    pixels = np.ascontiguousarray(image_HWC)
    layout = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    # Qt pads lines to 4 bytes unless it is told how long they are.
    return QImage(pixels.data, width, height, width * channels, layout).copy()


class Pictures:
    """Thumbnails by latent; the least recently used are forgotten first."""

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._by_key: OrderedDict[bytes, QImage] = OrderedDict()

    @staticmethod
    def key(latent: FloatArray, condition: Condition | None = None) -> bytes:
        """What a picture is stored under: the latent (D,) and what a conditional model is asked for."""
        return np.asarray(latent, np.float32).tobytes() + repr(condition).encode()

    def keep(self, reply: Decoded) -> None:
        """Store every picture of a reply."""
        request = reply.request
        for latent, image in zip(request.latents, reply.images, strict=True):
            # Smooth scaling of a 1024 px picture takes 4 ms; every other row and column says enough.
            stride = max(1, max(image.shape[:2]) // (2 * THUMBNAIL_PX))
            picture = as_qimage(image[::stride, ::stride])
            if max(picture.width(), picture.height()) > THUMBNAIL_PX:
                picture = picture.scaled(
                    THUMBNAIL_PX,
                    THUMBNAIL_PX,
                    Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
            self._by_key[self.key(latent, request.condition)] = picture
        while len(self._by_key) > self._limit:
            self._by_key.popitem(last=False)

    def get(self, key: bytes) -> QImage | None:
        picture = self._by_key.get(key)
        if picture is not None:
            self._by_key.move_to_end(key)
        return picture

    def missing(self, latents: Iterable[FloatArray], condition: Condition | None = None) -> list[FloatArray]:
        """Those latents (D,) whose picture is not here, each once."""
        wanted = {self.key(latent, condition): latent for latent in latents}
        return [latent for key, latent in wanted.items() if key not in self._by_key]

    def clear(self) -> None:
        self._by_key.clear()


def paint_picture(painter: QPainter, rect: QRectF, picture: QImage | None, theme: Theme, *, hot: bool = False) -> None:
    """A thumbnail that fills as much of `rect` as its shape allows; a quiet tile where there is none yet."""
    if picture is None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.control))
        painter.drawRoundedRect(rect, 3, 3)
    else:
        scale = min(rect.width() / picture.width(), rect.height() / picture.height())
        width, height = picture.width() * scale, picture.height() * scale
        target = QRectF(rect.center().x() - width / 2, rect.center().y() - height / 2, width, height)
        # Beyond 4 times its size a small picture is shown as the squares it is made of.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 4)
        painter.drawImage(target, picture)
    if hot:
        painter.setPen(QPen(QColor(theme.accent), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(-1, -1, 1, 1), 3, 3)
