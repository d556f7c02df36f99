"""ONNX graphs that decode, alone or with an encoder beside them: what the graph leaves open is measured or asked.

A graph states the shape of its latents, but may leave sizes open; which of several outputs is the picture, how it is
laid out and what range it has is found by running a few draws. Shapes: B batch, D latent, C H W of images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError, Failure, LatentSizeNeeded
from latentlab.core.latent_model import LatentModel, ModelInfo
from latentlab.core.readings import guess_warning
from latentlab.core.spaces import LatentSpace
from latentlab.formats.answers import with_answers
from latentlab.formats.any_module import ModuleNetwork, Range
from latentlab.formats.onnx_graph import Graph, Port, read_graph
from latentlab.formats.onnx_pictures import Picture, pictures_in, range_seen
from latentlab.formats.onnx_session import OnnxModule, Session
from latentlab.formats.reading import Options
from latentlab.formats.sniff import Found, found
from latentlab.formats.weights_model import content_hash
from latentlab.models.torch_model import TorchModel

TITLE = "ONNX decoder"
PROBES = 4
OPEN_SIDE = 16  # of a map of latents whose size the graph leaves open
NUMBERS_AT_MOST = 1 << 22  # of one latent
MEANS = ("mu", "mean", "latent", "z")  # what an encoder's output of means may be called
SURE: dict[str, Range] = {"Tanh": "tanh", "Sigmoid": "sigmoid"}
MAPS_WARNING = (
    "The latents of this decoder are maps with an order in space, of which draws from a prior know nothing. "
    "Start from encodings where you have an encoder."
)


@dataclass(frozen=True, eq=False)
class _Decoder:
    graph: Graph
    session: Session
    shape: tuple[int, ...]  # of one latent
    chosen: Picture
    others: tuple[str, ...]  # outputs that might be the picture as well
    open: bool  # whether the graph leaves the size of a latent open
    samples: NDArray[Any]  # (B, C, H, W)


class OnnxFormat:
    """Satisfies `latentlab.formats.reading.Format`."""

    def recognises(self, file: Found) -> bool:
        return file.kind == "onnx"

    def open(self, file: Found, options: Options) -> LatentModel:
        asked = with_answers(file.path, options)
        try:
            decoder = _decoder(file, asked)
            chosen = decoder.chosen
            output, guessed = _range(decoder, asked)
            guessed += ("picture",) if decoder.others and not asked.picture else ()
            encoder = _encoder(file.path, decoder, output)
        except Failure as error:  # the graph does not run: it is the file that is at fault
            raise CheckpointError(f"{displayed(file.path)} cannot be opened: {error}") from None
        network = OnnxNetwork(chosen.module(decoder.session), decoder.shape, chosen.image, output, encoder)
        network.pictures = (chosen.name, *decoder.others) if decoder.others else ()
        reading: dict[str, str] = {"range": output}
        reading |= {"picture": chosen.name} if decoder.others else {}
        reading |= {"latent": "x".join(map(str, decoder.shape))} if decoder.open else {}
        warnings: tuple[str, ...] = (guess_warning(reading, guessed),) if guessed else ()
        if "picture" in guessed:
            warnings = (f"{warnings[0]} Other outputs: {', '.join(decoder.others)}.",)
        info = ModelInfo(
            path=str(file.path),
            format=TITLE,
            family="vae" if encoder is not None else "decoder",
            image=network.image,
            spaces=network.spaces,
            encoder=encoder is not None,
            licence="not stated in the file",
            sha256=content_hash(file),
            warnings=warnings + ((MAPS_WARNING,) if network.spatial else ()),
            reading=reading,
            guessed=guessed,
        )
        return TorchModel(network, info, device="cpu")


class OnnxNetwork(ModuleNetwork):
    """Maps of latents are a space of their own kind; no gradient goes through a graph."""

    pictures: tuple[str, ...] = ()  # the outputs that may be the picture, that which is taken first

    @property
    def spatial(self) -> bool:
        return len(self.latent_shape) == 3 and math.prod(self.latent_shape[1:]) > 1

    @property
    def spaces(self) -> tuple[LatentSpace, ...]:
        if not self.spatial:
            return super().spaces
        dim = math.prod(self.latent_shape)
        return (
            LatentSpace("spatial", self.latent_shape, "empirical", np.zeros(dim, np.float32), np.ones(dim, np.float32)),
        )


class _Encoder(torch.nn.Module):
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


def _decoder(file: Found, asked: Options) -> _Decoder:
    graph = read_graph(file.path)
    given = _one_input(file.path, graph)
    session = Session(file.path, given)
    shape = _latent_shape(file.path, given, session.batched, asked)
    draws = np.random.default_rng(0).standard_normal((PROBES, *shape)).astype(np.float32)
    names = [port.name for port in graph.outputs if port.dtype]
    made = dict(zip(names, session.run(draws, names), strict=True)) if names else {}
    pictures = pictures_in(made, len(draws))
    if not pictures:
        shapes = ", ".join(f"'{name[:40]}' {array.shape[1:]}" for name, array in list(made.items())[:4]) or "none"
        raise CheckpointError(
            f"{displayed(file.path)} draws no pictures: its outputs are {shapes}; (1 or 3, H, W) or (H, W, 1 or 3) "
            "is needed. Export the decoder alone."
        )
    known = {picture.name: picture for picture in pictures}
    if asked.picture and asked.picture not in known:
        raise CheckpointError(
            f"{displayed(file.path)} has no picture '{asked.picture[:60]}' among its outputs. "
            f"Known: {', '.join(known)}."
        )
    chosen = known[asked.picture] if asked.picture else pictures[0]
    samples = chosen.drawn(made)
    if given.shape and tuple(given.shape[1:]) == samples.shape[1:] and chosen.image.height >= OPEN_SIDE:
        raise CheckpointError(
            f"{displayed(file.path)} takes pictures of {chosen.image.height} px and gives pictures of that size: "
            "a whole autoencoder. Export its decoder alone."
        )
    alike = [picture.name for picture in pictures if picture.image == chosen.image or chosen.levels]
    others = tuple(name for name in alike if name != chosen.name)
    stated = (given.shape or ())[1:] if session.batched else (given.shape or ())
    return _Decoder(graph, session, shape, chosen, others, None in stated, samples)


def _one_input(path: Path, graph: Graph) -> Port:
    given = graph.inputs
    if len(given) != 1 or given[0].dtype not in ("float32", "float16", "float64") or given[0].shape is None:
        what = ", ".join(f"'{port.name[:40]}' ({port.dtype or 'no float'})" for port in given[:4]) or "nothing"
        raise CheckpointError(
            f"{displayed(path)} takes {what}; one tensor of float latents of a stated number of axes is needed. "
            "Export the decoder alone."
        )
    return given[0]


def _latent_shape(path: Path, given: Port, batched: bool, asked: Options) -> tuple[int, ...]:
    stated = (given.shape or ())[1:] if batched else (given.shape or ())
    said = asked.latent_shape
    if said and (
        len(said) != len(stated) or any(known not in (None, own) for known, own in zip(stated, said, strict=True))
    ):
        raise CheckpointError(
            f"{displayed(path)} takes latents of {_sizes(stated)}, not of {_sizes(said)}. Say --latent accordingly."
        )
    if not 1 <= len(stated) <= 3:
        raise CheckpointError(f"{displayed(path)} takes latents of {len(stated)} axes; 1 to 3 are possible.")
    spatial = len(stated) == 3 and stated[0] is not None
    if not said and None in stated and not spatial:
        raise LatentSizeNeeded(
            f"{displayed(path)} leaves the size of its latents open ({_sizes(stated)}). Say it: --latent 64, or for "
            "maps --latent 4x16x16."
        )
    shape = said or tuple(size or OPEN_SIDE for size in stated)
    if math.prod(shape) > NUMBERS_AT_MOST:
        raise CheckpointError(f"{displayed(path)} takes {math.prod(shape):,} numbers; at most {NUMBERS_AT_MOST:,} fit.")
    return shape


def _range(decoder: _Decoder, asked: Options) -> tuple[Range, tuple[str, ...]]:
    """What the picture's numbers mean, and whether that was guessed."""
    if decoder.samples.dtype == np.uint8:
        return "byte", ()
    seen = range_seen(decoder.samples)
    if asked.range:
        return next((known for known in ("tanh", "sigmoid", "none", "byte") if known == asked.range), seen), ()
    sure = SURE.get(decoder.graph.last.get(decoder.chosen.name, ""))
    return (sure, ()) if sure else (seen, ("range",))


def _encoder(path: Path, decoder: _Decoder, output: Range) -> _Encoder | None:
    """What lies beside the decoder under the same name with "encoder" in it."""
    beside = path.with_name(path.name.replace("decoder", "encoder").replace("Decoder", "Encoder"))
    if beside == path or not beside.is_file():
        return None
    file = found(beside)
    if file.kind != "onnx":
        raise CheckpointError(f"{displayed(beside)} should be the encoder of {path.name}, but is no ONNX graph.")
    graph, image = read_graph(beside), decoder.chosen.image
    shape = graph.inputs[0].shape if len(graph.inputs) == 1 else None
    wanted = (image.channels, image.height, image.width)
    taken: tuple[int | None, ...] = () if shape is None else tuple(shape[1:])
    taken = (taken[2], taken[0], taken[1]) if len(taken) == 3 and _channels_last(shape or ()) else taken
    flat = taken in ((math.prod(wanted),), (None,))
    if not (flat or _fits(taken, wanted)) or not graph.inputs[0].dtype:
        raise CheckpointError(
            f"{displayed(beside)} does not take the pictures of {path.name}: {_sizes(taken)}, not {_sizes(wanted)}. "
            "Move it away to open the decoder alone."
        )
    session = Session(beside, graph.inputs[0])
    made = {
        port.name: _Encoder(session, graph.inputs[0], port.name, output)
        for port in graph.outputs
        if port.dtype.startswith("float")
    }
    dim, blank = math.prod(decoder.shape), torch.zeros(1, *wanted)
    fitting = {name: encoder for name, encoder in made.items() if encoder(blank).shape[1] in (dim, 2 * dim)}
    if not fitting:
        raise CheckpointError(
            f"{displayed(beside)} gives no {dim:,} numbers, which {path.name} takes. "
            "Move it away to open the decoder alone."
        )
    named = (name for mean in MEANS for name in fitting if mean in name.lower())
    return fitting[next(named, next(iter(fitting)))]


def _fits(stated: tuple[int | None, ...], sizes: tuple[int, ...]) -> bool:
    return len(stated) == len(sizes) and all(said in (None, own) for said, own in zip(stated, sizes, strict=True))


def _channels_last(shape: tuple[int | None, ...]) -> bool:
    return len(shape) == 4 and shape[3] in (1, 3) and shape[1] not in (1, 3)


def _sizes(shape: tuple[int | None, ...]) -> str:
    return " x ".join("?" if size is None else str(size) for size in shape) or "nothing"
