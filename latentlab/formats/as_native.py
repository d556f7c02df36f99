"""Foreign networks that one of our own families is, layer for layer: what a native checkpoint of them holds.

A format that is not here is opened but not converted. Shapes: as in the files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import Header, ImageSpec, SpaceSpec
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import LatentModel
from latentlab.formats.sniff import Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.models.family import architecture_from
from latentlab.models.loading import network_from
from latentlab.models.torch_model import TorchModel

State = Mapping[str, Tensor]

CHECKED = 8  # pictures that must come out the same
CLOSE = 1e-3  # in [0, 1] intensities


@dataclass(frozen=True, eq=False)
class Native:
    header: Header
    weights: dict[str, NDArray[np.generic]]


def as_native(file: Found, model: LatentModel) -> Native:
    """The native checkpoint that draws what `model`, opened from `file`, draws. Raises CheckpointError."""
    shown, title = displayed(file.path), model.info.format
    if title not in CONVERSIONS:
        raise CheckpointError(
            f"{shown} ({title}) cannot be converted: no native family is that network. Open it as it is."
        )
    architecture, state = CONVERSIONS[title](read_state_dict(file))
    read_state_dict.cache_clear()
    network_class, checked = architecture_from(architecture)
    network = network_class.on_meta(checked)
    header = Header(
        family=checked.name,
        architecture=checked.model_dump(mode="json"),
        spaces=[SpaceSpec(name=space.name, shape=list(space.shape), prior=space.prior) for space in network.spaces],
        image=ImageSpec(height=checked.image_size, width=checked.image_size, channels=checked.channels),
        encoder=network.encodes,
        invertible=not network.encodes,
        training={"data": None, "epochs": None, "seed": None, "converted_from": title},
        licence="not stated in the file it was converted from",
    )
    native = Native(header, {name: value.float().numpy() for name, value in state.items()})
    _check_same(file, native, model)
    return native


def _check_same(file: Found, native: Native, model: LatentModel) -> None:
    """Nothing is written that draws other pictures: another activation or range would."""
    network = network_from(file.path, native.header, native.weights)
    info = model.info.__class__("", "native", native.header.family, model.info.image, network.spaces, network.encodes)
    latents = model.sample(CHECKED)
    made = TorchModel(network, info, device="cpu").decode_float(latents)
    difference = float(np.abs(made - model.decode_float(latents)).max())
    if not difference <= CLOSE:
        raise CheckpointError(
            f"{displayed(file.path)} cannot be converted: as a native model its pictures differ by {difference:.3f}. "
            "Leave --activation and --range out, or open it as it is."
        )


def _example_vae(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    hidden, pixels = state["fc1.weight"].shape
    architecture = {
        "name": "vae", "network": "mlp", "image_size": math.isqrt(pixels), "channels": 1, "hidden": hidden,
        "latent_dim": state["fc21.weight"].shape[0],
    }  # fmt: skip
    return architecture, {
        "encoder.hidden.weight": state["fc1.weight"],
        "encoder.hidden.bias": state["fc1.bias"],
        "encoder.moments.weight": torch.cat([state["fc21.weight"], state["fc22.weight"]]),
        "encoder.moments.bias": torch.cat([state["fc21.bias"], state["fc22.bias"]]),
        "decoder.hidden.weight": state["fc3.weight"],
        "decoder.hidden.bias": state["fc3.bias"],
        "decoder.pixels.weight": state["fc4.weight"],
        "decoder.pixels.bias": state["fc4.bias"],
    }


def _example_dcgan(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    kernels = [value for value in state.values() if value.ndim == 4]
    architecture = {
        "name": "dcgan", "image_size": 4 * 2 ** (len(kernels) - 1), "channels": kernels[-1].shape[1],
        "latent_dim": kernels[0].shape[0], "width": kernels[-1].shape[0],
    }  # fmt: skip
    renamed: dict[str, Tensor] = {}
    for name, value in state.items():
        *_, number, kind = name.split(".")  # main.3.weight -> generator.layers.3.conv.weight, main.4.bias as it is
        inside = "conv." if int(number) % 3 == 0 and int(number) > 0 else ""
        renamed[f"generator.layers.{number}.{inside}{kind}"] = value
    return architecture, renamed


CONVERSIONS: dict[str, Callable[[State], tuple[dict[str, Any], dict[str, Tensor]]]] = {
    "pytorch/examples VAE": _example_vae,
    "pytorch/examples DCGAN": _example_dcgan,
}
