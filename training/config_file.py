"""A configuration as TOML: what `--config FILE` reads, and what a run writes beside its checkpoint.

family = "vae"
data = "mnist"
epochs = 20
[architecture]
latent_dim = 16
[objective]
likelihood = "bce"
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from latentlab.core.errors import OptionError, did_you_mean
from training.config import TrainingConfig, checked
from training.data_note import DataAsked, DataNote
from training.flags import CONFIGURATION, of_architecture
from training.options import OPTIONS

TABLES = ("architecture", "objective")


class Preamble(DataAsked):
    """What is not of the configuration itself: which data, how they are read, where the run goes."""

    family: str | None = None
    out: Path | None = None
    recipe: str | None = None


def read(path: Path, family: str) -> tuple[Preamble, dict[str, Any]]:
    """(the preamble, values of the configuration with the tables of architecture and objective).

    Raises OptionError; of an option that belongs elsewhere it says where, for `family`.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise OptionError(f"--config {path}: there is no such file.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionError(f"--config {path} cannot be read as TOML: {error}.") from None
    known = [*Preamble.model_fields, *CONFIGURATION, *TABLES]
    for name, value in values.items():
        if name not in known:
            hint = did_you_mean(name, known)
            if name in of_architecture(family):
                hint = " It belongs below [architecture]."
            elif any(name in options.model_fields for options in OPTIONS.values()):
                hint = " It belongs below [objective]."
            raise OptionError(f"--config {path}: there is no option '{name}'.{hint}")
        if name in TABLES and not isinstance(value, dict):
            raise OptionError(f"--config {path}: '{name}' is a table; write [{name}] and its options below.")
    preamble = checked(Preamble, {name: values[name] for name in Preamble.model_fields if name in values})
    return preamble, {name: value for name, value in values.items() if name not in Preamble.model_fields}


def written(config: TrainingConfig, note: DataNote) -> str:
    """The whole configuration as TOML, every option of the objective included; what is not set is left out."""
    values = config.model_dump(mode="json", exclude_none=True, exclude={"family", "data", "crop", "limit", *TABLES})
    objective = config.options().model_dump(mode="json", exclude_none=True)
    first = {"family": config.family, **note.model_dump(mode="json", exclude_none=True)}
    rest = {name: value for name, value in values.items() if value != ""}
    return tomli_w.dumps({**first, **rest, "architecture": config.architecture, "objective": objective})
