"""Functions that jobs run in tests; `Gate` in fake_model.py makes one wait for the test."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from fake_model import Gate

from latentlab.core.atomic import atomic_file
from latentlab.core.errors import SaveError
from latentlab.core.requests import Report


def count_to(report: Report, n: int) -> int:
    for i in range(n):
        report.progress(i, n, f"step {i}")
        report.partial(i * 10)
    return n


def wait_at(report: Report, folder: str, step: int, steps: int) -> str:
    """Stops at one of its steps until the test lets it go; leaves a file at the end."""
    for i in range(steps):
        if i == step:
            Gate(Path(folder)).wait_here()
        report.progress(i, steps)
    (Path(folder) / "finished").touch()
    return "finished"


def niceness(report: Report) -> tuple[int, str]:
    return os.nice(0), os.environ["OMP_WAIT_POLICY"]


def die(report: Report) -> None:
    os.write(1, b"last words")
    os.kill(os.getpid(), signal.SIGKILL)


def fail(report: Report) -> None:
    raise ZeroDivisionError("one over zero")


def outgrow(report: Report) -> None:
    raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")


def refuse(report: Report) -> None:
    raise SaveError("The disk is full. Free some space.")


def write_slowly(report: Report, folder: str, path: str) -> None:
    """Neither listens nor gets any further while it writes."""
    with atomic_file(path) as file:
        file.write(b"half")
        file.flush()
        Gate(Path(folder)).wait_here()
        time.sleep(60)


def deaf(report: Report, folder: str) -> None:
    """Never reports, so it cannot notice that it was cancelled."""
    Gate(Path(folder)).wait_here()
    while True:
        time.sleep(60)
