"""What a training run is, in one validated value. It is stored in every checkpoint and compared on resume.

Unknown keys are refused with the nearest known one. Times in seconds, sizes in pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from latentlab.core.errors import OptionError, did_you_mean
from training.options import OPTIONS, Options


class TrainingConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    family: str
    data: str = ""  # as it was named: "mnist", a folder, a file
    crop: str = "centre"  # how pictures were cut before they were resized
    limit: int | None = Field(None, ge=1)  # at most so many pictures of the data were used
    recipe: str = ""
    architecture: dict[str, Any] = {}  # parameters of the family; image size and channels come from the data
    objective: dict[str, Any] = {}  # options of the family's objective
    epochs: int = Field(20, ge=1, le=1_000_000)
    batch_size: int = Field(128, ge=2, le=65_536)  # batch normalisation needs two
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_steps: int = Field(0, ge=0)
    ema: float = Field(0.0, ge=0, lt=1)  # decay per step of the averaged weights that are kept; 0 is none
    flip: bool = False  # mirror pictures left to right at random
    evaluate_every: int = Field(1, ge=1)  # epochs between held-out losses, sheets and checkpoints
    # At the end, turn the latent axes to the principal axes of the encodings and measure the prior along them.
    fit_prior: bool = False
    gradient_clip: float | None = Field(None, gt=0)
    held_out: float = Field(0.1, ge=0, lt=0.9)  # share of the data that is never trained on
    seed: int = Field(0, ge=0, lt=2**31)
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    threads: int | None = Field(None, ge=1, le=1024)  # CPU threads; None: torch's own choice
    compile: bool = False
    half: bool = False  # store the checkpoint in float16
    encodings: int = Field(10_000, ge=0, le=1_000_000)  # at most so many pictures are encoded at the end
    thumbnail_size: int = Field(64, ge=8, le=256)
    licence: str = ""  # a note for the checkpoint; empty: the data's own

    @model_validator(mode="after")
    def _known_family(self) -> Self:
        if self.family not in OPTIONS:
            raise ValueError(f"There is no family '{self.family}' to train.{did_you_mean(self.family, OPTIONS)}")
        checked(OPTIONS[self.family], self.objective)
        return self

    def options(self) -> Options:
        """The validated options of the family's objective."""
        return checked(OPTIONS[self.family], self.objective)


Model = TypeVar("Model", bound=BaseModel)


def checked(model: type[Model], values: Mapping[str, Any]) -> Model:
    """`values` as a validated `model`. Raises OptionError with the first fault and the nearest known name."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise OptionError(f"There is no option '{where}'.{did_you_mean(where, model.model_fields)}") from None
        if not where:
            raise OptionError(first["msg"].removeprefix("Value error, ")) from None
        raise OptionError(f"The option '{where}' cannot be {first.get('input')!r}: {first['msg']}.") from None


def config_from(**values: Any) -> TrainingConfig:
    """A validated configuration. Raises OptionError."""
    return checked(TrainingConfig, values)
