"""`latentlab compare`: two models beside each other, as the window's panel shows them: a sheet, or their figures.

Shapes: B pictures, H W C of a picture.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from latentlab.api import comparing
from latentlab.command_line.checks import (
    check_count,
    check_png,
    check_scale,
    check_seed,
    check_sheet,
    check_truncation,
    strengths_of,
)
from latentlab.command_line.commands import application
from latentlab.command_line.options import (
    INVERSION_STEPS,
    AsJson,
    Asking,
    Checkpoint,
    Count,
    CropText,
    Edits,
    Reading,
    Scale,
    Seed,
    Steps,
    Truncation,
    opened,
    with_groups,
)
from latentlab.command_line.sheets import enlarged
from latentlab.console import say
from latentlab.core.atomic import atomic_write
from latentlab.core.comparing_figures import as_csv
from latentlab.core.condition import One
from latentlab.core.errors import OptionError
from latentlab.core.latent_model import Images, ModelInfo
from latentlab.core.pictures import Crop, Picture, read_picture
from latentlab.core.recipe_png import png_bytes
from latentlab.engine.exporting import tiled
from latentlab.formats.reading import shared_out

GAP_PX = 8  # between the two columns


@application.command()
@with_groups
def compare(
    *, first: Checkpoint, second: Annotated[Path, typer.Argument(help="The checkpoint beside it.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A .png of both; without it their figures are printed.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="A picture that both reconstruct; else samples of both.")] = None,
    count: Count = 16, seed: Seed = 0, truncation: Truncation = 1.0,
    crop: CropText = "centre", steps: Steps = INVERSION_STEPS, scale: Scale = 1, json_: AsJson = False,
    csv_: Annotated[bool, typer.Option("--csv", help="Print the figures as a table for a spreadsheet.")] = False,
    edits: Edits, asking: Asking, reading: Reading,
) -> None:  # fmt: skip
    """Two models side by side: samples, one picture, figures.

    Samples of one seed, or one picture reconstructed by both, with attributes put on; or the figures of both, and with
    --json also errors, sharpness and how evenly the pictures change along a path. Options of reading go to whichever of
    the files takes them.
    """
    if json_ and csv_:
        raise OptionError("Say --json or --csv, not both.")
    strengths = strengths_of(edits.attribute)
    if output is not None:
        check_png(output)
    check_seed(seed)
    check_truncation(truncation)
    check_scale(scale)
    check_count(count, least=2)
    picture = None if image is None else read_picture(image, crop=Crop.parse(crop))
    paths, options = (first, second), reading.options()
    each = shared_out(paths, options)
    models = [opened(path, own, edits.directions) for path, own in zip(paths, each, strict=True)]
    figures, words = comparing.figures_of(*models)
    if csv_:
        sys.stdout.write(as_csv(figures, comparing.names_of(*models)))
    if output is None and picture is None and not json_:
        sys.stdout.write("" if csv_ else words)
        return
    for model in models:
        check_sheet(count, model.info.image.height, model.info.image.width, scale)
    asked = asked_of(models[0].info, models[1].info, asking)
    made = comparing.compare(
        models[0], models[1], picture, attributes=strengths, keep=edits.lock, condition=asked,
        count=count if picture is None or json_ else 0, seed=seed, truncation=truncation,
        path=comparing.PATH_PICTURES if json_ else 0, steps=steps,
    )  # fmt: skip
    for one in (made.first, made.second):
        _say_error(one)
    if output is not None:
        sheet = _side_by_side(_column(made.first), _column(made.second))
        atomic_write(output, png_bytes(enlarged(sheet, scale)))
    if json_:
        sys.stdout.write(json.dumps(made.document(), indent=2, ensure_ascii=False) + "\n")
    elif output is None and not csv_:
        sys.stdout.write(str(made))


def asked_of(first: ModelInfo, second: ModelInfo, asking: Asking) -> One:
    """What both are asked for, as the first one that can be asked says it. Raises OptionError."""
    from latentlab.command_line.asking import asked_condition

    if not asking.class_ and not asking.condition:
        return None
    if asking.class_ and not asking.condition:
        for info in (first, second):
            if asking.class_ in (info.conditional or ()):
                return asking.class_
    return asked_condition(first if first.takes_condition else second, asking.class_, asking.condition)


def _column(one: comparing.ComparedModel) -> Images:
    """(B, H, W, C) what stands below each other: samples, or the picture, its reconstruction and the edited one."""
    found = one.reconstructed
    if found is None:
        return one.samples
    return np.concatenate([found.originals, found.images, *([] if found.edited is None else [found.edited])])


def _say_error(one: comparing.ComparedModel) -> None:
    found = one.reconstructed
    if found is not None:
        sharp = found.sharpness[0]
        said = "" if np.isnan(sharp) else f", {sharp:.0%} as sharp"
        say(f"{one.name}: mean squared error {found.mse[0]:.4f}{said}.")


def _side_by_side(first: Images, second: Images) -> Picture:
    """(H, W, 3): both in grids of the same shape; the smaller pictures enlarged to the height of the others."""
    count = max(len(first), len(second))
    columns = 1 if count <= 3 else math.ceil(math.sqrt(count))
    height = max(first.shape[1], second.shape[1])
    sheets = [tiled(_of_height(images, height), columns) for images in (first, second)]
    gap = np.full((sheets[0].shape[0], GAP_PX, 3), 255, np.uint8)
    return np.concatenate([sheets[0], gap, sheets[1]], axis=1)


def _of_height(images: Images, height: int) -> Images:
    """(B, height, W, 3), crisp."""
    width = round(images.shape[2] * height / images.shape[1])
    colour = np.repeat(images, 3, axis=3) if images.shape[3] == 1 else images
    if colour.shape[1] == height:
        return colour
    size, crisp = (width, height), Image.Resampling.NEAREST
    return np.stack([np.asarray(Image.fromarray(image).resize(size, crisp)) for image in colour])
