"""Decoding as much as time allows: a slow model makes fewer pictures, and at least as many as say something."""

from __future__ import annotations

import time
from collections.abc import Iterator


def slices_in_time(count: int, piece: int, fewest: int, seconds: float) -> Iterator[tuple[slice, int]]:
    """(the next slice of at most `piece`, how many there will be) of `count`, or of what fits in `seconds`.

    Whoever takes a slice does its work before the next: what that took says how many more fit; at least `fewest`.
    """
    began_s, done, wanted = time.perf_counter(), 0, count
    while done < wanted:
        part = slice(done, min(done + piece, wanted))
        yield part, wanted
        done = part.stop
        fitting = done * seconds / max(time.perf_counter() - began_s, 1e-6)
        wanted = min(wanted, max(fewest, int(min(fitting, wanted))))
