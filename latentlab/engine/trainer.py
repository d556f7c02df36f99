"""`latentlab-train` in a process of its own, which steps back for the window. No torch and no Qt here.

A command has a thread that reads what it says. It belongs to a session of its own, so that Ctrl+C in a terminal is the
window's to understand; and a run whose window is gone, however that ended, finishes its step, is saved and ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import IO, Any

from latentlab.core.trainer import INTERRUPTED, PROGRAM, TrainerEnded, TrainerLine, TrainerMessage
from latentlab.engine.niceness import step_back
from latentlab.engine.protocol import ENVIRONMENT, LOG_TAIL_BYTES

PACKAGE, MODULE = "training", "training.cli"
CLOSE_S = 1.0  # what a run has to save itself while the window still waits


class RunningCommand:
    """Implements `latentlab.core.trainer.TrainerCommand`."""

    def __init__(
        self, command: Sequence[str], on_message: Callable[[TrainerMessage], None], environment: dict[str, str]
    ) -> None:
        self._command = [*command]
        self._environment = environment
        self._on_message = on_message
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = 0
        self._ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name=PROGRAM, daemon=True)
        self.thread.start()

    @property
    def running(self) -> bool:
        return not self._ended.is_set()

    @property
    def asked(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopped > 0

    def stop(self) -> None:
        with self._lock:
            self._stopped += 1
            if self._process is not None and self._process.poll() is None:
                _interrupt(self._process)

    def wait(self, timeout_s: float) -> bool:
        """Whether the last message has been said within `timeout_s`."""
        return self._ended.wait(timeout_s)

    def _run(self) -> None:
        ended = TrainerEnded(INTERRUPTED, "Stopped before it began.")
        try:
            with tempfile.TemporaryFile("w+b", prefix="latentlab-") as log:
                with self._lock:
                    if not self._stopped:
                        self._process = self._started(log)
                if self._process is not None:
                    status = self._listen(self._process)
                    ended = TrainerEnded(status, *_said(log, status))
        except OSError as error:
            ended = TrainerEnded(1, f"No process could be started for the trainer: {error.strerror or error}.")
        finally:
            self._ended.set()
            self._on_message(ended)

    def _started(self, log: IO[bytes]) -> subprocess.Popen[str]:
        own: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **ENVIRONMENT, **self._environment},
            encoding="utf-8",
            errors="replace",
            **own,
        )
        step_back(process.pid)
        return process

    def _listen(self, process: subprocess.Popen[str]) -> int:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._on_message(TrainerLine(line.rstrip("\n")))
        return process.wait()


class ProcessTrainer:
    """Implements `latentlab.core.trainer.Trainer`; `command` is what comes before the arguments."""

    def __init__(self, command: Sequence[str] = (), environment: dict[str, str] | None = None) -> None:
        # -P: not from the working folder; a torch.py beside a download must not be run.
        self._command = [*command] or [sys.executable, "-P", "-m", MODULE]
        self._environment = environment or {}
        self._own = not command
        self._running: list[RunningCommand] = []

    @property
    def installed(self) -> bool:
        return not self._own or find_spec(PACKAGE) is not None

    def start(self, arguments: Sequence[str], on_message: Callable[[TrainerMessage], None]) -> RunningCommand:
        """Returns at once; the process is started on the command's own thread."""
        started = RunningCommand([*self._command, *arguments], on_message, self._environment)
        self._running = [*(other for other in self._running if other.running), started]
        return started

    def close(self) -> None:
        running, self._running = [command for command in self._running if command.running], []
        for command in running:
            if not command.asked:  # asked twice, it would end without saving
                command.stop()
        deadline = time.monotonic() + CLOSE_S
        for command in running:
            command.wait(max(0.0, deadline - time.monotonic()))


def _interrupt(process: subprocess.Popen[str]) -> None:
    with suppress(OSError):
        if sys.platform == "win32":
            process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            process.send_signal(signal.SIGINT)


def _said(log: IO[bytes], status: int) -> tuple[str, str]:
    """(the line about a failure, everything): what a command that ended with `status` wrote on its standard error."""
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - LOG_TAIL_BYTES))
    details = log.read().decode("utf-8", "replace").strip()
    if status == 0:
        return "", details
    prefix = f"{PROGRAM}: "
    lines = [line for line in details.splitlines() if line.startswith(prefix)]
    if lines:
        return lines[-1].removeprefix(prefix), details
    if status < 0:
        return f"The trainer was stopped by signal {-status}. Perhaps the memory was full.", details
    return f"The trainer ended with status {status}.", details
