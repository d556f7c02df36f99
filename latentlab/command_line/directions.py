"""`latentlab directions`: attributes without labels, of folders of pictures, components or weights, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentlab.command_line.checks import check_count, check_folder
from latentlab.command_line.commands import application
from latentlab.command_line.options import Checkpoint, CropText, Reading, opened, with_groups
from latentlab.console import ConsoleReport, say
from latentlab.core.atomic import displayed
from latentlab.core.direction_file import save_directions
from latentlab.core.directions import Direction
from latentlab.core.errors import OptionError
from latentlab.core.latent_model import LatentModel
from latentlab.core.pictures import Crop

COUNT_AT_MOST = 1000


@application.command()
@with_groups
def directions(
    *, checkpoint: Checkpoint, output: Annotated[Path, typer.Option("-o", "--output", help="The .json to write.")],
    with_: Annotated[Path | None, typer.Option("--with", help="A folder of pictures that have something.")] = None,
    without: Annotated[Path | None, typer.Option(help="A folder of pictures that do not; else all encodings.")] = None,
    name: Annotated[str, typer.Option(help="What it is called; else as the folder is.")] = "",
    principal: Annotated[int, typer.Option(help="So many principal components, as PC 1, PC 2, …")] = 0,
    weights: Annotated[int, typer.Option(help="So many directions of the weights, as SeFa 1, SeFa 2, …")] = 0,
    pictures: Annotated[int, typer.Option(help="So many components of drawn pictures, as GANSpace 1, …")] = 0,
    space: Annotated[str, typer.Option(help="The latent space of components and weights; else the first one.")] = "",
    crop: CropText = "centre",
    reading: Reading,
) -> None:  # fmt: skip
    """Make attributes without labels, for --directions.

    Of folders of pictures, principal components of encodings or of drawn pictures (GANSpace), or the generator's
    weights (SeFa); the window opens the file too.
    """
    if without is not None and with_ is None:
        raise OptionError("--without needs --with: the folder of pictures that have it.")
    if with_ is None and not principal and not weights and not pictures:
        raise OptionError("Say what of: --with FOLDER, --principal 5, --weights 5 or --pictures 5.")
    for option, count in (("--principal", principal), ("--weights", weights), ("--pictures", pictures)):
        check_count(count, option, 0, COUNT_AT_MOST)
    for folder in (with_, without):
        if folder is not None and not folder.is_dir():
            raise OptionError(f"{displayed(folder)} is not a folder.")
    check_folder(output)
    cropping = Crop.parse(crop)
    model = opened(checkpoint, reading)
    found = list[Direction]()
    if with_ is not None:
        found.append(_of_folders(model, with_, without, name, cropping))
    if principal:
        found += model.principal_directions(principal, space=space or None)
    if weights:
        found += model.weight_directions(weights, space=space or None)
    if pictures:
        found += model.picture_directions(pictures, space=space or None)
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
