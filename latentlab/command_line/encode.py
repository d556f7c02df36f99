"""`latentlab encode`: a map of a folder of pictures, kept beside a checkpoint or written into a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentlab.command_line.checks import check_native_name
from latentlab.command_line.commands import application
from latentlab.command_line.options import Checkpoint, CropText, Reading, opened, with_groups
from latentlab.console import ConsoleReport, say
from latentlab.core.atomic import displayed
from latentlab.core.encodings_file import write_encodings
from latentlab.core.errors import OptionError, few
from latentlab.core.fitting import direction_names
from latentlab.core.pictures import Crop


@application.command()
@with_groups
def encode(
    *, checkpoint: Checkpoint,
    images: Annotated[Path, typer.Option(help="A folder: flat, class folders, or images/ with attributes.csv.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A native checkpoint to write; else they are kept beside.")
    ] = None,
    crop: CropText = "centre", limit: Annotated[int, typer.Option(help="At most so many pictures; 0: all.")] = 0,
    reading: Reading,
) -> None:  # fmt: skip
    """Encode a folder of pictures, for a map of them.

    Kept beside the checkpoint, or saved with it in a new one (-o).
    """
    if output is not None:
        check_native_name(output)
    if not images.is_dir():
        raise OptionError(f"--images {displayed(images)} is not a folder.")
    if limit < 0:
        raise OptionError(f"--limit is {limit}; it must be 1 or more, or 0 for all.")
    cropping = Crop.parse(crop)
    options = reading.options()
    from latentlab.api.converting import write_native

    model = opened(checkpoint, options)
    from latentlab.measure.encoding import encode_folder

    with ConsoleReport("Encode") as report:
        encodings, skipped = encode_folder(model, images, crop=cropping, limit=limit or None, report=report)
    if output is not None:
        write_native(checkpoint, output, options, encodings)
    else:
        kept = write_encodings(model.info, encodings, images.resolve().name)
        say(f"Kept as {displayed(kept)}, where the window and every command find it.")
        lost = direction_names(model.info.not_asked(model.encodings)) if model.encodings is not None else []
        if lost and not direction_names(model.info.not_asked(encodings)):
            say(
                f"These pictures have no labels, so there are no attributes now; {few(lost, 3)} come back once that "
                "file is gone. Class folders or an attributes.csv make others."
            )
    say(f"{len(encodings):,} pictures encoded, {len(skipped):,} skipped.")
    for reason in skipped[:10]:
        say(f"  {reason}")
