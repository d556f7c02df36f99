"""Drawing what each plausible reading of a file makes, as a job: what the import dialog shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from latentlab.core.readings import RANGES, Guess
from latentlab.core.requests import Report
from latentlab.formats.reading import checked_options, open_file
from latentlab.formats.sequential import drawn_guesses
from latentlab.formats.sniff import PROGRAMS, Found, found


def run(
    report: Report, path: str, count: int = 4, trust: bool = False, options: Mapping[str, Any] | None = None
) -> int:
    """The job "latentlab.formats.guessing:run": each Guess as a partial result, the likeliest first; their number.

    `options`: what was said of the file besides, such as the size of its latents. 0 where nothing need be asked.
    Raises CheckpointError, TrustNeeded.
    """
    report.progress(0, 0, "opening the file")
    drawn = 0
    for drawn, (total, guess) in enumerate(_drawn(found(Path(path)), count, trust, options or {}), 1):
        report.partial(guess)
        report.progress(drawn, total, f"{drawn} of {total}")
    return drawn


def _drawn(file: Found, count: int, trust: bool, options: Mapping[str, Any]) -> Iterator[tuple[int, Guess]]:
    if file.kind != "onnx" and file.kind not in PROGRAMS:
        yield from drawn_guesses(file.path, count)
        return
    model = open_file(file, checked_options("cpu", trust, options))
    likeliest = model.info.reading.get("range", "")
    if not likeliest:
        return
    # Each output with its likeliest range, then the other ranges of the first.
    first, *others = getattr(getattr(model, "network", None), "pictures", ()) or ("",)
    ranges = [{"range": known, "picture": first} for known in RANGES if known != likeliest]
    said: list[dict[str, str]] = [{"range": likeliest, "picture": first}, *({"picture": name} for name in others)]
    for one in [*said, *ranges]:
        model = open_file(file, checked_options("cpu", trust, {**options, **one}))
        output = model.info.reading["range"]
        yield len(said) + len(ranges), Guess("", output, model.decode(model.sample(count)), one["picture"])
