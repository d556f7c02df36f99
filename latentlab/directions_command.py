"""`latentlab directions`: attributes without labels, of folders of pictures, components or weights, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from latentlab.command_options import (
    Activation,
    Checkpoint,
    CropText,
    Device,
    Latent,
    Noise,
    Output,
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
from latentlab.core.direction_file import save_directions
from latentlab.core.direction_making import DirectedModel
from latentlab.core.directions import Direction
from latentlab.core.errors import OptionError, SaveError
from latentlab.core.latent_model import LatentModel
from latentlab.core.pictures import Crop

COUNT_AT_MOST = 1000


@application.command()
def directions(
    checkpoint: Checkpoint, output: Output,
    with_: Annotated[Path | None, typer.Option("--with", help="A folder of pictures that have it.")] = None,
    without: Annotated[Path | None, typer.Option(help="Of pictures that have it not; else all encodings.")] = None,
    name: Annotated[str, typer.Option(help="Of the attribute of the folders; else the folder's.")] = "",
    principal: Annotated[int, typer.Option(help="So many principal components, as PC 1, PC 2, …")] = 0,
    weights: Annotated[int, typer.Option(help="So many directions of the weights, as SeFa 1, SeFa 2, …")] = 0,
    space: Annotated[str, typer.Option(help="Of components and weights; else the first one.")] = "",
    crop: CropText = "centre",
    device: Device = "auto", trust: Trust = False, activation: Activation = "", range_: Range = "",
    size: Latent = "", shown: Shown = "", noise: Noise = "",
) -> None:  # fmt: skip
    """Make attributes without labels, and save them as JSON: for --directions, and for the window."""
    if without is not None and with_ is None:
        raise OptionError("--without needs --with: the folder of pictures that have it.")
    if with_ is None and not principal and not weights:
        raise OptionError("Say what of: --with FOLDER, --principal 5 or --weights 5.")
    for option, count in (("--principal", principal), ("--weights", weights)):
        if not 0 <= count <= COUNT_AT_MOST:
            raise OptionError(f"{option} is {count}; it must be 0 to {COUNT_AT_MOST:,}.")
    for folder in (with_, without):
        if folder is not None and not folder.is_dir():
            raise OptionError(f"{displayed(folder)} is not a folder.")
    if not output.absolute().parent.is_dir():
        raise SaveError(f"Cannot save {displayed(output)}: its folder does not exist. Create it or choose another.")
    cropping = Crop.parse(crop)
    model = opened(checkpoint, options_of(device, trust, activation, range_, size, shown, noise))
    making, found = cast(DirectedModel, model), list[Direction]()
    if with_ is not None:
        found.append(_of_folders(model, with_, without, name, cropping))
    if principal:
        found += making.principal_directions(principal, space=space or None)
    if weights:
        found += making.weight_directions(weights, space=space or None)
    save_directions(output, found)
    for direction in found:
        told = "" if direction.auc is None else f", AUC {direction.auc:.2f}"
        resting = f", {direction.examples:,} examples" if direction.examples else ""
        say(f"{direction.name}: {direction.method}{resting}{told}")


def _of_folders(model: LatentModel, with_: Path, without: Path | None, name: str, crop: Crop) -> Direction:
    from latentlab.engine.folder_direction import folders_direction

    against = model.encodings.latents if without is None and model.encodings is not None else None
    with ConsoleReport("Encode") as report:
        made, skipped = folders_direction(
            model, report, with_, without or "", name or displayed(with_.resolve().name), against, crop
        )
    for reason in skipped[:10]:
        say(f"  skipped {reason}")
    return made[0]
