"""`compare`: two models beside each other, from Python: what the window's panel and `latentlab compare` show.

Shapes: B pictures, N samples, T pictures of a path, D latent, H W C of a picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from latentlab.api.drawing import drawn, edited
from latentlab.api.exploring import some_pictures
from latentlab.core.atomic import displayed
from latentlab.core.comparing import (
    Steps,
    condition_beside,
    each_class_in_turn,
    shared_attributes,
    sharpness,
    squared_error,
    steps_along,
)
from latentlab.core.comparing_figures import FigurePair, as_text, figure_pairs, figure_rows, figured
from latentlab.core.condition import Condition, One, default_condition, each_completed
from latentlab.core.direction_making import DirectedModel
from latentlab.core.errors import OptionError, did_you_mean
from latentlab.core.given import as_count
from latentlab.core.latent_model import Images, LatentModel, ModelInfo, check_model
from latentlab.core.paths import lerp
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray

PATH_PICTURES = 32
PATH_AT_MOST = 1000
SAMPLES_AT_MOST = 10_000


@dataclass(frozen=True, eq=False)
class Reconstructed:
    """What one model makes of the pictures that both are shown."""

    originals: Images  # (B, H, W, C) as the model takes them: the largest centred square, resized
    images: Images  # (B, H, W, C)
    latents: FloatArray  # (B, D)
    mse: FloatArray  # (B,) of intensities in [0, 1]
    sharpness: FloatArray  # (B,) beside the original's, 1 is as sharp; NaN where the original is of one colour
    edited: Images | None  # (B, H, W, C) with the attributes put on; None where none were asked for


@dataclass(frozen=True, eq=False)
class ComparedModel:
    """One of the two. `samples` carry the attributes, where there are any; latents of them are in `space`."""

    name: str
    condition: Condition | None  # what it was asked for
    samples: Images  # (N, H, W, C)
    latents: FloatArray  # (N, D)
    space: str
    reconstructed: Reconstructed | None  # None without pictures
    path: Images  # (T, H, W, C) along a straight line
    steps: Steps | None  # how much the picture changes along it; `steps.hole` where it jumps; None without a path


@dataclass(frozen=True, eq=False)
class Compared:
    """Printed, it is the table of figures."""

    first: ComparedModel
    second: ComparedModel
    attributes: tuple[str, ...]  # that both have
    figures: tuple[FigurePair, ...]  # numbers; `figure.document()` gives one as a dict
    text: str

    def document(self) -> dict[str, Any]:
        """Everything but the pictures and latents, as JSON has it."""
        return {
            "attributes": list(self.attributes),
            "figures": [pair.document() for pair in self.figures],
            "first": _document(self.first),
            "second": _document(self.second),
        }

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{self.first.name} beside {self.second.name}: {len(self.figures)} figures>"


def compare(
    first: LatentModel,
    second: LatentModel,
    images: ArrayLike | None = None,
    *,
    attributes: Mapping[str, float] | None = None,
    keep: str | Iterable[str] = (),
    condition: One = None,
    count: int = 16,
    seed: int = 0,
    truncation: float = 1.0,
    path: int = PATH_PICTURES,
    steps: int = 300,
    report: Report | None = None,
) -> Compared:
    """Two models beside each other: figures, samples of one seed, the same pictures through both, gaps on a path.

    `images`: uint8 or float in [0, 1], (B, H, W, C), (B, C, H, W), (B, H, W) or one (H, W, C), of any size; each model
    gets their largest centred square at its own size. A model without an encoder searches for each (`steps` of the
    optimisation). `attributes`: name -> strength of directions that both have, put on the reconstructions, or without
    pictures on the samples; those in `keep` stay. `condition`: a class by number or name, or attributes by name; the
    second model is asked for the same by its names. `count` samples (2 to 10,000; beside pictures also 0) are drawn
    with `seed` and `truncation`. The `path` of so many pictures (2 to 1,000; 0: none) goes straight from the first
    picture to the second, or from the only one to a draw, or without pictures from the first sample to the second.

    Figures are those that a checkpoint carries and that were kept beside it (`latentlab measure --keep`, the window);
    which is better is said only of figures of the same data, measured in the same way. Raises OptionError for unknown
    names and for models that cannot search, DataError for what are no pictures.
    """
    for model in (first, second):
        check_model(model, "compare")
    kept = [keep] if isinstance(keep, str) else list(keep)
    strengths = dict(attributes or {})
    shared = shared_attributes(first.directions, second.directions)
    _check_shared([*strengths, *kept], shared, first, second)
    pictures = None if images is None else some_pictures(images)
    if as_count(count, "The number of samples", SAMPLES_AT_MOST) < 2 and not (count == 0 and pictures is not None):
        raise OptionError(f"The number of samples is {count}; a comparison needs 2 or more.")
    if as_count(path, "The number of pictures of the path", PATH_AT_MOST) == 1:
        raise OptionError("A path needs 2 pictures or more, or 0 for none; it was asked for 1.")
    asked = _conditions(first.info, second.info, condition)
    wanted = _Wanted(pictures, strengths, kept, count, seed, truncation, path, steps, report)
    # Beside a conditional model, one that draws whatever comes is matched by all classes in turn.
    turns = condition is None and not (first.info.conditional and second.info.conditional)
    made = [_made(model, wanted, one, turns) for model, one in zip((first, second), asked, strict=True)]
    pairs, text = figures_of(first, second)
    return Compared(made[0], made[1], tuple(shared), tuple(pairs), text)


def figures_of(first: LatentModel, second: LatentModel) -> tuple[list[FigurePair], str]:
    """The figures of two models as numbers, and as a table in words; nothing is decoded for them."""
    both = figured(first.info, first.encodings), figured(second.info, second.encodings)
    return figure_pairs(*both), as_text(figure_rows(*both), names_of(first, second))


def names_of(first: LatentModel, second: LatentModel) -> tuple[str, str]:
    return _name(first.info), _name(second.info)


@dataclass(frozen=True, eq=False)
class _Wanted:
    """What both are asked for."""

    pictures: Images | None
    strengths: dict[str, float]
    keep: list[str]
    count: int
    seed: int
    truncation: float
    path: int
    steps: int
    report: Report | None


def _check_shared(names: Iterable[str], shared: list[str], first: LatentModel, second: LatentModel) -> None:
    for name in names:
        if name in shared:
            continue
        lacking = first if name not in first.directions else second
        hint = did_you_mean(name, shared) or " They share none."
        raise OptionError(f"{_name(lacking.info)} has no attribute '{name}'; both need it.{hint}")


def _conditions(first: ModelInfo, second: ModelInfo, asked: One) -> tuple[Condition | None, Condition | None]:
    """What either is asked for: the second for the same by its names, or alone where only it can be asked."""
    if not _takes(first, asked) and _takes(second, asked):
        (other,) = each_completed(asked, 1, second.conditional or (), second.conditional_attributes)
        return default_condition(len(first.conditional or ()), len(first.conditional_attributes)), other
    (mine,) = each_completed(asked, 1, first.conditional or (), first.conditional_attributes)
    told = mine if first.takes_condition else None
    return told, condition_beside(told, "", first, second)


def _takes(info: ModelInfo, asked: One) -> bool:
    if asked is None or isinstance(asked, Condition):
        return info.takes_condition
    return bool(info.conditional_attributes if isinstance(asked, Mapping) else info.conditional)


def _made(model: LatentModel, wanted: _Wanted, condition: Condition | None, turns: bool) -> ComparedModel:
    put_on = partial(edited, model, strengths=wanted.strengths, keep=wanted.keep)
    on_samples = put_on if wanted.pictures is None else (lambda latents_ND: latents_ND)
    draws = [(wanted.count, wanted.seed)]
    latents_ND, space = drawn(model, draws, wanted.truncation, condition, on_samples)
    each = each_class_in_turn(condition, model.info, wanted.count) if turns else condition
    samples = model.decode(latents_ND, space=space, condition=each)
    ends, where = latents_ND[:2], space
    reconstructed = None
    if wanted.pictures is not None:
        found_BD = _found(cast(DirectedModel, model), wanted, condition)
        reconstructed = _reconstructed(cast(DirectedModel, model), wanted, condition, found_BD, put_on(found_BD))
        where = model.info.spaces[0].name
        drawn_D = model.sample(1, wanted.seed)
        ends = np.concatenate([found_BD, drawn_D])[:2]
    path = samples[:0]
    if wanted.path:
        path_TD = lerp(ends[0], ends[1], np.linspace(0, 1, wanted.path))
        path = model.decode(path_TD, space=where, condition=condition)
    changes = steps_along(path) if len(path) else None
    return ComparedModel(_name(model.info), condition, samples, latents_ND, space, reconstructed, path, changes)


def _found(model: DirectedModel, wanted: _Wanted, condition: Condition | None) -> FloatArray:
    """(B, D) the latents of the pictures, by the encoder or by search."""
    assert wanted.pictures is not None
    if model.info.encoder:
        return model.encode(wanted.pictures, condition=condition)
    from latentlab.api.inverting import invert

    found = [
        invert(model, picture, steps=wanted.steps, condition=condition, report=wanted.report).latent
        for picture in wanted.pictures
    ]
    return np.stack(found)


def _reconstructed(
    model: DirectedModel, wanted: _Wanted, condition: Condition | None, found_BD: FloatArray, moved_BD: FloatArray
) -> Reconstructed:
    assert wanted.pictures is not None
    originals = model.prepared(wanted.pictures)
    images = model.decode(found_BD, condition=condition)
    pairs = list(zip(images, originals, strict=True))
    sharp = [sharpness(one) / reference if (reference := sharpness(other)) else np.nan for one, other in pairs]
    return Reconstructed(
        originals,
        images,
        found_BD,
        np.array([squared_error(one, other) for one, other in pairs], np.float32),
        np.array(sharp, np.float32),
        model.decode(moved_BD, condition=condition) if wanted.strengths else None,
    )


def _name(info: ModelInfo) -> str:
    return displayed(Path(info.path).name) or info.family or "model"


def _document(one: ComparedModel) -> dict[str, Any]:
    found = one.reconstructed
    sharp = None if found is None else [None if np.isnan(share) else float(share) for share in found.sharpness]
    return {
        "name": one.name,
        "mse": None if found is None else found.mse.tolist(),
        "sharpness": sharp,
        "path_changes": None if one.steps is None else one.steps.changes.tolist(),
        "steepest_step": None if one.steps is None else one.steps.largest,
        "jumps": None if one.steps is None else one.steps.hole,
    }
