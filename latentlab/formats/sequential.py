"""Generators, and decoders beside an encoder, that are one chain of layers of any sizes.

The file does not say what lies between the layers: the likeliest guess is taken and said to be one, unless the user
says it, or said it before. A wrong one still loads and draws something, so `drawn_guesses` draws samples by each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor, nn

from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import LatentModel
from latentlab.core.readings import Guess, guess_warning
from latentlab.formats.answers import with_answers
from latentlab.formats.any_module import Range
from latentlab.formats.chain import Chain, ChainPlan, Layer, layers_in, plan_of
from latentlab.formats.layers import under
from latentlab.formats.reading import Format, Options, open_file
from latentlab.formats.sniff import WEIGHTS, Found, found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.weights_model import filled, model_from, range_of

TITLE_LINEAR = "MLP generator"
TITLE_CONVOLUTIONAL = "transposed-convolution generator"
TITLE_VAE = "sequential VAE"
TITLES = (TITLE_LINEAR, TITLE_CONVOLUTIONAL, TITLE_VAE)
SHOWN = 9  # sample pictures of a guess
# Generators mostly end in tanh with ReLU, or LeakyReLU as in their discriminators; decoders of a VAE in a sigmoid.
LIKELY_OF_GAN: tuple[tuple[str, Range], ...] = (
    ("relu", "tanh"), ("leaky_relu", "tanh"), ("relu", "sigmoid"), ("leaky_relu", "sigmoid"), ("tanh", "tanh"),
    ("tanh", "sigmoid"), ("elu", "sigmoid"), ("silu", "sigmoid"), ("gelu", "sigmoid"),
)  # fmt: skip
LIKELY_OF_VAE: tuple[tuple[str, Range], ...] = (
    ("relu", "sigmoid"), ("leaky_relu", "sigmoid"), ("relu", "tanh"), ("tanh", "sigmoid"), ("elu", "sigmoid"),
    ("silu", "sigmoid"), ("gelu", "sigmoid"), ("leaky_relu", "tanh"),
)  # fmt: skip
MEANS = ("fc_mu", "fc_mean", "mu", "mean", "fc21", "mu_layer", "mean_layer")
VARIANCES = ("fc_var", "fc_logvar", "logvar", "log_var", "var", "fc22", "logvar_layer")
HEADS = tuple(f"{name}." for name in (*MEANS, *VARIANCES))
DECODERS = ("decoder.", "dec.", "generator.", "gen.", "netG.", "G.")
ENCODERS = ("encoder.", "enc.")


@dataclasses.dataclass(frozen=True, eq=False)
class _Parts:
    decoder: ChainPlan
    weights: dict[str, Tensor]
    encoder: tuple[Layer, ...] | None
    encoder_weights: dict[str, Tensor]
    variational: bool


class SequentialFormat(Format):
    takes = ("activation", "range")

    def recognises(self, file: Found) -> bool:
        return file.kind in WEIGHTS and _parts(read_state_dict(file)) is not None

    def open(self, file: Found, options: Options) -> LatentModel:
        parts = _parts(read_state_dict(file))
        if parts is None:
            raise ValueError("its layers are no chain")
        asked = with_answers(file.path, options)
        likeliest = (LIKELY_OF_VAE if parts.variational else LIKELY_OF_GAN)[0]
        hidden, output = asked.activation or likeliest[0], range_of(asked, likeliest[1])
        plan, chain = parts.decoder, parts.encoder
        encoder: nn.Module | None = None
        if chain is not None:
            weights = ChainPlan(chain, plan.image).renamed(parts.encoder_weights)
            encoder = filled(lambda: Chain(chain, hidden), weights, file)
        reading = {"activation": hidden, "range": output}
        guessed = tuple(name for name in reading if not getattr(asked, name))
        return model_from(
            file,
            options,
            title=_title(parts),
            family="vae" if parts.variational else "gan",
            decoder=filled(lambda: Chain(plan.layers, hidden), plan.renamed(parts.weights), file),
            encoder=encoder,
            latent_shape=(plan.dim,),
            image=plan.image,
            output=output,
            flat=True,
            warnings=(guess_warning(reading, guessed),) if guessed else (),
            reading=reading,
            guessed=guessed,
        )


def drawn_guesses(path: Path, count: int = SHOWN) -> Iterator[tuple[int, Guess]]:
    """What each plausible reading of a file draws, the likeliest first, each with the number of all.

    Nothing where a file says itself how it is read. What was remembered of it plays no part. Raises CheckpointError.
    """
    file = found(path)
    reader = SequentialFormat()
    if file.kind not in WEIGHTS or not reader.recognises(file):
        read_state_dict.cache_clear()
        return
    parts = _parts(read_state_dict(file))
    likely = LIKELY_OF_VAE if parts is not None and parts.variational else LIKELY_OF_GAN
    for activation, output in likely:
        model = open_file(file, Options("cpu", activation=activation, range=output))
        if model.info.format not in TITLES:
            raise CheckpointError(f"{model.info.path} is {model.info.format}, of which nothing need be asked.")
        yield len(likely), Guess(activation, output, model.decode(model.sample(count)))


def _title(parts: _Parts) -> str:
    if parts.variational:
        return TITLE_VAE
    return TITLE_CONVOLUTIONAL if parts.decoder.convolutional else TITLE_LINEAR


def _parts(state: dict[str, Tensor]) -> _Parts | None:
    """The decoder's chain, and the encoder's where it is one of linear layers that ends in the decoder's latents."""
    whole = plan_of(state)
    if whole is not None:
        return _Parts(whole, state, None, {}, False)
    for prefix in DECODERS:
        decoder = under(state, prefix)
        plan = plan_of(decoder) if decoder else None
        if plan is not None:
            encoder_weights = _encoder_weights(state)
            encoder = _encoder(encoder_weights, plan)
            variational = any(name.startswith(ENCODERS) for name in state)
            return _Parts(plan, decoder, encoder, encoder_weights, variational)
    return None


def _encoder_weights(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's body, then its layer of means where it has one of a usual name."""
    prefix = next((prefix for prefix in ENCODERS if any(name.startswith(prefix) for name in state)), "")
    inside = under(state, prefix) if prefix else {}
    ends = {name.rpartition(".")[0] for name in inside if name.rpartition(".")[0] in MEANS}
    body = {name: value for name, value in inside.items() if not name.startswith(HEADS)}
    for name in MEANS:
        source = inside if name in ends else state
        if f"{name}.weight" in source:
            head = (f"{name}.weight", f"{name}.bias")
            return {**body, **{part: source[part] for part in head if part in source}}
    return body


def _encoder(weights: dict[str, Tensor], plan: ChainPlan) -> tuple[Layer, ...] | None:
    layers = layers_in(weights) if weights else None
    pixels = plan.image.height * plan.image.width * plan.image.channels
    if layers is None or any(layer.kind == "grow" for layer in layers):
        return None
    return layers if layers[0].inputs == pixels and layers[-1].outputs in (plan.dim, 2 * plan.dim) else None
