"""What the trainer offers, as it says itself (`latentlab-train list --json`), and a run as its command line.

A value is text, as it would be typed; flags, choices and help are the trainer's own, so that none is spelled twice.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from latentlab.core.errors import DataError
from latentlab.core.option_words import option_title
from latentlab.core.trainer import PROGRAM

# The configuration's tables, whose fields have flags of their own.
TABLES = ("architecture", "objective")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TrainingOption(_Record):
    """`kind`: switch, whole, number, text, or several (words with commas). `default` where the family has no other."""

    flag: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    help: str = ""
    default: str = ""

    @property
    def name(self) -> str:
        """As the configuration calls it: `--batch-size` is batch_size."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def title(self) -> str:
        """As people read it: "Batch size"."""
        return option_title(self.name)


class TrainableFamily(_Record):
    name: str
    title: str = ""
    options: tuple[TrainingOption, ...] = ()


class TrainingData(_Record):
    name: str
    title: str = ""
    downloaded: bool = False


class TrainingRecipe(_Record):
    name: str
    family: str
    title: str = ""


class TrainingOffer(_Record):
    families: tuple[TrainableFamily, ...]
    options: tuple[TrainingOption, ...] = ()  # of every family
    data: tuple[TrainingData, ...] = ()
    recipes: tuple[TrainingRecipe, ...] = ()

    @classmethod
    def parsed(cls, text: str) -> TrainingOffer:
        """What the command `trainer.LISTING` printed. Raises DataError where that is something else."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise DataError(
                f"The trainer's list cannot be read ({error.error_count()} faults): it is of another version than the "
                "window. Install them together."
            ) from None

    def family(self, name: str) -> TrainableFamily:
        return next((family for family in self.families if family.name == name), self.families[0])

    def options_of(self, family: str) -> tuple[TrainingOption, ...]:
        """Those of every family, then those of this one."""
        return (*self.options, *self.family(family).options)


@dataclass(frozen=True)
class AskedRun:
    """What a form says of a new run; empty text where nothing is said. `values` are texts by flag."""

    family: str
    data: str
    out: str
    recipe: str = ""
    download: bool = False
    values: Mapping[str, str] | None = None


def arguments_of(asked: AskedRun, options: Sequence[TrainingOption]) -> list[str]:
    """The arguments of `latentlab-train`, in the order of `options`; what `options` does not know is left out."""
    found = [asked.family]
    for flag, value in (("--recipe", asked.recipe), ("--data", asked.data), ("--out", asked.out)):
        found += [flag, value] if value else []
    found += ["--download"] if asked.download else []
    values = asked.values or {}
    for option in options:
        value = values.get(option.flag, "").strip()
        if not value:
            continue
        if option.kind == "switch":
            found.append(option.flag if value == "true" else f"--no-{option.flag.removeprefix('--')}")
        elif value.startswith("-"):  # would be taken for a flag
            found.append(f"{option.flag}={value}")
        else:
            found += [option.flag, value]
    return found


def resuming(family: str, folder: Path, epochs: int | None = None) -> list[str]:
    """The arguments that go on with the run in `folder`, to the end of `epochs` where that is another."""
    return [family, "--out", str(folder), "--resume", *(["--epochs", str(epochs)] if epochs else [])]


def as_typed(arguments: Sequence[str]) -> str:
    """The same from a shell."""
    return shlex.join([PROGRAM, *arguments])


def settled_values(printed: str) -> dict[str, str]:
    """Texts by name of a configuration as `--print-config` prints it: what holds where the form says nothing.

    Raises DataError where `printed` is no TOML.
    """
    try:
        document = tomllib.loads(printed)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"The trainer's configuration cannot be read: {error}.") from None
    tables: dict[str, Any] = {}
    for name in TABLES:
        table = document.pop(name, {})
        tables |= table if isinstance(table, dict) else {}
    return {name: _as_text(value) for name, value in {**tables, **document}.items()}


def explanation(printed: str) -> str:
    """What `--print-config` says above a configuration: what was chosen for the data, and why; empty for nothing."""
    first = printed.partition("\n")[0]
    return first.removeprefix("# ") if first.startswith("# ") else ""


def suggested_folder(base: Path, family: str, data: str) -> Path:
    """A folder for a new run that is not there yet: "digits-vae", then "digits-vae-2" and so on."""
    stem = Path(data).stem if data else ""
    name = f"{stem}-{family}" if stem else family
    found, count = base / name, 1
    while found.exists():
        count += 1
        found = base / f"{name}-{count}"
    return found


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_as_text(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
