"""The recipe of a picture: what a saved PNG carries under the text key `latentlab`, and dropping it back restores."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError

from latentlab.core.condition import Condition
from latentlab.core.errors import DataError, in_plain_words
from latentlab.core.state import State, at

PNG_KEY = "latentlab"
VERSION = 1
SIZE_LIMIT = 20_000_000  # characters


def _of_class(value: Any) -> Any:
    """Recipes of latentlab 0.1 hold the number of a class."""
    return Condition(value) if type(value) is int else value


class Recipe(BaseModel):
    """`latent` alone makes the picture; `base`, `strengths` and `locked` say how it was made. Unknown keys are kept."""

    model_config = ConfigDict(extra="allow")
    kind: Literal["latentlab recipe"] = "latentlab recipe"
    version: int = VERSION
    checkpoint: str  # SHA-256
    space: str = "z"
    latent: Annotated[list[FiniteFloat], Field(min_length=1)]
    name: str = ""
    origin: list[FiniteFloat] = []
    base: list[FiniteFloat] = []
    strengths: dict[str, FiniteFloat] = {}
    locked: list[str] = []
    condition: Annotated[Condition | None, BeforeValidator(_of_class)] = None
    model: str = ""  # the checkpoint's file name, to find it by
    tiles: list[Annotated[list[FiniteFloat], Field(min_length=1)]] = []  # of a sheet, row by row; `latent` is the first


def recipe_of(state: State, model: str = "") -> Recipe:
    """Of the picture that is shown; `model` is the checkpoint's file name."""
    return Recipe(
        checkpoint=state.checkpoint,
        model=model,
        space=state.space,
        latent=state.latent.tolist(),
        name=state.name,
        origin=state.origin.tolist(),
        base=state.base.tolist(),
        strengths=dict(state.strengths),
        locked=sorted(state.locked),
        condition=state.condition,
    )


def read_recipe(text: str) -> Recipe:
    """From the text in a PNG. Raises DataError."""
    if len(text) > SIZE_LIMIT:
        raise DataError("The recipe in this picture is too large to be one. Open the picture as an image instead.")
    try:
        recipe = Recipe.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        why = in_plain_words(first["msg"])
        where = ".".join(str(part) for part in first["loc"]) or "the text"
        raise DataError(
            f"The recipe in this picture is damaged: {where}: {why}. Open the picture as an image instead."
        ) from error
    if recipe.version > VERSION:
        raise DataError(
            f"The recipe in this picture has version {recipe.version}; this latentlab reads up to {VERSION}. "
            "Update latentlab."
        )
    return recipe


def fits(recipe: Recipe, state: State) -> bool:
    """Whether the recipe was made with the model that is open."""
    return recipe.checkpoint == state.checkpoint and recipe.space == state.space


def restored(state: State, recipe: Recipe) -> State:
    """The picture of a recipe in the open model, with its edits where they still lead to the same latent.

    Raises DataError when the recipe belongs to another model or space.
    """
    if recipe.checkpoint != state.checkpoint or recipe.space != state.space:
        raise DataError(
            f"This picture was made with another model (SHA-256 {recipe.checkpoint[:12] or 'unknown'}…, space "
            f"{recipe.space}). Open that model first."
        )
    latent = np.array(recipe.latent, np.float32)
    sizes = {len(part) for part in (recipe.latent, recipe.origin, recipe.base) if part}
    if sizes != {len(state.origin)}:
        raise DataError(f"The recipe holds latents of {sorted(sizes)} numbers, the open model {len(state.origin)}.")
    shown = at(state, latent, recipe.name or "a saved picture")
    shown = replace(shown, condition=recipe.condition)
    if not recipe.base or not recipe.origin or not all(name in state.directions for name in recipe.strengths):
        return shown
    edited = replace(
        shown,
        origin=np.array(recipe.origin, np.float32),
        base=np.array(recipe.base, np.float32),
        strengths=MappingProxyType(dict(recipe.strengths)),
        locked=frozenset(name for name in recipe.locked if name in state.directions),
    )
    # Directions of the same name may have been fitted anew: then only the latent itself is what was seen.
    scale = max(1.0, float(np.abs(latent).max()))
    return edited if np.allclose(edited.latent, latent, atol=1e-4 * scale) else shown
