"""Flags made from the fields of a pydantic model: name, type, help and default are written once, in the model.

No torch here, until something is wrong. A field of several values, `tuple[...]`, is written with commas:
`--diffaugment colour,translation`.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.core import TyperCommand

from latentlab.core.errors import OptionError, did_you_mean
from latentlab.core.registry import FAMILIES
from training.config import TrainingConfig
from training.options import OPTIONS

# Fields of the configuration that are no flags of their own: given otherwise, or by tables of their own.
NO_FLAGS = ("family", "data", "crop", "limit", "recipe", "architecture", "objective")
OF_DATA = ("name", "image_size", "channels", "classes", "attributes")  # of an architecture
CONFIGURATION = tuple(name for name in TrainingConfig.model_fields if name not in NO_FLAGS)


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def parameters(model: type[BaseModel], names: Collection[str], *, show_default: bool) -> Iterator[inspect.Parameter]:
    """A parameter of a command for each named field; None where its flag is not given.

    `show_default`: whether the field's default is what holds where nothing is said, rather than that of a family.
    """
    for name in names:
        field = model.model_fields[name]
        kind, choices = described(field)
        text = field.description or ""
        if choices:
            text = f"{text.removesuffix('.')}: {', '.join(choices)}."
        if show_default and field.default not in (None, "", (), PydanticUndefined):
            text += f" Default: {as_text(field.default)}."
        spelling = f"{flag(name)}/--no-{name.replace('_', '-')}" if kind is bool else flag(name)
        metavar = "A,B" if get_origin(plain(field)) is tuple else None
        default = typer.Option(None, spelling, help=text, show_default=False, metavar=metavar)
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind | None)


def described(field: FieldInfo) -> tuple[type, list[str]]:
    """(type on the command line, the words it may be); several values and words are text there."""
    annotation = plain(field)
    if get_origin(annotation) is tuple:
        (first, *_) = get_args(annotation)
        return str, [str(word) for word in get_args(first)] if get_origin(first) is Literal else []
    if get_origin(annotation) is Literal:
        return str, [str(word) for word in get_args(annotation)]
    return (annotation if annotation in (bool, int, float) else str), []


def plain(field: FieldInfo) -> Any:
    """The type without `| None`."""
    annotation: Any = field.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not type(None))
    return annotation


def as_text(value: Any) -> str:
    return ",".join(str(part) for part in value) if isinstance(value, tuple) else str(value).lower()


def values_of(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given of the fields of `model`, several values taken apart."""
    found = {name: given[name] for name in model.model_fields if given.get(name) is not None}
    for name, value in found.items():
        if isinstance(value, str) and get_origin(plain(model.model_fields[name])) is tuple:
            found[name] = [part.strip() for part in value.split(",") if part.strip()]
    return found


class FamilyCommand(TyperCommand):
    """Answers an unknown flag with the nearest known one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if not hasattr(error, "possibilities"):  # only that of an unknown flag has
                raise
            family = str(ctx.info_name)
            known = [word for parameter in self.get_params(ctx) for word in parameter.opts if word.startswith("--")]
            raise OptionError(unknown(str(getattr(error, "option_name", "")), family, known)) from None


def unknown(said: str, family: str, known: Collection[str]) -> str:
    name = said.removeprefix("--").replace("-", "_")
    if name in of_architecture(family):
        return f"{said} is a parameter of the network: write --set architecture.{name}=…"
    owners = [other for other, options in OPTIONS.items() if name in options.model_fields]
    if owners:
        return f"{said} means nothing for the family {family}; leave it out."
    return f"There is no option '{said}'.{did_you_mean(said, known)}"


def of_architecture(family: str) -> list[str]:
    """Parameters of the family's network, but for what follows from the data.

    Imports torch: asked where something is wrong anyway.
    """
    return [name for name in FAMILIES[family].load().Parameters.model_fields if name not in OF_DATA]
