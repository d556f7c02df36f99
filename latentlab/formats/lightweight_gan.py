"""Generators of lightweight-gan 1.x: `{"GAN": …, "version": …}`, of which the running average (GE) is opened.

Latents, widths, side, attention and what rescales which map are in the weights. The library draws new noise for each
picture; here it is drawn once, so that a latent is one picture.
"""

from __future__ import annotations

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import ImageShape, LatentModel
from latentlab.formats.any_module import ModuleNetwork
from latentlab.formats.layers import State, under
from latentlab.formats.lightweight_gan_network import START, Generator, step_count, with_noise
from latentlab.formats.reading import Format, Options
from latentlab.formats.sniff import WEIGHTS, Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.weights_model import filled, model_around

TITLE = "lightweight-gan"
GENERATORS = ("GE.", "G.")  # the running average first
SIDE_AT_MOST = 1024


class LightweightGANFormat(Format):
    takes = ("noise",)

    def recognises(self, file: Found) -> bool:
        if file.kind not in WEIGHTS:
            return False
        state = _generator(read_state_dict(file))
        return "initial_conv.0.weight" in state and "out_conv.weight" in state

    def open(self, file: Found, options: Options) -> LatentModel:
        state = with_noise(_generator(read_state_dict(file)), noise=options.noise)
        if "layers.0.0.0.net.0.weight" not in state:
            raise CheckpointError(
                f"{displayed(file.path)} was written by a lightweight-gan before 1.0, whose networks its weights do "
                "not tell apart. Train on with 1.x, or export it as ONNX."
            )
        steps, channels = step_count(state), state["out_conv.weight"].shape[0]
        side = START * 2**steps
        if channels not in (1, 3) or side > SIDE_AT_MOST:
            raise ValueError(f"it draws {channels} channels of {side} px; 1 or 3 of at most {SIDE_AT_MOST} are needed")
        network = ModuleNetwork(
            filled(lambda: Generator(state), state, file),
            (state["initial_conv.0.weight"].shape[0],),
            ImageShape(side, side, channels),
            "sigmoid",  # [0, 1], though nothing in the network keeps it there
        )
        return model_around(file, options, network, TITLE, "gan", {})

    def weights(self, file: Found) -> State:
        """The generator that is opened, without the other one and the discriminator."""
        return {f"GE.{name}": value for name, value in _generator(read_state_dict(file)).items()}


def _generator(state: State) -> State:
    inside = (under(state, prefix) for prefix in GENERATORS)
    return next((generator for generator in inside if generator), {})
