"""What a user said of a file that does not say it itself: read from the small JSON beside it at the next opening."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from latentlab.core.atomic import displayed
from latentlab.core.beside import found_beside
from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.readings import ENDING, answers_path, remember
from latentlab.formats.reading import Options, checked_options
from latentlab.formats.sidecar import read_table_at

__all__ = ["answers_path", "remember", "with_answers"]


def with_answers(checkpoint: Path, options: Options) -> Options:
    """The options, completed by what was remembered: what is said now comes first. Raises CheckpointError."""
    path = found_beside(checkpoint, ENDING)
    remembered = read_table_at(path) if path is not None else None
    if path is None or remembered is None:
        return options
    try:
        checked = checked_options(options.device, options.trust, remembered)
    except OptionError as error:
        raise CheckpointError(f"{displayed(path)} cannot be used: {error} Correct it, or delete it.") from None
    return dataclasses.replace(checked, **{name: getattr(options, name) for name in options.said})
