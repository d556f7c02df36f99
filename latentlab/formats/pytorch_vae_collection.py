"""VanillaVAE of AntixK/PyTorch-VAE and its siblings of the same layers, also as Lightning checkpoints: tanh.

The image side is 2 px doubled by every block and once more by the last; five widths make 64 px.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from latentlab.core.latent_model import ImageShape, LatentModel
from latentlab.formats.layers import State, bare, convolution, count, linear, transposed
from latentlab.formats.reading import Format, Options
from latentlab.formats.sniff import WEIGHTS, Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.weights_model import ACTIVATIONS, filled, model_from, range_of

TITLE = "PyTorch-VAE"
NEEDED = ("fc_mu.weight", "decoder_input.weight", "encoder.0.0.weight", "final_layer.3.weight")
SIDE_AT_MOST = 1024


class PyTorchVAECollectionFormat(Format):
    takes = ("activation", "range")

    def recognises(self, file: Found) -> bool:
        if file.kind not in WEIGHTS:
            return False
        state = bare(read_state_dict(file))
        return all(name in state for name in NEEDED)

    def open(self, file: Found, options: Options) -> LatentModel:
        state = bare(read_state_dict(file))
        hidden = options.activation or "leaky_relu"
        first, last = linear(state, "decoder_input"), convolution(state, "final_layer.3")
        seed_channels = transposed(state, "decoder.0.0" if "decoder.0.0.weight" in state else "final_layer.0", 2, 1)
        start = math.isqrt(first.out_features // seed_channels.in_channels)
        side = start * 2 ** (count(state, "decoder.") + 1)
        if side > SIDE_AT_MOST or start * start * seed_channels.in_channels != first.out_features:
            raise ValueError(f"its decoder makes {side} px pictures from {first.out_features} features")
        if last.out_channels not in (1, 3):
            raise ValueError(f"it draws pictures of {last.out_channels} channels, 1 or 3 are needed")
        return model_from(
            file,
            options,
            title=TITLE,
            family="vae",
            decoder=filled(lambda: Decoder(state, hidden, start), state, file),
            encoder=filled(lambda: Encoder(state, hidden), state, file),
            latent_shape=(first.in_features,),
            image=ImageShape(side, side, last.out_channels),
            output=range_of(options, "tanh"),
        )


class Decoder(nn.Module):
    """Latents to (B, C, H, W), as far as the last convolution."""

    def __init__(self, state: State, hidden: str, start: int) -> None:
        super().__init__()
        self.start = start
        self.decoder_input = linear(state, "decoder_input")
        self.decoder = nn.Sequential()
        for index in range(count(state, "decoder.")):
            self.decoder.append(_block(transposed(state, f"decoder.{index}.0", 2, 1, 1), hidden))
        grown = _block(transposed(state, "final_layer.0", 2, 1, 1), hidden)
        self.final_layer = nn.Sequential(*grown, convolution(state, "final_layer.3", 1, 1))

    def forward(self, latents: Tensor) -> Tensor:
        seeds = self.decoder_input(latents)
        made: Tensor = self.final_layer(self.decoder(seeds.reshape(len(seeds), -1, self.start, self.start)))
        return made


class Encoder(nn.Module):
    """Pictures in [-1, 1] to means."""

    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        self.encoder = nn.Sequential()
        for index in range(count(state, "encoder.")):
            self.encoder.append(_block(convolution(state, f"encoder.{index}.0", 2, 1), hidden))
        self.fc_mu = linear(state, "fc_mu")

    def forward(self, images: Tensor) -> Tensor:
        means: Tensor = self.fc_mu(self.encoder(images).flatten(1))
        return means


def _block(layer: nn.Conv2d | nn.ConvTranspose2d, hidden: str) -> nn.Sequential:
    # nn.LeakyReLU() of this collection has PyTorch's own slope of 0.01.
    return nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels), ACTIVATIONS[hidden]())
