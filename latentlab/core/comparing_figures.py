"""The figures of two checkpoints side by side: what they are called, and which of two is better.

Figures of different data, or of different feature spaces, do not compare, and a loss compares with its own kind only:
of those nothing is said to be better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from latentlab.core.comparing import data_of
from latentlab.core.latent_model import ModelInfo
from latentlab.core.registry import FAMILIES

Side = Literal["", "first", "second"]
NONE = "–"
MEASURED_IN = "feature_space"

# Of which less is better, of which more, and which are best near 1; the last part of a figure's name decides.
LESS = {"mse", "l1", "frechet_distance", "nll_nats", "negative_elbo_nats", "noisy_mse", "denoised_mse", "largest_step"}
MORE = {"psnr_db", "ssim", "precision", "recall", "density", "coverage", "completeness", "denoised_psnr_db"}
NEAR_ONE = {"sharpness_ratio"}
IN_A_FEATURE_SPACE = {"frechet_distance", "precision", "recall", "density", "coverage", "completeness"}

PARTS = {
    "train": "training pictures", "held_out": "held-out pictures", "samples": "samples",
    "inverter": "inverted pictures", "classifier": "classifier",
    "reconstruction": "reconstructions", "likelihood": "likelihood",
}  # fmt: skip
WORDS = {
    "mse": "Squared error", "l1": "Absolute error", "kl": "KL", "kl_nats": "KL", "psnr_db": "PSNR", "ssim": "SSIM",
    "frechet_distance": "Fréchet distance", "loss": "Loss", "reconstruction": "Reconstruction loss",
    "active_units": "Active units", "d_loss": "Loss of the discriminator", "g_loss": "Loss of the generator",
    "d_real": "D(x)", "d_fake": "D(G(z))", "sharpness_ratio": "Sharpness, of the data's",
    "nll_nats": "Negative log likelihood", "negative_elbo_nats": "Negative ELBO",
}  # fmt: skip
UNITS = {"psnr_db": " dB", "kl": " nats", "kl_nats": " nats", "nll_nats": " nats", "negative_elbo_nats": " nats"}


NEUTRAL_IN_TRAINING = 3  # what one model alone counted of its own training says nothing beside another


@dataclass(frozen=True)
class FigureRow:
    title: str
    first: str
    second: str
    better: Side = ""
    tip: str = ""


def figure_rows(first: ModelInfo, second: ModelInfo) -> list[FigureRow]:
    """What the models are, then what was measured of either; what one of them lacks is a dash."""
    facts = [_facts(info) for info in (first, second)]
    rows = [FigureRow(title, facts[0][title], facts[1][title]) for title in facts[0]]
    ours, theirs = (dict(_flat(info.figures)) for info in (first, second))
    names = [*ours, *(name for name in theirs if name not in ours)]
    names = [name for name in names if (name in ours and name in theirs) or _weight(name) < NEUTRAL_IN_TRAINING]
    compares = comparable(first, second)
    for name in sorted(names, key=lambda name: (_weight(name), names.index(name))):
        mine, other = ours.get(name), theirs.get(name)
        key = name[-1]
        same_space = key not in IN_A_FEATURE_SPACE or _space(first, name) == _space(second, name) != ""
        better = better_of(key, mine, other) if compares and same_space else ""
        rows.append(FigureRow(_title(name), _said(key, mine), _said(key, other), better, _tip(key, same_space)))
    return rows


def comparable(first: ModelInfo, second: ModelInfo) -> bool:
    """Whether both were trained, so also measured, on the same data."""
    return bool(data_of(first)) and data_of(first) == data_of(second)


def better_of(key: str, first: Any, second: Any) -> Side:
    """By the last part of a figure's name; empty where they are equal, one is missing, or better means nothing."""
    if not _number(first) or not _number(second) or first == second:
        return ""
    if key in LESS:
        return "first" if first < second else "second"
    if key in MORE:
        return "first" if first > second else "second"
    if key in NEAR_ONE and abs(first - 1) != abs(second - 1):
        return "first" if abs(first - 1) < abs(second - 1) else "second"
    return ""


def _facts(info: ModelInfo) -> dict[str, str]:
    space, image = info.spaces[0], info.image
    pixels = f"{image.width} × {image.height}, {'colour' if image.channels == 3 else 'grey'}"
    epochs = info.training.get("epochs")
    title = FAMILIES[info.family].title if info.family in FAMILIES else info.family
    return {
        "Family": title.partition(":")[0] or NONE,
        "Dimensions": f"{space.dim:,}",
        "Prior": {"empirical": "measured"}.get(space.prior, space.prior),
        "Picture": pixels,
        "Encoder": "yes" if info.encoder else "no",
        "Trained on": data_of(info) or NONE,
        "Epochs": f"{epochs:,}" if _number(epochs) else NONE,
    }


def _flat(figures: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*above, str(name)))
        elif _number(value):
            yield (*above, str(name)), value


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _space(info: ModelInfo, name: tuple[str, ...]) -> str:
    """In which feature space a figure was measured; empty where that is not said."""
    part: Any = info.figures
    for key in name[:-1]:
        part = part.get(key, {}) if isinstance(part, Mapping) else {}
    said = part.get(MEASURED_IN, "") if isinstance(part, Mapping) else ""
    return said if isinstance(said, str) else ""


def _weight(name: tuple[str, ...]) -> int:
    """What compares comes first, what was measured on training pictures last."""
    compares = name[-1] in LESS | MORE | NEAR_ONE
    return (0 if compares else 1) + (2 if name[0] == "train" else 0)


def _title(name: tuple[str, ...]) -> str:
    word = WORDS.get(name[-1], name[-1].replace("_", " ").capitalize())
    part = ", ".join(PARTS.get(part, part.replace("_", " ")) for part in name[:-1])
    return f"{word} · {part}" if part else word


def _said(key: str, value: Any) -> str:
    if value is None:
        return NONE
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return text + UNITS.get(key, "")


def _tip(key: str, same_space: bool) -> str:
    if not same_space:
        return "Measured in different feature spaces, so the two do not compare"
    if key in LESS:
        return "Less is better"
    if key in MORE:
        return "More is better"
    return "Best near 1" if key in NEAR_ONE else "Does not say which model is better"
