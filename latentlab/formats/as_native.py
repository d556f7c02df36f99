"""What a native checkpoint of a foreign network holds: one of our families where it is that layer for layer, else its
own weights as `latentlab.formats.foreign` reads them. Programs (ONNX, TorchScript, .pt2) hold no weights to convert.

Shapes: as in the files.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import Header, ImageSpec, SpaceSpec, model_info
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import LatentModel
from latentlab.formats.foreign import OWN_PROGRAM, contents, model_of
from latentlab.formats.layers import State, bare
from latentlab.formats.reading import Options, entry_of
from latentlab.formats.sniff import Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.models.family import architecture_from
from latentlab.models.loading import network_from
from latentlab.models.torch_model import TorchModel

CHECKED = 8  # pictures that must come out the same
CLOSE = 1e-5  # in [0, 1] intensities


@dataclass(frozen=True, eq=False)
class Native:
    header: Header
    weights: dict[str, NDArray[np.generic]]


def as_native(file: Found, model: LatentModel, options: Options) -> Native:
    """The native checkpoint that draws what `model`, opened from `file`, draws. Raises CheckpointError."""
    shown, title = displayed(file.path), model.info.format
    key, reader = entry_of(file)
    if file.kind in OWN_PROGRAM or reader is None:
        raise CheckpointError(
            f"{shown} ({title}) cannot be converted: it is a program and not weights of a known network. Open it as it "
            "is, or convert the weights it was exported from."
        )
    try:
        if title in CONVERSIONS:
            family = _as_family(title, read_state_dict(file))
            if _difference(_family_model(file, family), model) <= CLOSE:
                return family
        held, header = contents(reader, file, key, model.info, options)
    finally:
        read_state_dict.cache_clear()
    difference = _difference(model_of(held, header, replace(options, device="cpu")), model)
    read_state_dict.cache_clear()
    if not difference <= CLOSE:
        raise CheckpointError(
            f"{shown} cannot be converted: as a native model its pictures differ by {difference:.3f}. Open it as it is."
        )
    return Native(header, dict(held.given or {}))


def _as_family(title: str, state: State) -> Native:
    architecture, renamed = CONVERSIONS[title](state)
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
    return Native(header, {name: value.float().numpy() for name, value in renamed.items()})


def _family_model(file: Found, native: Native) -> TorchModel:
    network = network_from(file.path, native.header, native.weights)
    return TorchModel(network, model_info(file.path, native.header), device="cpu")


def _difference(made: LatentModel, model: LatentModel) -> float:
    """The largest of some pictures: another activation or range would draw others, and is not written."""
    latents = model.sample(CHECKED)
    return float(np.abs(made.decode_float(latents) - model.decode_float(latents)).max())


def _example_vae(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    state = bare(state)
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
