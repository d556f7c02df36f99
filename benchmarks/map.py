"""How many points the map pans, beside pyqtgraph's ScatterPlotItem with the same points and colours in the same run.

A frame is the whole widget painted after the view moved by a few pixels: "sharp" with every dot drawn anew, "moved"
what is painted at once, which above 200,000 points is the picture of the frame before. Also the cost of an event of a
drag through the latent space, where only the crosshair moves.

    python -m benchmarks.map [--points N ...] [--out FILE.json]

Shapes: N points.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from benchmarks.figures import arguments, finish, percentile, spread, table, verdict
from latentlab.core.encodings import EncodingSet
from latentlab.core.spaces import FloatArray
from latentlab.ui import theme
from latentlab.ui.map.colours import colouring
from latentlab.ui.map.scene import Cloud, Scene
from latentlab.ui.map.view import MapCanvas

WIDTH, HEIGHT = 1000, 800
CLASSES = 10
FRAME_MS = 1000 / 30  # 30 frames a second
SMALL_MS = 5.0
CROSSHAIR_MS = 1.0


def points(count: int) -> tuple[FloatArray, EncodingSet]:
    """Clusters as a t-SNE has them, (N, 2), and encodings whose labels colour them."""
    rng = np.random.default_rng(0)
    labels_N = rng.integers(0, CLASSES, count)
    centres = rng.uniform(-8, 8, (CLASSES, 2))
    points_N2 = (centres[labels_N] + rng.standard_normal((count, 2))).astype(np.float32)
    return points_N2, EncodingSet(points_N2, labels=labels_N, label_names=tuple("abcdefghij"))


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begin)


def of_latentlab(count: int, frames: int) -> dict[str, Any]:
    points_N2, encodings = points(count)
    canvas = MapCanvas()
    canvas.resize(WIDTH, HEIGHT)
    paint = canvas.grab

    def load() -> None:
        coloured = colouring(encodings, "class", theme.current())
        canvas.show_scene(Scene(Cloud(points_N2, coloured, frozenset())))
        paint()

    def drawn_anew() -> None:
        canvas._draw_canvas()
        paint()

    load_ms = timed(load)
    sharp, moved, crosshair = [], [], []
    for number in range(frames):
        canvas._look(canvas.camera.panned(3 if number % 20 < 10 else -3, 1))
        moved.append(timed(paint))
        sharp.append(timed(drawn_anew))
    canvas.show()
    QTest.qWaitForWindowExposed(canvas)
    canvas.place_crosshair((0.0, 0.0), "1.0 spacings from the nearest encoding")
    QApplication.processEvents()
    for number in range(200):
        place = canvas.camera.to_world(500 + number, 400 - number)

        def event(place: tuple[float, float] = place, number: int = number) -> None:
            canvas.place_crosshair(place, f"{number / 10:.1f} spacings from the nearest encoding")
            QApplication.processEvents()

        crosshair.append(timed(event))
    picking = [timed(partial(canvas._pick, QPointF(400.0 + n, 300.0))) for n in range(100)]
    canvas.close()
    return {
        "load_ms": load_ms,
        "sharp_ms": spread(sharp),
        "moved_ms": spread(moved),
        "crosshair_ms": {"p50": percentile(crosshair, 50), "p95": percentile(crosshair, 95)},
        "pick_ms": percentile(picking, 50),
    }


def of_pyqtgraph(count: int, frames: int) -> dict[str, Any]:
    points_N2, encodings = points(count)
    assert encodings.labels is not None
    colours = [QColor(colour) for colour in theme.current().classes]
    plot = pyqtgraph.PlotWidget()
    plot.resize(WIDTH, HEIGHT)
    paint = plot.grab

    def load() -> None:
        # One item per class: a brush per point is slower still.
        for label in range(CLASSES):
            chosen = points_N2[encodings.labels == label]
            item = pyqtgraph.ScatterPlotItem(
                x=chosen[:, 0], y=chosen[:, 1], size=6, pen=None, brush=colours[label], pxMode=True
            )
            plot.addItem(item)
        paint()

    load_ms = timed(load)
    view = plot.getViewBox()
    view.disableAutoRange()
    sharp = []
    for number in range(frames):
        view.translateBy(x=0.05 if number % 20 < 10 else -0.05, y=0.02)
        sharp.append(timed(paint))
    plot.close()
    plot.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return {"load_ms": load_ms, "sharp_ms": spread(sharp)}


def main() -> None:
    parser = arguments("Points that the map pans, beside pyqtgraph's scatter plot.")
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--frames", type=int, default=30)
    chosen = parser.parse_args()
    application = QApplication([])
    theme.apply(application, theme.DARK)
    figures: dict[str, Any] = {}
    rows, targets = [], []
    for count in chosen.points:
        ours = of_latentlab(count, chosen.frames)
        theirs = of_pyqtgraph(count, max(5, chosen.frames // 3))
        sharp, other = ours["sharp_ms"]["median"], theirs["sharp_ms"]["median"]
        figures[str(count)] = {"latentlab": ours, "pyqtgraph": theirs, "ratio": other / sharp}
        rows.append(
            [
                f"{count:,}",
                sharp,
                ours["moved_ms"]["median"],
                other,
                other / sharp,
                ours["load_ms"],
                theirs["load_ms"],
                ours["crosshair_ms"]["p50"],
            ]
        )
        if count <= 10_000:
            targets.append(verdict(f"{count:,} points: a sharp frame, ms", sharp, SMALL_MS))
        targets.append(verdict(f"{count:,} points: a frame of a pan, ms", sharp, FRAME_MS))
        targets.append(verdict(f"{count:,} points: a drag's event, p50, ms", ours["crosshair_ms"]["p50"], CROSSHAIR_MS))
    header = [
        "points",
        "sharp frame, ms",
        "moved frame, ms",
        "pyqtgraph's frame, ms",
        "times quicker",
        "loading, ms",
        "pyqtgraph's loading, ms",
        "a drag's event, ms",
    ]
    print(table(rows, header) + "\n\n" + table(targets, ["target", "measured", "wanted", "met"]))
    finish({"width": WIDTH, "height": HEIGHT, "points": figures}, chosen.out)


if __name__ == "__main__":
    main()
