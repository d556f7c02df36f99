"""Generators of StudioGAN: the file of a checkpoint holds the weights alone, as `state_dict`.

Side, widths, classes and the size of the latent are in their shapes. Activation and prior are in the configuration
that people keep beside it (`config.yaml`, or the only .yaml there); ReLU and N(0, I) otherwise, as in StudioGAN.
"""

from __future__ import annotations

import re
from typing import Any

from torch import nn

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import ImageShape, LatentModel
from latentlab.core.spaces import Prior
from latentlab.formats.any_module import ModuleNetwork
from latentlab.formats.layers import State
from latentlab.formats.reading import Format, Options
from latentlab.formats.sidecar import read_text_beside
from latentlab.formats.sniff import WEIGHTS, Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.studiogan_network import START, Generator, block_count, class_count, doublings, pieces, renamed
from latentlab.formats.weights_model import LAST, filled, model_around, range_of

TITLE = "StudioGAN"
CONFIGS = ("config.yaml", "config.json", "*.yaml")
SAID = re.compile(r"""["']?(g_act_fn|activation_fn|z_prior|prior)["']?\s*:\s*["']?(\w+)""")
SIDE_AT_MOST = 1024


class StudioGANFormat(Format):
    takes = ("activation", "range")

    def recognises(self, file: Found) -> bool:
        """Raises CheckpointError for the discriminator, which nothing can be drawn with."""
        if file.kind not in WEIGHTS:
            return False
        state = read_state_dict(file)
        judges = "linear1.weight" in state and "linear0.weight" not in state
        if judges and any(f"blocks.0.0.{part}.weight" in state for part in ("conv0", "conv2d1")):
            raise CheckpointError(
                f"{displayed(file.path)} is a discriminator (StudioGAN), which judges pictures and draws none. Open "
                "the generator, called model=G or model=G_ema."
            )
        return "linear0.weight" in state and block_count(state) > 0

    def open(self, file: Found, options: Options) -> LatentModel:
        state = renamed(read_state_dict(file))
        said = self.descriptions(file).get("config", {})
        if any(name.startswith("info_") for name in state):
            raise ValueError("it is told InfoGAN's codes beside the latent, which this version does not show")
        side, channels = START * 2 ** doublings(state), _channels(state)
        if channels not in (1, 3) or side > SIDE_AT_MOST:
            raise ValueError(f"it draws {channels} channels of {side} px; 1 or 3 of at most {SIDE_AT_MOST} are needed")
        hidden = options.activation or _activation(said)
        prior: Prior = "uniform" if said.get("prior") == "uniform" else "normal"
        output = range_of(options, "tanh")
        network = ModuleNetwork(
            _Ranged(filled(lambda: Generator(state, hidden), state, file), *LAST[output]),
            (state["linear0.weight"].shape[1] * pieces(state),),
            ImageShape(side, side, channels),
            output,
            prior=prior,
            classes=tuple(str(label) for label in range(class_count(state))),
        )
        return model_around(file, options, network, TITLE, "cgan" if network.classes else "gan", {})

    def descriptions(self, file: Found) -> dict[str, dict[str, Any]]:
        """What the configuration beside the file says of the generator."""
        if (held := file.held("config")) is not None:
            return {"config": held}
        text = next((text for name in CONFIGS if (text := read_text_beside(file.path, name))), "")
        found = dict(SAID.findall(text))
        said = {"activation": found.get("g_act_fn") or found.get("activation_fn"),
                "prior": found.get("z_prior") or found.get("prior")}  # fmt: skip
        return {"config": {name: value for name, value in said.items() if value}}


class _Ranged(nn.Sequential):
    """A generator that is told a class, and what comes after its last weights."""

    def forward(self, *inputs: Any) -> Any:
        made, *rest = self
        out = made(*inputs)
        for layer in rest:
            out = layer(out)
        return out


def _channels(state: State) -> int:
    last = state.get("conv2d5.weight", state.get("conv4.weight"))
    if last is None:
        raise ValueError("it has no weight 'conv4.weight' or 'conv2d5.weight'")
    return last.shape[0]


def _activation(said: dict[str, Any]) -> str:
    return str(said.get("activation", "relu")).lower()
