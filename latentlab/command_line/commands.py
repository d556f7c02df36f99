"""The commands of `latentlab`, without a window: info, render, edit; and those of `MODULES` in files beside it.

Options are checked before torch is imported. Shapes: B pictures, D latent, H W C of a picture.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from latentlab.api.arithmetic import calculated
from latentlab.api.drawing import drawn, edited
from latentlab.api.inverting import latent_of
from latentlab.cli import COMMANDS
from latentlab.command_line.asking import asked_condition
from latentlab.command_line.checks import (
    check_count,
    check_names,
    check_png,
    check_scale,
    check_seed,
    check_sheet,
    check_truncation,
    strengths_of,
)
from latentlab.command_line.options import (
    INVERSION_STEPS,
    Asking,
    Checkpoint,
    Count,
    CropText,
    Edits,
    Reading,
    Scale,
    Seed,
    Sheet,
    Steps,
    Truncation,
    opened,
    with_groups,
)
from latentlab.command_line.sheets import beside, enlarged, in_rows, row_by_row, save_sheet
from latentlab.console import say, warn
from latentlab.core.atomic import displayed
from latentlab.core.condition import Condition
from latentlab.core.direction_making import DirectedModel
from latentlab.core.pictures import Crop, read_picture
from latentlab.core.spaces import FloatArray

MODULES = ("walk", "traverse", "map", "encode", "measure", "compare", "convert", "directions")
# What the help of each ends with.
EXAMPLES = {
    "info": "faces-vae",
    "render": "faces-vae -o grid.png --truncation 0.7 --attribute Eyeglasses=1.5",
    "edit": "faces-vae -o out.png --image me.png --attribute Eyeglasses=1.5 --lock Young",
    "walk": "faces-vae -o walk.gif --seeds 1,2,3 --seconds 6 --loop",
    "traverse": 'faces-vae -o rows.png --along Eyeglasses --along "dimension 3"',
    "map": "faces-vae -o map.csv --projection tsne",
    "encode": "runs/mine --images FOLDER",
    "measure": "runs/mine --images FOLDER --keep",
    "compare": "faces-vae faces-alpha-gan -o both.png --image me.png",
    "convert": "netG.pth netG.safetensors",
    "directions": "faces-vae -o more.json --principal 5 --weights 5",
}
Expressions = Annotated[
    list[str],
    typer.Option("--expression", metavar="TEXT", help="A picture of arithmetic instead of a draw; may be repeated."),
]

application = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def command() -> Any:
    """The command line as a click command."""
    for name in MODULES:
        import_module(f"latentlab.command_line.{name}")  # each adds itself
    # Whichever was imported first, the help lists them in one order.
    names = {id(one): one.name or getattr(one.callback, "__name__", "") for one in application.registered_commands}
    application.registered_commands.sort(key=lambda one: COMMANDS.index(names[id(one)]))
    for one in application.registered_commands:
        name = names[id(one)]
        one.epilog = f"\b\nExample:\n  latentlab {name} {EXAMPLES[name]}"
    return typer.main.get_command(application)


@application.callback(invoke_without_command=True)
def window(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """latentlab [CHECKPOINT | RUN_FOLDER | SESSION]: the window. Or one of the commands below, without it."""
    if version:
        import latentlab

        sys.stdout.write(f"latentlab {latentlab.__version__}\n")


@application.command()
@with_groups
def info(*, checkpoint: Checkpoint, reading: Reading) -> None:
    """Print what a checkpoint is, as JSON."""
    from latentlab.command_line.description import describe

    document, warnings = describe(checkpoint, reading.options())
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    for warning in warnings:
        warn(warning)


@application.command()
@with_groups
def render(
    *, checkpoint: Checkpoint, output: Sheet,
    count: Count = 16, seed: Seed = 0, truncation: Truncation = 1.0, expression: Expressions = [],  # noqa: B006
    before: Annotated[
        bool, typer.Option("--before", help="Above each edited picture the same before it was edited.")
    ] = False,
    columns: Annotated[int, typer.Option(help="Pictures in a row; 0: about square.")] = 0, scale: Scale = 1,
    around: Annotated[
        bool | None,
        typer.Option("--around/--prior", help="Draw around encodings, or from the prior; around where it is measured."),
    ] = None,
    edits: Edits, asking: Asking, reading: Reading,
) -> None:  # fmt: skip
    """Draw a sheet of samples, perhaps edited.

    With --expression it is arithmetic: "#12 + 1.5*Eyeglasses", "mean(sample(1), sample(2))", 'group "Young"'.
    """
    strengths = strengths_of(edits.attribute)
    check_png(output)
    check_count(count)
    check_truncation(truncation)
    check_seed(seed)
    check_scale(scale)
    reading.options()
    check_names(checkpoint, edits, asking)
    model = opened(checkpoint, reading, edits.directions)
    count = len(expression) or count
    check_sheet(count * (2 if before else 1), model.info.image.height, model.info.image.width, scale)
    chosen = asked_condition(model.info, asking.class_, asking.condition)
    move = partial(edited, model, strengths=strengths, keep=edits.lock)
    begin = partial(_begun, model, expression, (count, seed), truncation, chosen, around=around)
    made = [begin(lambda latents: latents), begin(move)] if before else [begin(move)]
    images = [model.decode(latents, space=space, condition=chosen) for latents, space in made]
    wide = columns if columns > 0 else math.ceil(math.sqrt(count))
    sheet = in_rows(images, wide)
    save_sheet(
        output, enlarged(sheet, scale), model, row_by_row([latents for latents, _ in made], wide),
        name="; ".join(expression) or f"samples of seed {seed}",
        strengths=strengths, lock=edits.lock, condition=chosen, space=made[0][1],
    )  # fmt: skip


def _begun(
    model: DirectedModel, expressions: Sequence[str], draw: tuple[int, int], truncation: float,
    condition: Condition | None, move: Callable[[FloatArray], FloatArray], *, around: bool | None,
) -> tuple[FloatArray, str]:  # fmt: skip
    """(B, D) of expressions, else (count, seed) of draws, moved; and the space they are of."""
    if expressions:
        return move(np.stack([calculated(model, text) for text in expressions])), model.info.spaces[0].name
    return drawn(model, [draw], truncation, condition, move, around)


@application.command()
@with_groups
def edit(
    *, checkpoint: Checkpoint, output: Sheet, image: Annotated[Path, typer.Option(help="The picture to edit.")],
    expression: Annotated[str, typer.Option(metavar="TEXT", help="Arithmetic with the picture, as 'current'.")] = "",
    crop: CropText = "centre",
    sheet: Annotated[
        bool, typer.Option("--sheet", help="The picture, its reconstruction, the edited one and what changed.")
    ] = False,
    scale: Scale = 1, steps: Steps = INVERSION_STEPS,
    edits: Edits, asking: Asking, reading: Reading,
) -> None:  # fmt: skip
    """Find the latent of a picture, edit it, and save the result."""
    strengths = strengths_of(edits.attribute)
    check_png(output)
    check_scale(scale)
    picture = read_picture(image, crop=Crop.parse(crop))
    reading.options()
    check_names(checkpoint, edits, asking)
    model = opened(checkpoint, reading, edits.directions)
    for name in (*strengths, *edits.lock):
        model.directions[name]  # raises OptionError with what is known
    chosen = asked_condition(model.info, asking.class_, asking.condition)
    _say_class(model, chosen, asking)
    latent = latent_of(model, picture, chosen, steps, image.name, image)
    moved = latent if not expression else calculated(model, expression, {"current": latent})
    latents = edited(model, moved[None], strengths, edits.lock)
    result = model.decode(latents, condition=chosen)[0]
    if sheet:
        result = beside(model.prepared(picture)[0], model.decode(latent, condition=chosen)[0], result)
    save_sheet(
        output, enlarged(result, scale), model, latents,
        name=displayed(image.name), strengths=strengths, lock=edits.lock, condition=chosen, base=moved,
    )  # fmt: skip


def _say_class(model: DirectedModel, chosen: Condition | None, asking: Asking) -> None:
    classes = model.info.conditional
    if chosen is not None and chosen.label is not None and classes and not asking.class_:
        say(f"The picture is taken as '{classes[chosen.label]}'; say what it is with --class.")
