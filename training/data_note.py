"""How data are read: as it was asked, in a file or on the command line, and as a run remembers it. No torch here."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class DataAsked(BaseModel):
    """None where nothing was said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str | None = None
    image_size: int | None = None
    crop: str | None = None
    limit: int | None = None
    root: Path | None = None
    thumbnails: bool | None = None
    mapped: bool | None = None


class DataNote(DataAsked):
    """Of a run; what a later latentlab may add to the note is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    data: str
    crop: str = "centre"
