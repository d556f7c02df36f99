"""diffusers' AutoencoderKL, the autoencoder of Stable Diffusion: a folder, or its safetensors file alone.

Latents are maps (C, h, w) and no draws of N(0, I): `scaling_factor` says how wide they spread, but a draw without any
order in space is noise, so work starts from encodings. Latents are unscaled, as `vae.decode` takes them.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from safetensors import safe_open
from torch import Tensor

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import ImageShape, LatentModel
from latentlab.core.safetensors_table import read_table
from latentlab.core.spaces import LatentSpace
from latentlab.formats.any_module import ModuleNetwork
from latentlab.formats.autoencoder_kl_network import Decoder, Encoder
from latentlab.formats.layers import count
from latentlab.formats.reading import Format, Options
from latentlab.formats.sidecar import described
from latentlab.formats.sniff import Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.weights_model import filled, model_around

CONFIG = "config.json"
CLASS = "AutoencoderKL"
NEEDED = {"decoder.conv_in.weight", "decoder.conv_out.weight", "decoder.mid_block.resnets.0.norm1.weight"}
SAID = ("_class_name", "act_fn", "norm_num_groups", "sample_size", "scaling_factor", "shift_factor")
DTYPES = {"F32", "F16", "BF16"}
GROUPS, SIDE, SCALING = 32, 256, 0.18215  # of Stable Diffusion, where no configuration says otherwise
SIDE_AT_MOST = 2048
BLOCKS_AT_MOST = 8
OLD_NAMES = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
BEGIN_WITH_PICTURES = (
    "Draws from a prior mean nothing to this autoencoder: its latents are maps with an order in space. "
    "Encode pictures and start from those."
)


class AutoencoderKLFormat(Format):
    def recognises(self, file: Found) -> bool:
        return file.kind == "safetensors" and read_table(file.path).tensors.keys() >= NEEDED

    def open(self, file: Found, options: Options) -> LatentModel:
        config = described(file, CONFIG)
        if config.get("_class_name", CLASS) != CLASS or config.get("act_fn", "silu") != "silu":
            raise CheckpointError(
                f"{displayed(file.path)} is a {str(config.get('_class_name'))[:60]} of diffusers; of these only "
                f"{CLASS} with SiLU is opened."
            )
        state = _weights(file)
        groups = _number(config, "norm_num_groups", GROUPS, 1, 1024)
        halvings = count(state, "decoder.up_blocks.") - 1
        side = _number(config, "sample_size", SIDE, 2**halvings if 0 <= halvings <= BLOCKS_AT_MOST else 1, SIDE_AT_MOST)
        if not 0 <= halvings <= BLOCKS_AT_MOST or side % 2**halvings:
            raise ValueError(f"pictures of {side} px cannot be halved {halvings} times")
        takes = state.get("post_quant_conv.weight", state["decoder.conv_in.weight"]).shape[1]
        channels = state["decoder.conv_out.weight"].shape[0]
        if channels not in (1, 3):
            raise ValueError(f"it draws pictures of {channels} channels, 1 or 3 are needed")
        network = SpatialNetwork(
            filled(lambda: Decoder(state, groups), state, file),
            (takes, side // 2**halvings, side // 2**halvings),
            ImageShape(side, side, channels),
            "tanh",
            filled(lambda: Encoder(state, groups), state, file) if "encoder.conv_in.weight" in state else None,
        )
        network.spread(_factor(config, "shift_factor", 0.0), 1 / _factor(config, "scaling_factor", SCALING))
        return model_around(file, options, network, "diffusers AutoencoderKL", "vae", {}, (BEGIN_WITH_PICTURES,))

    def weights(self, file: Found) -> dict[str, Tensor]:
        return _weights(file)

    def descriptions(self, file: Found) -> dict[str, dict[str, Any]]:
        config = described(file, CONFIG)
        return {CONFIG: {key: config[key] for key in SAID if config.get(key) is not None}}


class SpatialNetwork(ModuleNetwork):
    """Its one space is a map, described by a mean and a spread alone."""

    mean, std = 0.0, 1.0

    def spread(self, mean: float, std: float) -> None:
        self.mean, self.std = mean, std

    @property
    def spaces(self) -> tuple[LatentSpace, ...]:
        dim = math.prod(self.latent_shape)
        mean, std = np.full(dim, self.mean, np.float32), np.full(dim, self.std, np.float32)
        return (LatentSpace("spatial", self.latent_shape, "empirical", mean, std),)


def _weights(file: Found) -> dict[str, Tensor]:
    """The file's tensors in float32, attention under its names of today."""
    if file.held(CONFIG) is not None:
        return read_state_dict(file)
    unusual = sorted({entry.dtype for entry in read_table(file.path).tensors.values()} - DTYPES)
    if unusual:
        raise ValueError(f"its weights are {', '.join(unusual)}; float32, float16 or bfloat16 is needed")
    with safe_open(file.path, framework="pt") as opened:
        state = {_name_of_today(name): opened.get_tensor(name).float() for name in opened.keys()}  # noqa: SIM118
    attention = re.compile(r"attentions\.\d+\.to_(q|k|v|out\.0)\.weight$")
    return {  # once they were saved as convolutions of one pixel
        name: value.flatten(1) if attention.search(name) and value.ndim == 4 else value for name, value in state.items()
    }


def _name_of_today(name: str) -> str:
    for old, new in OLD_NAMES.items():
        name = name.replace(old, new) if ".attentions." in name else name
    return name


def _number(config: dict[str, Any], name: str, otherwise: int, low: int, high: int) -> int:
    said = config.get(name, otherwise)
    said = said[0] if isinstance(said, list) and len(said) == 2 and said[0] == said[1] else said
    if not isinstance(said, int) or not low <= said <= high:
        raise ValueError(f"its {CONFIG} states {name} {str(said)[:40]}; {low:,} to {high:,} is possible")
    return said


def _factor(config: dict[str, Any], name: str, otherwise: float) -> float:
    said = config.get(name)
    said = otherwise if said is None else said
    if not isinstance(said, int | float) or not math.isfinite(said) or (name == "scaling_factor" and said <= 0):
        raise ValueError(f"its {CONFIG} states {name} {str(said)[:40]}, which is no usable number")
    return float(said)
