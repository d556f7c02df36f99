"""What figures there are, what each means, and the table of those that are known of a model.

Figures come from a checkpoint's header, from `latentlab-train evaluate` and from what was measured since. A header is
untrusted: what is no finite number is not shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.encodings import EncodingSet
from latentlab.core.figure_kinds import (
    ALIASES,
    BESIDE,
    DRAWS,
    KINDS,
    LABELS,
    LATENT,
    LOSSES,
    LOSSES_SAID,
    OTHERS,
    RECONSTRUCTION,
    SAID_ELSEWHERE,
    FigureKind,
)
from latentlab.core.latent_model import ModelInfo
from latentlab.core.measurement import Measurement
from latentlab.core.spaces import FloatArray

ACTIVE = 0.01  # Burda et al. 2016: a unit is active when its mean varies more than this over the data
STORED = "stored"
MOST_FIGURES = 150
DEEPEST = 3


@dataclass(frozen=True)
class Cell:
    """One number; `beside` says what it is to be read beside."""

    value: float
    beside: str = ""


@dataclass(frozen=True)
class Column:
    """Where numbers come from; `source` in words."""

    key: str
    title: str
    source: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    kind: FigureKind
    cells: Mapping[str, Cell]  # by the key of a column


@dataclass(frozen=True)
class Group:
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    spaces: Mapping[str, str] = field(default_factory=dict)  # column key -> the feature space of its distances


@dataclass(frozen=True, eq=False)
class FigureTable:
    """Everything that is known of a model. `columns` are those that have at least one number."""

    columns: tuple[Column, ...] = ()
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, eq=False)
class PerDimension:
    """What each dimension says: KL in nats, or where the encoder has no variance, the variance of the latents."""

    values_D: FloatArray
    active_D: NDArray[np.bool_]
    unit: str  # "nats", or "" for a variance
    count: int  # encodings

    @property
    def what(self) -> str:
        return "KL" if self.unit else "variance"


def per_dimension(encodings: EncodingSet | None) -> PerDimension | None:
    """None where there are no encodings of pictures: of draws every dimension says what the prior is."""
    if encodings is None or len(encodings) < 2 or encodings.samples:
        return None
    variance_D = np.nan_to_num(encodings.latents).var(axis=0, dtype=np.float64)
    has_kl = encodings.kl_per_dimension is not None and len(encodings.kl_per_dimension) == encodings.dim
    values_D = np.nan_to_num(np.asarray(encodings.informativeness, np.float32))
    return PerDimension(values_D, variance_D > ACTIVE, "nats" if has_kl else "", len(encodings))


def table_of(
    info: ModelInfo,
    dimensions: PerDimension | None = None,
    measurements: Sequence[Measurement] = (),
    evaluated: Mapping[str, Any] | None = None,
) -> FigureTable:
    """`dimensions` are those of the encodings, `evaluated` what `latentlab-train evaluate` wrote."""
    by_column: dict[Column, dict[str, float]] = {}
    spaces: dict[str, str] = {}
    stored = dict(flattened(info.figures)) | dict(flattened(evaluated or {}))
    if dimensions is not None:
        stored = dict(flattened({"latent": _of_dimensions(dimensions)})) | stored
    if stored:
        by_column[Column(STORED, "Stored", _source_of_stored(info, evaluated or {}, dimensions))] = stored
        spaces[STORED] = _space(evaluated) or _space(info.figures)
    for one in measurements:
        compared = "reconstruction" in one.figures or "real" in one.figures.get("samples", {})
        title = "Pictures" if one.kind == "pictures" else "Encodings" if compared else "Draws"
        when = f", {one.measured_at.replace('T', ' ')}" if one.measured_at else ""
        by_column[Column(one.kind, title, one.source + when, one.notes)] = dict(flattened(one.figures))
        spaces[one.kind] = _space(one.figures)
    by_column = {column: _renamed(numbers) for column, numbers in by_column.items()}
    named = {key: text for key, text in spaces.items() if text}
    groups = [_group(title, by_column, named) for title in (RECONSTRUCTION, LATENT, DRAWS, LABELS)]
    groups += [_losses(stored), _others(by_column)]
    shown = tuple(group for group in groups if group.rows)
    return FigureTable(tuple(by_column), shown)


def number(value: float, unit: str = "") -> str:
    """Three digits that count, and the unit: "0.00416", "25.1 dB", "1,284"."""
    if value == 0 or (float(value).is_integer() and abs(value) < 1e6):
        text = f"{value:,.0f}"
    elif abs(value) >= 1000:
        text = f"{value:,.0f}" if abs(value) < 1e7 else f"{value:.3g}"
    elif abs(value) < 1e-4:
        text = f"{value:.2e}"
    else:
        text = f"{value:#.3g}".rstrip(".")
    return f"{text} {unit}".rstrip().replace("-", "−")


def flattened(part: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, float]]:
    """("section.name", number) of everything that is a finite number, at most 150 and three levels deep."""
    count = 0
    for name, value in part.items():
        path = f"{prefix}{str(name)[:80]}"
        if isinstance(value, Mapping) and depth < DEEPEST:
            found: Iterator[tuple[str, float]] = flattened(value, f"{path}.", depth + 1)
        else:
            found = iter([] if (said := _finite(value)) is None else [(path, said)])
        for pair in found:
            yield pair
            count += 1
            if count >= MOST_FIGURES:
                return


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _of_dimensions(dimensions: PerDimension) -> dict[str, float]:
    figures = {"active_units": float(dimensions.active_D.sum()), "latent_dim": float(len(dimensions.values_D))}
    return figures | ({"kl_nats": float(dimensions.values_D.sum())} if dimensions.unit else {})


def _source_of_stored(info: ModelInfo, evaluated: Mapping[str, Any], dimensions: PerDimension | None) -> str:
    if not info.figures and not evaluated:
        return f"of the {dimensions.count:,} encodings" if dimensions else ""
    data, epochs = info.training.get("data"), info.training.get("epochs")
    trained = f", after {epochs:,} epochs" if isinstance(epochs, int) and not isinstance(epochs, bool) else ""
    said = f"by the trainer{trained}, on held-out pictures" + (f" of {str(data)[:60]}" if data else "")
    if evaluated:
        said += "; some by latentlab-train evaluate"
    if dimensions is not None:
        said += f"; {'KL and ' if dimensions.unit else ''}active units of {dimensions.count:,} encodings"
    return said


def _space(figures: Mapping[str, Any] | None) -> str:
    samples = (figures or {}).get("samples")
    name = samples.get("feature_space") if isinstance(samples, Mapping) else None
    return name[:300] if isinstance(name, str) else ""


def _renamed(numbers: Mapping[str, float]) -> dict[str, float]:
    """By the names of `KINDS`; a figure under its own name goes before one under another."""
    renamed = {ALIASES[path]: value for path, value in numbers.items() if path in ALIASES}
    own = {path: value for path, value in numbers.items() if path not in ALIASES}
    found = renamed | own
    if "samples.completeness" in found:  # the same by definition
        found.setdefault("samples.precision", found["samples.completeness"])
        if found["samples.completeness"] == found["samples.precision"]:
            del found["samples.completeness"]
    return found


def _group(title: str, by_column: Mapping[Column, Mapping[str, float]], spaces: Mapping[str, str]) -> Group:
    rows = []
    for kind in KINDS.values():
        if kind.group == title:
            cells = {
                column.key: Cell(numbers[kind.path], _beside(kind.path, numbers))
                for column, numbers in by_column.items()
                if kind.path in numbers
            }
            rows += [Row(kind, cells)] if cells else []
    if title == LABELS:
        rows += _separability(by_column)
    used = tuple(column for column in by_column if any(column.key in row.cells for row in rows))
    return Group(title, used, tuple(rows), {c.key: spaces[c.key] for c in used if title == DRAWS and c.key in spaces})


def _beside(path: str, numbers: Mapping[str, float]) -> str:
    for name in BESIDE.get(path, ()):
        if name in numbers:
            return f"real pictures: {number(numbers[name])}"
    if path == "latent.active_units":
        dim = numbers.get("latent.latent_dim") or numbers.get("reconstruction.latent_dim")
        return f"of {number(dim)}" if dim else ""
    return ""


def _separability(by_column: Mapping[Column, Mapping[str, float]]) -> list[Row]:
    """Of a GAN's attributes, which a classifier said: how well it tells held-out pictures apart."""
    rows: dict[str, dict[str, Cell]] = {}
    for column, numbers in by_column.items():
        for path, value in numbers.items():
            if path.startswith("classifier.") and path not in KINDS:
                rows.setdefault(path, {})[column.key] = Cell(value)
    meaning = "How well a classifier tells held-out pictures with and without it apart (AUC; 0.5 is chance)."
    return [
        Row(FigureKind(path, LABELS, path.partition(".")[2], meaning, "higher"), cells) for path, cells in rows.items()
    ]


def _losses(stored: Mapping[str, float]) -> Group:
    """Training and held-out losses beside each other."""
    columns = {"train": Column("train", "Training", ""), "held_out": Column("held_out", "Held out", "")}
    rows: dict[str, dict[str, Cell]] = {}
    for path, value in stored.items():
        split, _, name = path.partition(".")
        if split in columns and name:
            rows.setdefault(name, {})[split] = Cell(value)
    found = tuple(
        Row(FigureKind(f"losses.{name}", LOSSES, *LOSSES_SAID.get(name, (_in_words(name), ""))), cells)
        for name, cells in rows.items()
    )
    used = tuple(column for key, column in columns.items() if any(key in row.cells for row in found))
    return Group(LOSSES, used, found)


def _others(by_column: Mapping[Column, Mapping[str, float]]) -> Group:
    """What has no name here is shown all the same, as the file calls it."""
    rows: dict[str, dict[str, Cell]] = {}
    for column, numbers in by_column.items():
        for path, value in numbers.items():
            known = path in KINDS or path in SAID_ELSEWHERE or path.split(".")[0] in ("train", "held_out", "classifier")
            if not known:
                rows.setdefault(path, {})[column.key] = Cell(value)
    found = tuple(Row(FigureKind(path, OTHERS, _in_words(path), ""), cells) for path, cells in rows.items())
    used = tuple(column for column in by_column if any(column.key in row.cells for row in found))
    return Group(OTHERS, used, found)


def _in_words(name: str) -> str:
    text = name.replace("_", " ").replace(".", ": ")
    return text[:1].upper() + text[1:]
