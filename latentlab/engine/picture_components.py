"""Components of the pictures that draws decode to (GANSpace): a job."""

from __future__ import annotations

from typing import Any

from latentlab.core.condition import Asked
from latentlab.core.latent_model import LatentModel
from latentlab.core.picture_components import components_of_pictures
from latentlab.core.requests import Report
from latentlab.core.unsupervised import Component
from latentlab.engine.map_making import opened_model

COUNT = 10
DECODING_S = 60.0  # a slow model decodes as many draws as fit


def run(
    report: Report, path: str, space: str = "", condition: Asked = None, count: int = COUNT, **how: Any
) -> tuple[Component, ...]:
    """The job "latentlab.engine.picture_components:run".

    `how`: checkpoint (the SHA-256 that is meant), device, trust, options. Raises CheckpointError, DataError,
    OptionError.
    """
    from latentlab.formats.kept_encodings import with_kept_encodings

    return run_on(report, with_kept_encodings(opened_model(report, path, **how)), space, condition, count)


def run_on(
    report: Report, model: LatentModel, space: str = "", condition: Asked = None, count: int = COUNT
) -> tuple[Component, ...]:
    """The same with a model that is open. Raises DataError, OptionError."""
    return tuple(components_of_pictures(model, count, space, condition=condition, seconds=DECODING_S, report=report))
