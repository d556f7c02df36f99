"""Icons: Material Design glyphs from QtAwesome's font, painted in the theme's colours of the moment.

Only one of QtAwesome's nine fonts is read, and none of its modules: importing them took 100 ms of a start-up.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

from latentlab.core.errors import OptionError, did_you_mean
from latentlab.ui import theme

FILL = 0.96  # of the box; the glyphs carry their own margin


def icon(name: str, colour: str = "") -> QIcon:
    """An icon such as "mdi6.undo"; OptionError for an unknown name.

    It follows the theme: `colour` is the name of one of its colours ("secondary"), the text's by default; "#rrggbb"
    stays what it is.
    """
    return QIcon(_GlyphEngine(_glyph(name), colour))


class _GlyphEngine(QIconEngine):
    """Reads the theme when it paints, so that a switch of themes needs no new icons."""

    def __init__(self, glyph: str, colour: str) -> None:
        super().__init__()
        self._glyph = glyph
        self._colour = colour

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        font = QFont(_family())
        font.setPixelSize(max(1, round(min(rect.width(), rect.height()) * FILL)))
        painter.save()
        painter.setFont(font)
        painter.setPen(QColor(self._ink(mode, state)))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._glyph)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        result = QPixmap(size)
        result.fill(Qt.GlobalColor.transparent)
        painter = QPainter(result)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return result

    def clone(self) -> QIconEngine:
        return _GlyphEngine(self._glyph, self._colour)

    def _ink(self, mode: QIcon.Mode, state: QIcon.State) -> str:
        colours = theme.current()
        if mode == QIcon.Mode.Disabled:
            return colours.disabled
        if mode == QIcon.Mode.Selected:
            return colours.on_accent
        if state == QIcon.State.On:
            return colours.accent
        return str(getattr(colours, self._colour or "text", self._colour))


def _fonts() -> Path:
    spec = find_spec("qtawesome")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "fonts"


@cache
def _family() -> str:
    identifier = QFontDatabase.addApplicationFont(str(next(_fonts().glob("materialdesignicons6-webfont-*.ttf"))))
    return QFontDatabase.applicationFontFamilies(identifier)[0]


@cache
def _characters() -> dict[str, str]:
    charmap = next(_fonts().glob("materialdesignicons6-webfont-charmap-*.json"))
    document: dict[str, str] = json.loads(charmap.read_bytes())
    return document


def _glyph(name: str) -> str:
    characters = _characters()
    family, _, glyph = name.partition(".")
    if family != "mdi6" or glyph not in characters:
        raise OptionError(f"There is no icon '{name}'.{did_you_mean(glyph, characters)}")
    return chr(int(characters[glyph], 16))
