"""`latentlab compare`: a sheet with two models side by side, as the window's panel shows them.

Shapes: B pictures, D latent, H W C of a picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from latentlab import commands
from latentlab.asking import asked_condition
from latentlab.command_options import (
    Attributes,
    Checkpoint,
    ClassName,
    CropText,
    Device,
    Output,
    Scale,
    Truncation,
    Trust,
    opened,
    options_of,
    say,
)
from latentlab.commands import COUNT_AT_MOST, INVERSION_STEPS
from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.comparing import condition_beside, each_class_in_turn, sharpness, squared_error
from latentlab.core.condition import Condition
from latentlab.core.errors import OptionError
from latentlab.core.latent_model import Images, LatentModel
from latentlab.core.pictures import Crop, Picture, read_picture
from latentlab.core.recipe_png import png_bytes
from latentlab.drawing import drawn
from latentlab.engine.exporting import tiled

GAP_PX = 8  # between the two columns


@dataclass(frozen=True, eq=False)
class Wanted:
    """What both are asked for; without a `picture` it is samples."""

    picture: Picture | None
    name: str
    strengths: dict[str, float]
    count: int
    seed: int
    truncation: float
    steps: int


@commands.application.command()
def compare(
    first: Checkpoint, second: Annotated[Path, typer.Argument(help="The checkpoint beside it.")], output: Output,
    image: Annotated[Path | None, typer.Option(help="A picture that both reconstruct; else samples of both.")] = None,
    attribute: Attributes = [],  # noqa: B006 - typer reads the default
    count: Annotated[int, typer.Option(help="Samples of each.")] = 16,
    seed: int = 0, truncation: Truncation = 1.0, class_: ClassName = "", crop: CropText = "centre",
    steps: Annotated[int, typer.Option(help="Of the optimisation, where a model has no encoder.")] = INVERSION_STEPS,
    scale: Scale = 1, device: Device = "auto", trust: Trust = False,
) -> None:  # fmt: skip
    """Draw two models side by side: samples of one seed, or one picture reconstructed, with attributes put on."""
    strengths = commands._strengths(attribute)
    commands._check_png(output)
    commands._check_seed(seed)
    commands._check_truncation(truncation)
    commands._check_scale(scale)
    if not 1 <= count <= COUNT_AT_MOST:
        raise OptionError(f"--count is {count}; it must be 1 to {COUNT_AT_MOST:,}.")
    picture = None if image is None else read_picture(image, crop=Crop.parse(crop))
    name = "" if image is None else displayed(image.name)
    wanted = Wanted(picture, name, strengths, count, seed, truncation, steps)
    models = [opened(path, options_of(device, trust, "", "", "", "", "")) for path in (first, second)]
    for model in models:
        commands._known(model, list(strengths))
    asked = asked_condition(models[0].info, class_, [])
    beside = condition_beside(asked, class_, models[0].info, models[1].info)
    spread = wanted.picture is None and not class_ and not models[0].info.conditional
    columns = [
        _column(model, wanted, condition, spread) for model, condition in zip(models, (asked, beside), strict=True)
    ]
    sheet = _side_by_side(*columns)
    atomic_write(output, png_bytes(np.repeat(np.repeat(sheet, scale, 0), scale, 1)))


def _column(model: LatentModel, wanted: Wanted, condition: Condition | None, spread: bool) -> Images:
    """(B, H, W, C) what stands below each other: samples, or the picture, its reconstruction and the edited one."""
    if wanted.picture is None:
        return _samples(model, wanted, condition, spread)
    latent_D = commands._latent_of(model, wanted.picture, condition, wanted.steps, wanted.name)
    shape = model.info.image
    size = (shape.width, shape.height)
    mode = "L" if shape.channels == 1 else "RGB"
    source = Image.fromarray(wanted.picture.squeeze()).convert(mode).resize(size, Image.Resampling.BICUBIC)
    original = np.asarray(source).reshape(shape.height, shape.width, shape.channels)
    latents_BD = latent_D[None]
    if wanted.strengths:
        latents_BD = np.concatenate([latents_BD, commands._edited(model, latents_BD, wanted.strengths, [])])
    images = model.decode(latents_BD, condition=condition)
    sharp = sharpness(original)
    said = f", {sharpness(images[0]) / sharp:.0%} as sharp" if sharp else ""
    name = displayed(Path(model.info.path).name)
    say(f"{name}: mean squared error {squared_error(images[0], original):.4f}{said}.")
    return np.concatenate([original[None], images])


def _samples(model: LatentModel, wanted: Wanted, condition: Condition | None, spread: bool) -> Images:
    """Of a conditional model beside one that draws whatever comes: each class in turn."""
    edited = lambda latents_BD: commands._edited(model, latents_BD, wanted.strengths, [])  # noqa: E731
    latents_BD, space = drawn(model, [(wanted.count, wanted.seed)], wanted.truncation, condition, edited)
    turns = each_class_in_turn(condition, model.info, wanted.count) if spread else condition
    return model.decode(latents_BD, space=space, condition=turns)


def _side_by_side(first: Images, second: Images) -> Picture:
    """(H, W, 3): both in grids of the same shape; the smaller pictures enlarged to the height of the others."""
    count = max(len(first), len(second))
    columns = 1 if count <= 3 else math.ceil(math.sqrt(count))
    height = max(first.shape[1], second.shape[1])
    sheets = [tiled(_enlarged(images, height), columns) for images in (first, second)]
    gap = np.full((sheets[0].shape[0], GAP_PX, 3), 255, np.uint8)
    return np.concatenate([sheets[0], gap, sheets[1]], axis=1)


def _enlarged(images: Images, height: int) -> Images:
    """(B, height, W, 3), crisp."""
    width = round(images.shape[2] * height / images.shape[1])
    colour = np.repeat(images, 3, axis=3) if images.shape[3] == 1 else images
    if colour.shape[1] == height:
        return colour
    size, crisp = (width, height), Image.Resampling.NEAREST
    return np.stack([np.asarray(Image.fromarray(image).resize(size, crisp)) for image in colour])
