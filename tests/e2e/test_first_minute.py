"""The first minute, for real: main() in an empty home, the real engine, a real checkpoint, real events."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from latentlab.app import main
from latentlab.ui.main_window import MainWindow
from latentlab.ui.panels.image import ImagePanel

PATIENCE_S = 60.0  # until a step is given up: a machine under load imports torch slowly
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals and /proc as on Linux")

Step = tuple[str, Callable[[MainWindow], bool], Callable[[MainWindow], object]]


class Person(QObject):
    """Does a step as soon as what it waits for is on the screen; closes the window after the last."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__()
        self.steps = steps
        self.stuck = ""
        self._deadline = time.monotonic() + PATIENCE_S
        self._timer = QTimer(self, interval=10)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        window = next((w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)), None)
        if window is None:
            return
        if not self.steps:
            self._timer.stop()
            window.close()
            return
        name, ready, do = self.steps[0]
        if ready(window):
            del self.steps[0]
            self._deadline = time.monotonic() + PATIENCE_S
            do(window)
        elif time.monotonic() > self._deadline:
            self.stuck = name
            self._timer.stop()
            window.close()


def picture(window: MainWindow) -> np.ndarray | None:
    panel = window.docks.panels.get("image")
    assert isinstance(panel, ImagePanel)
    return panel.view.picture


def decoded(window: MainWindow) -> bool:
    """Whether the picture is the engine's, not the stored thumbnail that stands in for it while the engine starts."""
    panel = window.docks.panels.get("image")
    assert isinstance(panel, ImagePanel)
    return panel._current is not None


def test_a_newcomers_first_minute(
    qapp: QApplication, tiny_checkpoint: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, np.ndarray] = {}
    windows: list[MainWindow] = []

    def keep(name: str) -> Callable[[MainWindow], None]:
        return lambda window: seen.__setitem__(name, np.array(picture(window)))

    def changed_from(name: str) -> Callable[[MainWindow], bool]:
        return lambda window: picture(window) is not None and not np.array_equal(picture(window), seen[name])

    def add_eyeglasses(window: MainWindow) -> None:
        windows.append(window)
        keep("first")(window)
        find = window.commands.palette_commands()
        next(command for command in find if command.text == "Add Eyeglasses").run()

    def undo(window: MainWindow) -> None:
        keep("glasses")(window)
        QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    def drop_a_file(window: MainWindow) -> None:
        gradient = np.linspace(0, 255, 40 * 30 * 3).reshape(40, 30, 3).astype(np.uint8)
        Image.fromarray(gradient).save(tmp_path / "holiday.png")
        window.docks.panels["image"].exchange.read(str(tmp_path / "holiday.png"))  # type: ignore[attr-defined]

    def save(window: MainWindow) -> None:
        panel = window.docks.panels["image"]
        assert isinstance(panel, ImagePanel)
        panel.exchange.save_to(tmp_path / "out.png", np.array(picture(window)))

    person = Person(
        [
            (
                "a face",
                lambda w: decoded(w) and "Eyeglasses" in w.workspace.state.directions,
                add_eyeglasses,
            ),
            ("glasses on it", changed_from("first"), undo),
            ("the first face again", lambda w: np.array_equal(picture(w), seen["first"]), drop_a_file),
            ("its reconstruction", lambda w: w.workspace.state.original is not None, save),
            (
                "an orderly window",
                lambda w: (tmp_path / "out.png").exists(),
                lambda w: seen.__setitem__(
                    "errors", np.array([n.severity.value == "error" for n in w.workspace.notices.log])
                ),
            ),
        ]
    )
    status = main([str(tiny_checkpoint)])
    assert person.stuck == ""
    assert status == 0
    assert not seen["errors"].any()
    assert "Traceback" not in capfd.readouterr().err
    windows[0].closing.emit()  # as when it is closed once more, after its loop
    loop = QEventLoop()  # as a notebook has, which goes on
    QTimer.singleShot(0, loop.quit)
    assert loop.exec() == 0
    with Image.open(tmp_path / "out.png") as saved:
        recipe = json.loads(saved.info["latentlab"])
    assert recipe["name"] == "holiday.png"


def test_the_window_ends_it_although_another_one_is_open(qapp: QApplication, tiny_checkpoint: Path) -> None:
    other = QWidget()
    other.show()
    person = Person([("a window", lambda w: w.isVisible(), lambda w: None)])
    assert main([str(tiny_checkpoint)]) == 0
    assert person.stuck == ""
    assert other.isVisible()
    other.close()
    other.deleteLater()


@pytest.fixture
def started(tiny_checkpoint: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    """`started(argument …)` runs the window in a process of its own; (process, its timeline)."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> tuple[subprocess.Popen[str], Path]:
        timeline = tmp_path / "timeline.jsonl"
        process = subprocess.Popen(
            [sys.executable, "-m", "latentlab", *arguments],
            env={**os.environ, "LATENTLAB_TIMELINE": str(timeline)},
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process, timeline

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(event: str, timeline: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if timeline.exists() and event in timeline.read_text():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)  # another process has no signal to wait on
    pytest.fail(f"never came to: {event}")


@LINUX
@pytest.mark.parametrize(
    ("event", "number"), [("window shown", signal.SIGTERM), ("first picture painted", signal.SIGINT)]
)
def test_a_signal_ends_it_within_three_seconds_and_status_0(
    started,
    tiny_checkpoint: Path,
    event: str,
    number: signal.Signals,  # type: ignore[no-untyped-def]
) -> None:
    process, timeline = started(str(tiny_checkpoint))
    wait_for(event, timeline, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children
    mapped = Path(f"/proc/{process.pid}/maps").read_text()
    assert "libQt6Core" in mapped
    assert "libtorch" not in mapped  # the engine has it, the window never
    process.send_signal(number)
    _, error = process.communicate(timeout=3 if event == "first picture painted" else 6)
    assert process.returncode == 0, error
    assert "Traceback" not in error
    assert not any(Path(f"/proc/{child}").exists() for child in children)


@pytest.mark.parametrize(
    ("argument", "says"), [("missing.safetensors", "does not exist"), ("empty.safetensors", "empty.safetensors")]
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], argument: str, says: str
) -> None:
    path = tmp_path / argument
    if argument.startswith("empty"):
        path.write_bytes(b"")
    assert main([str(path)]) == 2
    error = capfd.readouterr().err.strip()
    assert says in error
    assert "\n" not in error
