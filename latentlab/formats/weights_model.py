"""From weights without an architecture to a model: the modules a reader built, filled and wrapped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import ImageShape, LatentModel, ModelInfo
from latentlab.formats.any_module import ModuleNetwork, Range
from latentlab.formats.reading import Options
from latentlab.formats.sniff import Found
from latentlab.models.torch_model import TorchModel

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": nn.ELU,
    "gelu": nn.GELU, "silu": nn.SiLU,
}  # fmt: skip
LAST: dict[Range, tuple[nn.Module, ...]] = {"tanh": (nn.Tanh(),), "sigmoid": (nn.Sigmoid(),), "none": ()}
LEAKY_SLOPE = 0.2  # of every GAN paper; PyTorch's own default is 0.01
PIECE_BYTES = 1 << 20


def activation(name: str) -> nn.Module:
    return nn.LeakyReLU(LEAKY_SLOPE) if name == "leaky_relu" else ACTIVATIONS[name]()


def filled(module: nn.Module, state: Mapping[str, Tensor], file: Found) -> nn.Module:
    """The module with the weights of a file. Raises CheckpointError where a name or shape does not fit."""
    expected = module.state_dict()
    given = {name: value for name, value in state.items() if name in expected}
    counters = {name: value for name, value in expected.items() if name.endswith("num_batches_tracked")}
    misfits = [
        name
        for name, value in expected.items()
        if name not in counters and (name not in given or given[name].shape != value.shape)
    ]
    if misfits:
        raise CheckpointError(
            f"{displayed(file.path)}: {len(misfits)} weights are missing or of another shape, first '{misfits[0]}'. "
            "The network was changed; export it as a latentlab checkpoint."
        )
    module.load_state_dict({**counters, **given})
    return module


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
    warnings: tuple[str, ...] = (),
) -> LatentModel:
    """A model of modules that were filled: `decoder` as far as its last weights, `output` what comes after them.

    `flat`: the encoder takes pictures as rows of pixels.
    """
    whole = nn.Sequential(decoder, *LAST[output])
    network = ModuleNetwork(whole, latent_shape, image, output, encoder, flat=flat)
    info = ModelInfo(
        path=str(file.path),
        format=title,
        family=family,
        image=image,
        spaces=network.spaces,
        encoder=encoder is not None,
        invertible=True,
        licence="not stated in the file",
        sha256=content_hash(file),
        warnings=warnings,
    )
    return TorchModel(network, info, device=options.device)


def content_hash(file: Found) -> str:
    digest = hashlib.sha256()
    with file.path.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def linear(state: Mapping[str, Tensor], name: str) -> nn.Linear:
    """An empty linear layer as wide as the weights `name` (out, in)."""
    outputs, inputs = state[f"{name}.weight"].shape
    with torch.device("cpu"):
        return nn.Linear(inputs, outputs, bias=f"{name}.bias" in state)
