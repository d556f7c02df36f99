"""What every benchmark shares: the machine it ran on, and its figures as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("latentlab", "torch", "PySide6-Essentials", "pyqtgraph", "numpy", "openTSNE")


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="also write the figures there as JSON")
    return parser


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all values do not exceed; NaN of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[max(1, math.ceil(len(ordered) * percent / 100)) - 1]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest of several runs."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Rows as aligned Markdown, so that a result can be pasted into docs/benchmarks.md as it stands."""
    cells = [list(header), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _text(cell: object) -> str:
    return (
        f"{cell:,.4g}"
        if isinstance(cell, float) and abs(cell) < 1000
        else f"{cell:,.0f}"
        if isinstance(cell, float)
        else str(cell)
    )


def verdict(name: str, figure: float, limit: float, *, at_least: bool = False) -> list[object]:
    """A row that says whether a target is met."""
    met = figure >= limit if at_least else figure <= limit
    return [name, figure, ("at least " if at_least else "at most ") + f"{limit:g}", "yes" if met else "NO"]


def finish(figures: Mapping[str, Any], out: Path | None) -> None:
    """Prints the machine and, where asked, writes everything as JSON."""
    described = machine()
    print(
        f"\n{described['processor']}, {described['cores']} cores, Python {described['python']}, "
        f"torch {described['packages']['torch']}"
    )
    if out is not None:
        out.write_text(json.dumps({"machine": described, **figures}, indent=2) + "\n", encoding="utf-8")
        print(f"written: {out}")
