"""`latentlab convert`: any checkpoint that holds weights as a native one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentlab.command_line.checks import check_native_name
from latentlab.command_line.commands import application
from latentlab.command_line.options import Checkpoint, Reading, with_groups
from latentlab.console import warn


@application.command()
@with_groups
def convert(
    *, source: Checkpoint,
    target: Annotated[Path, typer.Argument(help="The .safetensors to write.")],
    half: Annotated[bool, typer.Option("--half", help="Weights in float16, half the size.")] = False,
    reading: Reading,
) -> None:  # fmt: skip
    """Write a checkpoint as a native one."""
    check_native_name(target)
    options = reading.options()
    from latentlab.api.converting import write_native

    write_native(source, target, options, half=half, warn=warn)
