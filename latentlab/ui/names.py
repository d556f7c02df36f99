"""Names as they are shown where there is little room, and without the underscores of data sets.

States, files, expressions and tooltips keep the names themselves.
"""

from __future__ import annotations

import re

SAMPLE = re.compile(r"^sample (?:(\d+) )?of seed (\d+)(?:, truncation [\d.]+)?")


def in_short(name: str) -> str:
    """ "sample 3 of seed 0" is "sample 3", "sample of seed 4711" is "seed 4711"; other names stay as they are."""
    return SAMPLE.sub(lambda found: f"sample {found[1]}" if found[1] else f"seed {found[2]}", name)


def readable(name: str) -> str:
    """ "Brown_Hair", an attribute as its data call it, is "Brown Hair"."""
    return name.replace("_", " ")
