"""Collecting: cycles with QObjects are collected on the GUI thread, and on no other."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from latentlab.ui.collecting import Collecting, collect_due

MANY = 20_000  # containers, of which 700 are enough for the collector


@pytest.fixture
def collecting(qtbot: QtBot) -> Iterator[Collecting]:
    gc.enable()
    collecting = Collecting()
    collecting.start()
    yield collecting
    collecting.stop()


def cycle_with(died_on: list[int]) -> None:
    """Garbage that only the collector finds: a QObject, and what holds it."""
    held = QObject()
    held.destroyed.connect(lambda: died_on.append(threading.get_ident()))
    around: list[object] = [held]
    around.append(around)


def make_many() -> None:
    kept = [[number] for number in range(MANY)]
    assert len(kept) == MANY


def test_a_thread_that_makes_objects_destroys_none_of_qt(collecting: Collecting, qtbot: QtBot) -> None:
    died_on: list[int] = []
    cycle_with(died_on)
    thread = threading.Thread(target=make_many)
    thread.start()
    thread.join()
    assert died_on == []
    make_many()  # so that something is due
    kept = [[number] for number in range(MANY)]
    qtbot.waitUntil(lambda: bool(died_on))
    assert died_on == [threading.get_ident()]
    assert len(kept) == MANY


def test_nothing_is_collected_before_it_is_due(collecting: Collecting) -> None:
    gc.collect()
    died_on: list[int] = []
    cycle_with(died_on)
    collect_due()
    assert died_on == []


def test_older_garbage_is_reached_in_its_turn(collecting: Collecting) -> None:
    died_on: list[int] = []
    cycle_with(died_on)
    gc.collect(0)  # found at once
    assert died_on
    held: list[object] = []
    for _ in range(200):
        held.append([[number] for number in range(1000)])
        collect_due()
        if gc.get_count()[2] > 0:
            return  # the middle generation was collected, so the oldest counts
    pytest.fail("Only the youngest generation was ever collected.")


def test_the_collector_is_left_as_it_was(qtbot: QtBot) -> None:
    for before in (True, False):
        (gc.enable if before else gc.disable)()
        collecting = Collecting()
        collecting.start()
        assert not gc.isenabled()
        collecting.stop()
        assert gc.isenabled() == before
    gc.enable()
