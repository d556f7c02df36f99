"""What every model family has in common: a validated architecture and a network built from it.

A family is one class, registered in `latentlab.core.registry.FAMILIES`.
Shapes: B batch, D latent, C H W of images, K numbers of a condition (see `conditioning`).
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from latentlab.core.errors import CheckpointError, OptionError, did_you_mean, in_plain_words
from latentlab.core.registry import FAMILIES
from latentlab.core.spaces import LatentSpace
from latentlab.models.first_layer import first_weights

# 2 GB in float32: more than any model of these families needs, less than what takes a machine down.
PARAMETERS_AT_MOST = 500_000_000


class Architecture(BaseModel):
    """The parameters a network is built from, stored in the checkpoint's header under their names.

    Bounds are checked here, before anything is built: a header is untrusted input.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    image_size: int = Field(64, ge=8, le=1024)
    channels: Literal[1, 3] = 3
    latent_dim: int = Field(64, ge=1, le=100_000)
    width: int = Field(32, ge=1, le=1024)


class Network(nn.Module):
    """A family's network. Subclasses set `Parameters`, build their parts and implement `decode`.

    `encode` is implemented by families with an encoder. Images inside are float (B, C, H, W) in [-1, 1].
    """

    Parameters: ClassVar[type[Architecture]] = Architecture
    encodes: ClassVar[bool] = False  # has an encoder of its own

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture

    @property
    def spaces(self) -> tuple[LatentSpace, ...]:
        return (LatentSpace("z", (self.architecture.latent_dim,)),)

    def decode(self, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        """Images (B, C, H, W) in [-1, 1]; `condition_BK` is for conditional families."""
        raise NotImplementedError

    def encode(self, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        """Posterior means (B, D), or the latents a regressor gives."""
        raise OptionError("This model has no encoder; invert the picture instead.")

    def decode_from(self, space: str, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        """Images as `decode` makes them, of latents in any of the network's spaces; `decode` takes the first one's."""
        return self.decode(latents_BD, condition_BK)

    def to_space(
        self, from_space: str, to_space: str, latents_BD: Tensor, condition_BK: Tensor | None = None
    ) -> Tensor:
        """Latents of one space as those of another. Raises OptionError where there is no mapping."""
        raise OptionError(f"This model does not map latents of {from_space} to {to_space}.")

    def first_weights(self, space: str) -> Tensor:
        """(O, D): how the first layer that a latent of `space` reaches answers it. Raises OptionError."""
        where = next(known for known in self.spaces if known.name == space)
        if len(where.shape) == 3 and where.shape[1] * where.shape[2] > 1:
            raise OptionError(
                "Latents of this model are maps with an order in space, of which its weights say nothing."
            )
        device = next((parameter.device for parameter in self.parameters()), torch.device("cpu"))
        return first_weights(self, partial(self.decode_from, space), where.dim, device)

    def forward(self, latents_BD: Tensor) -> Tensor:
        return self.decode(latents_BD)

    @classmethod
    def on_meta(cls, architecture: Architecture) -> Self:
        """The network without memory: shapes and names to compare with a file's. CheckpointError when too large."""
        with torch.device("meta"):
            network = cls(architecture)
        count = sum(parameter.numel() for parameter in network.parameters())
        if count > PARAMETERS_AT_MOST:
            raise CheckpointError(
                f"The architecture asks for {count:,} parameters; at most {PARAMETERS_AT_MOST:,} are built. "
                "The file is damaged or not meant for this application."
            )
        return network


def family_class(family: str) -> type[Network]:
    """The class of a family. Raises CheckpointError for an unknown name."""
    if family not in FAMILIES:
        raise CheckpointError(f"There is no architecture '{family}'.{did_you_mean(family, FAMILIES)}")
    loaded: type[Network] = FAMILIES[family].load()
    return loaded


def architecture_from(description: dict[str, Any]) -> tuple[type[Network], Architecture]:
    """The class and the validated parameters of a header's `architecture`. CheckpointError with the first fault."""
    name = description.get("name")
    if not isinstance(name, str):
        raise CheckpointError("The header names no architecture; the file is damaged or not a latentlab checkpoint.")
    network_class = family_class(name)
    try:
        return network_class, network_class.Parameters.model_validate(description)
    except ValidationError as error:
        first = error.errors()[0]
        why = in_plain_words(first["msg"])
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise CheckpointError(
                f"The architecture '{name}' has no parameter '{where}'."
                f"{did_you_mean(where, network_class.Parameters.model_fields)}"
            ) from None
        raise CheckpointError(
            f"The architecture '{name}' cannot be built: {where} = {first.get('input')!r}: {why}."
        ) from None
