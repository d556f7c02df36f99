"""One case of benchmarks.interaction: the real window, dragged, in a process of its own. Not run by hand."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QObject, QPointF, Qt, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.figures import percentile
from benchmarks.pointer import Pointer
from latentlab.app import close, compose
from latentlab.core.requests import Decoded
from latentlab.engine.client import EngineClient
from latentlab.engine.jobs import ProcessJobs
from latentlab.ui.image_view import ImageView
from latentlab.ui.main_window import IMAGE, MainWindow
from latentlab.ui.opening import read_natively

BEAT_MS = 2
WAIT_S = 60.0


class Heartbeat(QObject):
    """Beats of the event loop, from its first one on."""

    def __init__(self, began_s: float) -> None:
        super().__init__()
        self._began_s = began_s
        self.beats_s: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self.beats_s.append(time.monotonic()))
        self._timer.start(BEAT_MS)

    def figures(self) -> dict[str, float]:
        gaps = [(b - a, a) for a, b in zip(self.beats_s, self.beats_s[1:], strict=False)]
        worst_s, at_s = max(gaps)
        return {
            "first_s": self.beats_s[0] - self._began_s,
            "worst_ms": 1000 * worst_s,
            "worst_at_s": at_s - self._began_s,
            "p99_ms": 1000 * percentile([gap for gap, _ in gaps], 99),
            "over_20_ms": sum(gap > 0.02 for gap, _ in gaps),
        }


@dataclass
class Event:
    due_s: float
    latent: bytes
    shown_s: float = math.nan


class Watch:
    """Which event each painted frame shows. A frame shows the newest event whose latent it has.

    An event that changes nothing (the pointer turns round within a pixel) is shown by the frame that stands already.
    """

    def __init__(self, window: MainWindow) -> None:
        self.session = window.workspace.session
        self.events: list[Event] = []
        self.frames = 0
        self._shown = 0  # events that are settled
        self._standing = b""  # the latent of the frame that was painted last
        self._latents: dict[int, bytes] = {}  # by ticket
        window.workspace.decoding.decoded.connect(self._take)
        view = window.docks.panels[IMAGE].findChild(ImageView)
        assert isinstance(view, ImageView)
        view.frame_shown.connect(self._painted)

    def begin(self) -> None:
        self.events, self.frames, self._shown = [], 0, 0

    def moved(self, due_s: float) -> None:
        event = Event(due_s, self.session.state.latent.tobytes())
        if self.settled and event.latent == self._standing:
            event.shown_s = time.monotonic()
            self._shown += 1
        self.events.append(event)

    def _take(self, reply: Decoded) -> None:
        if reply.consumer == IMAGE:
            self._latents[reply.ticket] = reply.request.latents[0].tobytes()

    def _painted(self, ticket: int) -> None:
        now_s, latent = time.monotonic(), self._latents.pop(ticket, b"")
        self.frames += 1
        self._standing = latent
        for number in range(len(self.events) - 1, self._shown - 1, -1):
            if self.events[number].latent == latent:
                for event in self.events[self._shown : number + 1]:
                    event.shown_s = now_s
                self._shown = number + 1
                return

    @property
    def settled(self) -> bool:
        return self._shown == len(self.events)


def until(condition: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
    """Runs the event loop until the condition holds; ends the benchmark when it never does."""
    loop, poll = QEventLoop(), QTimer()
    end_s = time.monotonic() + timeout_s
    poll.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() > end_s else None)
    poll.start(5)
    if not condition():
        loop.exec()
    if not condition():
        raise SystemExit(f"Waited {timeout_s:g} s in vain: {what}.")


def slider_path(window: MainWindow) -> tuple[Any, Callable[[float], QPointF]]:
    """Along the rail of the most informative slider, there and back more than once."""
    sliders: Any = window.docks.raise_panel("sliders")
    rail = sliders.list.part_rect(0, "rail")
    start = QPointF(sliders.list.handle_position(0))
    reach = 0.8 * min(rail.right() - start.x(), start.x() - rail.left())
    if reach < 10:
        reach = 0.3 * rail.width() * (1 if start.x() < rail.center().x() else -1)
    return sliders.list.viewport(), lambda t: QPointF(start.x() + reach * math.sin(2 * math.pi * 1.37 * t), start.y())


def map_path(window: MainWindow) -> tuple[Any, Callable[[float], QPointF]]:
    """A Lissajous figure over the middle of the map, across points and empty places."""
    panel: Any = window.docks.raise_panel("map")
    canvas = panel.canvas
    x, y, reach = canvas.width() / 2, canvas.height() / 2, 0.3 * min(canvas.width(), canvas.height())
    return canvas, lambda t: QPointF(
        x + reach * math.sin(2 * math.pi * 1.13 * t), y + reach * math.sin(2 * math.pi * 1.71 * t)
    )


PATHS = {"slider": slider_path, "map": map_path}


def drag(window: MainWindow, watch: Watch, kind: str, rate_hz: float, seconds: float) -> list[Event]:
    widget, path = PATHS[kind](window)
    until(lambda: widget.isVisible() and widget.width() > 50, f"the {kind} is not in sight")
    pause = time.monotonic() + 0.3
    until(lambda: time.monotonic() > pause, "nothing")
    over: list[bool] = []
    watch.begin()
    pointer = Pointer(widget, path, rate_hz, seconds, watch.moved, lambda: over.append(True))
    until(lambda: bool(over) and watch.settled, f"a {kind} drag whose last event is painted")
    pointer.deleteLater()
    return watch.events


def figures(drags: list[list[Event]], frames: int, seconds: float) -> dict[str, float]:
    late_ms = [1000 * (event.shown_s - event.due_s) for events in drags for event in events]
    return {
        "events": len(late_ms),
        "p50_ms": percentile(late_ms, 50),
        "p95_ms": percentile(late_ms, 95),
        "max_ms": max(late_ms),
        "final_ms": max(1000 * (events[-1].shown_s - events[-1].due_s) for events in drags),
        "frames_per_second": frames / (seconds * len(drags)),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--case", required=True)
    parser.add_argument("--case-out", type=Path, required=True)
    parser.add_argument("--began", type=float, required=True, help="time.monotonic() when this process was started")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--settle", type=float, required=True)
    chosen = parser.parse_args()

    opened = read_natively(chosen.model)
    if opened is None:
        parser.error(f"{chosen.model} is not a native checkpoint")
    engine = EngineClient()
    application = QApplication(["latentlab"])
    window = compose(application, engine, ProcessJobs())
    try:
        heart = Heartbeat(chosen.began)
        window.docks.make_first()
        watch = Watch(window)
        window.opening.begin(opened)
        window.show()
        until(lambda: not window.opening.waiting_for and watch.frames > 0, "the first picture")
        until(lambda: time.monotonic() - chosen.began > chosen.settle, "the first seconds", chosen.settle + 1)
        found = {kind: dragged(window, watch, kind, chosen) for kind in PATHS}
        document = {"drags": found, "heartbeat": heart.figures()}
        chosen.case_out.write_text(json.dumps(document), encoding="utf-8")
    finally:
        close(window)


def dragged(window: MainWindow, watch: Watch, kind: str, chosen: argparse.Namespace) -> dict[str, float]:
    workspace = window.workspace
    if chosen.case == "t-SNE":
        # While a layout settles there is no way back from it: the map is dragged as PCA, the job going on.
        shown = "tsne" if kind == "slider" else "pca"
        workspace.change("Projection", view=replace(workspace.state.view, projection=shown))
    drags, frames, used_s = [], 0, 0.0
    for _ in range(chosen.repeats):
        before_s = time.process_time()
        drags.append(drag(window, watch, kind, chosen.rate, chosen.seconds))
        used_s += time.process_time() - before_s
        frames += watch.frames
    found = figures(drags, frames, chosen.seconds)
    # What the window's process works for an event, which other programs hardly change. Waiting before a drag is in it.
    return found | {"window_ms": 1000 * used_s / found["events"], "jobs_running": len(workspace.running.running)}


if __name__ == "__main__":
    main()
