"""Layouts: kept, fitted on a thread where they are large, and dropped when they come too late."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.encodings import EncodingSet
from latentlab.core.requests import Partial
from latentlab.core.state import MapView
from latentlab.ui import projecting as module
from latentlab.ui.projecting import Projecting, layout_key
from latentlab.ui.running import Running


def some(count: int = 200) -> EncodingSet:
    return EncodingSet(np.random.default_rng(count).standard_normal((count, 6)).astype(np.float32))


@pytest.fixture
def projecting(qtbot: QtBot, jobs: Any) -> Any:
    running = Running(jobs)
    projecting = Projecting(running)
    yield projecting
    projecting.close()
    running.close()


def test_a_layout_is_kept_and_comes_back_the_same(projecting: Projecting) -> None:
    projecting.open(some())
    projecting.ask(MapView(), DirectionSet())
    first = projecting.layout
    projecting.ask(MapView(x="3"), DirectionSet())
    assert projecting.layout is not first
    projecting.ask(MapView(colour="none", lattice=True), DirectionSet())
    assert projecting.layout is first


def test_a_large_one_is_fitted_on_a_thread(
    projecting: Projecting, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IN_PLACE", 100)
    threads = []
    fitted = module.fitted_here

    def watched(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return fitted(*arguments)

    monkeypatch.setattr(module, "fitted_here", watched)
    projecting.open(some())
    with qtbot.waitSignal(projecting.changed):
        projecting.ask(MapView(), DirectionSet())
        assert projecting.layout is None
    assert projecting.layout is not None
    assert threads[0] is not threading.main_thread()
    with qtbot.waitSignal(projecting.failed) as said:
        projecting.ask(MapView(x="99"), DirectionSet())
    assert "99" in said.args[0]


def test_what_belongs_to_another_model_is_dropped(
    projecting: Projecting, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IN_PLACE", 100)
    go_on = threading.Event()
    fitted = module.fitted_here

    def slow(view: MapView, directions: DirectionSet, encodings: EncodingSet) -> Any:
        if len(encodings) == 200:
            go_on.wait(10)
        return fitted(view, directions, encodings)

    monkeypatch.setattr(module, "fitted_here", slow)
    projecting.open(some(200))
    projecting.ask(MapView(), DirectionSet())
    projecting.open(some(300))
    with qtbot.waitSignal(projecting.changed):
        projecting.ask(MapView(), DirectionSet())
        go_on.set()
    assert projecting.layout is not None
    assert len(projecting.layout.points) == 300


def test_nothing_moves_under_a_hand(qtbot: QtBot, jobs: Any) -> None:
    """A layout that a job sends during a drag is shown once the hand lets go: the latest one, and only that."""
    held = [True]
    running = Running(jobs)
    projecting = Projecting(running, in_hand=lambda: held[0])
    try:
        encodings = some()
        projecting.open(encodings)
        projecting.ask(MapView("tsne"), DirectionSet())
        shown: list[Any] = []
        projecting.changed.connect(lambda: shown.append(projecting.layout))
        first, second = (np.full((200, 2), value, np.float32) for value in (1, 2))
        for points in (first, second):
            with qtbot.waitSignal(projecting.job.partial):  # type: ignore[union-attr]
                jobs.started[-1].say(Partial(points))
        assert not shown
        with qtbot.waitSignal(projecting.changed):
            held[0] = False
        assert [layout.points for layout in shown] == [second]
    finally:
        projecting.close()
        running.close()


def test_a_direction_fitted_anew_is_another_axis() -> None:
    view = MapView("plane", "Hat", "dimension 1")
    one, other = (DirectionSet([Direction("Hat", np.eye(4, dtype=np.float32)[k])]) for k in (0, 1))
    assert layout_key(view, one) == layout_key(view, one.with_added(Direction("Beard", np.ones(4, np.float32))))
    assert layout_key(view, one) != layout_key(view, other)
    assert layout_key(MapView("tsne", "1", "2"), one) == layout_key(MapView("tsne", "4", "5"), other)
