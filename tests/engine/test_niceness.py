"""When a process may run on what nothing else wants, and when it would then stand still."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from latentlab.engine import niceness

CORES = 2
pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="this system has no idle processes")


def look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, load: float, busy: int, idle: int) -> bool:
    """What is said where that many ticks go by between the two looks."""
    file = tmp_path / "stat"
    texts: Iterator[str] = iter(
        ["cpu  100 0 0 1000 0 0 0 0 0 0\ncpu0 1\n", f"cpu  {100 + busy} 0 0 {1000 + idle} 0 0 0 0 0 0\n"]
    )
    file.write_text(next(texts), "ascii")
    monkeypatch.setattr(niceness, "CPU_TIMES", file)
    monkeypatch.setattr(time, "sleep", lambda _s: file.write_text(next(texts), "ascii"))
    monkeypatch.setattr(os, "cpu_count", lambda: CORES)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    return niceness.core_is_free()


@pytest.mark.parametrize(
    ("load", "busy", "idle", "free"),
    [
        (0.4, 10, 0, True),  # a window that starts, after a quiet minute
        (2.6, 1, 9, True),  # after a minute of work that is done
        (2.6, 4, 6, True),  # nearly a core
        (2.6, 10, 0, False),  # beside a training on all cores
        (2.6, 7, 3, False),  # a core and a half
        (2.6, 0, 0, True),  # no tick went by
    ],
)
def test_a_core_is_free_in_the_last_minute_or_now(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, load: float, busy: int, idle: int, free: bool
) -> None:
    assert look(monkeypatch, tmp_path, load=load, busy=busy, idle=idle) is free


@pytest.mark.parametrize("free", [True, False])
def test_a_process_is_idle_only_where_a_core_is_free(monkeypatch: pytest.MonkeyPatch, free: bool) -> None:
    policies: list[tuple[int, int]] = []
    nicenesses: list[int] = []
    monkeypatch.setattr(niceness, "core_is_free", lambda: free)
    monkeypatch.setattr(os, "getpriority", lambda _which, _process: 12)
    monkeypatch.setattr(os, "setpriority", lambda _which, _process, to: nicenesses.append(to))
    monkeypatch.setattr(os, "sched_setscheduler", lambda process, policy, _: policies.append((process, policy)))
    niceness.step_back(4321)
    assert policies == ([(4321, os.SCHED_IDLE)] if free else [])
    assert nicenesses == [19]


def test_the_times_of_this_machine_can_be_read() -> None:
    busy, all_ = niceness._cpu_times()
    assert 0 < busy < all_
