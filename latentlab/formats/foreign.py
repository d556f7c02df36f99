"""Native checkpoints of networks that are no family of ours: the weights under their own names, read by their reader.

The header's architecture is then {"name": "foreign", "format": …}: which reader of `latentlab.core.registry.FORMATS`
opens the weights, with what activation and range, and what it would have read beside them. All else of the file is as
in every native checkpoint: header and encodings need no torch, the hash covers everything, nothing is guessed.
What is stored of a file its reader says: `weights` and `descriptions` of `latentlab.formats.reading.Format`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import Header, ImageSpec, SpaceSpec, read_encodings, read_weights
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.latent_model import LatentModel, ModelInfo
from latentlab.core.readings import checked_reading
from latentlab.core.registry import FORMATS
from latentlab.formats.reading import Format, Options
from latentlab.formats.sniff import PROGRAMS, Found

NAME = "foreign"
OWN_PROGRAM = {"onnx", *PROGRAMS}  # kinds of files that are a program, not weights of one
NOT_HELD = ("native", "onnx", "torch-program")
Weights = Mapping[str, NDArray[np.generic]]


class ForeignArchitecture(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["foreign"] = "foreign"
    format: Annotated[str, Field(max_length=64)]
    activation: Annotated[str, Field(max_length=64)] = ""
    range: Annotated[str, Field(max_length=64)] = ""
    descriptions: Annotated[dict[str, dict[str, Any]], Field(max_length=8)] = {}
    order: Annotated[list[str], Field(max_length=100_000)] = []  # of the weights, which some readers go by


@dataclass(frozen=True, eq=False)
class Held(Found):
    """The weights and descriptions in a native checkpoint, as a reader finds them in the files of its own format."""

    architecture: ForeignArchitecture | None = None
    given: Weights | None = None  # before they are written

    def held(self, name: str) -> dict[str, Any] | None:
        return self.architecture.descriptions.get(name, {}) if self.architecture else {}

    def weights(self) -> dict[str, NDArray[np.generic]] | None:
        stored = read_weights(self.path) if self.given is None else self.given
        order = {name: index for index, name in enumerate(self.architecture.order if self.architecture else [])}
        return {name: stored[name] for name in sorted(stored, key=lambda name: order.get(name, len(order)))}


def is_foreign(header: Header) -> bool:
    return header.architecture.get("name") == NAME


def left_open(path: Path, header: Header) -> set[str]:
    """What can be said of the file: its noise, if any; the header states all else. Raises CheckpointError."""
    return {"noise"} & set(FORMATS[_architecture(path, header).format].load().takes)


def open_foreign(file: Found, header: Header, options: Options) -> LatentModel:
    """The model in a native checkpoint of a foreign network, whose hash was verified. Raises CheckpointError."""
    architecture = _architecture(file.path, header)
    held = Held(file.path, file.kind, file.size, architecture)
    return model_of(held, header, options, read_encodings(file.path))


def model_of(held: Held, header: Header, options: Options, encodings: EncodingSet | None = None) -> LatentModel:
    """The same of parts that were read already. Raises CheckpointError where the header states another model."""
    from latentlab.models.torch_model import TorchModel

    assert held.architecture is not None
    reader: Format = FORMATS[held.architecture.format].load()()
    said = replace(options, activation=held.architecture.activation, range=held.architecture.range)
    model = reader.open(held, said)
    assert isinstance(model, TorchModel)
    built, stated = model.info, [(space.name, list(space.shape)) for space in header.spaces]
    image = header.image
    found = [(space.name, list(space.shape)) for space in built.spaces]
    sizes = (built.image.height, built.image.width, built.image.channels)
    if stated != found or (image.height, image.width, image.channels) != sizes:
        raise CheckpointError(
            f"{displayed(held.path)}: its header states latents {stated} and pictures of {image.height} x "
            f"{image.width}, its weights make {found} and {built.image.height} x {built.image.width}."
        )
    named = header.conditional and len(header.classes) == len(built.conditional or ())
    info = replace(
        built,
        format="native",
        family=header.family,
        conditional=tuple(header.classes) if named else built.conditional,
        training=header.training,
        figures=header.figures,
        licence=header.licence,
        sha256=header.sha256,
        reading={},
        guessed=(),
    )
    return TorchModel(model.network, info, encodings, device=options.device)


def contents(reader: Format, file: Found, key: str, info: ModelInfo, options: Options) -> tuple[Held, Header]:
    """What a native checkpoint holds of a foreign file, before it is written. Raises CheckpointError."""
    weights = {name: value.float().numpy() for name, value in reader.weights(file).items() if value.is_floating_point()}
    architecture = ForeignArchitecture(
        format=key,
        activation=info.reading.get("activation", options.activation),
        range=info.reading.get("range", options.range),
        descriptions=reader.descriptions(file),
        order=list(weights),
    )
    header = Header(
        family=info.family,
        architecture=architecture.model_dump(mode="json"),
        spaces=[SpaceSpec(name=space.name, shape=list(space.shape), prior=space.prior) for space in info.spaces],
        image=ImageSpec(height=info.image.height, width=info.image.width, channels=info.image.channels),
        encoder=info.encoder,
        invertible=info.invertible,
        conditional=bool(info.conditional),
        classes=list(info.conditional or ()),
        training={"data": None, "epochs": None, "seed": None, **info.training, "converted_from": info.format},
        licence="not stated in the file it was converted from",
    )
    return Held(file.path, "safetensors", file.size, architecture, weights), header


def _architecture(path: Path, header: Header) -> ForeignArchitecture:
    try:
        architecture = ForeignArchitecture.model_validate(header.architecture)
        checked_reading(architecture.activation, architecture.range)
    except (ValidationError, OptionError) as error:
        cause = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise CheckpointError(f"{displayed(path)} has an unusable header: its architecture: {cause}") from None
    if architecture.format not in FORMATS or architecture.format in NOT_HELD:
        raise CheckpointError(
            f"{displayed(path)} holds a network of the format '{architecture.format}', which this latentlab does not "
            "read. Update latentlab."
        )
    return architecture
