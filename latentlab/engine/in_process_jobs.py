"""Jobs around a model that lives in this process: what needs the model itself runs in a thread here.

A child process could not open it again. Everything else goes to processes of its own, as always.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from typing import Any

from latentlab.core.latent_model import LatentModel
from latentlab.core.requests import Job, JobCancelled, JobMessage, Jobs, Partial, Progress, Report
from latentlab.engine.child import named
from latentlab.engine.job import last_message

INVERSION = "latentlab.measure.inversion:run"
MEASURING = "latentlab.engine.measuring:run"
COMPONENTS = "latentlab.engine.picture_components:run"
HERE = (INVERSION, MEASURING, COMPONENTS)  # each has a `run_on` beside its `run`, for a model that is open
# How a process of its own would open the model.
OF_THE_FILE = ("path", "checkpoint", "device", "trust", "options", "loader", "how")
CLOSE_S = 1.5  # what a job has to end by itself when the application does


class ThreadJob:
    """Implements `latentlab.core.requests.Job`, and the Report of its own work."""

    def __init__(self, work: Callable[[Report], Any], on_message: Callable[[JobMessage], None]) -> None:
        self._work = work
        self._on_message = on_message
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="in-process job", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return not self._ended.is_set()

    def cancel(self) -> None:
        self._cancelled.set()

    def wait(self, timeout_s: float) -> bool:
        """Whether the work has ended within `timeout_s`; a thread cannot be ended by force."""
        if not self._ended.wait(timeout_s):  # inside torch when the interpreter ends it would abort the process
            atexit.register(self._thread.join)
            return False
        return True

    def progress(self, done: float, total: float, text: str = "") -> None:
        self._say(Progress(done, total, text))

    def partial(self, value: Any) -> None:
        self._say(Partial(value))

    def _say(self, message: JobMessage) -> None:
        if self._cancelled.is_set():
            raise JobCancelled
        self._on_message(message)

    def _run(self) -> None:
        last = last_message(lambda: self._work(self))
        self._ended.set()
        self._on_message(last)


class InProcessJobs:
    """Implements `latentlab.core.requests.Jobs` around one given model, named by the path of its `info`."""

    def __init__(self, model: LatentModel, others: Jobs) -> None:
        self._model = model
        self._others = others
        self._running: list[ThreadJob] = []

    def start(self, function: str, arguments: dict[str, Any], on_message: Callable[[JobMessage], None]) -> Job:
        if function not in HERE or arguments.get("path") != self._model.info.path:
            return self._others.start(function, arguments, on_message)
        asked = {name: value for name, value in arguments.items() if name not in OF_THE_FILE}

        def work(report: Report) -> Any:
            return named(f"{function}_on")(report, self._model, **asked)

        job = ThreadJob(work, on_message)
        self._running = [other for other in self._running if other.running] + [job]
        return job

    def close(self) -> None:
        for job in self._running:
            job.cancel()
        self._others.close()
        deadline = time.monotonic() + CLOSE_S
        for job in self._running:
            job.wait(max(0.0, deadline - time.monotonic()))
