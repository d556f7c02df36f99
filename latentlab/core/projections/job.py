"""Fitting a projection in a process of its own, and taking it up again in the window."""

from __future__ import annotations

from typing import Any

from latentlab.core.projections import Projection
from latentlab.core.registry import PROJECTIONS
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray


def run(report: Report, kind: str, latents: FloatArray, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    """Fits projection `kind` with its constructor's `parameters` to `latents` (N, D).

    Partial values are layouts (N, 2); progress counts iterations. The result is for `from_arrays`. Raises the
    LatentlabErrors of the projection.
    """
    projection: Projection = PROJECTIONS[kind].load()(**(parameters or {}))
    projection.fit(latents, report)
    return {"kind": kind, **projection.arrays()}


def from_arrays(arrays: dict[str, Any], latents: FloatArray) -> Projection:
    """The fitted projection of `run`, for the same `latents` (N, D); needs neither openTSNE nor scikit-learn."""
    projection: Projection = PROJECTIONS[arrays["kind"]].load().from_arrays(arrays, latents)
    return projection
