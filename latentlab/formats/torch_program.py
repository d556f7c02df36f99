"""TorchScript and exported programs (.pt2): they can run code, so they are opened only where a person trusts them.

A program says little of itself: the size of its latents is derived from its weights or its signature, or asked.
Shapes: B batch, D latent, C H W of images.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError, LatentSizeNeeded, OptionError, TrustNeeded
from latentlab.core.latent_model import ImageShape, LatentModel, ModelInfo
from latentlab.core.readings import guess_warning
from latentlab.formats.answers import with_answers
from latentlab.formats.any_module import SPATIAL_WARNING, ModuleNetwork, Range, first_tensor, image_shape
from latentlab.formats.causes import cause_of
from latentlab.formats.onnx_pictures import range_seen
from latentlab.formats.reading import Format, Options
from latentlab.formats.sniff import PROGRAMS, Found, refusal
from latentlab.formats.weights_model import content_hash, range_of
from latentlab.models.torch_model import TorchModel

TITLES = {"torchscript": "TorchScript", "pt2": "exported program"}
PROBES = 2
OPEN_SIDE = 16  # of a map of latents of which only the channels are known
WEIGHTS_TRIED = 2
SURE: dict[str, Range] = {"Tanh": "tanh", "Sigmoid": "sigmoid"}


@dataclass(frozen=True, eq=False)
class _Program:
    decode: Callable[[Tensor], Any]
    encode: Callable[[Tensor], Any] | None
    module: nn.Module | None  # what moves to another device
    shapes: tuple[tuple[int, ...], ...]  # that one latent may have
    last: str  # the class of the last layer
    batches: tuple[int, ...] = (0, 1)  # how many latents it may take at once; 0 is any number


class TorchProgramFormat(Format):
    takes = ("range", "latent")

    def recognises(self, file: Found) -> bool:
        return file.kind in PROGRAMS

    def open(self, file: Found, options: Options) -> LatentModel:
        if not options.trust:
            raise TrustNeeded(str(refusal(file)))
        asked = with_answers(file.path, options)
        program = _loaded(file)
        decoder, shape, made = _probed(file, program, asked)
        seen = SURE.get(program.last) or range_seen(made.numpy())
        output = range_of(asked, seen)
        guessed = () if asked.range or program.last in SURE else ("range",)
        encoder = None if program.encode is None else _Called(program.encode, program.module, 0)
        network = ModuleNetwork(decoder, shape, _image(file, made), output, encoder, flat=made.ndim == 2)
        reading = {"range": str(output)}
        reading |= {"latent": "x".join(map(str, asked.latent))} if asked.latent else {}
        info = ModelInfo(
            path=str(file.path),
            format=TITLES[file.kind],
            family="vae" if encoder is not None else "decoder",
            image=network.image,
            spaces=network.spaces,
            encoder=encoder is not None,
            invertible=encoder is None,
            licence="not stated in the file",
            sha256=content_hash(file),
            warnings=(
                *((guess_warning(reading, guessed),) if guessed else ()),
                *((SPATIAL_WARNING,) if network.spatial else ()),
            ),
            reading=reading,
            guessed=guessed,
        )
        return TorchModel(network, info, device="cpu" if program.module is None else options.device)


class _Called(nn.Module):
    """One method of a program, by as many pictures as it was exported for; 0 is any number."""

    def __init__(self, method: Callable[[Tensor], Any], module: nn.Module | None, batch: int) -> None:
        super().__init__()
        self.method = method
        self.module = module
        self.batch = batch

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.batch:
            return first_tensor(self.method(inputs))
        made = []
        for start in range(0, len(inputs), self.batch):
            piece = inputs[start : start + self.batch]
            filled = torch.cat([piece, piece[-1:].expand(self.batch - len(piece), *piece.shape[1:])])
            some = first_tensor(self.method(filled))
            some = some[None] if self.batch == 1 and (len(some) != 1 or some.ndim == 1) else some  # no batch axis
            made.append(some[: len(piece)])
        return torch.cat(made)


def _loaded(file: Found) -> _Program:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is deprecated; what people have is not gone for that
            return _script(file) if file.kind == "torchscript" else _exported(file)
    except Exception as error:  # noqa: BLE001 - both raise many classes
        raise CheckpointError(
            f"{displayed(file.path)} is a damaged program ({cause_of(error)}). Export it again."
        ) from None


def _script(file: Found) -> _Program:
    loading: Any = torch.jit.load
    with file.path.open("rb") as opened:
        module: nn.Module = loading(opened, map_location="cpu").eval()
    # A scripted autoencoder decodes by a method of that name; its forward goes from picture to picture.
    decode = getattr(module, "decode", None)
    leaves = [part for part in module.modules() if not list(part.children())]
    last = str(getattr(leaves[-1], "original_name", "")) if leaves and decode is None else ""
    inner = getattr(module, "decoder", module) if decode is not None else module
    return _Program(
        decode or module, getattr(module, "encode", None) if decode else None, module,
        tuple(_shapes_of(inner)), last,
    )  # fmt: skip


def _exported(file: Found) -> _Program:
    with file.path.open("rb") as opened:
        program = torch.export.load(opened)
    inputs = {name for name in program.graph_signature.user_inputs if isinstance(name, str)}
    given = [node.meta["val"] for node in program.graph.nodes if node.op == "placeholder" and node.name in inputs]
    if len(given) != 1 or not isinstance(given[0], Tensor):
        raise ValueError(f"it takes {len(given)} inputs; one tensor of latents is needed")
    shape = tuple(int(size) if isinstance(size, int) else OPEN_SIDE for size in given[0].shape[1:])
    first = given[0].shape[0]
    # A partial: as a part of a module it would be asked to change to evaluation, which an exported one refuses.
    return _Program(partial(program.module()), None, None, (shape,), "", (first if isinstance(first, int) else 0,))


def _shapes_of(module: nn.Module) -> Iterator[tuple[int, ...]]:
    """What the first weights take: rows of a linear layer, channels of a convolution, transposed or not."""
    weights = [value for value in module.parameters() if value.ndim in (2, 4)][:WEIGHTS_TRIED]
    for weight in weights:
        channels = (weight.shape[1],) if weight.ndim == 2 else dict.fromkeys((weight.shape[0], weight.shape[1]))
        for count in channels:
            yield from ((count,), (count, 1, 1))
    for weight in weights[:1]:
        if weight.ndim == 4:
            yield (weight.shape[1], OPEN_SIDE, OPEN_SIDE)


@torch.inference_mode()
def _probed(file: Found, program: _Program, asked: Options) -> tuple[_Called, tuple[int, ...], Tensor]:
    """The decoder, the shape of its latents, and what it makes of a few draws. Raises CheckpointError."""
    said = asked.latent
    shapes = program.shapes if not said else ((said, (*said, 1, 1)) if len(said) == 1 else (said,))
    first: Exception | None = None
    for shape in shapes:
        draws = torch.randn(PROBES, *shape, generator=torch.Generator().manual_seed(0))
        for batch in program.batches:
            called = _Called(program.decode, program.module, batch)
            try:
                made = called(draws)
            except Exception as error:  # noqa: BLE001 - the program is not ours; it can raise anything
                first = first or error
                continue
            if made.ndim in (2, 3, 4) and len(made) == PROBES:
                return called, shape, made.float()
    cause = f" ({str(first).strip().splitlines()[-1][:160]})" if first is not None and str(first).strip() else ""
    raise LatentSizeNeeded(
        f"{displayed(file.path)} does not say what latents it takes{cause}. Say it: --latent 64, or for maps "
        "--latent 4x16x16."
    )


def _image(file: Found, made: Tensor) -> ImageShape:
    try:
        return image_shape(made)
    except OptionError as error:
        raise CheckpointError(f"{displayed(file.path)} draws no pictures: {error}") from None
