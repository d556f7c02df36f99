"""`latentlab traverse`: a sheet of what single dimensions, components or attributes do to one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentlab.api.inverting import latent_of
from latentlab.api.traversing import traverse as traversed
from latentlab.command_line.asking import asked_condition
from latentlab.command_line.checks import check_count, check_names, check_png, check_scale, check_seed, check_sheet
from latentlab.command_line.commands import application
from latentlab.command_line.options import (
    INVERSION_STEPS,
    Asking,
    Checkpoint,
    CropText,
    Edits,
    Reading,
    Scale,
    Seed,
    Sheet,
    Steps,
    opened,
    with_groups,
)
from latentlab.command_line.sheets import enlarged, save_sheet
from latentlab.console import say
from latentlab.core.errors import OptionError
from latentlab.core.pictures import Crop, read_picture
from latentlab.engine.exporting import tiled


@application.command()
@with_groups
def traverse(
    *, checkpoint: Checkpoint, output: Sheet,
    along: Annotated[
        list[str], typer.Option(metavar="NAME", help="'dimension 3', 'component 1' or an attribute; may be repeated.")
    ] = [],  # noqa: B006 - typer reads the default
    basis: Annotated[str, typer.Option(help="Without --along: dimensions or components, the first --rows.")] = (
        "dimensions"
    ),
    rows: Annotated[int, typer.Option(help="How many of them, the most informative first.")] = 8,
    columns: Annotated[int, typer.Option(help="Pictures in a row.")] = 9,
    reach: Annotated[float, typer.Option(help="From minus so many sigmas (or strengths) to plus.")] = 3.0,
    image: Annotated[Path | None, typer.Option(help="The picture in the middle; else the draw of --seed.")] = None,
    crop: CropText = "centre", seed: Seed = 0, steps: Steps = INVERSION_STEPS, scale: Scale = 1,
    directions: Annotated[
        Path | None, typer.Option(help="More attributes: a file that `latentlab directions` wrote.")
    ] = None,
    asking: Asking, reading: Reading,
) -> None:  # fmt: skip
    """Draw what single dimensions or attributes do.

    Each row holds everything else still. What the rows are is said on stderr.
    """
    check_png(output)
    check_count(rows, "--rows", 1, 1000)
    check_count(columns, "--columns", 2, 1000)
    check_seed(seed)
    check_scale(scale)
    if basis not in ("dimensions", "components"):
        raise OptionError(f"--basis is {basis}; it must be dimensions or components.")
    picture = None if image is None else read_picture(image, crop=Crop.parse(crop))
    reading.options()
    check_names(checkpoint, Edits(directions=directions), asking)
    model = opened(checkpoint, reading, directions)
    shape = model.info.image
    check_sheet((len(along) or rows) * columns, shape.height, shape.width, scale)
    chosen = asked_condition(model.info, asking.class_, asking.condition)
    latent = None
    if picture is not None and image is not None:
        latent = latent_of(model, picture, chosen, steps, image.name, image)
    made = traversed(
        model, latent, along, rows=rows, basis="components" if basis == "components" else "dimensions",
        reach=reach, columns=columns, seed=seed,
    )  # fmt: skip
    latents = made.latents.reshape(-1, made.latents.shape[2])
    sheet = tiled(model.decode(latents, condition=chosen), columns)
    save_sheet(output, enlarged(sheet, scale), model, latents, name="traversal", condition=chosen)
    for number, name in enumerate(made.names, 1):
        say(f"row {number}: {name}")
