"""Drawing what each plausible reading of a file makes, as a job: what the import dialog shows."""

from __future__ import annotations

from pathlib import Path

from latentlab.core.requests import Report
from latentlab.formats.sequential import drawn_guesses


def run(report: Report, path: str, count: int = 4) -> int:
    """The job "latentlab.formats.guessing:run": each Guess as a partial result, the likeliest first; their number.

    0 where nothing need be asked. Raises CheckpointError.
    """
    report.progress(0, 0, "opening the file")
    drawn = 0
    for drawn, (total, guess) in enumerate(drawn_guesses(Path(path), count), 1):
        report.partial(guess)
        report.progress(drawn, total, f"{drawn} of {total}")
    return drawn
