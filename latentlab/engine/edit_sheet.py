"""A sheet of many pictures, or of each before an edit above itself after it, as a job.

Shapes: N latents, D numbers in each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.condition import Condition
from latentlab.core.errors import OptionError
from latentlab.core.latent_model import Images, LatentModel
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_png import png_bytes
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray
from latentlab.engine.exporting import tiled
from latentlab.engine.map_making import opened_model

PIECE = 16  # latents decoded between two looks at whether the job is cancelled
WIDEST = 16  # pictures beside each other
PAIR_GAP_PX, ROW_GAP_PX = 1, 6
PIXELS_AT_MOST = 100_000_000


@dataclass(frozen=True)
class EditSheet:
    path: str
    pairs: int
    bytes_written: int


def run(
    report: Report, path: str, latents: FloatArray, edit: FloatArray | None, target: str, space: str | None = None,
    condition: Condition | None = None, strengths: Mapping[str, float] | None = None, locked: Sequence[str] = (),
    name: str = "", **how: Any,
) -> EditSheet:  # fmt: skip
    """The job "latentlab.engine.edit_sheet:run": latents (N, D), and the same with `edit` (D,) added, into a PNG.

    Without an edit each stands there once. The PNG carries all latents, row by row as they stand, and the edit. `how`:
    checkpoint (the SHA-256 that is meant), device, trust, options. Raises CheckpointError, OptionError, SaveError.
    """
    model = opened_model(report, path, **how)
    sheet, tiles_ND = sheet_of(model, report, np.asarray(latents, np.float32), edit, space, condition)
    recipe = Recipe(
        checkpoint=model.info.sha256,
        model=displayed(Path(model.info.path).name),
        space=space or model.info.spaces[0].name,
        latent=tiles_ND[0].tolist(),
        tiles=tiles_ND.tolist(),
        strengths=dict(strengths or {}),
        locked=sorted(locked),
        condition=condition,
        name=name,
    )
    data = png_bytes(sheet, recipe)
    report.progress(1, 1, "saving")
    atomic_write(Path(target), data)
    return EditSheet(target, len(latents), len(data))


def sheet_of(
    model: LatentModel, report: Report, latents_ND: FloatArray, edit: FloatArray | None, space: str | None,
    condition: Condition | None,
) -> tuple[Any, FloatArray]:  # fmt: skip
    """(the sheet (H, W, C), the latents of its pictures row by row). Raises OptionError for more than fits."""
    count, image = len(latents_ND), model.info.image
    if not count:
        raise OptionError("There is no picture to apply the edit to; choose samples or a group.")
    kinds = 1 if edit is None else 2
    if kinds * count * image.height * image.width > PIXELS_AT_MOST:
        most = PIXELS_AT_MOST // (kinds * image.height * image.width)
        raise OptionError(f"{count:,} pictures make too large a sheet; {most:,} of this size fit.")
    if edit is None:
        columns = min(WIDEST, math.ceil(math.sqrt(count)))
        made = _decoded(model, report, latents_ND, 0, count, space, condition)
        return tiled(made, columns, PAIR_GAP_PX), latents_ND
    edited_ND = np.asarray(latents_ND + edit, np.float32)
    before, after = (
        _decoded(model, report, part, offset, 2 * count, space, condition)
        for offset, part in ((0, latents_ND), (count, edited_ND))
    )
    columns = min(WIDEST, max(1, math.ceil(math.sqrt(2 * count))))
    return _sheet(before, after, columns), _row_by_row(latents_ND, edited_ND, columns)


def _decoded(
    model: LatentModel, report: Report, latents_ND: FloatArray, offset: int, total: int, space: str | None,
    condition: Condition | None,
) -> Images:  # fmt: skip
    count = len(latents_ND)
    pieces = []
    for start in range(0, count, PIECE):
        report.progress(offset + start, total, f"decoding: {offset + start:,} of {total:,}")
        pieces.append(model.decode(latents_ND[start : start + PIECE], space=space, condition=condition))
    return np.concatenate(pieces)


def _row_by_row(before_ND: FloatArray, after_ND: FloatArray, columns: int) -> FloatArray:
    parts = [
        some[start : start + columns] for start in range(0, len(before_ND), columns) for some in (before_ND, after_ND)
    ]
    return np.concatenate(parts)


def _sheet(before: Images, after: Images, columns: int) -> Any:
    """Rows of pictures on white; what belongs together stands close."""
    count, height, width, channels = before.shape
    rows = -(-count // columns)
    tall, wide = 2 * height + PAIR_GAP_PX + ROW_GAP_PX, width + PAIR_GAP_PX
    sheet = np.full((rows * tall - ROW_GAP_PX, min(columns, count) * wide - PAIR_GAP_PX, channels), 255, np.uint8)
    for index in range(count):
        top, left = index // columns * tall, index % columns * wide
        sheet[top : top + height, left : left + width] = before[index]
        below = top + height + PAIR_GAP_PX
        sheet[below : below + height, left : left + width] = after[index]
    return sheet
