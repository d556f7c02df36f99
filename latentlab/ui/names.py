"""Names as they are shown where there is little room; states, files and tooltips keep them whole."""

from __future__ import annotations

import re

SAMPLE = re.compile(r"^sample (?:(\d+) )?of seed (\d+)")


def in_short(name: str) -> str:
    """ "sample 3 of seed 0" is "sample 3", "sample of seed 4711" is "seed 4711"; other names stay as they are."""
    return SAMPLE.sub(lambda found: f"sample {found[1]}" if found[1] else f"seed {found[2]}", name)
