"""Direction making: what every model does with directions, in numpy; what is made joins `model.directions`.

Shapes: B pictures, H W C of them, D latent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, Self, cast

import numpy as np
from numpy.typing import ArrayLike

from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.errors import DataError, OptionError
from latentlab.core.fitting import fit_directions, fit_from_groups
from latentlab.core.given import as_count, as_latents
from latentlab.core.latent_model import LatentModel
from latentlab.core.picture_components import DRAWS, components_of_pictures
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.core.unsupervised import Component, first_weights_of, principal_components, weight_components

if TYPE_CHECKING:
    from latentlab.core.condition import Asked
    from latentlab.core.encodings import EncodingSet
    from latentlab.core.latent_model import Images, ModelInfo

FROM_PICTURES = "two sets of pictures"
AGAINST_ENCODINGS = "pictures against the encodings"


class DirectedModel(LatentModel, Protocol):
    """What `open_model` gives: a model that makes directions as well, as `DirectionMaking` says.

    It takes lists, torch tensors and other dtypes too (`latentlab.core.given`).
    """

    def decode(self, latents: ArrayLike, *, space: str | None = None, condition: Asked = None) -> Images:
        """Pictures, uint8 (B, H, W, C), of latents (B, D) or (D,).

        `condition`, of a conditional model: a class by number or name, a table of attributes by name, or a list with
        one for each latent; class 0 and unknown attributes where nothing is asked. A striped placeholder stands for
        a picture that is not finite. Raises OptionError.
        """

    def decode_float(self, latents: ArrayLike, *, space: str | None = None, condition: Asked = None) -> FloatArray:
        """The same as float32 in [0, 1], where exactness matters; `encode` takes it."""

    def encode(self, images: ArrayLike, *, condition: Asked = None) -> FloatArray:
        """Posterior means, float32 (B, D), of pictures of any size: uint8 or float in [0, 1], channels last or first.

        Their largest centred square is taken, resized. Raises OptionError where the model has no encoder
        (`latentlab.invert` searches then), DataError for what are no pictures.
        """

    def prepared(self, images: ArrayLike) -> Images:
        """Pictures as the encoder takes them, uint8 (B, H, W, C): the largest centred square at the model's size."""

    def to_space(self, latents: ArrayLike, from_space: str, to_space: str, *, condition: Asked = None) -> FloatArray:
        """Latents of one space as those of another, as z of a StyleGAN becomes w. Raises OptionError."""

    def to(self, device: str = "auto") -> Self:
        """Moved to another device, in place, as a torch module is: auto, cpu, cuda, cuda:1 or mps.

        Raises OptionError for a device that is not there, Failure where its memory is too small.
        """

    def direction_from(
        self, images_with: ArrayLike, images_without: ArrayLike | None = None, name: str = "direction",
        *, condition: Asked = None,
    ) -> Direction: ...  # fmt: skip
    def direction_between(self, has_it: ArrayLike, has_it_not: ArrayLike, name: str = "direction") -> Direction: ...
    def principal_directions(self, count: int = 10, *, space: str | None = None) -> list[Direction]: ...
    def weight_directions(self, count: int = 10, *, space: str | None = None) -> list[Direction]: ...
    def picture_directions(
        self, count: int = 10, *, space: str | None = None, condition: Asked = None, draws: int = DRAWS, seed: int = 0
    ) -> list[Direction]: ...
    def add_directions(self, directions: Iterable[Direction]) -> None: ...


class DirectionMaking:
    """Mixed into the models of `open_model`."""

    _directions: DirectionSet | None = None

    if TYPE_CHECKING:

        @property
        def info(self) -> ModelInfo: ...
        @property
        def encodings(self) -> EncodingSet | None: ...
        def encode(self, images: ArrayLike, *, condition: Asked = None) -> FloatArray: ...

    @property
    def directions(self) -> DirectionSet:
        """Balanced directions of the checkpoint's attributes and classes, fitted on first use, and what was made since.

        Not of those that a conditional model is asked for.
        """
        if self._directions is None:
            encodings = self.encodings
            self._directions = (
                fit_directions(self.info.not_asked(encodings), checkpoint=self.info.sha256)
                if encodings is not None and len(encodings)
                else DirectionSet()
            )
        return self._directions

    def direction_from(
        self, images_with: ArrayLike, images_without: ArrayLike | None = None, name: str = "direction",
        *, condition: Asked = None,
    ) -> Direction:  # fmt: skip
        """The direction from pictures without something to pictures with it, uint8 (B, H, W, C) each.

        Without the second, from all encodings of the model. It joins `directions` under `name`. Raises OptionError
        where the model has no encoder, DataError where there is nothing to compare with.
        """
        with_ND = self.encode(images_with, condition=condition)
        if images_without is not None:
            return self._joined(
                pictures_direction(with_ND, self.encode(images_without, condition=condition), name, self.info)
            )
        if self.encodings is None or not len(self.encodings):
            raise DataError("This model carries no encodings to compare with; give images_without=… too.")
        made = pictures_direction(with_ND, self.encodings.latents, name, self.info, against_encodings=True)
        return self._joined(made)

    def direction_between(self, has_it: ArrayLike, has_it_not: ArrayLike, name: str = "direction") -> Direction:
        """From latents (N, D) without something to latents (M, D) with it, as two groups on the map give it.

        It joins `directions` under `name`. Raises OptionError for latents of another size, DataError for none.
        """
        space = self.info.spaces[0]
        with_ND, without_ND = as_latents(has_it, space.shape), as_latents(has_it_not, space.shape)
        return self._joined(fit_from_groups(with_ND, without_ND, name, space=space.name, checkpoint=self.info.sha256))

    def principal_directions(self, count: int = 10, *, space: str | None = None) -> list[Direction]:
        """The first principal components of the encodings, or of draws in a space like w (GANSpace), in sigmas.

        They join `directions` as "PC 1", … Raises OptionError where a space has neither.
        """
        where, count = self.info.asked_space(space), as_count(count, "The number of directions")
        return self._all_joined(components_of(where, self.encodings, count, self.info.sha256))

    def weight_directions(self, count: int = 10, *, space: str | None = None) -> list[Direction]:
        """What the first layer answers most to (SeFa, Shen and Zhou 2021): "SeFa 1", …, one sigma of the prior long.

        Raises OptionError where the model cannot name that layer.
        """
        where, count = self.info.asked_space(space), as_count(count, "The number of directions")
        weights_OD = first_weights_of(self, where.name)
        return self._all_joined(weight_components(weights_OD, count, where, self.info.sha256))

    def picture_directions(
        self, count: int = 10, *, space: str | None = None, condition: Asked = None, draws: int = DRAWS, seed: int = 0
    ) -> list[Direction]:
        """Along which the pictures of draws vary most (GANSpace): "GANSpace 1", …, one sigma of the draws long.

        `condition`: one for all draws, of a conditional model. Raises OptionError where nothing can be drawn.
        """
        where, count = self.info.asked_space(space), as_count(count, "The number of directions")
        model = cast("LatentModel", self)
        return self._all_joined(
            components_of_pictures(model, count, where.name, condition=condition, draws=draws, seed=seed)
        )

    def add_directions(self, directions: Iterable[Direction]) -> None:
        """Made elsewhere, or loaded (`core.direction_file.load_directions`); one of a known name is replaced.

        Raises OptionError for one of another space or size, before any is taken.
        """
        made = list(directions)
        check_directions(made, self.info)
        for direction in made:
            self._joined(direction)

    def _all_joined(self, components: list[Component]) -> list[Direction]:
        return [self._joined(component.direction) for component in components]

    def _joined(self, direction: Direction) -> Direction:
        self._directions = self.directions.with_added(direction)
        return self._directions[direction.name]


def check_directions(directions: Iterable[Direction], info: ModelInfo) -> None:
    """Raises OptionError for one of a space that the model does not have, or of another size."""
    for direction in directions:
        dim = info.asked_space(direction.space).dim
        if direction.vector.shape != (dim,):
            raise OptionError(
                f"The direction '{direction.name}' is {direction.vector.shape}; {direction.space} here has {dim} "
                "numbers. It belongs to another model."
            )


def pictures_direction(
    with_ND: FloatArray, without_ND: FloatArray, name: str, info: ModelInfo, *, against_encodings: bool = False
) -> Direction:
    """From the encodings (N, D) of pictures without something to those with it. Raises DataError for none of a kind."""
    fitted = fit_from_groups(with_ND, without_ND, name, space=info.spaces[0].name, checkpoint=info.sha256)
    return replace(fitted, method=AGAINST_ENCODINGS if against_encodings else FROM_PICTURES)


def components_of(
    space: LatentSpace, encodings: EncodingSet | None, count: int = 10, checkpoint: str = ""
) -> list[Component]:
    """Of the encodings in `space`, or else of the draws it keeps. Raises OptionError where it has neither."""
    if encodings is not None and len(encodings) and encodings.space == space.name:
        return principal_components(
            encodings.latents, count, space=space.name, checkpoint=checkpoint, pca=encodings.principal
        )
    if space.draws is None:
        raise OptionError(
            f"Principal components need encodings, or draws of a space like w, and {space.name} has neither. "
            "Encode a folder of pictures first."
        )
    return principal_components(np.asarray(space.draws, np.float32), count, space=space.name, checkpoint=checkpoint)
