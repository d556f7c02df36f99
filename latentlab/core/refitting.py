"""Fitting all directions anew, as a job in a process of its own."""

from __future__ import annotations

from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.encodings import EncodingSet
from latentlab.core.fitting import Method, fit_directions
from latentlab.core.requests import Report


def run(report: Report, encodings: EncodingSet, method: Method, checkpoint: str) -> list[Direction]:
    """The directions of every attribute and class of the encodings by one method. Raises OptionError, DataError."""
    report.progress(0, 0, f"fitting by {method}")
    fitted: DirectionSet = fit_directions(encodings, method=method, checkpoint=checkpoint)
    return list(fitted.values())
