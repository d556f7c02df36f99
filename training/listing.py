"""What can be trained, on what and how, as data for other programs: `latentlab-train list --json`. No torch here.

Options are those of the command line: whoever builds a form from them spells no flag, choice or help of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from latentlab.core.registry import Entry
from training.config import TrainingConfig
from training.data import SOURCES
from training.flags import CONFIGURATION, as_text, described, flag, plain
from training.options import OPTIONS
from training.recipes import RECIPES

DOWNLOADED = "training.data.downloaded:"  # where the sources are that fetch what they read
KINDS = {bool: "switch", int: "whole", float: "number", str: "text"}


def known(families: Mapping[str, Entry], of_data: Collection[inspect.Parameter]) -> dict[str, Any]:
    """Families with the options of their objective, options of every family, data sets and recipes, for JSON.

    `of_data`: the parameters of the command that are said of data and architecture.
    """
    return {
        "families": [
            {"name": key, "title": entry.title, "options": list(_options(OPTIONS[key], OPTIONS[key].model_fields))}
            for key, entry in families.items()
        ],
        "options": [
            *(_of_parameter(parameter) for parameter in of_data),
            *_options(TrainingConfig, CONFIGURATION),
        ],
        "data": [
            {"name": key, "title": entry.title, "downloaded": entry.target.startswith(DOWNLOADED)}
            for key, entry in SOURCES.items()
        ],
        "recipes": [
            {"name": name, "family": make().family, "title": " ".join(str(make.__doc__).split())}
            for name, make in RECIPES.items()
        ],
    }


def _of_parameter(parameter: inspect.Parameter) -> dict[str, Any]:
    """Of `Annotated[int | None, typer.Option(help=…)]`."""
    annotated, (option,) = get_args(parameter.annotation)[0], parameter.annotation.__metadata__
    kind = next(part for part in (*get_args(annotated), annotated) if part is not type(None))
    text = option.help.removesuffix(".") + "."
    return {"flag": flag(parameter.name), "kind": KINDS.get(kind, "text"), "choices": [], "help": text, "default": ""}


def _options(model: type[BaseModel], names: Collection[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        field = model.model_fields[name]
        kind, choices = described(field)
        several = get_origin(plain(field)) is tuple
        yield {
            "flag": flag(name),
            "kind": "several" if several else KINDS[kind],
            "choices": choices,
            "help": field.description or "",
            "default": _default(field),
        }


def _default(field: FieldInfo) -> str:
    """As it would be typed; empty where there is none to show."""
    return "" if field.default in (None, "", (), PydanticUndefined) else as_text(field.default)
