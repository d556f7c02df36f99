"""The DCGAN generator of pytorch/examples, and of the Hugging Face hub under the prefix `model.`: tanh, side 4 x 2^n.

Transposed convolutions main.0, main.3, main.6 … with batch normalisation and ReLU between them.
"""

from __future__ import annotations

import itertools

from torch import Tensor, nn

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import ImageShape, LatentModel
from latentlab.formats.layers import State, bare
from latentlab.formats.reading import Format, Options
from latentlab.formats.sniff import WEIGHTS, Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.weights_model import activation, filled, model_from, range_of

KERNEL = (4, 4)
SIDE_AT_MOST = 1024


class PyTorchDCGANFormat(Format):
    takes = ("activation", "range")

    def recognises(self, file: Found) -> bool:
        """Raises CheckpointError for the discriminator, which nothing can be drawn with."""
        if file.kind not in WEIGHTS:
            return False
        state = _renamed(read_state_dict(file))
        convolutions = [name for name, value in state.items() if value.ndim == 4]
        if not convolutions or not all(name.startswith("main.") for name in state):
            return False
        if "main.1.weight" not in state and "main.2.weight" in convolutions:
            raise CheckpointError(
                f"{displayed(file.path)} is a discriminator (pytorch/examples' DCGAN), which judges pictures and draws "
                "none. Open the generator, usually called netG."
            )
        return convolutions == [f"main.{3 * index}.weight" for index in range(len(convolutions))]

    def open(self, file: Found, options: Options) -> LatentModel:
        state = _renamed(read_state_dict(file))
        weights = [value for value in state.values() if value.ndim == 4]
        side, channels = 4 * 2 ** (len(weights) - 1), weights[-1].shape[1]
        fits = all(before.shape[1] == after.shape[0] for before, after in itertools.pairwise(weights))
        kernels = all(tuple(value.shape[2:]) == KERNEL for value in weights)
        if channels not in (1, 3) or side > SIDE_AT_MOST or not fits or not kernels:
            shapes = ", ".join(str(tuple(weight.shape)) for weight in weights)
            raise CheckpointError(
                f"{displayed(file.path)} looks like a DCGAN generator, but its layers {shapes} do not make a grey or "
                "RGB picture. The network was changed; export it as a latentlab checkpoint."
            )
        output = range_of(options, "tanh")
        return model_from(
            file,
            options,
            title="pytorch/examples DCGAN",
            family="dcgan",
            decoder=filled(lambda: _generator(weights, state, options.activation or "relu"), state, file),
            encoder=None,
            latent_shape=(weights[0].shape[0], 1, 1),
            image=ImageShape(side, side, channels),
            output=output,
        )


def _renamed(state: State) -> State:
    """The layers as `main.N`: also where another module holds the generator, or the chain itself is called `model`."""
    inner = bare(state)
    if all(name.startswith("main.") for name in inner):
        return inner
    called_model = all(name.startswith("model.") for name in state)
    return {f"main.{name}": value for name, value in inner.items()} if called_model else state


def _generator(weights: list[Tensor], state: State, hidden: str) -> nn.Module:
    layers: list[nn.Module] = []
    for index, weight in enumerate(weights):
        stride, padding = (1, 0) if index == 0 else (2, 1)
        bias = f"main.{3 * index}.bias" in state
        layers.append(nn.ConvTranspose2d(weight.shape[0], weight.shape[1], 4, stride, padding, bias=bias))
        if index < len(weights) - 1:
            layers += [nn.BatchNorm2d(weight.shape[1]), activation(hidden)]
    return Generator(nn.Sequential(*layers))


class Generator(nn.Module):
    def __init__(self, main: nn.Sequential) -> None:
        super().__init__()
        self.main = main

    def forward(self, latents: Tensor) -> Tensor:
        made: Tensor = self.main(latents)
        return made
