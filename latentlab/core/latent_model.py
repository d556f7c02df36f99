"""What a model is to the rest of the house: spaces, sample, decode and, where it can, encode. In numpy terms.

Shapes: B batch, D latent (flattened), H height, W width, C channels (1 or 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from latentlab.core.condition import Asked
from latentlab.core.directions import DirectionSet
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import OptionError
from latentlab.core.spaces import FloatArray, LatentSpace

Images = NDArray[np.uint8]  # (B, H, W, C)


@dataclass(frozen=True)
class ImageShape:
    height: int
    width: int
    channels: int  # 1 or 3


@dataclass(frozen=True, eq=False)
class ModelInfo:
    """What can be said of an opened model without its weights; `latentlab info` prints it."""

    path: str
    format: str
    family: str
    image: ImageShape
    spaces: tuple[LatentSpace, ...]
    encoder: bool
    conditional: tuple[str, ...] | None = None  # class names where the generator takes a class
    invertible: bool = False  # without an encoder, but pictures can be inverted by optimisation
    training: dict[str, Any] = field(default_factory=dict)  # data, epochs, seed, …
    figures: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    sha256: str = ""
    warnings: tuple[str, ...] = ()  # said in a banner: a tensor with NaN, a guessed activation, …
    mappings: tuple[tuple[str, str], ...] = ()  # (from, to): spaces between which the model maps latents, as z to w
    reading: Mapping[str, str] = field(default_factory=dict)  # activation and range of a file that says neither
    guessed: tuple[str, ...] = ()  # which of them nobody said: the window asks

    conditional_attributes: tuple[str, ...] = ()  # attributes the generator is told of

    @property
    def takes_condition(self) -> bool:
        return bool(self.conditional or self.conditional_attributes)

    def not_asked(self, encodings: EncodingSet) -> EncodingSet:
        """The encodings without what a conditional model is asked for: of that the latent says nothing."""
        if not self.takes_condition:
            return encodings
        kept = [a for a, name in enumerate(encodings.attribute_names) if name not in self.conditional_attributes]
        return replace(
            encodings,
            labels=None if self.conditional else encodings.labels,
            attributes=encodings.attributes[:, kept] if encodings.attributes is not None and kept else None,
            attribute_names=tuple(encodings.attribute_names[a] for a in kept),
        )

    def drawn_around(self, encodings: EncodingSet | None) -> Self:
        """The same with these encodings to draw around, as is usual where the prior was measured; None: with none.

        A conditional model stays as it is: its prior was measured for each condition.
        """
        if self.takes_condition or (encodings is not None and encodings.samples):
            return self
        here = self.spaces[0].name if encodings is None else encodings.space
        latents_ND = None if encodings is None else encodings.latents
        spaces = tuple(space.drawn_around(latents_ND) if space.name == here else space for space in self.spaces)
        changed = any(one is not other for one, other in zip(spaces, self.spaces, strict=True))
        return replace(self, spaces=spaces) if changed else self

    def space(self, name: str) -> LatentSpace:
        return next((space for space in self.spaces if space.name == name), self.spaces[0])

    def asked_space(self, name: str | None) -> LatentSpace:
        """The space of that name, or the first; raises OptionError for a name the model does not have."""
        if name is not None and name not in {space.name for space in self.spaces}:
            known = ", ".join(space.name for space in self.spaces)
            raise OptionError(f"This model has no latent space '{name}'. Known: {known}.")
        return self.spaces[0] if name is None else self.space(name)

    def drawn_through(self, space: str, truncation: float = 1.0) -> tuple[str, str]:
        """From which space draws are taken for someone who works in `space`, and in which they end up.

        A generator that maps its latents, as StyleGAN maps z to w, brings z to one length first, so that truncation
        has no effect there: draws are truncated in w instead (Karras et al. 2019, section B), and those of w are
        mapped draws of z, so that a seed is the same picture in both.
        """
        for origin, to in self.mappings:
            if space == to or (space == origin and truncation != 1):
                return origin, to
        return space, space


def in_a_line(info: ModelInfo, encodings: EncodingSet | None) -> str:
    """ "vae 'faces.safetensors': 64 x 64 x 3 of 128 numbers in z, encoder, 2,565 encodings": what a notebook shows."""
    image, name = info.image, PurePath(info.path).name
    spaces = " or ".join(f"{space.dim:,} numbers in {space.name}" for space in info.spaces)
    title = f"{info.family or 'model'} {name!r}" if name else info.family or "model"
    told = [f"{title}: {image.height} x {image.width} x {image.channels} of {spaces}"]
    told += ["encoder"] if info.encoder else []
    told += [f"{len(info.conditional)} classes"] if info.conditional else []
    told += [f"{len(encodings):,} encodings"] if encodings is not None else []
    return ", ".join(told)


class LatentModel(Protocol):
    """Every architecture and every foreign format ends up as one of these."""

    @property
    def info(self) -> ModelInfo: ...
    @property
    def encodings(self) -> EncodingSet | None: ...
    @property
    def directions(self) -> DirectionSet: ...

    def sample(
        self,
        count: int,
        seed: int = 0,
        truncation: float = 1.0,
        *,
        space: str | None = None,
        around: bool | None = None,
    ) -> FloatArray:
        """Draws, float32 (count, D): around the encodings of data or from the prior; `LatentSpace.sample`."""

    def decode(self, latents: FloatArray, *, space: str | None = None, condition: Asked = None) -> Images:
        """Pictures, uint8 (B, H, W, C), of latents (B, D) or (D,).

        `condition`: one for all, or one for each; a number is a class. Without it: class 0, unknown attributes.
        """

    def decode_float(self, latents: FloatArray, *, space: str | None = None, condition: Asked = None) -> FloatArray:
        """The same in float32 [0, 1], where exactness matters."""

    def encode(self, images: Images, *, condition: Asked = None) -> FloatArray:
        """Posterior means, float32 (B, D), of pictures of any size, uint8 (B, H, W, C) or (B, H, W).

        Raises OptionError where the model has no encoder.
        """


def check_model(given: object, function: str) -> None:
    """Raises OptionError where a function of the Python API was given something else, such as a path."""
    if not isinstance(getattr(given, "info", None), ModelInfo):
        hint = " Open it first: latentlab.open_model(…)." if isinstance(given, str | PurePath) else ""
        raise OptionError(f"{function}() takes a model from open_model(), not a {type(given).__name__}.{hint}")


@runtime_checkable
class MapsSpaces(Protocol):
    """What a model with several latent spaces can do besides; `ModelInfo.mappings` says between which."""

    def to_space(self, latents: FloatArray, from_space: str, to_space: str, *, condition: Asked = None) -> FloatArray:
        """Latents (B, D) or (D,) of one space as those of another, float32 (B, D'): they decode to the same pictures.

        Raises OptionError where the model has no such mapping (z of StyleGAN becomes w, but not the other way).
        """
