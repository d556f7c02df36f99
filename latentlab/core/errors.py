"""The tree of errors a user can meet. Each message says what happened, with which value, and what to do next.

LatentlabError
├── BadInput             exit status 2: what was given cannot be used
│   ├── CheckpointError    a file that is not a sound checkpoint
│   │   └── TrustNeeded      one that can run code, and that nobody vouched for
│   ├── DataError          pictures, tables, arrays
│   ├── ExpressionError    a typed expression, with the column of the mistake
│   └── OptionError        a value that was chosen
├── Failure              exit status 1: the disk, the memory, a process, a device
│   ├── SaveError
│   └── DeviceError
└── Interrupted          exit status 130: stopped on request, work saved
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

# What pydantic says of a value, and what it means.
PLAIN_WORDS = (
    (r"Input should be a valid integer.*", "it must be a whole number"),
    (r"Input should be a valid number.*", "it must be a number"),
    (r"Input should be a valid boolean.*", "it must be true or false"),
    (r"Input should be a valid string.*", "it must be text"),
    (r"Input should be a valid (tuple|list).*", "it must be a list"),
    (r"Input should be greater than or equal to (.+)", r"it must be at least \1"),
    (r"Input should be less than or equal to (.+)", r"it must be at most \1"),
    (r"Input should be greater than (.+)", r"it must be more than \1"),
    (r"Input should be less than (.+)", r"it must be less than \1"),
    (r"Input should be (.+)", r"it must be \1"),
    (r"Value error, (.+)", r"\1"),
)


class LatentlabError(Exception):
    """What every interface catches: its text is shown as it stands, without a traceback."""

    exit_status = 1


class BadInput(LatentlabError):
    exit_status = 2


class CheckpointError(BadInput):
    pass


class TrustNeeded(CheckpointError):
    """The file can be opened, but opening it can run code: a person has to trust it first."""


class LatentSizeNeeded(CheckpointError):
    """The file leaves the size of its latents open: a person has to say it first."""


class DataError(BadInput):
    pass


class OptionError(BadInput):
    pass


class ExpressionError(BadInput):
    """`column` counts characters from 0; the editor underlines from there for `length` characters."""

    def __init__(self, message: str, column: int, length: int = 1) -> None:
        super().__init__(message)
        self.column = column
        self.length = length


class Failure(LatentlabError):
    pass


class SaveError(Failure):
    pass


class DeviceError(Failure):
    pass


class Interrupted(LatentlabError):
    exit_status = 130


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`" Did you mean 'Eyeglasses'?"`, or the known names when nothing is close; empty when there are none."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5) or [
        name for name in names if name.lower() == word.lower()
    ]
    if close:
        return f" Did you mean '{close[0]}'?"
    if not names:
        return ""
    return f" Known: {', '.join(names[:12])}{', …' if len(names) > 12 else '.'}"


def few(names: Sequence[str], most: int = 12) -> str:
    """The first names, and that there are more."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def in_plain_words(message: str) -> str:
    """What pydantic says of a value it refuses, without its jargon and the full stop: "it must be at least 1".

    `message` may have words of its own before; what is not known stays as it is.
    """
    for pattern, words in PLAIN_WORDS:
        changed, count = re.subn(pattern, words, message, count=1, flags=re.DOTALL)
        if count:
            return changed.removesuffix(".")
    return message.removesuffix(".")
