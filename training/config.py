"""What a training run is, in one validated value. It is stored in every checkpoint and compared on resume.

Unknown keys are refused with the nearest known one. Times in seconds, sizes in pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from latentlab.core.errors import OptionError, did_you_mean, in_plain_words
from training.options import OPTIONS, Options

Augmentation = Literal["flip", "crop", "rotate", "colour"]


class TrainingConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    family: str = Field(description="How the model is built and trained.")
    data: str = Field("", description="As it was named: mnist, a folder, a file.")
    crop: str = Field("centre", description="How pictures were cut before they were resized.")
    limit: int | None = Field(None, ge=1, description="At most so many pictures of the data were used.")
    recipe: str = Field("", description="The recipe it began with.")
    # Image size and channels come from the data.
    architecture: dict[str, Any] = Field({}, description="Parameters of the family's network.")
    objective: dict[str, Any] = Field({}, description="Options of the family's objective.")
    epochs: int = Field(20, ge=1, le=1_000_000, description="Times through the data.")
    # Batch normalisation needs two.
    batch_size: int = Field(128, ge=2, le=65_536, description="Pictures a step, of all processes together.")
    schedule: Literal["constant", "cosine"] = Field("constant", description="Of the learning rates.")
    warmup_steps: int = Field(0, ge=0, description="Steps over which the learning rates rise.")
    ema: float = Field(0.0, ge=0, lt=1, description="Decay per step of the averaged weights that are kept; 0: none.")
    augment: tuple[Augmentation, ...] = Field((), description="How pictures are changed at random before each step.")
    evaluate_every: int = Field(1, ge=1, description="Epochs between held-out losses, sheets and checkpoints.")
    save_every_minutes: float = Field(
        10.0, ge=0, le=10_000, description="Between two saved states within a long epoch; 0: none within an epoch."
    )
    fit_prior: bool = Field(
        False,
        description="Turn the latent axes to the principal axes of the encodings and measure the prior along them.",
    )
    gradient_clip: float | None = Field(
        None, gt=0, description="Largest norm of a gradient; longer ones are shortened."
    )
    held_out: float = Field(0.1, ge=0, lt=0.9, description="Share of the data that is never trained on.")
    seed: int = Field(0, ge=0, lt=2**31, description="Of weights, order and split.")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:0 or mps.")
    devices: int = Field(1, ge=1, le=1024, description="Processes on this machine, each with a device of its own.")
    nodes: int = Field(1, ge=1, le=1024, description="Machines; start the same command on each with torchrun.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="Number format.")
    threads: int | None = Field(None, ge=1, le=1024, description="CPU threads; torch's own choice where not given.")
    compile: bool = Field(False, description="Compile the networks with torch.compile; gains where runs are long.")
    half: bool = Field(False, description="Store the checkpoint in float16.")
    encodings: int = Field(
        10_000, ge=0, le=1_000_000, description="At most so many pictures are encoded into the checkpoint at the end."
    )
    thumbnail_size: int = Field(64, ge=8, le=256, description="Side in pixels of the encodings' thumbnails.")
    licence: str = Field("", description="A note for the checkpoint; the data's own where not given.")
    tensorboard: bool = Field(False, description="Log to OUT/tensorboard too; needs the extra 'tensorboard'.")

    @model_validator(mode="before")
    @classmethod
    def _as_runs_of_before_said_it(cls, values: Any) -> Any:
        """`flip` true or false; still read, so that such a run can be resumed."""
        if isinstance(values, dict) and isinstance(values.get("flip"), bool) and "augment" not in values:
            values = {**values, "augment": ("flip",) if values["flip"] else ()}
            del values["flip"]
        return values

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
        why = in_plain_words(first["msg"])
        where = ".".join(part for part in first["loc"] if isinstance(part, str))  # not which of several values
        if first["type"] == "extra_forbidden":
            raise OptionError(f"There is no option '{where}'.{did_you_mean(where, model.model_fields)}") from None
        if not where:
            raise OptionError(first["msg"].removeprefix("Value error, ")) from None
        raise OptionError(f"The option '{where}' cannot be {first.get('input')!r}: {why}.") from None


def config_from(**values: Any) -> TrainingConfig:
    """A validated configuration. Raises OptionError."""
    return checked(TrainingConfig, values)
