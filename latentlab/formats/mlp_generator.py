"""A generator of linear layers alone, as nn.Sequential saves it: 0.weight, 2.weight, 4.weight …

The file does not say what lies between the layers: ReLU and tanh are the likeliest, and are said to be a guess. A
wrong one still loads and draws something.
"""

from __future__ import annotations

import itertools
import math
import re

from torch import Tensor, nn

from latentlab.core.latent_model import ImageShape, LatentModel
from latentlab.formats.layers import linear
from latentlab.formats.reading import Options
from latentlab.formats.sniff import TORCH_TENSORS, Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.weights_model import activation, filled, model_from, range_of

SMALLEST_PX = 8  # a chain that ends in fewer is a classifier


class MLPGeneratorFormat:
    """Satisfies `latentlab.formats.reading.Format`."""

    def recognises(self, file: Found) -> bool:
        if file.kind not in TORCH_TENSORS:
            return False
        state = read_state_dict(file)
        numbers = _numbers(state)
        if len(numbers) < 2 or any(re.fullmatch(r"(.+\.)?\d+\.(weight|bias)", name) is None for name in state):
            return False
        weights = [state[f"{number}.weight"] for number in numbers]
        chained = all(a.shape[0] == b.shape[1] for a, b in itertools.pairwise(weights))
        return chained and _image(weights[-1].shape[0]) is not None and weights[0].shape[1] < weights[-1].shape[0]

    def open(self, file: Found, options: Options) -> LatentModel:
        state = read_state_dict(file)
        numbers = _numbers(state)
        hidden = options.activation or "relu"
        output = range_of(options, "tanh")
        image = _image(state[f"{numbers[-1]}.weight"].shape[0])
        assert image is not None  # recognised by it
        guessed = [
            f"{option} {value}"
            for option, value, given in (
                ("--activation", hidden, options.activation),
                ("--range", output, options.range),
            )
            if not given
        ]
        warning = (
            f"The file does not say what lies between its layers; guessed {' and '.join(guessed)}. "
            "If the pictures look wrong, say it yourself."
        )
        return model_from(
            file,
            options,
            title="MLP generator",
            family="gan",
            decoder=filled(lambda: _chain(state, numbers, hidden), state, file),
            encoder=None,
            latent_shape=(state[f"{numbers[0]}.weight"].shape[1],),
            image=image,
            output=output,
            warnings=(warning,) if guessed else (),
        )


def _chain(state: dict[str, Tensor], numbers: list[int], hidden: str) -> nn.Module:
    network = nn.Sequential()
    for number in numbers:
        network.add_module(str(number), linear(state, str(number)))
        if number != numbers[-1]:
            network.add_module(f"after {number}", activation(hidden))
    return network


def _numbers(state: dict[str, Tensor]) -> list[int]:
    """The positions of the linear layers, in order."""
    found = (re.fullmatch(r"(\d+)\.weight", name) for name, value in state.items() if value.ndim == 2)
    return sorted(int(match[1]) for match in found if match)


def _image(pixels: int) -> ImageShape | None:
    for channels in (1, 3):
        side = math.isqrt(pixels // channels)
        if side >= SMALLEST_PX and side * side * channels == pixels:
            return ImageShape(side, side, channels)
    return None
