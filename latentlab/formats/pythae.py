"""Folders of pythae (benchmark_VAE): `model_config.json` beside `model.pt`, with the default MLP or its ready networks.

Other networks of a user's lie in the folder as pickled code and cannot be rebuilt from weights: sigmoid in all of
these. Source: pythae.models.nn.default_architectures and .benchmarks.{mnist,cifar,celeba}.convnets; the residual ones
are in `pythae_resnets`.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import ImageShape, LatentModel
from latentlab.core.spaces import Prior
from latentlab.formats.layers import State, convolution, count, linear, transposed, under
from latentlab.formats.pythae_resnets import ResidualDecoder, ResidualEncoder, is_residual
from latentlab.formats.reading import Format, Options
from latentlab.formats.sidecar import described
from latentlab.formats.sniff import WEIGHTS, Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.weights_model import activation, filled, model_from, range_of

CONFIG = "model_config.json"
SIDE_AT_MOST = 1024
OF_ANOTHER_KIND = {
    "VQVAEConfig": "its latents are entries of a codebook",
    "HRQVAEConfig": "its latents are entries of a codebook",
    "SVAEConfig": "its latents lie on a sphere",
    "PoincareVAEConfig": "its latents lie in a hyperbolic disc",
}
WITHOUT_NORMAL_PRIOR = ("AEConfig", "RAE_GP_Config", "RAE_L2_Config", "VAMPConfig")
# Side of the first map, then (stride, padding, output padding) of each transposed convolution, by its kernel.
READY = {
    3: (4, ((2, 1, 0), (2, 1, 1), (2, 1, 1))),  # MNIST, 28 px
    4: (8, ((2, 1, 0), (2, 1, 1), (1, 2, 0))),  # CIFAR, 32 px
    5: (8, ((2, 2, 0), (2, 1, 0), (2, 2, 1), (1, 1, 0))),  # CelebA, 64 px
}


class PythaeFormat(Format):
    takes = ("activation", "range")

    def recognises(self, file: Found) -> bool:
        if file.kind not in WEIGHTS:
            return False
        config = described(file, CONFIG)
        return "latent_dim" in config and "input_dim" in config

    def open(self, file: Found, options: Options) -> LatentModel:
        config = described(file, CONFIG)
        name, image = str(config.get("name", "")), _image(config.get("input_dim"))
        if name in OF_ANOTHER_KIND:
            raise CheckpointError(
                f"{displayed(file.path)} is a {name.removesuffix('Config')} of pythae: {OF_ANOTHER_KIND[name]}, which "
                "this version does not show."
            )
        state = read_state_dict(file)
        encoder, decoder = under(state, "encoder."), under(state, "decoder.")
        dim = config.get("latent_dim")
        if not isinstance(dim, int) or dim != _decoder_takes(decoder, file):
            raise ValueError(f"its {CONFIG} states latents of {dim!r} numbers, its decoder takes others")
        hidden = options.activation or "relu"
        network = ResidualDecoder if is_residual(decoder) else Decoder
        prior: Prior = "empirical" if name in WITHOUT_NORMAL_PRIOR else "normal"
        return model_from(
            file,
            options,
            title="pythae",
            family="ae" if name == "AEConfig" else "vae",
            decoder=filled(lambda: network(decoder, hidden), decoder, file),
            encoder=_encoder(encoder, hidden, file),
            latent_shape=(dim,),
            image=image,
            output=range_of(options, "sigmoid"),
            prior=prior,
        )

    def descriptions(self, file: Found) -> dict[str, dict[str, Any]]:
        config = described(file, CONFIG)
        return {CONFIG: {key: config[key] for key in ("name", "input_dim", "latent_dim") if key in config}}

    def weights(self, file: Found) -> State:
        """Without what only training needs."""
        return {
            name: value for name, value in read_state_dict(file).items() if name.startswith(("encoder.", "decoder."))
        }


class Decoder(nn.Module):
    """Latents to flat or (B, C, H, W) pictures, as far as the last weights."""

    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        self.start = 0
        after = range(1, count(state, "layers."))
        convolutions = [index for index in after if state[f"layers.{index}.0.weight"].ndim == 4]
        first = linear(state, "layers.0.0") if "layers.0.0.weight" in state else linear(state, "layers.0")
        if not convolutions:
            second = linear(state, "layers.1.0")
            self.layers = nn.ModuleList([nn.Sequential(first, activation(hidden)), nn.Sequential(second)])
            return
        kernel = state["layers.1.0.weight"].shape[2]
        self.start, steps = READY[kernel]
        if convolutions != list(range(1, len(steps) + 1)):
            raise ValueError("its decoder is none of pythae's own")
        self.layers = nn.ModuleList([nn.Sequential(first) if "layers.0.0.weight" in state else first])
        for index, step in zip(convolutions, steps, strict=True):
            self.layers.append(_convolved(transposed(state, f"layers.{index}.0", *step), index < len(steps), hidden))

    def forward(self, latents: Tensor) -> Tensor:
        made: Tensor = self.layers[0](latents)
        if self.start:
            made = made.reshape(len(made), -1, self.start, self.start)
        for layer in list(self.layers)[1:]:
            made = layer(made)
        return made


class Encoder(nn.Module):
    """Pictures in [0, 1] to means."""

    def __init__(self, state: State, hidden: str) -> None:
        super().__init__()
        self.flat = state["layers.0.0.weight"].ndim == 2
        self.layers = nn.ModuleList()
        for index in range(count(state, "layers.")):
            name = f"layers.{index}.0"
            layer = linear(state, name) if self.flat else convolution(state, name, 2, 1)
            self.layers.append(_convolved(layer, not self.flat, hidden, always=True))
        self.embedding = linear(state, "embedding")

    def forward(self, images: Tensor) -> Tensor:
        code = images.flatten(1) if self.flat else images
        for layer in self.layers:
            code = layer(code)
        means: Tensor = self.embedding(code.flatten(1))
        return means


def _convolved(layer: nn.Module, normalised: bool, hidden: str, *, always: bool = False) -> nn.Sequential:
    parts = nn.Sequential(layer)
    if normalised:
        width = layer.out_channels
        assert isinstance(width, int)
        parts.append(nn.BatchNorm2d(width))
    if normalised or always:
        parts.append(activation(hidden))
    return parts


def _encoder(encoder: State, hidden: str, file: Found) -> nn.Module | None:
    if is_residual(encoder) and "embedding.weight" in encoder:
        return filled(lambda: ResidualEncoder(encoder, hidden), encoder, file)
    return filled(lambda: Encoder(encoder, hidden), encoder, file) if _known(encoder) else None


def _known(encoder: State) -> bool:
    """Whether the encoder is the default MLP or a ready convnet; any other is left out, and pictures are inverted."""
    weights = {name for name in encoder if name.endswith(".weight")}
    depth = count(encoder, "layers.")
    fitting = {f"layers.{index}.{part}.weight" for index in range(depth) for part in (0, 1)}
    return depth > 0 and "embedding.weight" in weights and weights <= fitting | {"embedding.weight", "log_var.weight"}


def _decoder_takes(decoder: State, file: Found) -> int:
    """The decoder's latent size. Raises CheckpointError where it is no network of pythae's own."""
    names = {name.rpartition(".")[0] for name in decoder}
    own = {f"layers.{index}.{part}" for index in range(len(READY) + 2) for part in (0, 1)} | {"layers.0"}
    first = decoder.get("layers.0.0.weight", decoder.get("layers.0.weight"))
    known = bool(names) and (names <= own or is_residual(decoder))
    if not known or first is None or first.ndim != 2:
        raise CheckpointError(
            f"{displayed(file.path)} belongs to a decoder of the user's own, which pythae saves as code (decoder.pkl) "
            "that is not run. Only pythae's default and ready convolutional networks are opened."
        )
    return first.shape[1]


def _image(declared: Any) -> ImageShape:
    """From (C, H, W), (H, W), or a square number of pixels."""
    if isinstance(declared, list) and all(isinstance(size, int) and size > 0 for size in declared):
        if len(declared) == 1 and math.isqrt(declared[0]) ** 2 == declared[0]:
            declared = [1, math.isqrt(declared[0]), math.isqrt(declared[0])]
        shape = [1, *declared] if len(declared) == 2 else declared
        if len(shape) == 3 and shape[0] in (1, 3) and shape[1] == shape[2] <= SIDE_AT_MOST:
            return ImageShape(shape[1], shape[2], shape[0])
    raise ValueError(f"its {CONFIG} states pictures of {str(declared)[:80]}; square grey or RGB ones are needed")
