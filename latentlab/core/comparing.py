"""Two models beside each other: what both can be asked for, and what can be said of one picture by both.

Shapes: H W C pictures, T pictures along a path.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.condition import UNKNOWN, Condition, default_condition
from latentlab.core.latent_model import ModelInfo
from latentlab.core.paths import image_changes
from latentlab.core.spaces import FloatArray
from latentlab.core.state import Comparison

Picture = NDArray[np.uint8]  # (H, W, C)
MIDDLE_PX = 256
STEPS_PX = 128
HOLE = 3.0  # times the mean change between two pictures of a path: one sees it jump


def beside_another(comparison: Comparison, opened: ModelInfo, before: ModelInfo) -> Comparison:
    """The comparison once another model is worked with: the second stays, or gives way to the first it changes with."""
    kept = replace(comparison, end=None)  # a latent of the model before
    if not comparison.path or opened.sha256 != comparison.checkpoint:
        return kept
    return replace(kept, path=before.path, checkpoint=before.sha256)


def shared_attributes(first: Iterable[str], second: Iterable[str]) -> list[str]:
    """Names that both know, in the order of the first."""
    known = set(second)
    return [name for name in first if name in known]


def condition_beside(
    condition: Condition | None, class_name: str, info: ModelInfo, other: ModelInfo
) -> Condition | None:
    """What `other` is asked for where `info` is asked for `condition`: the same class and attributes, by their names.

    `class_name`: of the picture, where `info` itself is not asked for a class. None where `other` takes no condition.
    """
    classes, attributes = other.conditional or (), other.conditional_attributes
    asked = default_condition(len(classes), len(attributes))
    if asked is None:
        return None
    if condition is not None and condition.label is not None and info.conditional:
        class_name = info.conditional[condition.label]
    values = dict(zip(info.conditional_attributes, condition.attributes if condition else (), strict=False))
    return Condition(
        classes.index(class_name) if class_name in classes else asked.label,
        tuple(values.get(name, UNKNOWN) for name in attributes),
    )


def each_class_in_turn(condition: Condition | None, info: ModelInfo, count: int) -> list[Condition | None]:
    """What `count` draws of a conditional model are asked for where the model beside it draws whatever comes."""
    if condition is None or not info.conditional:
        return [condition] * count
    return [replace(condition, label=number % len(info.conditional)) for number in range(count)]


# --- of pictures -----------------------------------------------------------------------------------------------


def squared_error(one: Picture, other: Picture) -> float:
    """Mean squared difference in [0, 1] intensities."""
    difference = (one.astype(np.float32) - other.astype(np.float32)) / 255
    return float(np.mean(np.square(difference)))


def sharpness(picture: Picture) -> float:
    """Variance of the Laplacian of the grey picture in [0, 1]: less of it is blur (Pech-Pacheco et al. 2000).

    Of the middle of a large picture: it is asked for while a picture is dragged.
    """
    top, left = (max(0, (size - MIDDLE_PX) // 2) for size in picture.shape[:2])
    picture = picture[top : top + MIDDLE_PX, left : left + MIDDLE_PX]
    grey_HW = picture.mean(axis=2, dtype=np.float32) / 255
    if min(grey_HW.shape) < 3:
        return 0.0
    inside = grey_HW[1:-1, 1:-1]
    around = grey_HW[:-2, 1:-1] + grey_HW[2:, 1:-1] + grey_HW[1:-1, :-2] + grey_HW[1:-1, 2:]
    return float(np.var(around - 4 * inside))


@dataclass(frozen=True, eq=False)
class Steps:
    """How much the picture changes from step to step along a path that is straight and evenly walked."""

    changes: FloatArray  # (T - 1,) root mean square of intensities in [0, 1]
    largest: float  # in mean changes: 1 is a path as even as can be
    at: int  # where the largest is, from 0

    @property
    def hole(self) -> bool:
        return self.largest >= HOLE


def steps_along(pictures_THWC: NDArray[np.uint8]) -> Steps:
    """Of at least two pictures, of large ones every other pixel or fewer. A path on which nothing changes is even."""
    stride = max(1, max(pictures_THWC.shape[1:3]) // STEPS_PX)
    changes = image_changes(pictures_THWC[:, ::stride, ::stride])
    mean = float(changes.mean())
    return Steps(changes, float(changes.max()) / mean if mean else 1.0, int(changes.argmax()))


def in_short(info: ModelInfo, memory_bytes: int = 0) -> str:
    """ "vae · 128-D · 11 MB": what a heading says of a model."""
    parts = [info.family, f"{info.spaces[0].dim:,}-D", megabytes(memory_bytes) if memory_bytes else ""]
    return " · ".join(part for part in parts if part)


def in_words(info: ModelInfo, title: str, memory_bytes: int = 0) -> str:
    """The same at length: "Variational autoencoder, 128 dimensions, 11 MB in memory". `title`: the family's."""
    space = info.spaces[0]
    parts = [title, f"{space.dim:,} dimensions{f' in {space.name}' if len(info.spaces) > 1 else ''}"]
    if memory_bytes:
        parts.append(f"{megabytes(memory_bytes)} in memory")
    return ", ".join(part for part in parts if part)


def megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


def data_of(info: ModelInfo) -> str:
    """What a model was trained on; empty where its file does not say it."""
    data: Any = info.training.get("data", "")
    return data if isinstance(data, str) else ""
