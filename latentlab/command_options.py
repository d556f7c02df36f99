"""What the commands of `latentlab` have in common: how a checkpoint is named, opened and read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, cast

import typer

from latentlab.core.device_name import check_device_name
from latentlab.core.direction_file import load_directions
from latentlab.core.direction_making import DirectedModel
from latentlab.core.latent_model import LatentModel
from latentlab.formats import Options, found
from latentlab.formats.reading import checked_options, open_whole

Checkpoint = Annotated[Path, typer.Argument(help="A checkpoint or a run folder.")]
Output = Annotated[Path, typer.Option("-o", "--output", help="Where to write.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
Trust = Annotated[bool, typer.Option("--trust", help="Open a file that can run code.")]
Activation = Annotated[str, typer.Option(help="Of a file of weights alone: relu, leaky_relu, tanh, …")]
Range = Annotated[str, typer.Option("--range", help="What its last layer puts out: tanh, sigmoid, none or byte.")]
Latent = Annotated[str, typer.Option("--latent", help="64 or 4x16x16: the size of a latent that is left open.")]
Shown = Annotated[str, typer.Option("--picture", help="Which of a graph's outputs is the picture.")]
Noise = Annotated[str, typer.Option("--noise", help="Of a StyleGAN: fixed or none.")]
Attributes = Annotated[list[str], typer.Option("--attribute", help="NAME=STRENGTH; may be given more than once.")]
Locks = Annotated[list[str], typer.Option("--lock", help="An attribute that stays as it is; may be repeated.")]
DirectionFile = Annotated[
    Path | None, typer.Option("--directions", help="More attributes: a file that `latentlab directions` wrote.")
]
ClassName = Annotated[str, typer.Option("--class", help="The class asked of a conditional model, by name or number.")]
Conditions = Annotated[list[str], typer.Option("--condition", help="Smiling=1, of a conditional model; may repeat.")]
Truncation = Annotated[float, typer.Option(help="Scale towards the prior's mean; 1 is none.")]
Scale = Annotated[int, typer.Option(help="Enlarge every pixel so many times.")]
CropText = Annotated[str, typer.Option("--crop", help="centre, none or x,y,width,height.")]


def options_of(
    device: str, trust: bool, activation: str, range_: str, size: str, shown: str, noise: str
) -> Options:  # fmt: skip
    """Raises OptionError before anything is opened."""
    check_device_name(device)
    said = {"activation": activation, "range": range_, "latent": size, "picture": shown, "noise": noise}
    return checked_options(device, trust, said)


def opened(checkpoint: Path, options: Options, directions: Path | None = None) -> LatentModel:
    """With the directions of a file besides; its warnings are said. Raises CheckpointError, DataError."""
    model = open_whole(found(checkpoint), options)
    if directions is not None:
        first = model.info.spaces[0]
        cast(DirectedModel, model).add_directions(load_directions(directions, first.dim, first.name))
    for warning in model.info.warnings:
        say(f"Warning: {warning}")
    return model


def say(text: str) -> None:
    """On stderr, beside what a command prints."""
    print(text, file=sys.stderr)  # noqa: T201
