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
from pydantic import BaseModel, ConfigDict

from latentlab.core.errors import OptionError, did_you_mean
from training.config import TrainingConfig, checked
from training.flags import CONFIGURATION
from training.options import OPTIONS

TABLES = ("architecture", "objective")


class Reading(BaseModel):
    """What is not of the configuration itself: which data, how it is read, where the run goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: str | None = None
    data: str | None = None
    out: Path | None = None
    recipe: str | None = None
    image_size: int | None = None
    crop: str | None = None
    limit: int | None = None
    root: Path | None = None
    thumbnails: bool | None = None
    mapped: bool | None = None


def read(path: Path) -> tuple[Reading, dict[str, Any]]:
    """(how to read, values of the configuration with the tables of architecture and objective). Raises OptionError."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise OptionError(f"--config {path}: there is no such file.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionError(f"--config {path} cannot be read as TOML: {error}.") from None
    known = [*Reading.model_fields, *CONFIGURATION, *TABLES]
    for name, value in values.items():
        if name not in known:
            of_objective = any(name in options.model_fields for options in OPTIONS.values())
            hint = " It belongs below [objective]." if of_objective else did_you_mean(name, known)
            raise OptionError(f"--config {path}: there is no option '{name}'.{hint}")
        if name in TABLES and not isinstance(value, dict):
            raise OptionError(f"--config {path}: '{name}' is a table; write [{name}] and its options below.")
    reading = checked(Reading, {name: values[name] for name in Reading.model_fields if name in values})
    return reading, {name: value for name, value in values.items() if name not in Reading.model_fields}


def written(config: TrainingConfig, **reading: Any) -> str:
    """The whole configuration as TOML, every option of the objective included; what is not set is left out."""
    values = config.model_dump(mode="json", exclude_none=True, exclude={"family", "data", "crop", "limit", *TABLES})
    objective = config.options().model_dump(mode="json", exclude_none=True)
    told = {"family": config.family, "data": config.data, "crop": config.crop, "limit": config.limit, **reading}
    first = {name: value for name, value in told.items() if value is not None}
    rest = {name: value for name, value in values.items() if value != ""}
    return tomli_w.dumps({**first, **rest, "architecture": config.architecture, "objective": objective})
