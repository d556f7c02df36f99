"""`latentlab measure`: the figures of a checkpoint, those it carries and those that are measured now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from latentlab.command_line.commands import application
from latentlab.command_line.options import AsJson, Checkpoint, CropText, Reading, Seed, opened, with_groups
from latentlab.console import ConsoleReport, say
from latentlab.core.atomic import displayed
from latentlab.core.errors import OptionError
from latentlab.core.figure_text import as_csv, as_json, as_text
from latentlab.core.figures import per_dimension, table_of
from latentlab.core.measurement import evaluation
from latentlab.core.measurement import keep as kept_as
from latentlab.core.pictures import Crop


@application.command()
@with_groups
def measure(
    *, checkpoint: Checkpoint,
    images: Annotated[
        Path | None, typer.Option(help="A folder of pictures or an .npz; else the thumbnails of the encodings.")
    ] = None,
    count: Annotated[int, typer.Option(help="Pictures measured on, and draws: 32 to 20,000.")] = 1000,
    features: Annotated[str, typer.Option(help="Draws are compared by: pixels or classifier.")] = "pixels",
    crop: CropText = "centre", seed: Seed = 0, json_: AsJson = False,
    csv_: Annotated[bool, typer.Option("--csv", help="Print a table for a spreadsheet.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the figures beside the checkpoint, for the window and compare.")
    ] = False,
    reading: Reading,
) -> None:  # fmt: skip
    """Measure errors, completeness, sharpness and distances.

    With pictures of yours, or with the thumbnails of the checkpoint's encodings.
    """
    if json_ and csv_:
        raise OptionError("Say --json or --csv, not both.")
    if images is not None and not images.exists():
        raise OptionError(f"--images {displayed(images)} does not exist; name a folder of pictures or an .npz.")
    Crop.parse(crop)
    options = reading.options()
    from latentlab.api.measuring import measure_model
    from latentlab.measure.quality import checked_count, checked_features

    checked_count(count)
    checked_features(features)
    model = opened(checkpoint, options)
    with ConsoleReport("Measure") as report:
        found = measure_model(model, images, count=count, features=features, crop=crop, seed=seed, report=report)
    if keep:
        say(f"Kept as {displayed(kept_as(model.info, found))}.")
    if json_:
        sys.stdout.write(as_json(model.info, [found]))
        return
    table = table_of(model.info, per_dimension(model.encodings), [found], evaluation(model.info))
    sys.stdout.write(as_csv(table) if csv_ else as_text(table, model.info))
    if csv_:
        for text in found.notes:
            say(text)
