"""What the commands of `latentlab` have in common: their options in groups, and how a checkpoint is opened.

A parameter of a command that is annotated with a group stands for all options of the group (`with_groups`).
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, cast, get_type_hints

import typer

from latentlab.console import warn
from latentlab.core.device_name import check_device_name
from latentlab.core.direction_file import load_directions
from latentlab.core.direction_making import DirectedModel
from latentlab.formats import Options, found
from latentlab.formats.reading import checked_options, open_whole

INVERSION_STEPS = 300

Checkpoint = Annotated[
    Path, typer.Argument(help="A checkpoint, a run folder, or a bundled model by name (faces-vae, …).")
]
Output = Annotated[Path, typer.Option("-o", "--output", help="Where to write.")]
Sheet = Annotated[Path, typer.Option("-o", "--output", help="The .png to write.")]
Count = Annotated[int, typer.Option(help="How many pictures.")]
Seed = Annotated[int, typer.Option(help="Of the draws; the same seed draws the same pictures.")]
Truncation = Annotated[float, typer.Option(help="Scale towards the prior's mean; 1 is none.")]
Scale = Annotated[int, typer.Option(help="Enlarge every pixel so many times.")]
CropText = Annotated[str, typer.Option("--crop", help="centre, none or x,y,width,height; before resizing.")]
Steps = Annotated[int, typer.Option(help="Of the search for the picture, where a model has no encoder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True)
class Reading:
    """How a checkpoint is opened."""

    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto"
    trust: Annotated[bool, typer.Option("--trust", help="Open a file that can run code.")] = False
    activation: Annotated[str, typer.Option(help="Of a file of weights alone: relu, leaky_relu, tanh, …")] = ""
    range_: Annotated[
        str, typer.Option("--range", help="What its last layer puts out: tanh, sigmoid, none or byte.")
    ] = ""
    latent: Annotated[str, typer.Option(help="64 or 4x16x16: the size of a latent that is left open.")] = ""
    picture: Annotated[str, typer.Option(help="Which of a graph's outputs is the picture.")] = ""
    noise: Annotated[str, typer.Option(help="Of a StyleGAN: fixed or none.")] = ""

    def options(self) -> Options:
        """Raises OptionError before anything is opened."""
        check_device_name(self.device)
        said = {name: getattr(self, name) for name in ("activation", "latent", "picture", "noise")}
        return checked_options(self.device, self.trust, {**said, "range": self.range_})


@dataclass(frozen=True)
class Edits:
    """Attributes that are put on, and those that stay."""

    attribute: Annotated[
        list[str], typer.Option("--attribute", metavar="NAME=STRENGTH", help="Put it on; may be repeated.")
    ] = field(default_factory=list)
    lock: Annotated[
        list[str], typer.Option("--lock", metavar="NAME", help="An attribute that stays as it is; may be repeated.")
    ] = field(default_factory=list)
    directions: Annotated[
        Path | None, typer.Option("--directions", help="More attributes: a file that `latentlab directions` wrote.")
    ] = None


@dataclass(frozen=True)
class Asking:
    """What a conditional model is asked for."""

    class_: Annotated[
        str, typer.Option("--class", metavar="NAME", help="Of a conditional model: the class, by name or number.")
    ] = ""
    condition: Annotated[
        list[str],
        typer.Option("--condition", metavar="NAME=VALUE", help="Of a conditional model: Smiling=1; may be repeated."),
    ] = field(default_factory=list)


def with_groups(function: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of each group in place of the parameter that is annotated with it."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if dataclasses.is_dataclass(kind)}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in groups:
            parameters += _parameters(groups[name])
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name]))

    @wraps(function)
    def command(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{one.name: given.pop(one.name) for one in dataclasses.fields(group)})
        function(**given)

    shown: Any = command  # typer reads options from these two
    shown.__signature__ = inspect.Signature(parameters)
    shown.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _parameters(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    made = []
    for one in dataclasses.fields(group):
        default = one.default if one.default_factory is dataclasses.MISSING else one.default_factory()
        kind = inspect.Parameter.KEYWORD_ONLY
        made.append(inspect.Parameter(one.name, kind, default=default, annotation=hints[one.name]))
    return made


def opened(checkpoint: Path, reading: Reading | Options, directions: Path | None = None) -> DirectedModel:
    """With the directions of a file besides; its warnings are said. Raises CheckpointError, DataError, OptionError."""
    options = reading.options() if isinstance(reading, Reading) else reading
    model = cast(DirectedModel, open_whole(found(checkpoint), options))
    if directions is not None:
        first = model.info.spaces[0]
        model.add_directions(load_directions(directions, first.dim, first.name))
    for warning in model.info.warnings:
        warn(warning)
    return model
