"""From what was asked to a configuration: recipe or defaults first, then the file of --config, then the flags.

A run remembers how its data was read (RUN/data.json), so that `--out RUN --resume` is enough to go on. No torch here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from latentlab.core.atomic import atomic_write
from latentlab.core.errors import CheckpointError, OptionError, SaveError, did_you_mean
from training.config import TrainingConfig, config_from
from training.config_file import TABLES, read, written
from training.data import SOURCES
from training.data_note import DataAsked, DataNote
from training.few_pictures import counted, explained, fitted_to
from training.flags import of_architecture
from training.options import OPTIONS
from training.starting import image_size_of, sizes_of

CONFIG = "config.json"
CONFIG_FILE = "config.toml"  # the same for people, and for --config
DATA_NOTE = "data.json"
STATE = Path("resume", "state.pt")
LOCK = "running.lock"  # held by the process that trains
# What marks a folder as a run's: a run that was stopped before its first save has only its notes, and begins anew.
MARKS = ("metrics.jsonl", "resume", "checkpoint.safetensors")
NOTES = (CONFIG, CONFIG_FILE, DATA_NOTE, LOCK, "samples", "map", "tensorboard")


@dataclass(frozen=True)
class Asked:
    """The options as given, on the command line or in a file; None where nothing was said."""

    family: str
    of_data: DataAsked
    out: Path | None = None
    recipe: str | None = None
    resume: bool = False
    download: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the configuration
    architecture: Mapping[str, Any] = field(default_factory=dict)
    objective: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()  # "objective.r1=10"

    def over(self, path: Path) -> Asked:
        """This, and what the file says where this says nothing. Raises OptionError."""
        preamble, values = read(path, self.family)
        if preamble.family not in (None, self.family):
            raise OptionError(f"--config {path} is of {preamble.family}, not of {self.family}.")
        said = preamble.model_dump(exclude_none=True, include=set(DataAsked.model_fields))
        return replace(
            self,
            of_data=DataAsked(**{**said, **self.of_data.model_dump(exclude_none=True)}),
            out=self.out or preamble.out,
            recipe=self.recipe or preamble.recipe,
            architecture={**values.get("architecture", {}), **self.architecture},
            objective={**values.get("objective", {}), **self.objective},
            settings={**{name: value for name, value in values.items() if name not in TABLES}, **self.settings},
        )


@dataclass(frozen=True)
class Order:
    """What is to be done, checked as far as it can be without the data."""

    config: TrainingConfig
    note: DataNote
    out: Path
    resume: bool
    download: bool
    why: str = ""  # what was chosen for few pictures, and why


def resolved(asked: Asked) -> Order:
    """Raises OptionError, CheckpointError: nothing is read but the run's own notes, and nothing is written."""
    if asked.out is None:
        raise OptionError("Say where the run is kept: --out FOLDER.")
    if asked.resume:
        return _resumed(asked, asked.out)
    check_out(asked.out)
    config, note = effective(asked)
    return Order(config, note, asked.out, False, asked.download, reasons(asked, config, note))


def effective(asked: Asked) -> tuple[TrainingConfig, DataNote]:
    """What a new run would be. Raises OptionError."""
    if not asked.of_data.data:
        raise OptionError("Say what to train on: --data NAME, FOLDER or FILE.npz. `latentlab-train list` shows names.")
    recipe = _recipe(asked)
    said = _taken_over(asked, recipe) | asked.of_data.model_dump(exclude_none=True)
    note = DataNote(**said | _places(asked.of_data))
    return _checked(asked, recipe or _defaults(asked, note), note), note


def reasons(asked: Asked, config: TrainingConfig, note: DataNote) -> str:
    """What of the configuration of a new run was chosen for few pictures, and why; empty where nothing was."""
    count = None if asked.recipe is not None else counted(note.data, note.limit)
    if count is None:
        return ""
    return explained(count, fitted_to(count, asked.family, _usual(asked, note), asked.settings), config)


def as_toml(config: TrainingConfig, note: DataNote, why: str = "") -> str:
    """A file for `--config` that makes the same run; `why` stands above it as a comment."""
    return (f"# {why}\n" if why else "") + written(config, note)


def check_out(out: Path) -> None:
    """Raises OptionError where a new run would mix with something that is already there."""
    if out.exists() and not out.is_dir():
        raise OptionError(f"--out {out} is a file; name a folder for the run.")
    if not out.is_dir():
        return
    names = {path.name for path in out.iterdir()}
    if (out / STATE).exists() or names & set(MARKS):
        raise OptionError(f"{out} already holds a run; add --resume to go on with it, or choose another --out.")
    if names - set(NOTES):
        raise OptionError(f"{out} is not empty and holds no run; choose another --out.")


def made_folder(out: Path) -> None:
    """Raises SaveError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"The folder {out} cannot be made: {error.strerror}. Choose another --out.") from None


def remember(order: Order) -> None:
    """Writes how the data is read, and the whole configuration, into the run's folder. Raises SaveError."""
    made_folder(order.out)
    atomic_write(order.out / CONFIG_FILE, as_toml(order.config, order.note).encode())
    atomic_write(order.out / DATA_NOTE, order.note.model_dump_json(indent=1).encode())


def _resumed(asked: Asked, out: Path) -> Order:
    if not (out / CONFIG).is_file():
        raise OptionError(f"There is no run to resume in {out}. Leave out --resume to begin one.")
    try:
        stored = json.loads((out / CONFIG).read_text("utf-8"))
        noted = json.loads((out / DATA_NOTE).read_text("utf-8")) if (out / DATA_NOTE).is_file() else {}
        values = TrainingConfig.model_validate(stored).model_dump(mode="json")
        note = DataNote.model_validate({"data": asked.of_data.data or values["data"], **noted})
    except (ValueError, ValidationError, OSError) as error:
        raise CheckpointError(f"The notes of the run in {out} are damaged ({error}); begin a new run.") from None
    if values["family"] != asked.family:
        raise OptionError(
            f"{out} holds a run of {values['family']}; resume it with latentlab-train {values['family']}."
        )
    places, said = _places(asked.of_data), asked.of_data.model_dump(exclude_none=True)
    if places.get("data", note.data) != note.data:
        raise OptionError(f"{out} was trained on '{note.data}', not on '{asked.of_data.data}'; choose another --out.")
    for name in ("image_size", "crop", "limit"):
        if said.get(name, getattr(note, name)) != getattr(note, name):
            option = "--" + name.replace("_", "-")
            raise OptionError(f"{out} was begun with {option} {getattr(note, name)}; it cannot change on the way.")
    note = note.model_copy(update=said | places)
    return Order(_checked(asked, values, note), note, out, (out / STATE).is_file(), asked.download)


def _recipe(asked: Asked) -> dict[str, Any]:
    """The values before options, of the recipe; none without one."""
    from training import recipes

    if asked.recipe is None:
        return {}
    values = recipes.recipe(asked.recipe).model_dump(mode="json")
    if values["family"] != asked.family:
        raise OptionError(f"The recipe '{asked.recipe}' is of {values['family']}, not of {asked.family}.")
    return values | {"data": asked.of_data.data or ""}


def _taken_over(asked: Asked, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """How data is read that suits the model it begins with, if it begins with one."""
    start = {**recipe.get("objective", {}), **asked.objective}.get("start_from")
    patch = {**recipe.get("architecture", {}), **asked.architecture}.get("patch")
    return {"image_size": image_size_of(start, patch)} if start else {}


def _defaults(asked: Asked, note: DataNote) -> dict[str, Any]:
    """The values before options: sensible ones for family and data, and the sizes of the model it begins with."""
    values = _usual(asked, note)
    if (count := counted(note.data, note.limit)) is not None:
        values |= fitted_to(count, asked.family, values, asked.settings)
    if start := asked.objective.get("start_from"):
        values["architecture"] = {**values.get("architecture", {}), **sizes_of(start, asked.family, _size(asked, note))}
    return values


def _usual(asked: Asked, note: DataNote) -> dict[str, Any]:
    """A beginning for family and data, however many pictures there are."""
    from training import recipes

    assert asked.of_data.data is not None
    return recipes.defaults(asked.family, asked.of_data.data, _size(asked, note))


def _size(asked: Asked, note: DataNote) -> int:
    return note.image_size or _likely_size(str(asked.of_data.data))


def _places(asked: DataAsked) -> dict[str, Any]:
    """What is a path of what was said, as one that can be found from any folder; the name of a source as it is."""
    places: dict[str, Any] = {} if asked.root is None else {"root": asked.root.absolute()}
    if asked.data is not None:
        is_path = asked.data not in SOURCES and Path(asked.data).exists()
        places["data"] = str(Path(asked.data).absolute()) if is_path else asked.data
    return places


def _likely_size(data: str) -> int:
    return {"digits": 8, "mnist": 28, "fashion-mnist": 28, "cifar10": 32}.get(data, 64)


def _checked(asked: Asked, values: dict[str, Any], note: DataNote) -> TrainingConfig:
    values = {**values, "family": asked.family, "data": note.data, "crop": note.crop, "limit": note.limit}
    for name in TABLES:
        values[name] = {**values.get(name, {}), **getattr(asked, name)}
    values |= asked.settings
    for text in asked.options:
        values = _with_option(values, text)
    return config_from(**values)


def _with_option(values: dict[str, Any], text: str) -> dict[str, Any]:
    """`objective.r1=10` or `half=true`, its value read as JSON where it is."""
    name, separator, said = text.partition("=")
    if not separator or not name:
        raise OptionError(f"--set '{text}' is not understood; write it as name=value, e.g. objective.r1=10.")
    try:
        value = json.loads(said)
    except ValueError:
        value = said
    part, dot, key = name.partition(".")
    if not dot:
        if name not in TrainingConfig.model_fields or name in ("family", "data", "architecture", "objective"):
            raise OptionError(f"There is no option '{name}'.{_place_of(name, values['family'])}")
        return {**values, name: value}
    if part not in ("objective", "architecture"):
        raise OptionError(f"--set '{text}': '{part}' is neither objective nor architecture.")
    return {**values, part: {**values[part], key: value}}


def _place_of(name: str, family: str) -> str:
    """Where an option belongs that is not the configuration's own, or the nearest one that is."""
    if name in OPTIONS[family].model_fields:
        return f" Write --set objective.{name}=…"
    if name in of_architecture(family):
        return f" Write --set architecture.{name}=…"
    return did_you_mean(name, TrainingConfig.model_fields)
