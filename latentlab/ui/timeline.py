"""Timeline: the moments of a start-up as JSON lines, for benchmarks/startup.py; nothing at all without a file."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from latentlab.ui.panels.image import ImagePanel


class Timeline(QObject):
    """Lines of {"event": …, "time": seconds since the epoch}."""

    def __init__(self, path: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._awaited: dict[QObject, str] = {}
        self._marked: set[str] = set()

    def mark(self, event: str) -> None:
        """Once for each event, however often it happens."""
        if self._path and event not in self._marked:
            self._marked.add(event)
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"event": event, "time": time.time()}) + "\n")

    def watch(self, panels: Mapping[str, QWidget]) -> None:
        """The first paint of the map, and of a picture that the engine has decoded."""
        if (map_panel := panels.get("map")) is not None:
            self.mark_painted(map_panel, "map painted")
        if isinstance(image_panel := panels.get("image"), ImagePanel):
            image_panel.frame_shown.connect(lambda _ticket: self.mark("first picture painted"))

    def mark_painted(self, widget: QWidget, event: str) -> None:
        """When the widget, or one in it, has been painted for the first time."""
        if self._path:
            for watched in (widget, *widget.findChildren(QWidget)):
                self._awaited[watched] = event
                watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and watched in self._awaited:
            awaited = self._awaited[watched]
            self._awaited = {other: what for other, what in self._awaited.items() if what != awaited}
            QTimer.singleShot(0, self, lambda: self.mark(awaited))  # after this paint
        return False
