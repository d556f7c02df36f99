"""The figures of two checkpoints side by side, and which of two is better.

What a figure means, and whether less or more of it is better, is said in `latentlab.core.figures`. Figures of different
data, measured in different ways or in different feature spaces do not compare: of those nothing is said to be better.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from latentlab.core.comparing import data_of
from latentlab.core.encodings import EncodingSet
from latentlab.core.figure_kinds import ALIASES, ARROWS, DRAWS, LOSSES, OTHERS, Better, FigureKind
from latentlab.core.figure_text import NONE
from latentlab.core.figures import Cell, Column, FigureTable, Group, number, per_dimension, table_of
from latentlab.core.latent_model import ModelInfo
from latentlab.core.measurement import evaluation, kept

Side = Literal["", "first", "second"]
# What was measured on pictures that a person chose says most; the trainer's own figures are there most often.
PREFERRED = ("pictures", "encodings", "stored", "held_out")
HEADER = ("group", "figure", "path", "unit", "first", "second", "better", "not compared")
OF_EITHER = frozenset({LOSSES, OTHERS})  # shown where both have them: alone they say nothing of the other model


@dataclass(frozen=True)
class FigureRow:
    """Text, as it is shown; `heading` rows stand above the figures of their group."""

    title: str
    first: str = ""
    second: str = ""
    better: Side = ""
    tip: str = ""
    heading: bool = False


@dataclass(frozen=True)
class FigurePair:
    """One figure of two models as numbers; None where a model lacks it."""

    group: str
    kind: FigureKind
    first: float | None
    second: float | None
    better: Side = ""
    not_compared: str = ""  # why two numbers do not compare; empty where they do

    def document(self) -> dict[str, str | float | None]:
        """Plain data, as JSON has it."""
        return {
            "group": self.group,
            "figure": self.kind.title,
            "path": self.kind.path,
            "unit": self.kind.unit,
            "first": self.first,
            "second": self.second,
            "better": self.better,
            "not_compared": self.not_compared,
        }


@dataclass(frozen=True, eq=False)
class Figured:
    """A model with the table of what is known of it."""

    info: ModelInfo
    table: FigureTable


def figured(info: ModelInfo, encodings: EncodingSet | None = None) -> Figured:
    """With what `latentlab-train evaluate` and measuring have left beside the checkpoint, and what its dimensions say.

    It reads files and takes the variance of the encodings: not for the GUI thread.
    """
    return Figured(info, table_of(info, per_dimension(encodings), kept(info), evaluation(info)))


def figure_rows(first: Figured, second: Figured) -> list[FigureRow]:
    """What the models are, then what was measured of either; what one of them lacks is a dash."""
    facts = [_facts(one.info) for one in (first, second)]
    rows = [FigureRow(title, facts[0][title], facts[1][title]) for title in facts[0]]
    heading = ""
    for pair in figure_pairs(first, second):
        if pair.group != heading:
            heading = pair.group
            rows.append(FigureRow(heading, heading=True))
        rows.append(_row(pair))
    return rows


def figure_pairs(first: Figured, second: Figured) -> list[FigurePair]:
    """What was measured of either, group by group."""
    titles = dict.fromkeys(group.title for one in (first, second) for group in one.table.groups)
    return [pair for title in titles for pair in _of_group(title, first, second)]


def as_text(rows: Sequence[FigureRow], names: tuple[str, str]) -> str:
    """Two columns of a fixed width; the better of two figures that compare is starred."""
    cells = [
        ("" if row.heading else row.first + " *" * (row.better == "first"),
         "" if row.heading else row.second + " *" * (row.better == "second"))
        for row in rows
    ]  # fmt: skip
    left = max([len(row.title) + 2 * (not row.heading) for row in rows], default=0)
    widths = [max([len(pair[side]) for pair in cells] + [len(names[side])]) for side in (0, 1)]
    lines = [f"{'':<{left}}  {names[0]:>{widths[0]}}  {names[1]:>{widths[1]}}"]
    for row, (one, other) in zip(rows, cells, strict=True):
        title = row.title if row.heading else f"  {row.title}"
        lines += [""] if row.heading else []
        lines.append(f"{title:<{left}}  {one:>{widths[0]}}  {other:>{widths[1]}}".rstrip())
    starred = any(row.better for row in rows)
    return "\n".join([*lines, "", "*: the better one of two figures that compare."] if starred else lines) + "\n"


def as_csv(pairs: Sequence[FigurePair], names: tuple[str, str]) -> str:
    """One line for each figure, in full precision; the columns of the two models have their names."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([{"first": names[0], "second": names[1]}.get(title, title) for title in HEADER])
    for pair in pairs:
        values = ["" if value is None else repr(value) for value in (pair.first, pair.second)]
        better = {"first": names[0], "second": names[1]}.get(pair.better, "")
        kind = pair.kind
        writer.writerow([pair.group, kind.title, kind.path, kind.unit, *values, better, pair.not_compared])
    return out.getvalue()


def why_not_comparable(first: ModelInfo, second: ModelInfo) -> str:
    """Why no figure of one compares with the other's; empty where both were trained, so also measured, on the same.

    Pictures of another size are other data: a large one has details to get wrong that a small one does not show.
    """
    if not data_of(first) or data_of(first) != data_of(second):
        return "the two were trained on different data"
    sizes = [f"{image.width} × {image.height}" for image in (first.image, second.image)]
    return "" if sizes[0] == sizes[1] else f"their pictures are {sizes[0]} and {sizes[1]}"


def better_of(better: Better, first: float, second: float) -> Side:
    """Empty where they are equal, or where better means nothing."""
    if better == "lower":
        first, second = -first, -second
    elif better == "one":
        first, second = -abs(first - 1), -abs(second - 1)
    elif not better:
        return ""
    return "" if first == second else "first" if first > second else "second"


def _facts(info: ModelInfo) -> dict[str, str]:
    space, image = info.spaces[0], info.image
    epochs = info.training.get("epochs")
    counted = isinstance(epochs, int) and not isinstance(epochs, bool)
    return {
        "Family": info.family or NONE,
        "Dimensions": f"{space.dim:,}",
        "Prior": {"empirical": "measured"}.get(space.prior, space.prior),
        "Picture": f"{image.width} × {image.height} {'RGB' if image.channels == 3 else 'grey'}",
        "Encoder": "yes" if info.encoder else "no",
        "Trained on": data_of(info) or NONE,
        "Epochs": f"{epochs:,}" if counted else NONE,
    }


@dataclass(frozen=True)
class _Measured:
    cell: Cell
    column: Column
    space: str


def _of_group(title: str, first: Figured, second: Figured) -> Iterator[FigurePair]:
    groups = [_group(one.table, title) for one in (first, second)]
    kinds = {row.kind.path: row.kind for group in groups if group is not None for row in group.rows}
    for path, kind in kinds.items():
        if title == LOSSES and path.replace("losses.", "held_out.") in ALIASES:
            continue  # a figure of its own above
        mine, other = _pair(*(_measured(group, path) for group in groups))
        if title in OF_EITHER and (mine is None or other is None):
            continue
        yield _paired(title, kind, mine, other, why_not_comparable(first.info, second.info))


def _group(table: FigureTable, title: str) -> Group | None:
    return next((group for group in table.groups if group.title == title), None)


def _measured(group: Group | None, path: str) -> dict[str, _Measured]:
    """By the key of the column; training losses are left out."""
    if group is None:
        return {}
    columns = {column.key: column for column in group.columns}
    cells = next((row.cells for row in group.rows if row.kind.path == path), {})
    return {
        key: _Measured(cells[key], columns[key], group.spaces.get(key, ""))
        for key in PREFERRED
        if key in cells and key in columns
    }


def _pair(first: dict[str, _Measured], second: dict[str, _Measured]) -> tuple[_Measured | None, _Measured | None]:
    """Measured in the same way where that is possible."""
    key = next((key for key in PREFERRED if key in first and key in second), "")
    if key:
        return first[key], second[key]
    return next(iter(first.values()), None), next(iter(second.values()), None)


def _paired(group: str, kind: FigureKind, first: _Measured | None, second: _Measured | None, unlike: str) -> FigurePair:
    if first is None or second is None:
        return FigurePair(group, kind, first.cell.value if first else None, second.cell.value if second else None)
    values = first.cell.value, second.cell.value
    why_not = _why_not(kind, first, second, unlike)
    return FigurePair(group, kind, *values, "" if why_not else better_of(kind.better, *values), why_not)


def _row(pair: FigurePair) -> FigureRow:
    kind = pair.kind
    texts = [NONE if value is None else number(value, kind.unit) for value in (pair.first, pair.second)]
    title, tip = f"{kind.title} {ARROWS[kind.better]}".rstrip(), f"{kind.meaning}\n{pair.not_compared}".strip()
    return FigureRow(title, texts[0], texts[1], pair.better, tip)


def _why_not(kind: FigureKind, first: _Measured, second: _Measured, unlike: str) -> str:
    """Why two numbers do not compare; empty where they do."""
    if first.column.key != second.column.key:
        return f"Not compared: {first.column.title.lower()} here, {second.column.title.lower()} there."
    if kind.group == DRAWS and kind.unit == "" and first.space != second.space:
        return "Not compared: measured in different feature spaces."
    return f"Not compared: {unlike}." if unlike else ""
