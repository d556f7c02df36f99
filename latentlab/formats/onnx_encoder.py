"""The ONNX encoder that lies beside a decoder: found by its name, taken where it fits.

Shapes: B batch, D latent, C H W of images.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import ImageShape
from latentlab.formats.any_module import Range
from latentlab.formats.onnx_graph import Graph, Port, Shape, fits, in_words, read_graph
from latentlab.formats.onnx_session import OnnxModule, Session
from latentlab.formats.sniff import found

MEANS = ("mu", "mean", "latent", "z")  # what an encoder's output of means may be called


class OnnxEncoder(torch.nn.Module):
    """Pictures (B, C, H, W) in the decoder's range to means (B, D), or means and log-variances (B, 2 D)."""

    def __init__(self, session: Session, given: Port, output: str, in_range: Range) -> None:
        super().__init__()
        self.module = OnnxModule(session, output, channels_last=False)
        self.given = given
        self.in_range = in_range

    def forward(self, images_BCHW: Tensor) -> Tensor:
        images, shape = images_BCHW, self.given.shape or ()
        if self.given.dtype == "uint8" and self.in_range != "byte":
            images = ((images + 1) * 127.5 if self.in_range == "tanh" else images * 255).round()
        if len(shape) == 2:
            images = images.flatten(1)
        elif _channels_last(shape):
            images = images.permute(0, 2, 3, 1)
        codes: Tensor = self.module(images.contiguous())
        return codes.flatten(1)


def encoder_beside(path: Path, image: ImageShape, latent: tuple[int, ...], in_range: Range) -> OnnxEncoder | None:
    """Of the decoder at `path`: what lies beside it under the same name with "encoder" in it, if anything.

    It takes pictures of the shape `image` in `in_range`, and gives latents of the shape `latent`. Raises
    CheckpointError for a file of that name that does not.
    """
    beside = path.with_name(path.name.replace("decoder", "encoder").replace("Decoder", "Encoder"))
    if beside == path or not beside.is_file():
        return None
    if found(beside).kind != "onnx":
        raise CheckpointError(f"{displayed(beside)} should be the encoder of {path.name}, but is no ONNX graph.")
    graph, wanted = read_graph(beside), (image.channels, image.height, image.width)
    given = _pictures_port(graph, beside, wanted, path.name)
    session = Session(beside, given)
    made = {
        port.name: OnnxEncoder(session, given, port.name, in_range)
        for port in graph.outputs
        if port.dtype.startswith("float")
    }
    dim, blank = math.prod(latent), torch.zeros(1, *wanted)
    fitting = {name: encoder for name, encoder in made.items() if encoder(blank).shape[1] in (dim, 2 * dim)}
    if not fitting:
        raise CheckpointError(
            f"{displayed(beside)} gives no {dim:,} numbers, which {path.name} takes. "
            "Move it away to open the decoder alone."
        )
    named = (name for mean in MEANS for name in fitting if mean in name.lower())
    return fitting[next(named, next(iter(fitting)))]


def _pictures_port(graph: Graph, beside: Path, wanted: tuple[int, int, int], decoder: str) -> Port:
    """The input, where it is one and takes pictures (C, H, W), (H, W, C) or flat."""
    shape = graph.inputs[0].shape if len(graph.inputs) == 1 else None
    taken: Shape = () if shape is None else tuple(shape[1:])
    taken = (taken[2], taken[0], taken[1]) if len(taken) == 3 and _channels_last(shape or ()) else taken
    flat = taken in ((math.prod(wanted),), (None,))
    if not (flat or fits(taken, wanted)) or not graph.inputs[0].dtype:
        raise CheckpointError(
            f"{displayed(beside)} does not take the pictures of {decoder}: {in_words(taken)}, not {in_words(wanted)}. "
            "Move it away to open the decoder alone."
        )
    return graph.inputs[0]


def _channels_last(shape: Shape) -> bool:
    return len(shape) == 4 and shape[3] in (1, 3) and shape[1] not in (1, 3)
