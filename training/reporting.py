"""A training run told to another program: one JSON object a line on stdout.

Every object has an `event`: stage (done, total, text), skipped (files), chosen (text), step and epoch (as StepReport
and EpochReport of `training.reports`), finished (checkpoint) or failed (status, text). A number that is not finite is
null.
Where the reader goes away, as a window that was killed does, the run ends as on SIGINT: it finishes its step and is
saved.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.reports import EpochReport, StepReport
from training.stopping import ask_to_stop

STAGE_EVERY = 0.2  # seconds between two lines about the same stage


class JsonLines:
    """What a program that watches a run reads; has the methods of `watching.TrainingBar`."""

    def __init__(self) -> None:
        self._stage = ("", 0.0)
        self._alone = False  # nobody reads any more

    def stage(self, done: int, total: int, text: str) -> None:
        now = time.monotonic()
        if text == self._stage[0] and done < total and now - self._stage[1] < STAGE_EVERY:
            return
        self._stage = (text, now)
        self._tell("stage", {"done": done, "total": total, "text": text})

    def skipped(self, files: Sequence[str]) -> None:
        if files:
            self._tell("skipped", {"files": list(files)})

    def chosen(self, text: str) -> None:
        self._tell("chosen", {"text": text})

    def step(self, report: StepReport) -> None:
        self._tell("step", asdict(report))

    def epoch(self, report: EpochReport) -> None:
        self._tell("epoch", asdict(report))

    def finished(self, checkpoint: Path) -> None:
        self._tell("finished", {"checkpoint": str(checkpoint)})

    def failed(self, status: int, text: str) -> None:
        self._tell("failed", {"status": status, "text": text})

    def _tell(self, event: str, values: Mapping[str, Any]) -> None:
        if self._alone:
            return
        try:
            sys.stdout.write(json.dumps({"event": event, **_finite(values)}, allow_nan=False) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            self._alone = True
            # What is still buffered would be written, and fail, at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ask_to_stop()


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
