"""What is asked of a source of data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from latentlab.core.picture_folder import Progress
from latentlab.core.pictures import Crop


def silent(_done: int, _total: int, _text: str) -> None:
    """Reports nothing."""


@dataclass(frozen=True)
class Request:
    """One for all sources; each uses what concerns it."""

    data: str  # the name or path as given
    size: int | None = None  # side in pixels; None: the data's own
    crop: Crop = field(default_factory=Crop)
    root: Path = Path("data")  # where downloaded sets lie
    download: bool = False
    limit: int | None = None  # at most so many pictures
    mapped: bool | None = None  # keep them in a mapped file, not in memory; None: where memory is too small
    scratch: Path | None = None  # the folder of that file
    seed: int = 0
    report: Progress = silent
