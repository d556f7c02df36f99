"""Answering requests with open models: pieces of at most 8 ms, uint8 pictures, errors as replies.

Shapes: B batch, D latent, H W C of pictures.
"""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import numpy as np
from PIL import Image

from latentlab.core.errors import LatentlabError, LatentSizeNeeded, OptionError, TrustNeeded
from latentlab.core.latent_model import Images, ImageShape, LatentModel, MapsSpaces
from latentlab.core.pictures import Crop
from latentlab.core.requests import (
    Decode,
    Decoded,
    Encode,
    Encoded,
    Factorise,
    Factorised,
    InSpace,
    Opened,
    OpenFailed,
    OpenModel,
    Reply,
    Request,
    RequestFailed,
    Slot,
    ToSpace,
)
from latentlab.core.unsupervised import Component, first_weights_of, weight_components
from latentlab.engine.device_faults import DeviceLostError, device_is_lost, memory_is_full
from latentlab.engine.scheduling import Pace, Task

Opener = Callable[..., LatentModel]  # (path, device, trust, options)

LAST_STAYS = "The last one stays"
FAULTS: dict[type, tuple[str, str]] = {
    Decode: ("The picture could not be decoded", LAST_STAYS),
    Encode: ("The picture could not be encoded", LAST_STAYS),
    ToSpace: ("The picture could not be taken to the other space", LAST_STAYS),
    Factorise: ("The weights could not be factorised", "Nothing was added"),
}


class Answering:
    """The open models by slot, and how to answer with them."""

    def __init__(self, opener: Opener | None = None, restarts: bool = False) -> None:
        """`restarts`: somebody starts this process again, so that `advance` may raise DeviceLostError."""
        self._opener = opener
        self._restarts = restarts
        self._models: dict[str, LatentModel] = {}  # by SHA-256
        self._slots: dict[Slot, str] = {}  # the SHA-256 of the model in each
        self._paces: dict[tuple[str, type], Pace] = {}
        self._said: dict[str, tuple[str, ...]] = {}

    def answerable(self, request: Request, loading: bool = False) -> bool:
        """Whether it is a request's turn: those before any model, or for one that is being read, wait for it.

        The window asks for its first picture as soon as it knows the file.
        """
        return bool(self._models) and (request.checkpoint in self._models or not loading)

    def open(self, request: OpenModel) -> Opened | OpenFailed:
        """Opens a model in its slot; the one that was there is let go of."""
        return self.hold(self.read(request), request.slot)

    def read(self, request: OpenModel) -> LatentModel | OpenFailed:
        """A model that requests cannot name yet; may be called on any thread."""
        if self._opener is None:
            return OpenFailed(request.path, f"{request.path} cannot be opened beside this model.", slot=request.slot)
        try:
            return self._opener(Path(request.path), request.device, request.trust, dict(request.options))
        except LatentlabError as error:
            asks = {"needs_trust": isinstance(error, TrustNeeded), "needs_latent": isinstance(error, LatentSizeNeeded)}
            return OpenFailed(request.path, str(error), slot=request.slot, **asks)
        except Exception as error:  # noqa: BLE001 - whatever a reader raises is said, and the engine lives
            traceback.print_exc()
            message = f"{request.path} could not be opened: {_first_line(error)}."
            if memory_is_full(error):
                message = f"{request.path} does not fit in memory. Close other models or programs."
        return OpenFailed(request.path, message, slot=request.slot)

    def hold(self, model: LatentModel | OpenFailed, slot: Slot = "main") -> Opened | OpenFailed:
        """Puts a model that was read in a slot: requests can name it."""
        if isinstance(model, OpenFailed):
            return model
        sha256 = model.info.sha256
        if slot != "main" and self._slots.get("main") == sha256:
            model = self._models[sha256]  # the same file beside itself: what is worked with stays as it is
        self._models[sha256] = model
        self._slots[slot] = sha256
        self._said[sha256] = model.info.warnings
        self._free()
        return Opened(model.info, model.encodings, slot, _memory_bytes(model))

    def let_go(self, slot: Slot) -> None:
        """Frees the model of a slot, unless it is in the other one too."""
        if self._slots.pop(slot, None) is not None:
            self._free()

    def _free(self) -> None:
        freed = [sha256 for sha256 in self._models if sha256 not in self._slots.values()]
        for sha256 in freed:
            del self._models[sha256]
        if freed:
            self._paces = {key: pace for key, pace in self._paces.items() if key[0] in self._models}
            if self._restarts:  # in a process of its own: beside a window only its thread may collect
                gc.collect()
            torch = sys.modules.get("torch")  # a model of numpy alone has none
            if torch is not None and torch.cuda.is_initialized():
                torch.cuda.empty_cache()

    def warnings(self) -> list[str]:
        """What the models had to say since they were opened, once each: memory that was full, a slower device."""
        new: list[str] = []
        for sha256, model in self._models.items():
            warnings = model.info.warnings
            new += [text for text in warnings if text not in self._said[sha256]]
            self._said[sha256] = warnings
        return new

    def advance(self, task: Task) -> Reply | None:
        """Does the next piece of a task. The reply once it is complete, else None."""
        model = self._models.get(task.request.checkpoint)
        if model is None:
            # Quiet, without a message: the window has moved on to another checkpoint.
            return RequestFailed(task.consumer, task.ticket, "", f"{task.request.checkpoint[:12]} is not open.")
        try:
            _check(task.request)
            begin = perf_counter()
            pace = self._paces.setdefault((task.request.checkpoint, type(task.request)), Pace())
            size = min(pace.size, task.count - task.done)
            task.parts.append(_piece(model, task.request, slice(task.done, task.done + size)))
            spent_ms = (perf_counter() - begin) * 1e3
            task.done += size
            task.spent_ms += spent_ms
            if size:
                pace.learn(size, spent_ms)
            if task.done < task.count:
                return None
            return _reply(model, task)
        except LatentlabError as error:
            return RequestFailed(task.consumer, task.ticket, str(error))
        except Exception as error:  # a model can raise anything; the last good picture stays
            if self._restarts and device_is_lost(error):
                raise DeviceLostError(_first_line(error)) from error
            what, kept = FAULTS[type(task.request)]
            message = f"{what}: {_first_line(error)}. {kept}; copy details to report it."
            if memory_is_full(error):
                message = f"{what}: the memory is full. {kept}; close other programs, or take a smaller model."
            return RequestFailed(task.consumer, task.ticket, message, traceback.format_exc())


def fitted(images: Images, shape: ImageShape) -> Images:
    """Pictures (B, H, W, C) or (B, H, W) of any size as a model takes them: crop, size and channels."""
    if images.ndim == 3:
        images = images[..., None]
    if images.shape[1:] == (shape.height, shape.width, shape.channels):
        return images
    resized = np.empty((len(images), shape.height, shape.width, shape.channels), np.uint8)
    for target, image in zip(resized, images, strict=True):
        picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
        box = Crop("centre").rectangle(*picture.size) if shape.height == shape.width else None
        picture = picture.convert("L" if shape.channels == 1 else "RGB")
        picture = picture.resize((shape.width, shape.height), Image.Resampling.BICUBIC, box)
        target[:] = np.asarray(picture).reshape(target.shape)
    return resized


def _memory_bytes(model: LatentModel) -> int:
    """Of its weights; of its file where it does not show them."""
    network = getattr(model, "network", None)
    if network is not None:
        return sum(int(value.nbytes) for value in network.state_dict().values())
    try:
        return Path(model.info.path).stat().st_size
    except OSError:
        return 0


def _check(request: Request) -> None:
    if isinstance(request, Factorise):
        return
    array, ndim = (request.images, 4) if isinstance(request, Encode) else (request.latents, 2)
    if array.ndim != ndim:
        noun = "Pictures (B, H, W, C)" if isinstance(request, Encode) else "Latents (B, D)"
        raise OptionError(f"{noun} were expected, but an array of shape {array.shape} came.")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _piece(model: LatentModel, request: Request, part: slice) -> tuple[Any, ...]:
    if isinstance(request, ToSpace):
        if (request.space, request.to) not in model.info.mappings:
            raise OptionError(f"This model does not map latents of {request.space} to {request.to}.")
        maps = cast(MapsSpaces, model)
        return (maps.to_space(request.latents[part], request.space, request.to, condition=request.condition),)
    if isinstance(request, Factorise):
        return (_components(model, request),)
    if isinstance(request, Decode):
        return (model.decode(request.latents[part], space=request.space, condition=request.condition),)
    originals = fitted(request.images[part], model.info.image)
    latents = model.encode(originals, condition=request.condition)
    images = model.decode(latents, condition=request.condition)
    difference = (images.astype(np.float32) - originals) / 255
    return latents, images, np.mean(difference**2, axis=(1, 2, 3), dtype=np.float32)


def _components(model: LatentModel, request: Factorise) -> tuple[Component, ...] | str:
    """Or why there are none: that a model cannot say is an answer, and no failure."""
    space = model.info.space(request.space)
    try:
        weights_OD = first_weights_of(model, space.name)
        return tuple(weight_components(weights_OD, request.count, space, request.checkpoint))
    except LatentlabError as error:
        return str(error)


def _reply(model: LatentModel, task: Task) -> Reply:
    if isinstance(task.request, Factorise):
        found = task.parts[0][0]
        refused = isinstance(found, str)
        return Factorised(task.consumer, task.ticket, task.request, () if refused else found, found if refused else "")
    columns = [parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*task.parts, strict=True)]
    request = task.request
    if isinstance(request, Decode):
        device = str(getattr(model, "device", "cpu"))
        return Decoded(task.consumer, task.ticket, request, columns[0], task.spent_ms, device)
    if isinstance(request, ToSpace):
        return InSpace(task.consumer, task.ticket, request, columns[0])
    latents, images, mse = columns
    return Encoded(task.consumer, task.ticket, request, latents, images, mse, task.spent_ms)
