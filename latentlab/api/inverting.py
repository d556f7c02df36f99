"""`invert`: the latent of a picture by search, from Python, where a model has no encoder or a closer one is wanted.

Shapes: H W C of a picture, S side of the model's pictures, D latent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from latentlab.console import say
from latentlab.core.atomic import displayed
from latentlab.core.condition import Asked, Condition
from latentlab.core.errors import DataError
from latentlab.core.given import as_count, as_pictures
from latentlab.core.inversion import Inversion
from latentlab.core.latent_model import LatentModel, ModelInfo, check_model
from latentlab.core.pictures import Picture
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_png import recipe_in
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray


def invert(
    model: LatentModel, image: ArrayLike, *, steps: int = 300, condition: Asked = None, report: Report | None = None
) -> Inversion:
    """The latent whose picture comes closest to one picture: encoder, stored regressor or draws first, then Adam.

    `image`: (H, W, C), (H, W) or (1, H, W, C) of any size, uint8 or float in [0, 1]; its largest centred square is
    taken. `steps`: 0 to 100,000 of the optimisation; 0 takes the best start as it is. The result has `latent` float32
    (D,), `original` and `reconstruction` uint8 (S, S, C), `mse` and `started_mse` in [0, 1] intensities, and `start`:
    "encoder", "regressor", "encodings" or "prior". Raises DataError, and OptionError where no gradient goes through
    the model (ONNX).
    """
    check_model(model, "invert")
    pictures = as_pictures(_one(image))
    if len(pictures) != 1:
        raise DataError(f"invert() searches for one picture at a time; these are {len(pictures)}.")
    from latentlab.console import ConsoleReport
    from latentlab.measure.inversion import run_on

    steps = as_count(steps, "The number of steps")
    if report is not None:
        return run_on(report, model, pictures[0], condition, steps)
    with ConsoleReport("Invert") as console:
        return run_on(console, model, pictures[0], condition, steps)


def _one(image: ArrayLike) -> ArrayLike:
    """A grey picture (H, W) as (1, H, W); everything else as it is."""
    given: Any = image
    alone: ArrayLike = given[None] if len(getattr(given, "shape", ())) == 2 else given
    return alone


def carried_in(path: Path, info: ModelInfo) -> Recipe | None:
    """The recipe of a picture that was saved of this very model: its latent need not be found. None for others."""
    recipe = recipe_in(path)
    if recipe is None or recipe.checkpoint != info.sha256 or recipe.space != info.spaces[0].name or recipe.tiles:
        return None
    return recipe if len(recipe.latent) == info.spaces[0].dim else None


def latent_of(
    model: LatentModel, picture: Picture, condition: Condition | None, steps: int, name: str, path: Path | None = None
) -> FloatArray:
    """(D,) of one picture (H, W, C) for a command: that which the file carries, by the encoder, or by search."""
    if path is not None and (recipe := carried_in(path, model.info)) is not None:
        say(f"{displayed(path.name)} was saved of this model: its latent is taken as it is.")
        return np.array(recipe.latent, np.float32)
    if model.info.encoder:
        return np.asarray(model.encode(picture[None], condition=condition)[0], np.float32)
    from latentlab.console import ConsoleReport
    from latentlab.measure.inversion import run_on

    with ConsoleReport("Invert") as report:
        return run_on(report, model, picture, condition, steps, name).latent
