"""What is known of the open model, as titles and text: what it is, how it was trained, what was measured of it.

A header is untrusted: long text is cut, and no more is told of a training than one can read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from latentlab.core.encodings import EncodingSet
from latentlab.core.figures import FigureTable, Group, Row, number, per_dimension, table_of
from latentlab.core.latent_model import ModelInfo
from latentlab.core.option_words import option_title
from latentlab.core.registry import FAMILIES, FORMATS
from latentlab.ui.space_choice import PRIORS
from latentlab.ui.workspace import OpenedModel

SHA = "SHA-256"
FIRST = ("data", "epochs", "seed")  # of a training: what one asks for first
SAID_ABOVE = ("family",)
MOST_FACTS, MOST_LETTERS, DEEPEST = 120, 300, 3
WHOLE = 1e9  # numbers without a fraction are written out below it


@dataclass(frozen=True)
class Fact:
    """`tip` explains it, where that is needed."""

    title: str
    text: str
    tip: str = ""


@dataclass(frozen=True)
class Facts:
    """Those under one heading."""

    heading: str
    rows: tuple[Fact, ...]


def facts_of(opened: OpenedModel) -> list[Facts]:
    """The model, its training and its figures; a heading without facts is left out."""
    info = opened.info
    groups = [Facts("Model", tuple(_of_model(info, opened.encodings)))]
    groups.append(Facts("Training", tuple(_of_training(info))))
    groups += [Facts(group.title, tuple(_figures(group))) for group in _table(opened).groups]
    return [group for group in groups if group.rows]


def _table(opened: OpenedModel) -> FigureTable:
    return table_of(opened.info, per_dimension(opened.encodings))


def as_text(groups: list[Facts]) -> str:
    """The same to copy: two columns of a fixed width."""
    wide = max(len(row.title) for group in groups for row in group.rows)
    parts = [
        "\n".join([group.heading, *(f"  {row.title:<{wide}}  {row.text}" for row in group.rows)]) for group in groups
    ]
    return "\n\n".join(parts) + "\n"


def _of_model(info: ModelInfo, encodings: EncodingSet | None) -> Iterator[Fact]:
    yield Fact("File", info.path or "none: it was handed to explore()")
    yield Fact("Format", FORMATS[info.format].title if info.format in FORMATS else info.format)
    yield Fact("Family", FAMILIES[info.family].title if info.family in FAMILIES else info.family)
    image = info.image
    yield Fact("Pictures", f"{image.width} × {image.height}, {'colour' if image.channels == 3 else 'grey'}")
    for space in info.spaces:
        title = "Latent space" if len(info.spaces) == 1 else f"Latent space {space.name}"
        prior = "prior measured from its encodings" if space.prior == "empirical" else PRIORS[space.prior]
        prior += ", draws around them" if space.is_drawn_around else ""
        yield Fact(title, f"{space.dim:,} numbers, {prior}")
    searched = "no; pictures are searched for" if info.invertible else "no"
    yield Fact("Encoder", "yes" if info.encoder else searched)
    asked = ", ".join((*(info.conditional or ()), *info.conditional_attributes))
    yield Fact("Asked for", asked[:MOST_LETTERS] or "nothing: it is not conditional")
    what = "stored samples" if encodings is not None and encodings.samples else "encodings"
    yield Fact("On the map", f"{len(encodings):,} {what}" if encodings is not None else "nothing")
    yield Fact("Licence", info.licence[:MOST_LETTERS] or "not stated")
    if info.sha256:
        yield Fact(SHA, info.sha256)


def _of_training(info: ModelInfo) -> list[Fact]:
    known = {key: text for key, text in [*_flat(info.training)][:MOST_FACTS] if key not in SAID_ABOVE}
    keys = [key for key in FIRST if key in known] + [key for key in known if key not in FIRST]
    return [Fact(option_title(key), known[key]) for key in keys]


def _flat(part: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, str]]:
    """What a header says, by "section.name"; what it leaves open or empty is left out."""
    for key, value in part.items():
        path = f"{prefix}{str(key)[:80]}"
        if isinstance(value, Mapping) and depth < DEEPEST:
            yield from _flat(value, f"{path}.", depth + 1)
        elif text := _said(value, path):
            yield path, text[:MOST_LETTERS]


def _said(value: Any, path: str = "") -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if path == "seed" else f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < WHOLE else f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value[:MOST_LETTERS])
    return str(value) if value is not None and value != {} else ""


def _figures(group: Group) -> Iterator[Fact]:
    for row in group.rows:
        yield Fact(row.kind.title, _numbers(group, row), row.kind.meaning)


def _numbers(group: Group, row: Row) -> str:
    """Of training and of held-out pictures, which is said where there are both."""
    said = []
    for column in group.columns:
        if (cell := row.cells.get(column.key)) is not None:
            beside = f" ({cell.beside})" if cell.beside else ""
            where = f" {column.title.lower()}" if len(group.columns) > 1 else ""
            said.append(f"{number(cell.value, row.kind.unit)}{where}{beside}")
    return ", ".join(said)
