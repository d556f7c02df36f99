"""What a thread has computed comes to the GUI thread, and to nobody once its panel is gone."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from latentlab.ui.crossing import Crossing


class Panel(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.got: list[tuple[Any, bool]] = []
        self.crossing = Crossing(self.take)

    def take(self, result: Any) -> None:
        self.got.append((result, threading.current_thread() is threading.main_thread()))


def test_a_result_arrives_on_the_gui_thread(qtbot: QtBot) -> None:
    panel = Panel()
    thread = threading.Thread(target=panel.crossing.arrived.emit, args=("done",))
    thread.start()
    qtbot.waitUntil(lambda: bool(panel.got))
    thread.join()
    assert panel.got == [("done", True)]


def test_a_thread_may_end_after_its_panel(qtbot: QtBot) -> None:
    """Also in the moment in which it is deleted: emitting a signal of the panel itself ended the process there."""
    for _ in range(50):
        panel = Panel()
        got, crossing, started = panel.got, panel.crossing, threading.Event()

        def work(crossing: Crossing = crossing, started: threading.Event = started) -> None:
            started.set()
            for number in range(200):
                crossing.arrived.emit(number)

        thread = threading.Thread(target=work)
        thread.start()
        started.wait()
        panel.deleteLater()
        QCoreApplication.sendPostedEvents(panel, QEvent.Type.DeferredDelete)
        taken = len(got)
        thread.join()
        del crossing, panel
        QCoreApplication.processEvents()
        assert len(got) == taken


def test_work_is_run_on_a_thread_and_what_it_returns_arrives(qtbot: QtBot) -> None:
    panel = Panel()
    thread = panel.crossing.run(threading.current_thread, "short work")
    qtbot.waitUntil(lambda: bool(panel.got))
    assert panel.got == [(thread, True)]


def test_work_that_raises_is_reported_and_nothing_arrives(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, reported = Panel(), list[type[BaseException] | None]()
    monkeypatch.setattr(threading, "excepthook", lambda raised: reported.append(raised.exc_type))
    panel.crossing.run(lambda: 1 / 0, "short work").join()
    QCoreApplication.processEvents()
    assert (reported, panel.got) == ([ZeroDivisionError], [])
