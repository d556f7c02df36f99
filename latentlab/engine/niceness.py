"""How a process steps back for the window and the live decoder."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

NICENESS = 10  # the window and the live decoder go first
LOOKED_S = 0.05  # how long it is looked whether a core is free
FREE_SHARE = 0.75  # of a core that has to be idle
CPU_TIMES = Path("/proc/stat")


def step_back(process: int = 0) -> None:
    """The process (0: this one) runs on what the window and the live decoder leave over.

    Niceness alone still takes a tenth of a core, in slices longer than a decode. An idle process is interrupted at
    once; but beside a training that takes every core it would stand still, so there niceness it is.
    """
    with suppress(OSError):  # it has ended already, or the system forbids it
        if hasattr(os, "setpriority"):
            now = os.getpriority(os.PRIO_PROCESS, process)
            os.setpriority(os.PRIO_PROCESS, process, min(19, now + NICENESS))
        if hasattr(os, "SCHED_IDLE") and core_is_free():
            os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0))


def core_is_free() -> bool:
    """In the last minute, or at least now: the minute counts jobs that have ended, the moment a window that starts."""
    cores = os.cpu_count() or 1
    if os.getloadavg()[0] < cores:
        return True
    busy_before, all_before = _cpu_times()
    time.sleep(LOOKED_S)
    busy, all_ = _cpu_times()
    share = (busy - busy_before) / max(1, all_ - all_before)
    return share * cores < cores - FREE_SHARE


def _cpu_times() -> tuple[int, int]:
    """Of all cores, in clock ticks since the system started: (busy, busy and idle)."""
    times = [int(ticks) for ticks in CPU_TIMES.read_text("ascii").partition("\n")[0].split()[1:9]]
    return sum(times) - times[3] - times[4], sum(times)  # the fourth and fifth are idle, and idle waiting for a disk
