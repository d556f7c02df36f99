"""`latentlab map`: where the encodings of a checkpoint lie, as a table, or what the map decodes to, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.api.projecting import as_csv, lattice, mapped, project
from latentlab.command_line.asking import asked_condition
from latentlab.command_line.checks import check_count, check_folder, check_names, check_scale, check_seed, check_sheet
from latentlab.command_line.commands import application
from latentlab.command_line.options import Asking, Checkpoint, Edits, Reading, Scale, opened, with_groups
from latentlab.command_line.sheets import enlarged
from latentlab.console import ConsoleReport, say
from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.errors import OptionError
from latentlab.core.recipe_png import png_bytes
from latentlab.core.registry import PROJECTIONS
from latentlab.engine.exporting import tiled

ENDINGS = (".csv", ".png")


@application.command("map")
@with_groups
def map_(
    *, checkpoint: Checkpoint,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A .csv of places, or a .png: the lattice of decoded pictures.")
    ],
    projection: Annotated[str, typer.Option(help="pca, tsne, umap or plane.")] = "pca",
    x: Annotated[str, typer.Option(help="Of pca a component, of plane an attribute or 'dimension 3'.")] = "",
    y: Annotated[str, typer.Option(help="The same for the other axis.")] = "",
    seed: Annotated[int, typer.Option(help="Of t-SNE and UMAP.")] = 0,
    columns: Annotated[int, typer.Option(help="Pictures across the lattice.")] = 20, scale: Scale = 1,
    directions: Annotated[
        Path | None, typer.Option(help="More attributes: a file that `latentlab directions` wrote.")
    ] = None,
    asking: Asking, reading: Reading,
) -> None:  # fmt: skip
    """Map the encodings: places (.csv) or decoded (.png)."""
    if output.suffix.lower() not in ENDINGS:
        raise OptionError(f"{displayed(output)} ends neither in .csv (places) nor in .png (decoded pictures).")
    check_folder(output)
    check_seed(seed)
    check_scale(scale)
    check_count(columns, "--columns", 1, 500)
    parameters: dict[str, Any] = {"seed": seed} if PROJECTIONS[projection].key in ("tsne", "umap") else {}
    reading.options()
    check_names(checkpoint, Edits(directions=directions), asking)
    model = opened(checkpoint, reading, directions)
    encodings, shape = mapped(model), model.info.image
    with ConsoleReport("Map") as report:
        made = project(model, projection, x=x, y=y, report=report, **parameters)
    for note in made.notes:
        say(note)
    if output.suffix.lower() == ".csv":
        atomic_write(output, as_csv(encodings, made).encode())
        return
    check_sheet(columns**2, shape.height, shape.width, scale)
    chosen = asked_condition(model.info, asking.class_, asking.condition)
    images, _ = lattice(model, made, columns, condition=chosen)
    atomic_write(output, png_bytes(enlarged(tiled(images, columns), scale)))
