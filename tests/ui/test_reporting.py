"""What nobody caught, wherever it is raised: a notice with details to copy, and the window goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, QRunnable, Qt, QThread, QThreadPool, QTimer
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QWidget
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from latentlab.core.registry import PANELS
from latentlab.core.requests import Done, Progress
from latentlab.core.state import with_strength
from latentlab.ui.computing import Computing
from latentlab.ui.main_window import MainWindow
from latentlab.ui.notices import Notice, Severity
from latentlab.ui.panel import Panel
from latentlab.ui.reporting import Reporting
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import FakeJobs, deliver


def fail(*_: object, **__: object) -> None:
    raise RuntimeError("out of the blue")


@pytest.fixture
def reporting(window: MainWindow) -> Iterator[Reporting]:
    """As in the running program; pytest-qt would else take the exceptions for failures of the test."""
    reporting = Reporting(window.workspace.notices)
    with capture_exceptions():
        reporting.install()
        yield reporting
        reporting.remove()


class Painted(QWidget):
    def paintEvent(self, event: object) -> None:
        fail()


class Pressed(QWidget):
    def mousePressEvent(self, event: object) -> None:
        fail()


class Filter(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.User:
            fail()
        return False


class Thread(QThread):
    def run(self) -> None:
        fail()


class Runnable(QRunnable):
    def run(self) -> None:
        fail()


def in_a_slot(window: MainWindow) -> None:
    action = QAction("broken", window)
    action.triggered.connect(fail)
    action.trigger()


def in_a_timer(window: MainWindow) -> None:
    QTimer.singleShot(0, window, fail)


def in_a_paint_event(window: MainWindow) -> None:
    widget = Painted(window)
    widget.resize(20, 20)
    widget.show()


def in_an_event_handler(window: MainWindow) -> None:
    place = QPointF(1, 1)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QCoreApplication.postEvent(
        Pressed(window), QMouseEvent(QEvent.Type.MouseButtonPress, place, place, left, left, none)
    )


def in_an_event_filter(window: MainWindow) -> None:
    watched = QObject(window)
    watched.installEventFilter(Filter(watched))
    QCoreApplication.postEvent(watched, QEvent(QEvent.Type.User))


def in_a_thread_of_qt(window: MainWindow) -> None:
    thread = Thread(window)
    thread.start()
    thread.wait()


def in_a_runnable(window: MainWindow) -> None:
    QThreadPool.globalInstance().start(Runnable())
    QThreadPool.globalInstance().waitForDone()


def in_a_thread(window: MainWindow) -> None:
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()


def in_what_is_computed(window: MainWindow) -> None:
    Computing(window).start(fail, print)


def in_what_is_done_with_it(window: MainWindow) -> None:
    Computing(window).start(lambda: 1, fail)


def in_the_result_of_a_job(window: MainWindow) -> None:
    jobs: FakeJobs = window.workspace.running._jobs  # type: ignore[assignment]
    window.workspace.running.start("Broken", "module:name", {}, on_done=fail)
    jobs.started[-1].say(Progress(1, 2))
    jobs.started[-1].say(Done(1))
    deliver()
    assert not window.workspace.running.running


PLACES = [value for name, value in list(globals().items()) if name.startswith("in_")]


def reported(window: MainWindow, qtbot: QtBot) -> Notice:
    """The notice of the exception, which is then dismissed."""
    notices = window.workspace.notices
    qtbot.waitUntil(lambda: any("out of the blue" in notice.text for notice in notices.shown))
    (notice,) = (notice for notice in notices.shown if "out of the blue" in notice.text)
    notices.dismiss(notice)
    return notice


def note(drawn: list[str], key: str, *_: object) -> None:
    drawn.append(key)


def toggle_an_edit(window: MainWindow) -> None:
    session = window.workspace.session
    strength = 0.0 if session.state.strengths else 1.5
    session.update(with_strength(session.state, "Eyeglasses", strength), "Eyeglasses")
    assert bool(session.state.strengths) is bool(strength)


def test_an_exception_is_reported_wherever_it_is_raised(
    window: MainWindow, reporting: Reporting, qtbot: QtBot, capfd: pytest.CaptureFixture[str]
) -> None:
    for happens in PLACES:
        happens(window)
        notice = reported(window, qtbot)
        assert notice.severity is Severity.ERROR
        assert "RuntimeError" in notice.details, f"nothing to copy of one {happens.__name__}"
        assert "Traceback" in notice.details
        for broken in window.findChildren(Painted):
            broken.deleteLater()
        deliver()
        toggle_an_edit(window)
        deliver()
        assert window.isVisible()
    assert capfd.readouterr().err.count("out of the blue") >= len(PLACES), "a terminal shows them too"


def test_no_panel_is_made_outside_the_gui_thread(workspace: Workspace) -> None:
    """It would work by luck."""
    said: list[str] = []

    def make() -> None:
        with pytest.raises(AssertionError) as caught:
            Panel(workspace)
        said.append(str(caught.value))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    assert "GUI thread" in said[0]


@pytest.mark.parametrize("method", ["show_state", "show_model", "show_theme"])
def test_a_panel_that_breaks_leaves_the_others(
    method: str, window: MainWindow, reporting: Reporting, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in PANELS:
        panel = window.docks.raise_panel(key)
        assert panel is not None
        deliver()
        others = [other for other in window.docks.visible() if other is not panel]
        drawn: list[str] = []
        with monkeypatch.context() as patched:
            patched.setattr(panel, method, fail)
            for other in others:
                patched.setattr(other, method, partial(note, drawn, other.key))
            match method:
                case "show_state":
                    toggle_an_edit(window)
                case "show_model":
                    window.opening.shown.emit()
                case _:
                    window.commands.themed.emit()
            notice = reported(window, qtbot)
        assert key in notice.text, "which panel it was"
        assert "Traceback" in notice.details
        assert {other.key for other in others} <= set(drawn)
