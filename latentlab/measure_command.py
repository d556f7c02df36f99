"""`latentlab measure`: the figures of a checkpoint, those it carries and those that are measured now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from latentlab.command_options import (
    Activation,
    Checkpoint,
    CropText,
    Device,
    Latent,
    Noise,
    Range,
    Shown,
    Trust,
    opened,
    options_of,
    say,
)
from latentlab.commands import application
from latentlab.console import ConsoleReport
from latentlab.core.atomic import displayed
from latentlab.core.errors import OptionError
from latentlab.core.figure_text import as_csv, as_json, as_text
from latentlab.core.figures import per_dimension, table_of
from latentlab.core.measurement import evaluation
from latentlab.core.pictures import Crop


@application.command()
def measure(
    checkpoint: Checkpoint,
    images: Annotated[Path | None, typer.Option(help="A folder of pictures or an .npz; else the encodings.")] = None,
    count: Annotated[int, typer.Option(help="Pictures measured on, and draws.")] = 1000,
    features: Annotated[str, typer.Option(help="Draws are compared by pixels, or by a classifier.")] = "pixels",
    crop: CropText = "centre", seed: int = 0,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    csv_: Annotated[bool, typer.Option("--csv", help="As a table for a spreadsheet.")] = False,
    device: Device = "auto", trust: Trust = False, activation: Activation = "", range_: Range = "",
    size: Latent = "", shown: Shown = "", noise: Noise = "",
) -> None:  # fmt: skip
    """Measure a model: with pictures, or with the thumbnails of its encodings."""
    if json_ and csv_:
        raise OptionError("Say --json or --csv, not both.")
    if images is not None and not images.exists():
        raise OptionError(f"--images {displayed(images)} does not exist; name a folder of pictures or an .npz.")
    Crop.parse(crop)
    options = options_of(device, trust, activation, range_, size, shown, noise)
    from latentlab.measure.quality import checked_count, checked_features
    from latentlab.measuring import measure_model

    checked_count(count)
    checked_features(features)
    model = opened(checkpoint, options)
    with ConsoleReport("Measure") as report:
        found = measure_model(model, images, count=count, features=features, crop=crop, seed=seed, report=report)
    if json_:
        sys.stdout.write(as_json(model.info, [found]))
        return
    table = table_of(model.info, per_dimension(model.encodings), [found], evaluation(model.info))
    sys.stdout.write(as_csv(table) if csv_ else as_text(table, model.info))
    if csv_:
        for text in found.notes:
            say(text)
