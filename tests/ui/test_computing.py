"""Short work on a thread: latest wins, results and errors reach the GUI thread."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from latentlab.ui.computing import Computing


def test_a_result_reaches_the_gui_thread(qtbot: QtBot) -> None:
    parent, got = QObject(), list[tuple[object, bool]]()
    here = threading.current_thread()
    computing = Computing(parent)
    computing.start(
        lambda: threading.current_thread() is not here,
        lambda elsewhere: got.append((elsewhere, threading.current_thread() is here)),
    )
    qtbot.waitUntil(lambda: bool(got))
    assert got == [(True, True)]


def test_of_those_that_wait_the_latest_is_computed(qtbot: QtBot) -> None:
    parent, got, computed, gate = QObject(), list[int](), list[int](), threading.Event()
    computing = Computing(parent)

    def work(number: int) -> int:
        gate.wait(10)
        computed.append(number)
        return number

    for number in range(5):
        computing.start(lambda number=number: work(number), got.append)
    gate.set()
    qtbot.waitUntil(lambda: bool(got))
    assert computed == [0, 4]
    assert got == [4]


def test_an_error_is_raised_where_it_is_reported(qtbot: QtBot) -> None:
    parent = QObject()
    computing = Computing(parent)
    with qtbot.captureExceptions() as raised:
        computing.start(lambda: 1 / 0, lambda _: pytest.fail("there is no result"))
        qtbot.waitUntil(lambda: bool(raised))
    assert raised[0][0] is ZeroDivisionError


def test_a_panel_that_is_gone_misses_nothing(qtbot: QtBot) -> None:
    parent, gate, done = QObject(), threading.Event(), threading.Event()
    computing = Computing(parent)

    def work() -> None:
        gate.wait(10)
        done.set()

    computing.start(work, lambda _: pytest.fail("nobody is there"))
    thread = next(t for t in threading.enumerate() if t.name == "computing")
    del computing, parent
    gate.set()
    thread.join(10)
    assert done.is_set()
    assert not thread.is_alive()
