"""What a user said of a file that does not say it itself: a small JSON beside the file, read at the next opening.

`faces.pth.latentlab.json` holds {"activation": "relu", "range": "tanh"}.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.errors import CheckpointError, OptionError
from latentlab.formats.reading import Options, checked_options
from latentlab.formats.sidecar import read_table_at

ENDING = ".latentlab.json"
ASKED = ("activation", "range")


def answers_path(checkpoint: Path) -> Path:
    return checkpoint.with_name(checkpoint.name + ENDING)


def remember(checkpoint: Path, activation: str, range_: str) -> Path:
    """Writes down how a file is to be read; the path of the document. Raises OptionError, SaveError."""
    checked_options("auto", False, {"activation": activation, "range": range_})
    path = answers_path(checkpoint)
    atomic_write(path, json.dumps({"activation": activation, "range": range_}).encode() + b"\n")
    return path


def with_answers(checkpoint: Path, options: Options) -> Options:
    """The options, completed by what was remembered: what is said now comes first. Raises CheckpointError."""
    remembered = read_table_at(answers_path(checkpoint))
    if remembered is None:
        return options
    said = {name: value for name in ASKED if (value := getattr(options, name) or remembered.get(name))}
    try:
        checked = checked_options(options.device, options.trust, said)
    except OptionError as error:
        raise CheckpointError(f"{displayed(answers_path(checkpoint))} cannot be used: {error} Delete it.") from None
    return dataclasses.replace(options, activation=checked.activation, range=checked.range)
