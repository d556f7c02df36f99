"""A table of figures as text, CSV and JSON: what the window copies and `latentlab measure` prints."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latentlab.core.atomic import displayed
from latentlab.core.figure_kinds import ARROWS
from latentlab.core.figures import FigureTable, Group, Row, number
from latentlab.core.latent_model import ModelInfo
from latentlab.core.measurement import Measurement

NONE = "–"
HEADER = ("group", "figure", "path", "from", "value", "unit", "better", "beside", "feature space", "source")


def as_text(table: FigureTable, info: ModelInfo) -> str:
    """Columns of a fixed width, and below where each comes from."""
    lines = [displayed(Path(info.path).name) or info.family]
    for group in table.groups:
        lines += ["", *_group_text(group, len(table.columns) > 1)]
    lines += [""]
    for column in table.columns:
        lines += [f"{column.title}: {column.source}.", *(f"  {note}" for note in column.notes)]
    return "\n".join(lines) + "\n"


def as_csv(table: FigureTable) -> str:
    """One line for each number, in full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for group in table.groups:
        for row in group.rows:
            for column in group.columns:
                if (cell := row.cells.get(column.key)) is None:
                    continue
                kind = row.kind
                space = group.spaces.get(column.key, "")
                writer.writerow(
                    [group.title, kind.title, kind.path, column.title, repr(cell.value), kind.unit, kind.better,
                     cell.beside, space, column.source]
                )  # fmt: skip
    return out.getvalue()


def document(info: ModelInfo, measurements: Sequence[Measurement]) -> dict[str, Any]:
    """What the checkpoint carries, and what was measured, as JSON has it."""
    return {
        "checkpoint": displayed(Path(info.path).name),
        "sha256": info.sha256,
        "family": info.family,
        "stored": info.figures,
        "measured": [one.model_dump(mode="json") for one in measurements],
    }


def as_json(info: ModelInfo, measurements: Sequence[Measurement]) -> str:
    return json.dumps(document(info, measurements), indent=2, ensure_ascii=False, default=str) + "\n"


def _group_text(group: Group, named: bool) -> list[str]:
    """`named`: whether columns have their names above them."""
    columns = group.columns
    named = named or len(columns) > 1 or not columns[0].source
    rows = [("", *(column.title for column in columns))] if named else []
    rows += [(_title(row), *(_cell(row, column.key) for column in columns)) for row in group.rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns) + 1)]
    lines = [group.title]
    for row in rows:
        cells = (f"{text:>{width}}" for text, width in zip(row[1:], widths[1:], strict=True))
        lines.append(f"  {row[0]:<{widths[0]}}  {'  '.join(cells)}".rstrip())
    for column in columns:
        if column.key in group.spaces:
            whose = f"{column.title}: in" if named else "in"
            lines.append(f"  {whose} {group.spaces[column.key]}")
    return lines


def _title(row: Row) -> str:
    return f"{row.kind.title} {ARROWS[row.kind.better]}".rstrip()


def _cell(row: Row, key: str) -> str:
    cell = row.cells.get(key)
    if cell is None:
        return NONE
    text = number(cell.value, row.kind.unit)
    return f"{text} ({cell.beside})" if cell.beside else text
