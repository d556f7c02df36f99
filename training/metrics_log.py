"""RUN/metrics.jsonl: one object per epoch and split."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latentlab.core.atomic import atomic_write
from training.reports import EpochReport


def write_metrics(path: Path, report: EpochReport, alarms: Sequence[str] = (), notes: Sequence[str] = ()) -> None:
    """Adds the epoch, with the names of its alarms and what was said in it.

    Lines of later epochs go: after a kill, the file may hold some that are now trained again. Raises SaveError;
    the file is then as it was.
    """
    kept = [line for line in lines(path) if line.get("epoch", 0) < report.epoch]
    common = {
        "epoch": report.epoch,
        "step": report.step,
        "seconds": report.seconds,
        "images_per_second": report.images_per_second,
    }
    said = {name: list(words) for name, words in (("alarms", alarms), ("notes", notes)) if words}
    kept.append({**common, "split": "train", **report.train} | said)
    if report.held_out:
        kept.append({**common, "split": "held_out", **report.held_out})
    atomic_write(path, "".join(json.dumps(line) + "\n" for line in kept).encode())


def lines(path: Path) -> list[dict[str, Any]]:
    """What the file holds; a line that a kill cut off is left out, its epoch is trained again."""
    if not path.exists():
        return []
    found = []
    for text in path.read_text("utf-8").splitlines():
        try:
            found.append(json.loads(text))
        except ValueError:
            continue
    return found
