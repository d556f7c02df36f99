"""A latent regressor for a generator without an encoder: from a picture to the latent that would draw it.

It is fitted after training on pairs (z, G(z)) and stored beside the generator under `weights/inverter.*`; its
parameters lie under the header's key `inverter`. Shapes: B batch, C H W of images in [-1, 1], D latent.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import Header, read_header, read_weights
from latentlab.core.errors import CheckpointError
from latentlab.models.layers import SLOPE, halvings

PREFIX = "inverter."
HEADER_KEY = "inverter"
COARSEST = 4
WIDEST = 8

Weights = Mapping[str, NDArray[np.generic]]


class InverterArchitecture(BaseModel):
    """Bounds are checked before anything is built: a header is untrusted input."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: Literal["conv"] = "conv"
    image_size: int = Field(64, ge=8, le=1024)
    channels: Literal[1, 3] = 3
    latent_dim: int = Field(64, ge=1, le=100_000)
    width: int = Field(32, ge=1, le=256)


class Inverter(nn.Module):
    """Strided convolutions with batch normalisation, then one linear layer; (B, C, H, W) to (B, D)."""

    def __init__(self, architecture: InverterArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        sizes = halvings(architecture.image_size, COARSEST)
        layers: list[nn.Module] = []
        channels = architecture.channels
        for stage in range(len(sizes) - 1):
            width = architecture.width * min(2**stage, WIDEST)
            for wide, stride in ((channels, 2), (width, 1)):
                layers += [nn.Conv2d(wide, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)]
                layers.append(nn.LeakyReLU(SLOPE, inplace=True))
            channels = width
        self.layers = nn.Sequential(*layers)
        self.latent = nn.Linear(channels * sizes[-1] ** 2, architecture.latent_dim)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        latents: Tensor = self.latent(self.layers(images_BCHW).flatten(1))
        return latents.float()


def without_inverter(weights: Weights) -> dict[str, NDArray[np.generic]]:
    """The generator's own weights of a checkpoint that may carry an inverter."""
    return {name: value for name, value in weights.items() if not name.startswith(PREFIX)}


def load_inverter(path: Path) -> Inverter | None:
    """The inverter of a native checkpoint in eval mode; None where it has none. Raises CheckpointError."""
    header = read_header(path)
    if HEADER_KEY not in (header.model_extra or {}):
        return None
    return inverter_from(path, header, read_weights(path))


def inverter_from(path: Path, header: Header, weights: Weights) -> Inverter | None:
    """The same from parts that were read already."""
    from latentlab.models.loading import load_weights

    description = (header.model_extra or {}).get(HEADER_KEY)
    own = {name.removeprefix(PREFIX): value for name, value in weights.items() if name.startswith(PREFIX)}
    if not isinstance(description, dict) or not own:
        return None
    try:
        architecture = InverterArchitecture.model_validate(description)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CheckpointError(
            f"{displayed(path)}: its inverter cannot be built: {where} = {first.get('input')!r}."
        ) from None
    image = header.image
    made_for = (architecture.image_size, architecture.image_size, architecture.channels)
    if made_for != (image.height, image.width, image.channels):
        raise CheckpointError(f"{displayed(path)}: its inverter reads {made_for} pictures, its generator draws others.")
    with torch.device("meta"):
        inverter = Inverter(architecture)
    load_weights(inverter, own, f"{displayed(path)}: the inverter")
    return inverter.eval()
