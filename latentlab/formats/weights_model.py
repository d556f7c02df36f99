"""From weights without an architecture to a model: the modules a reader built, filled and wrapped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import ImageShape, LatentModel, ModelInfo
from latentlab.core.spaces import Prior
from latentlab.formats.any_module import ModuleNetwork, Range
from latentlab.formats.reading import Options
from latentlab.formats.sniff import Found
from latentlab.models.torch_model import TorchModel

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": nn.ELU,
    "gelu": nn.GELU, "silu": nn.SiLU,
}  # fmt: skip
LAST: dict[Range, tuple[nn.Module, ...]] = {
    "tanh": (nn.Tanh(),), "sigmoid": (nn.Sigmoid(),), "none": (), "byte": (),
}  # fmt: skip
LEAKY_SLOPE = 0.2  # of every GAN paper; PyTorch's own default is 0.01
PIECE_BYTES = 1 << 20
NUMBERS_AT_MOST = 1 << 29  # 2 GB in float32, for one layer of one picture


def activation(name: str) -> nn.Module:
    return nn.LeakyReLU(LEAKY_SLOPE) if name == "leaky_relu" else ACTIVATIONS[name]()


def filled(build: Callable[[], nn.Module], state: Mapping[str, Tensor], file: Found) -> nn.Module:
    """What `build` makes, with the weights of a file; nothing is allocated beside them.

    Raises CheckpointError where a name or shape does not fit.
    """
    with torch.device("meta"):
        module = build()
    expected = module.state_dict()
    given = {name: value for name, value in state.items() if name in expected}
    counters = {name: torch.zeros((), dtype=torch.int64) for name in expected if name.endswith("num_batches_tracked")}
    misfits = [
        f"'{name}' {_misfit(given.get(name), value)}"
        for name, value in expected.items()
        if name not in counters and (name not in given or given[name].shape != value.shape)
    ]
    if misfits:
        raise CheckpointError(
            f"{displayed(file.path)}: {len(misfits)} weights are missing or of another shape, first {misfits[0]}. "
            "The network was changed; export it as a latentlab checkpoint."
        )
    module.load_state_dict({**given, **counters}, assign=True)
    return module


def _misfit(found: Tensor | None, wanted: Tensor) -> str:
    needed = f"{tuple(wanted.shape)} is needed"
    return f"(missing; {needed})" if found is None else f"(is {tuple(found.shape)}; {needed})"


def model_from(
    file: Found,
    options: Options,
    *,
    title: str,
    family: str,
    decoder: nn.Module,
    encoder: nn.Module | None,
    latent_shape: tuple[int, ...],
    image: ImageShape,
    output: Range,
    flat: bool = False,
    prior: Prior = "normal",
    training: Mapping[str, Any] | None = None,
    warnings: tuple[str, ...] = (),
    reading: Mapping[str, str] | None = None,
    guessed: tuple[str, ...] = (),
) -> LatentModel:
    """A model of modules that were filled: `decoder` as far as its last weights, `output` what comes after them.

    `flat`: the encoder takes pictures as rows of pixels. `training`: what the file says of data, epochs and seed.
    `reading`: the activation and range that were taken of a file that says neither, `guessed` which nobody said.
    """
    whole = nn.Sequential(decoder, *LAST[output])
    network = ModuleNetwork(whole, latent_shape, image, output, encoder, flat=flat, prior=prior)
    return model_around(file, options, network, title, family, training or {}, warnings, reading, guessed)


def model_around(
    file: Found,
    options: Options,
    network: ModuleNetwork,
    title: str,
    family: str,
    training: Mapping[str, Any],
    warnings: tuple[str, ...] = (),
    reading: Mapping[str, str] | None = None,
    guessed: tuple[str, ...] = (),
) -> LatentModel:
    """A network whose modules were filled, as a model of the file. ValueError where it draws another size."""
    _try_out(network)
    info = ModelInfo(
        path=str(file.path),
        format=title,
        family=family,
        image=network.image,
        spaces=network.spaces,
        encoder=network.encoder is not None,
        conditional=network.classes or None,
        invertible=True,
        training=dict(training),
        licence="not stated in the file",
        sha256=content_hash(file),
        warnings=warnings,
        reading=dict(reading or {}),
        guessed=guessed,
    )
    return TorchModel(network, info, device=options.device)


def _try_out(network: ModuleNetwork) -> None:
    """Follows one latent through the decoder by shapes alone. ValueError: not the stated picture, or out of bounds."""

    def bounded(*call: object) -> None:  # module, inputs, output
        made = call[-1]
        if isinstance(made, Tensor) and made.numel() > NUMBERS_AT_MOST:
            raise ValueError(f"one picture asks for {made.numel():,} numbers at once; at most {NUMBERS_AT_MOST:,} fit")

    decoder = network.decoder.eval()
    shapes = {name: value.to("meta") for name, value in decoder.state_dict().items()}
    hooks = [module.register_forward_hook(bounded) for module in decoder.modules()]
    try:
        latents = torch.zeros(1, *network.latent_shape, device="meta")
        told = (torch.zeros(1, len(network.classes), device="meta"),) if network.classes else ()
        made: Tensor = torch.func.functional_call(decoder, shapes, (latents, *told))
    finally:
        for hook in hooks:
            hook.remove()
    image = network.image
    if made.numel() != image.height * image.width * image.channels:
        raise ValueError(f"it makes pictures of {tuple(made.shape[1:])}, but states {image}")


def range_of(options: Options, otherwise: Range) -> Range:
    """What the user says the last layer puts out, or what the published network does."""
    said = next((known for known in LAST if known == options.range), None)
    return said or otherwise


def content_hash(file: Found) -> str:
    digest = hashlib.sha256()
    with file.path.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
