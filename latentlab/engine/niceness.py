"""How a process steps back for the window and the live decoder."""

from __future__ import annotations

import os
from contextlib import suppress

NICENESS = 10  # the window and the live decoder go first


def step_back(process: int = 0) -> None:
    """The process (0: this one) runs on what the window and the live decoder leave over.

    Niceness alone still takes a tenth of a core, in slices longer than a decode. An idle process is interrupted at
    once; but beside a training that takes every core it would stand still, so there niceness it is.
    """
    with suppress(OSError):  # it has ended already, or the system forbids it
        if hasattr(os, "setpriority"):
            now = os.getpriority(os.PRIO_PROCESS, process)
            os.setpriority(os.PRIO_PROCESS, process, min(19, now + NICENESS))
        if hasattr(os, "SCHED_IDLE") and os.getloadavg()[0] < (os.cpu_count() or 1):
            os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0))
