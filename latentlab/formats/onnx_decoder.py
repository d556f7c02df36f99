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
from numpy.typing import NDArray

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError, Failure, LatentSizeNeeded
from latentlab.core.latent_model import LatentModel, ModelInfo
from latentlab.core.readings import guess_warning
from latentlab.formats.answers import with_answers
from latentlab.formats.any_module import SPATIAL_WARNING, ModuleNetwork, Range
from latentlab.formats.onnx_encoder import encoder_beside
from latentlab.formats.onnx_graph import Graph, Port, Shape, fits, in_words, read_graph
from latentlab.formats.onnx_pictures import Picture, pictures_in, range_seen
from latentlab.formats.onnx_session import Session
from latentlab.formats.reading import Format, Options
from latentlab.formats.sniff import Found
from latentlab.formats.weights_model import content_hash, range_of
from latentlab.models.torch_model import TorchModel

TITLE = "ONNX decoder"
PROBES = 4
OPEN_SIDE = 16  # of a map of latents whose size the graph leaves open
NUMBERS_AT_MOST = 1 << 22  # of one latent
SURE: dict[str, Range] = {"Tanh": "tanh", "Sigmoid": "sigmoid"}


@dataclass(frozen=True, eq=False)
class _Decoder:
    graph: Graph
    session: Session
    shape: tuple[int, ...]  # of one latent
    chosen: Picture
    others: tuple[str, ...]  # outputs that might be the picture as well
    open: bool  # whether the graph leaves the size of a latent open
    samples: NDArray[Any]  # (B, C, H, W)


class OnnxFormat(Format):
    takes = ("range", "latent", "picture")

    def recognises(self, file: Found) -> bool:
        return file.kind == "onnx"

    def open(self, file: Found, options: Options) -> LatentModel:
        asked = with_answers(file.path, options)
        try:
            decoder = _decoder(file, asked)
            chosen = decoder.chosen
            output, guessed = _range(decoder, asked)
            guessed += ("picture",) if decoder.others and not asked.picture else ()
            encoder = encoder_beside(file.path, chosen.image, decoder.shape, output)
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
            warnings=warnings + ((SPATIAL_WARNING,) if network.spatial else ()),
            reading=reading,
            guessed=guessed,
        )
        return TorchModel(network, info, device="cpu")


class OnnxNetwork(ModuleNetwork):
    """No gradient goes through a graph."""

    pictures: tuple[str, ...] = ()  # the outputs that may be the picture, that which is taken first


def _decoder(file: Found, asked: Options) -> _Decoder:
    graph = read_graph(file.path)
    given = _one_input(file.path, graph)
    session = Session(file.path, given)
    stated = (given.shape or ())[1:] if session.batched else (given.shape or ())
    shape = _latent_shape(file.path, stated, asked)
    draws = np.random.default_rng(0).standard_normal((PROBES, *shape)).astype(np.float32)
    names = [port.name for port in graph.outputs if port.dtype]
    made = dict(zip(names, session.run(draws, names), strict=True)) if names else {}
    pictures = _pictures(file.path, made, asked)
    chosen = next((picture for picture in pictures if picture.name == asked.picture), pictures[0])
    samples = chosen.drawn(made)
    if given.shape and tuple(given.shape[1:]) == samples.shape[1:] and chosen.image.height >= OPEN_SIDE:
        raise CheckpointError(
            f"{displayed(file.path)} takes pictures of {chosen.image.height} px and gives pictures of that size: "
            "a whole autoencoder. Export its decoder alone."
        )
    alike = [picture.name for picture in pictures if picture.image == chosen.image or chosen.levels]
    others = tuple(name for name in alike if name != chosen.name)
    return _Decoder(graph, session, shape, chosen, others, None in stated, samples)


def _pictures(path: Path, made: dict[str, NDArray[Any]], asked: Options) -> list[Picture]:
    """The outputs that may be the picture, the likeliest first; one at least, and the one asked for among them."""
    pictures = pictures_in(made, PROBES)
    if not pictures:
        shapes = ", ".join(f"'{name[:40]}' {array.shape[1:]}" for name, array in list(made.items())[:4]) or "none"
        raise CheckpointError(
            f"{displayed(path)} draws no pictures: its outputs are {shapes}; (1 or 3, H, W) or (H, W, 1 or 3) "
            "is needed. Export the decoder alone."
        )
    known = [picture.name for picture in pictures]
    if asked.picture and asked.picture not in known:
        raise CheckpointError(
            f"{displayed(path)} has no picture '{asked.picture[:60]}' among its outputs. Known: {', '.join(known)}."
        )
    return pictures


def _one_input(path: Path, graph: Graph) -> Port:
    given = graph.inputs
    if len(given) != 1 or given[0].dtype not in ("float32", "float16", "float64") or given[0].shape is None:
        what = ", ".join(f"'{port.name[:40]}' ({port.dtype or 'no float'})" for port in given[:4]) or "nothing"
        raise CheckpointError(
            f"{displayed(path)} takes {what}; one tensor of float latents of a stated number of axes is needed. "
            "Export the decoder alone."
        )
    return given[0]


def _latent_shape(path: Path, stated: Shape, asked: Options) -> tuple[int, ...]:
    said = asked.latent
    if said and not fits(stated, said):
        raise CheckpointError(
            f"{displayed(path)} takes latents of {in_words(stated)}, not of {in_words(said)}. Say --latent accordingly."
        )
    if not 1 <= len(stated) <= 3:
        raise CheckpointError(f"{displayed(path)} takes latents of {len(stated)} axes; 1 to 3 are possible.")
    spatial = len(stated) == 3 and stated[0] is not None
    if not said and None in stated and not spatial:
        raise LatentSizeNeeded(
            f"{displayed(path)} leaves the size of its latents open ({in_words(stated)}). Say it: --latent 64, or for "
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
        return range_of(asked, seen), ()
    sure = SURE.get(decoder.graph.last.get(decoder.chosen.name, ""))
    return (sure, ()) if sure else (seen, ("range",))
