"""Damaged and hostile files of every format, opened in a process that is watched: `python -m benchmarks.mutations`.

What is counted: how many opened, how many were refused with one typed error, and what must not be: another error, a
crash, a hang of more than 5 s, memory beyond 200 MB and twice the file above the process with its imports, planted code
that ran, another status of `latentlab info` than 0 or 2. A crashed or hung process is started again with the next
trial. The exit status is 1 where there was one of these.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from benchmarks.figures import finish

SECONDS_AT_MOST = 5.0
START_SECONDS = 300.0  # imports, and the sound files
MEMORY_BYTES = 200_000_000
SPAWNED = 20  # commands in a process of their own
END = "end"


@dataclass
class Tally:
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_bytes: int = 0
    largest_bytes: int = 0
    trials: int = 0

    def add(self, line: dict[str, Any]) -> None:
        self.slowest_s = max(self.slowest_s, line["duration_s"])
        self.peak_bytes = max(self.peak_bytes, line["peak"])
        known = line["outcome"] in ("opened", "refused")
        self.outcomes[line["outcome"] if known else "another error"] += 1
        if not known or line["duration_s"] > SECONDS_AT_MOST:
            self.faults.append(line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="variants in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    tally, first = Tally(trials=1), 0
    with tempfile.TemporaryDirectory() as folder:
        per_trial = -(-arguments.count // _trials())
        while first < tally.trials:
            last = _watched(Path(folder) / str(first), per_trial, arguments.seed, first, tally)
            first = tally.trials if last is None else last + 1
        spawned = _spawned(Path(folder))
    memory = tally.peak_bytes <= MEMORY_BYTES + 2 * tally.largest_bytes
    figures = {
        "files": sum(tally.outcomes.values()),
        "outcomes": dict(tally.outcomes),
        "slowest_s": round(tally.slowest_s, 3),
        "peak_above_imports_bytes": tally.peak_bytes,
        "largest_sound_file_bytes": tally.largest_bytes,
        "commands_in_processes": dict(spawned),
        "faults": tally.faults,
    }
    print(json.dumps(figures, indent=2))
    finish(figures, arguments.out)
    return 0 if memory and not tally.faults and set(spawned) <= {0, 2} else 1


def _trials() -> int:
    code = "from tests.formats.mutating import TRIALS; print(len(TRIALS))"
    return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def _watched(folder: Path, per_trial: int, seed: int, first: int, tally: Tally) -> int | None:
    """None when all trials are done, else the number of the one in which the process crashed or hung."""
    command = [sys.executable, "-m", "tests.formats.mutating", str(folder), str(per_trial), str(seed), str(first)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as child:
        lines: queue.Queue[str] = queue.Queue()
        assert child.stdout is not None
        threading.Thread(target=_forward, args=(child.stdout, lines), daemon=True).start()
        limit_s, at = START_SECONDS, first
        while True:
            try:
                line = lines.get(timeout=limit_s)
            except queue.Empty:
                child.kill()
                tally.faults.append({"trial": at, "outcome": f"no answer for {limit_s:.0f} s"})
                return at
            if line == END:
                break
            said = json.loads(line)
            if "ready" in said:
                tally.largest_bytes, tally.trials = said["largest_bytes"], said["trials"]
                limit_s = 10 * SECONDS_AT_MOST  # making a sound file anew is part of it; each line says its own time
                continue
            at = said["trial"]
            tally.add(said)
    if child.returncode:
        tally.faults.append({"trial": at, "outcome": f"the process ended with {child.returncode}"})
        return at
    return None


def _forward(stream: IO[str], lines: queue.Queue[str]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(END)


def _spawned(folder: Path) -> Counter[int]:
    """The statuses of `latentlab info` in processes of their own, on variants of each kind in turn."""
    left = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".json")
    statuses: Counter[int] = Counter()
    for path in left[:: max(1, len(left) // SPAWNED)][:SPAWNED]:
        command = [sys.executable, "-m", "latentlab", "info", str(path)]
        done = subprocess.run(command, capture_output=True, timeout=START_SECONDS)
        statuses[done.returncode if b"Traceback" not in done.stderr else -1] += 1
    return statuses


if __name__ == "__main__":
    sys.exit(main())
