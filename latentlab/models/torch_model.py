"""A network as core's LatentModel: numpy in, numpy out, inference only.

Shapes: B batch, D latent, H height, W width, C channels (1 or 3), S side in pixels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor

from latentlab.core.condition import Asked, each_completed
from latentlab.core.direction_making import DirectionMaking
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import Failure, OptionError, few
from latentlab.core.given import as_latents, as_pictures
from latentlab.core.latent_model import Images, ModelInfo, in_a_line
from latentlab.core.pictures import Crop, resized
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.models.conditioning import Conditional, condition_rows
from latentlab.models.device import chosen_device
from latentlab.models.family import Network

PIXELS_AT_ONCE = 2**18  # 64 pictures of 64 px: more gains nothing and costs memory
AT_ONCE_AT_MOST = 256
Number = TypeVar("Number", np.uint8, np.float32)
NAMES_SHOWN = 3
NO_MEMORY_ON_CPU = "DefaultCPUAllocator"


def pictures_at_once(size: int) -> int:
    """How many pictures of `size` px go through a network together where no gradient is wanted."""
    return min(AT_ONCE_AT_MOST, max(1, PIXELS_AT_ONCE // size**2))


class TorchModel(DirectionMaking):
    """Satisfies `latentlab.core.latent_model.LatentModel`."""

    def __init__(
        self, network: Network, info: ModelInfo, encodings: EncodingSet | None = None, *, device: str = "auto"
    ) -> None:
        self.device = chosen_device(device)
        self.network = _placed(network.eval().requires_grad_(False), self.device)
        self._encodings = encodings
        self._at_once = _first_at_once(info)
        broken = [
            name
            for name, value in network.state_dict().items()
            if value.is_floating_point() and not torch.isfinite(value).all()
        ]
        self.broken = tuple(broken)
        self._info = info.drawn_around(encodings)
        if broken:
            names = few(broken, NAMES_SHOWN)
            self._warn(f"{len(broken)} tensors hold NaN or Inf ({names}); a placeholder is shown instead of pictures.")

    def __repr__(self) -> str:
        return f"<{in_a_line(self._info, self._encodings)}, on {self.device}>"

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def encodings(self) -> EncodingSet | None:
        return self._encodings

    def to(self, device: str | torch.device = "auto") -> Self:
        """Moved in place, as a torch module is, and returned: to auto, cpu, cuda, cuda:1 or mps, as `open_model` says.

        Raises OptionError for a device that is not there, and where torch has no weights to move (an ONNX graph);
        Failure where the memory there is too small. The model then stays where it was.
        """
        there = chosen_device(str(device))
        if there == self.device:
            return self
        if next(self.network.parameters(), None) is None:
            raise OptionError(f"This model has no weights that torch could move; it runs on {self.device}.")
        full = False
        try:
            _placed(self.network, there)
        except torch.OutOfMemoryError:
            full = True
        if full:  # outside the handler, which keeps the tensors of the attempt alive
            _placed(self.network, self.device)
            torch.cuda.empty_cache()
            raise Failure(f"The memory of {there} is too small for this model, which stays on {self.device}.")
        self.device, self._at_once = there, _first_at_once(self._info)
        return self

    def adopt(self, encodings: EncodingSet | None, *warnings: str) -> None:
        """Other encodings than those it came with, and what is to be said of them. Before directions are asked for."""
        self._encodings = encodings
        self._info = self._info.drawn_around(encodings)
        for text in warnings:
            self._warn(text)

    def sample(
        self,
        count: int,
        seed: int = 0,
        truncation: float = 1.0,
        *,
        space: str | None = None,
        around: bool | None = None,
    ) -> FloatArray:
        return self._info.asked_space(space).sample(count, seed, truncation, around)

    def decode(self, latents: ArrayLike, *, space: str | None = None, condition: Asked = None) -> Images:
        count, pieces = self._decoded(latents, space, condition)
        return _filled(np.empty((count, *self._image_shape), np.uint8), map(_as_bytes, pieces))

    def decode_float(self, latents: ArrayLike, *, space: str | None = None, condition: Asked = None) -> FloatArray:
        count, pieces = self._decoded(latents, space, condition)
        scaled = (images.float().add(1).mul(0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy() for images in pieces)
        return _filled(np.empty((count, *self._image_shape), np.float32), scaled)

    def encode(self, images: ArrayLike, *, condition: Asked = None) -> FloatArray:
        if not self._info.encoder:
            raise OptionError("This model has no encoder; invert the picture instead: latentlab.invert(model, image).")
        inputs = self.prepared(images)
        conditions = self.conditions(condition, len(inputs))
        codes: list[FloatArray] = []
        for start in range(0, len(inputs), self._at_once):
            chunk = slice(start, start + self._at_once)
            codes += [
                code.float().cpu().numpy()
                for code in self._run(
                    lambda images_BHWC, c: self.network.encode(_as_input(images_BHWC), c),
                    torch.from_numpy(inputs[chunk]),
                    None if conditions is None else conditions[chunk],
                )
            ]
        return np.concatenate(codes) if codes else np.empty((0, self._info.spaces[0].dim), np.float32)

    def to_space(self, latents: ArrayLike, from_space: str, to_space: str, *, condition: Asked = None) -> FloatArray:
        """Satisfies `latentlab.core.latent_model.MapsSpaces`."""
        latents_BD = as_latents(latents, self._info.asked_space(from_space).shape)
        if from_space == self._info.asked_space(to_space).name:
            return latents_BD
        conditions = self.conditions(condition, len(latents_BD))
        mapped = self._run(partial(self.network.to_space, from_space, to_space), torch.tensor(latents_BD), conditions)
        return np.concatenate([piece.float().cpu().numpy() for piece in mapped])

    def first_weights(self, space: str | None = None) -> FloatArray:
        """(O, D), for `latentlab.core.unsupervised.first_weights_of`."""
        if self.broken:
            names = few(self.broken, NAMES_SHOWN)
            raise OptionError(f"This model's weights hold NaN or Inf ({names}); they say nothing.")
        return np.asarray(self.network.first_weights(self._info.asked_space(space).name).numpy(), np.float32)

    def prepared(self, images: ArrayLike) -> Images:
        """Pictures as the encoder takes them: the largest centred square, anti-aliased to (B, S, S, C).

        Takes what `latentlab.core.given.as_pictures` takes. Raises DataError for anything else.
        """
        images = as_pictures(images)
        size, _, channels = self._image_shape
        out = np.empty((len(images), size, size, channels), np.uint8)
        left, top, right, bottom = Crop("centre").rectangle(images.shape[2], images.shape[1])
        for index, picture in enumerate(images[:, top:bottom, left:right]):
            out[index] = _with_channels(resized(np.ascontiguousarray(picture), size), channels)
        return out

    def conditions(self, condition: Asked, count: int) -> Tensor | None:
        """float32 (count, K); None where the model takes no condition."""
        classes, attributes = self._info.conditional or (), self._info.conditional_attributes
        asked = each_completed(condition, count, classes, attributes)
        if not self._info.takes_condition:
            return None
        labels_B = torch.tensor([-1 if one.label is None else one.label for one in asked], dtype=torch.int64)
        attributes_BA = torch.tensor([one.attributes for one in asked], dtype=torch.float32)
        attributes_BA = attributes_BA.reshape(count, len(attributes))
        return condition_rows(count, len(classes), len(attributes), labels_B, attributes_BA)

    # --- inside ------------------------------------------------------------------------------------------------

    @property
    def _image_shape(self) -> tuple[int, int, int]:
        return self._info.image.height, self._info.image.width, self._info.image.channels

    def _decoded(self, latents: ArrayLike, space: str | None, condition: Asked) -> tuple[int, Iterator[Tensor]]:
        """(how many, images (B, C, H, W) in [-1, 1], in pieces); a placeholder where a picture is not finite."""
        where = self._info.asked_space(space)
        latents_BD = as_latents(latents, where.shape)
        if self.broken:
            return len(latents_BD), iter([self._placeholder(len(latents_BD))])
        return len(latents_BD), self._pieces(where, latents_BD, self.conditions(condition, len(latents_BD)))

    def _pieces(self, where: LatentSpace, latents_BD: FloatArray, conditions: Tensor | None) -> Iterator[Tensor]:
        """One after another: all of them together, in float32, would take many times the memory of the pictures."""
        for start in range(0, len(latents_BD), self._at_once):
            chunk = slice(start, start + self._at_once)
            pieces = self._run(
                partial(self.network.decode_from, where.name),
                torch.tensor(latents_BD[chunk]),
                None if conditions is None else conditions[chunk],
            )
            yield from map(self._finite, pieces)

    def _finite(self, images_BCHW: Tensor) -> Tensor:
        finite_B = torch.isfinite(images_BCHW).flatten(1).all(1)
        if finite_B.all():
            return images_BCHW
        placeholder = self._placeholder(1).to(images_BCHW.device, images_BCHW.dtype)
        return torch.where(finite_B[:, None, None, None], images_BCHW, placeholder)

    def _placeholder(self, count: int) -> Tensor:
        """Diagonal stripes of two greys: plainly no picture of a model."""
        height, width, channels = self._image_shape
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        stripes = ((rows + columns) // max(2, height // 8)) % 2 * 0.25 - 0.125
        return stripes.float().expand(count, channels, height, width).clone()

    @torch.inference_mode()
    def _run(
        self, function: Callable[[Tensor, Tensor | None], Tensor], inputs: Tensor, conditions: Tensor | None
    ) -> list[Tensor]:
        """`function` on the device; without memory there in halves, then on the CPU. Raises Failure on the CPU."""
        try:
            there = None if conditions is None else conditions.to(self.device)
            return [function(inputs.to(self.device), there)]
        except torch.OutOfMemoryError:
            pass  # leave the handler first: the exception keeps the tensors of the attempt alive
        except RuntimeError as error:
            if NO_MEMORY_ON_CPU not in str(error):
                raise
            raise Failure("There is not enough memory to decode; close other programs or use fewer pictures.") from None
        torch.cuda.empty_cache()
        if len(inputs) > 1:
            half = len(inputs) // 2
            self._at_once = max(1, min(self._at_once, half))
            self._warn("The device's memory is full; pictures are decoded in smaller batches.")
            first = self._run(function, inputs[:half], None if conditions is None else conditions[:half])
            return first + self._run(function, inputs[half:], None if conditions is None else conditions[half:])
        self._warn(f"The memory of {self.device} is full; pictures are decoded on the CPU from now on.")
        self.device = torch.device("cpu")
        self.network.to(self.device)
        return self._run(function, inputs, conditions)

    def _warn(self, text: str) -> None:
        """Once each: what a banner says."""
        if text not in self._info.warnings:
            self._info = dataclasses.replace(self._info, warnings=(*self._info.warnings, text))


def _placed(network: Network, device: torch.device) -> Network:
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _first_at_once(info: ModelInfo) -> int:
    """How many pictures are decoded together as long as the memory suffices."""
    return max(1, PIXELS_AT_ONCE // (info.image.height * info.image.width))


def _filled(out: NDArray[Number], pieces: Iterable[NDArray[Number]]) -> NDArray[Number]:
    """`out` with the pieces one after another."""
    done = 0
    for piece in pieces:
        out[done : done + len(piece)] = piece
        done += len(piece)
    return out


def _as_input(images_BHWC: Tensor) -> Tensor:
    return images_BHWC.permute(0, 3, 1, 2).float().div(127.5).sub(1)


def _as_bytes(images_BCHW: Tensor) -> Images:
    scaled = images_BCHW.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def _with_channels(picture_HWC: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    if picture_HWC.shape[2] == channels:
        return picture_HWC
    if channels == 3:
        return np.repeat(picture_HWC, 3, axis=2)
    return np.asarray(Image.fromarray(picture_HWC).convert("L"))[..., None]


def model_of(network: Network, path: Path | str = "") -> TorchModel:
    """A network that was just trained, as a model without encodings."""
    from latentlab.core.latent_model import ImageShape

    a = network.architecture
    told = a if isinstance(a, Conditional) else None
    info = ModelInfo(
        path=str(path),
        format="native",
        family=a.name,
        image=ImageShape(a.image_size, a.image_size, a.channels),
        spaces=network.spaces,
        encoder=network.encodes,
        conditional=tuple(str(label) for label in range(told.classes)) if told and told.classes else None,
        conditional_attributes=tuple(f"attribute {index + 1}" for index in range(told.attributes)) if told else (),
        invertible=not network.encodes,
    )
    return TorchModel(network, info, device=str(next(network.parameters()).device))
