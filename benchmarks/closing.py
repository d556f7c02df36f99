"""The window closed while something runs: it must be gone within three seconds, with status 0 and nothing left behind.

As `python -m benchmarks.closing ACTIVITY MODEL FOLDER DELAY_S` it is the window: the real `main()`, which begins the
activity as soon as it can, and closes itself so long after it has begun.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from latentlab.ui.main_window import MainWindow

ROOT = Path(__file__).resolve().parent.parent
WITHIN_S = 3.0
PATIENCE_S = 60.0  # until an activity has begun, or a process that should be gone is
LEFT_S = 10.0  # what a run has to save itself after the window is gone
LOOK_MS = 5
CLOSING = "closing "

Done = Callable[["MainWindow"], object]


def _shows_pictures(window: MainWindow) -> bool:
    panel: Any = window.docks.panels.get("image")
    return panel is not None and panel._current is not None


def _load(window: MainWindow, _folder: Path) -> None:
    window.opening.open(Path(window.workspace.opened.info.path))


def _decode(window: MainWindow, _folder: Path) -> None:
    from latentlab.core.requests import Decode, Lane

    state, space = window.workspace.state, window.workspace.opened.info.spaces[0]
    for consumer, lane, count in (("samples", Lane.VISIBLE, 4096), ("image", Lane.LIVE, 1)):
        request = Decode(state.checkpoint, space.sample(count, 0), space.name, state.condition)
        window.workspace.decoding.submit(consumer, request, lane)


def _layout(window: MainWindow, _folder: Path) -> None:
    workspace = window.workspace
    workspace.change("Projection", view=replace(workspace.state.view, projection="tsne"))


def _export(window: MainWindow, folder: Path) -> None:
    from latentlab.core.state import NamedLatent, Walk

    workspace = window.workspace
    ends = workspace.opened.info.spaces[0].sample(2, 0)
    workspace.change("Keyframes", walk=Walk(tuple(NamedLatent(end, "end") for end in ends), seconds=120.0))
    panel: Any = window.docks.raise_panel("walk")
    panel.export_to(folder / "walk.mp4", "mp4")
    panel.export_to(folder / "frames", "frames")


def _train(window: MainWindow, folder: Path) -> None:
    training = window.workspace.training
    assert training is not None
    run = folder / "run"
    options = ["--data", "digits", "--epochs", "5000", "--width", "8", "--latent-dim", "4", "--threads", "1"]
    training.begin(["vae", *options, "--out", str(run)], run)


def _everything(window: MainWindow, folder: Path) -> None:
    for begin in (_layout, _export, _train, _decode, _load):
        begin(window, folder)


@dataclass(frozen=True)
class Activity:
    """`begin` it once the window is `ready`; it is closed up to `spread_s` later."""

    begin: Callable[[MainWindow, Path], object]
    spread_s: float
    ready: Callable[[MainWindow], bool] = _shows_pictures


ACTIVITIES = {
    "start": Activity(lambda _window, _folder: None, 1.5, ready=lambda _window: True),
    "load": Activity(_load, 0.3),
    "decode": Activity(_decode, 0.5),
    "t-SNE": Activity(_layout, 4.0),
    "export": Activity(_export, 4.0),
    "training": Activity(_train, 5.0),
    "all at once": Activity(_everything, 5.0),
}


class Closer(QObject):
    """Begins the activity and closes the window."""

    def __init__(self, activity: Activity, folder: Path, delay_s: float) -> None:
        super().__init__()
        self._activity, self._folder, self._delay_s = activity, folder, delay_s
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        from latentlab.ui.main_window import MainWindow

        for window in QApplication.topLevelWidgets():
            if isinstance(window, MainWindow) and window.isVisible() and self._activity.ready(window):
                self._timer.stop()
                self._activity.begin(window, self._folder)
                QTimer.singleShot(round(1000 * self._delay_s), window, partial(self._close, window))

    def _close(self, window: MainWindow) -> None:
        print(CLOSING + " ".join(map(str, children(os.getpid()))), flush=True)
        window.close()


def children(process: int) -> list[int]:
    """Of all its threads; none where the system does not tell."""
    found: list[int] = []
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, thread.read_text().split())
    return found


@dataclass(frozen=True)
class Closed:
    """How a window that was closed ended."""

    seconds: float
    status: int
    said: str
    left: tuple[str, ...]  # files and processes that should not be there

    @property
    def kept(self) -> bool:
        return self.status == 0 and "Traceback" not in self.said and not self.left


def closed(name: str, model: Path, delay_s: float) -> Closed:
    """Runs the window in a process of its own with an empty home, closes it, and looks at what it leaves."""
    with TemporaryDirectory() as home:
        folder = Path(home) / "work"
        folder.mkdir()
        places = {"HOME": home} | {
            f"XDG_{kind}_HOME": f"{home}/{kind}" for kind in ("CONFIG", "DATA", "CACHE", "STATE")
        }
        with open(Path(home) / "said", "w+", encoding="utf-8") as said:
            window = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.closing", name, str(model), str(folder), str(delay_s)],
                cwd=ROOT,
                env={"QT_QPA_PLATFORM": "offscreen"} | os.environ | places,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
            assert window.stdout is not None
            with window.stdout:
                line = window.stdout.readline()
                begin_s = time.monotonic()
                status = window.wait(PATIENCE_S)
            spent_s = time.monotonic() - begin_s
            left = _left(line, folder)
            said.seek(0)
            return Closed(spent_s, status, said.read(), left if line.startswith(CLOSING) else ("it never began",))


def _left(line: str, folder: Path) -> tuple[str, ...]:
    processes = [int(number) for number in line.removeprefix(CLOSING).split() if number.isdigit()]
    end_s = time.monotonic() + LEFT_S
    while any(map(_alive, processes)) and time.monotonic() < end_s:
        time.sleep(0.02)
    temporary = [str(path.relative_to(folder)) for path in folder.rglob(".latentlab-*")]
    exported = [path.name for path in folder.iterdir() if path.name != "run"]
    return (*(f"process {number}" for number in processes if _alive(number)), *temporary, *exported)


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def closings(name: str, model: Path, times: int, seed: int = 0) -> list[Closed]:
    """At random moments from the beginning of the activity."""
    spread_s, rng = ACTIVITIES[name].spread_s, random.Random(seed)
    return [closed(name, model, rng.uniform(0, spread_s)) for _ in range(times)]


def main(name: str, model: str, folder: str, delay_s: str) -> int:
    from latentlab.app import main as window

    application = QApplication(["latentlab"])
    closer = Closer(ACTIVITIES[name], Path(folder), float(delay_s))
    status = window([model])
    del closer, application
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
