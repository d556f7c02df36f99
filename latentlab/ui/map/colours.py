"""What colour and shape a point of the map has, and the legend that says so.

Shapes: N encodings, C colour codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentlab.core.encodings import EncodingSet
from latentlab.core.spaces import FloatArray
from latentlab.ui.map.splat import SHAPES
from latentlab.ui.names import readable
from latentlab.ui.theme import Theme

CLASS, NONE, DIMENSION = "class", "none", "dimension "
UNKNOWN, OTHER = "unknown", "other"
LEVELS = 64  # of a continuous colour scale
OFFERED_DIMENSIONS = 8  # the most informative ones are offered as colours

# matplotlib's viridis (Smith and van der Walt, CC0) at twenty even steps; monotonic in lightness.
VIRIDIS = (
    "#440154", "#481467", "#482576", "#453781", "#3f4688", "#39558c", "#32638d", "#2d708e", "#277d8e", "#23898d",
    "#1f968b", "#1fa286", "#29af7f", "#3bbb74", "#55c567", "#73d055", "#94d740", "#b8de28", "#dbe318", "#fde725",
)  # fmt: skip
# The end of the scale that would vanish in the panel's colour is left out.
VIRIDIS_PART = {True: (0.18, 1.0), False: (0.0, 0.86)}
DIVERGING = {True: ("#56b4e9", "#5b6068", "#f5a623"), False: ("#0072b2", "#c3c7ce", "#d55e00")}
REST = {True: "#6f757e", False: "#9aa1ab"}  # of classes without a colour of their own, and of unknown values


@dataclass(frozen=True)
class LegendEntry:
    """`key` is what `MapView.hidden` holds."""

    key: str
    colour: str
    shape: str
    count: int


@dataclass(frozen=True)
class ColourBar:
    low: float
    high: float
    colours: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Colouring:
    """`codes` (N,) say which of `colours` and `shapes` each encoding has. A code's legend entry is `keys[code]`."""

    title: str
    codes: NDArray[np.uint8]
    colours: tuple[str, ...]
    shapes: tuple[str, ...]
    keys: tuple[str, ...]
    entries: tuple[LegendEntry, ...] = ()
    bar: ColourBar | None = None

    def shown(self, hidden: frozenset[str]) -> NDArray[np.bool_] | None:
        """(N,) which encodings the legend leaves on; None for all."""
        switched_off = [key in hidden for key in self.keys]
        return ~np.array(switched_off)[self.codes] if any(switched_off) else None


def choices(encodings: EncodingSet | None) -> list[tuple[str, str]]:
    """What points can be coloured by: (key, words), in the order of a menu."""
    found: list[tuple[str, str]] = []
    if encodings is not None:
        if encodings.labels is not None:
            found.append((CLASS, "Class" + _predicted(encodings, CLASS)))
        found += [(name, readable(name) + _predicted(encodings, name)) for name in encodings.attribute_names]
        order = np.argsort(encodings.informativeness)[::-1][:OFFERED_DIMENSIONS]
        found += [(f"{DIMENSION}{int(d) + 1}", f"Dimension {int(d) + 1}") for d in order]
    return [*found, (NONE, "One colour")]


def chosen(encodings: EncodingSet, colour: str) -> str:
    """The colour key that is really used: the class, else the first attribute, where `colour` does not exist."""
    if colour == NONE or (colour == CLASS and encodings.labels is not None) or colour in encodings.attribute_names:
        return colour
    if _dimension(encodings, colour) is not None:
        return colour
    if encodings.labels is not None:
        return CLASS
    return encodings.attribute_names[0] if encodings.attribute_names else NONE


def colouring(encodings: EncodingSet, colour: str, theme: Theme) -> Colouring:
    """Colours by `MapView.colour`; what does not exist falls back as `chosen` says."""
    key = chosen(encodings, colour)
    if key == CLASS and encodings.labels is not None:
        return _by_class(encodings, theme)
    if key == NONE:
        return Colouring("", np.zeros(len(encodings), np.uint8), (theme.classes[0],), (SHAPES[0],), ("",))
    dimension = _dimension(encodings, key)
    if key in encodings.attribute_names:
        values_N, title = encodings.attribute(key), readable(key) + _predicted(encodings, key)
    else:
        assert dimension is not None
        values_N, title = encodings.latents[:, dimension], f"Dimension {dimension + 1}"
    known = values_N[np.isfinite(values_N)][:100_000]
    # Not np.unique: it imports numpy.ma, a twentieth of the whole start-up.
    counts = [int((known == code).sum()) for code in (-1.0, 0.0, 1.0)]
    if sum(counts) == len(known) and np.count_nonzero(counts) <= 2:
        return _yes_or_no(values_N, key, title, theme)
    return _by_number(values_N, title, theme)


def _by_class(encodings: EncodingSet, theme: Theme) -> Colouring:
    labels_N = encodings.labels
    assert labels_N is not None
    label_count = max(int(labels_N.max(initial=-1)) + 1, 1)
    counts = np.bincount(labels_N[labels_N >= 0], minlength=label_count)
    # The most frequent classes have a colour each, in the order of the labels; the rest is grey.
    own = np.sort(np.argsort(-counts, kind="stable")[: len(theme.classes)])
    own = own[counts[own] > 0]
    code_of = np.full(label_count + 1, len(own), np.uint8)  # the last one is for label -1
    code_of[own] = np.arange(len(own), dtype=np.uint8)
    code_of[label_count] = len(own) + 1
    codes_N = code_of[np.where(labels_N >= 0, labels_N, label_count)]
    names = [encodings.label_names[k] if k < len(encodings.label_names) else str(k) for k in own.tolist()]
    rest = REST[theme.dark]
    return _with_entries(
        "Class" + _predicted(encodings, CLASS),
        codes_N,
        (*theme.classes[: len(own)], rest, rest),
        (*(SHAPES[k % len(SHAPES)] for k in range(len(own))), "circle", "circle"),
        (*names, OTHER, UNKNOWN),
    )


def _yes_or_no(values_N: FloatArray, key: str, title: str, theme: Theme) -> Colouring:
    codes_N = np.where(np.isnan(values_N), 2, np.where(values_N > 0, 0, 1)).astype(np.uint8)
    colours = (theme.classes[1], theme.classes[0], REST[theme.dark])
    return _with_entries(title, codes_N, colours, ("diamond", "circle", "circle"), (key, f"not {key}", UNKNOWN))


def _by_number(values_N: FloatArray, title: str, theme: Theme) -> Colouring:
    finite_N = np.isfinite(values_N)
    low, high = (float(v) for v in np.quantile(values_N[finite_N], [0.01, 0.99])) if finite_N.any() else (0.0, 1.0)
    if low < 0 < high:
        low, high = -max(-low, high), max(-low, high)
        scale = gradient(DIVERGING[theme.dark], LEVELS)
    else:
        scale = gradient(VIRIDIS, LEVELS, *VIRIDIS_PART[theme.dark])
    steps_N = (np.where(finite_N, values_N, low) - low) / max(high - low, 1e-12) * LEVELS
    codes_N = np.where(finite_N, np.clip(steps_N, 0, LEVELS - 1), LEVELS).astype(np.uint8)
    return Colouring(
        title,
        codes_N,
        (*scale, REST[theme.dark]),
        ("circle",) * (LEVELS + 1),
        ("",) * LEVELS + (UNKNOWN,),
        bar=ColourBar(low, high, scale),
    )


def _with_entries(
    title: str, codes_N: NDArray[np.uint8], colours: tuple[str, ...], shapes: tuple[str, ...], keys: tuple[str, ...]
) -> Colouring:
    counts = np.bincount(codes_N, minlength=len(keys))
    entries = tuple(
        LegendEntry(key, colour, shape, int(count))
        for key, colour, shape, count in zip(keys, colours, shapes, counts, strict=True)
        if count
    )
    return Colouring(title, codes_N, colours, shapes, keys, entries)


def gradient(anchors: tuple[str, ...], count: int, first: float = 0.0, last: float = 1.0) -> tuple[str, ...]:
    """`count` colours evenly from `first` to `last` (shares of the way) along evenly placed anchors."""
    rgb = np.array([[int(a[i : i + 2], 16) for i in (1, 3, 5)] for a in anchors], float)
    at = np.linspace(first, last, count) * (len(anchors) - 1)
    channels = [np.interp(at, np.arange(len(anchors)), rgb[:, c]).round().astype(int) for c in range(3)]
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in zip(*channels, strict=True))


def _dimension(encodings: EncodingSet, colour: str) -> int | None:
    """ "dimension 12" is the twelfth: index 11."""
    number = colour.removeprefix(DIMENSION)
    if colour.startswith(DIMENSION) and number.isdecimal() and 1 <= int(number) <= encodings.dim:
        return int(number) - 1
    return None


def _predicted(encodings: EncodingSet, key: str) -> str:
    return " (predicted)" if key in encodings.predicted else ""
