"""The recipe a saved PNG carries, so that dropping it back restores the work: checkpoint, latent, edits.

Shapes: B pictures in the file (1, or the tiles of a grid), D latent, H W C of the picture.
"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from latentlab.core.atomic import displayed
from latentlab.core.errors import DataError
from latentlab.core.spaces import FloatArray
from latentlab.core.state import State, at, moved_to

TEXT_KEY = "latentlab"
VERSION = 1
NUMBERS_AT_MOST = 4_000_000

Latent = Annotated[list[FiniteFloat], Field(min_length=1, max_length=1_000_000)]


class Recipe(BaseModel):
    """Keys this version does not know are kept."""

    model_config = ConfigDict(extra="allow")
    version: int = VERSION
    checkpoint: str  # SHA-256
    model: str = ""  # the checkpoint's file name, to find it by
    space: str = "z"
    latents: Annotated[list[Latent], Field(min_length=1)]  # (B, D), as shown, edits included
    edits: dict[str, FiniteFloat] = {}  # strengths by attribute
    keep: list[str] = []  # attributes that were locked
    condition: int | None = None
    name: str = ""

    @property
    def array(self) -> FloatArray:
        """(B, D)"""
        return np.array(self.latents, np.float32)


def recipe_of(state: State, model: str = "") -> Recipe:
    """What it takes to show the current picture again; `model` is the checkpoint's file name."""
    return Recipe(
        checkpoint=state.checkpoint,
        model=model,
        space=state.space,
        latents=[state.latent.tolist()],
        edits=dict(state.strengths),
        keep=sorted(state.locked),
        condition=state.condition,
        name=state.name,
    )


def restored(recipe: Recipe, state: State) -> State:
    """`state` at the recipe's first latent, bit for bit, with those of its edits that the model knows.

    The recipe must belong to the state's checkpoint and space: see `fits`.
    """
    known = {name: strength for name, strength in recipe.edits.items() if strength and name in state.directions}
    locked = frozenset(name for name in recipe.keep if name in state.directions)
    shown = recipe.array[0]
    begun = at(replace(state, locked=locked, condition=recipe.condition), shown, recipe.name)
    edited = moved_to(replace(begun, strengths=MappingProxyType(known)), shown)
    return replace(edited, origin=edited.base)


def fits(recipe: Recipe, state: State) -> bool:
    """Whether the recipe was made with the model that is open."""
    return (
        recipe.checkpoint == state.checkpoint
        and recipe.space == state.space
        and len(recipe.latents[0]) == len(state.base)
    )


def png_bytes(picture: NDArray[np.uint8], recipe: Recipe | None = None) -> bytes:
    """A PNG of uint8 (H, W, C), C 1 or 3, which carries the recipe."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    information = PngInfo()
    if recipe is not None:
        # ASCII: names in any script survive as escapes in a plain text chunk, which every reader understands.
        information.add_text(TEXT_KEY, json.dumps(recipe.model_dump(mode="json"), ensure_ascii=True))
    buffer = io.BytesIO()
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    image.save(buffer, "PNG", pnginfo=information)
    return buffer.getvalue()


def read_recipe(source: Path | bytes) -> Recipe | None:
    """The recipe in a PNG; None where the file is no PNG or carries none. Raises DataError for a damaged recipe."""
    text = _text(source)
    if text is None:
        return None
    name = "The picture" if isinstance(source, bytes) else displayed(source)
    try:
        document: Any = json.loads(text)
        recipe = Recipe.model_validate(document)
    except (ValidationError, ValueError, RecursionError) as error:
        raise DataError(f"{name} carries a recipe that is damaged; it is opened as a plain picture.") from error
    widths = {len(latent) for latent in recipe.latents}
    if len(widths) != 1 or len(recipe.latents) * widths.pop() > NUMBERS_AT_MOST:
        raise DataError(f"{name} carries a recipe whose latents differ in length; it is opened as a plain picture.")
    return recipe


def _text(source: Path | bytes) -> str | None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=("PNG",)) as image:
            text = image.info.get(TEXT_KEY)
    except Exception:  # noqa: BLE001 - no PNG, or a damaged one: whoever reads the picture itself says so
        return None
    return text if isinstance(text, str) else None
