"""The VAE of pytorch/examples: 784-400-20, ReLU, sigmoid; any sizes of the same network."""

from __future__ import annotations

import math

from torch import Tensor, nn

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import ImageShape, LatentModel
from latentlab.formats.layers import State, bare, linear
from latentlab.formats.reading import Format, Options
from latentlab.formats.sniff import WEIGHTS, Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.weights_model import activation, filled, model_from, range_of

LAYERS = ("fc1", "fc21", "fc22", "fc3", "fc4")


class PyTorchVAEFormat(Format):
    takes = ("activation", "range")

    def recognises(self, file: Found) -> bool:
        if file.kind not in WEIGHTS:
            return False
        state = bare(read_state_dict(file))
        names = {name.rpartition(".")[0] for name in state}
        return names == set(LAYERS) and all(state[f"{name}.weight"].ndim == 2 for name in LAYERS)

    def open(self, file: Found, options: Options) -> LatentModel:
        state = bare(read_state_dict(file))
        pixels, dim = state["fc4.weight"].shape[0], state["fc3.weight"].shape[1]
        side = math.isqrt(pixels)
        if side * side != pixels:
            raise CheckpointError(f"{displayed(file.path)} draws {pixels} pixels, which is no square picture.")
        hidden = options.activation or "relu"
        return model_from(
            file,
            options,
            title="pytorch/examples VAE",
            family="vae",
            decoder=filled(lambda: Chain(state, hidden, "fc3", "fc4"), state, file),
            encoder=filled(lambda: Chain(state, hidden, "fc1", "fc21"), state, file),
            latent_shape=(dim,),
            image=ImageShape(side, side, 1),
            output=range_of(options, "sigmoid"),
            flat=True,
        )


class Chain(nn.Module):
    """Two of the file's layers under their own names, with an activation between."""

    def __init__(self, state: State, hidden: str, *layers: str) -> None:
        super().__init__()
        self.order = layers
        for name in layers:
            self.add_module(name, linear(state, name))
        self.activation = activation(hidden)

    def forward(self, inputs: Tensor) -> Tensor:
        first, second = (self.get_submodule(name) for name in self.order)
        made: Tensor = second(self.activation(first(inputs)))
        return made
