"""Sheets of pictures that commands save: enlarged, in rows, as PNG with the recipe to make them again.

Shapes: B latents, D numbers in each, H W C of a picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.condition import Condition
from latentlab.core.latent_model import Images, LatentModel
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_png import png_bytes
from latentlab.core.spaces import FloatArray
from latentlab.engine.exporting import tiled

Picture = NDArray[np.uint8]  # (H, W, C)


def enlarged(picture: Picture, scale: int) -> Picture:
    """Every pixel `scale` times as wide and high."""
    return np.repeat(np.repeat(picture, scale, 0), scale, 1) if scale > 1 else picture


def in_rows(kinds: Sequence[Images], columns: int) -> Picture:
    """A row of each kind of pictures (B, H, W, C) below each other, then the next row of each."""
    count = len(kinds[0])
    rows = [tiled(one[start : start + columns], columns) for start in range(0, count, columns) for one in kinds]
    return np.concatenate(rows)


def row_by_row(kinds: Sequence[FloatArray], columns: int) -> FloatArray:
    """Latents (B, D) of each kind in the order of that sheet."""
    count = len(kinds[0])
    return np.concatenate([one[start : start + columns] for start in range(0, count, columns) for one in kinds])


def beside(original: Picture, before: Picture, after: Picture) -> Picture:
    """(H, 4 W, C): a picture, its reconstruction, the edited one, and what the edit changed, signed around grey."""
    change = (after.astype(np.int16) - before) // 2 + 128
    return np.concatenate([original, before, after, change.clip(0, 255).astype(np.uint8)], axis=1)


def save_sheet(
    output: Path,
    picture: Picture,
    model: LatentModel,
    latents: FloatArray,
    *,
    name: str,
    strengths: Mapping[str, float] | None = None,
    lock: Sequence[str] = (),
    condition: Condition | None = None,
    base: FloatArray | None = None,
    space: str = "",
) -> None:
    """`latents` (B, D) are those of the pictures, row by row; `base` (D,) that of the one picture before the edits.

    Raises SaveError.
    """
    recipe = Recipe(
        checkpoint=model.info.sha256,
        model=displayed(Path(model.info.path).name),
        space=space or model.info.spaces[0].name,
        latent=latents[0].tolist(),
        tiles=latents.tolist() if len(latents) > 1 else [],
        origin=[] if base is None else base.tolist(),
        base=[] if base is None else base.tolist(),
        strengths=dict(strengths or {}),
        locked=sorted(lock),
        condition=condition,
        name=name,
    )
    atomic_write(output, png_bytes(picture, recipe))
