"""The convolutional VAE of YannDubs/disentangling-vae (Burgess et al. 2018): sigmoid, 32 or 64 px, any latent size.

The encoder's last layer gives mean and log-variance of each dimension side by side, not one half after the other.
A `specs.json` beside the weights says what it was trained on; the network itself is in the shapes.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from latentlab.core.latent_model import ImageShape, LatentModel
from latentlab.formats.layers import State, bare, convolution, linear, transposed, under
from latentlab.formats.reading import Format, Options
from latentlab.formats.sidecar import described
from latentlab.formats.sniff import WEIGHTS, Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.weights_model import activation, filled, model_from, range_of

SPECS = "specs.json"
SIDE = 4  # of the map between the linear and the convolutional layers
NEEDED = {"encoder.mu_logvar_gen.weight", "encoder.conv1.weight", "decoder.lin1.weight", "decoder.convT3.weight"}


class DisentanglingVAEFormat(Format):
    takes = ("activation", "range")

    def recognises(self, file: Found) -> bool:
        return file.kind in WEIGHTS and bare(read_state_dict(file)).keys() >= NEEDED

    def open(self, file: Found, options: Options) -> LatentModel:
        state = bare(read_state_dict(file))
        encoder, decoder = under(state, "encoder."), under(state, "decoder.")
        side = 64 if "convT_64.weight" in decoder else 32
        last, first = transposed(decoder, "convT3", 2, 1), linear(decoder, "lin1")
        hidden = options.activation or "relu"
        return model_from(
            file,
            options,
            title="disentangling-vae",
            family="vae",
            decoder=filled(lambda: Decoder(decoder, hidden), decoder, file),
            encoder=filled(lambda: Encoder(encoder, hidden), encoder, file),
            latent_shape=(first.in_features,),
            image=ImageShape(side, side, last.out_channels),
            output=range_of(options, "sigmoid"),
            training=_training(described(file, SPECS)),
        )

    def descriptions(self, file: Found) -> dict[str, dict[str, Any]]:
        return {SPECS: _training(described(file, SPECS))}


class Decoder(nn.Module):
    """Three linear layers, then three or four transposed convolutions that double the side from 4 px."""

    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        self.lin1, self.lin2, self.lin3 = (linear(state, name) for name in ("lin1", "lin2", "lin3"))
        self.grows = [name for name in ("convT_64", "convT1", "convT2", "convT3") if f"{name}.weight" in state]
        for name in self.grows:
            self.add_module(name, transposed(state, name, 2, 1))
        self.activation = activation(hidden)

    def forward(self, latents: Tensor) -> Tensor:
        made = latents
        for layer in (self.lin1, self.lin2, self.lin3):
            made = self.activation(layer(made))
        made = made.reshape(len(made), -1, SIDE, SIDE)
        for name in self.grows[:-1]:
            made = self.activation(self.get_submodule(name)(made))
        last: Tensor = self.get_submodule(self.grows[-1])(made)
        return last


class Encoder(nn.Module):
    """The decoder turned round; gives the means alone."""

    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        self.shrinks = [name for name in ("conv1", "conv2", "conv3", "conv_64") if f"{name}.weight" in state]
        for name in self.shrinks:
            self.add_module(name, convolution(state, name, 2, 1))
        self.lin1, self.lin2 = linear(state, "lin1"), linear(state, "lin2")
        self.mu_logvar_gen = linear(state, "mu_logvar_gen")
        self.activation = activation(hidden)

    def forward(self, images: Tensor) -> Tensor:
        code = images
        for name in self.shrinks:
            code = self.activation(self.get_submodule(name)(code))
        code = self.activation(self.lin1(code.flatten(1)))
        pairs: Tensor = self.mu_logvar_gen(self.activation(self.lin2(code)))
        return pairs.reshape(len(pairs), -1, 2)[..., 0]


def _training(specs: dict[str, Any]) -> dict[str, Any]:
    said = {"data": specs.get("dataset"), "epochs": specs.get("epochs"), "seed": specs.get("seed")}
    return {name: value for name, value in said.items() if isinstance(value, str | int)}
