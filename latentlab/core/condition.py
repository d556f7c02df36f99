"""What a conditional model is asked for beside the latent: a class, attributes, or both.

Shapes: B pictures, A attributes the model is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import OptionError, did_you_mean
from latentlab.core.spaces import FloatArray

UNKNOWN = 0.5  # between has it (1) and has it not (0)


@dataclass(frozen=True)
class Condition:
    """`label` counts classes from 0, None: any. `attributes` (A,): 1 has it, 0 has it not, 0.5 unknown; empty: all."""

    label: int | None = None
    attributes: tuple[float, ...] = ()


# One for all pictures, or one for each. A number is a class, a text the name of one, a table attributes by name.
One = Condition | int | str | Mapping[str, float] | None
Asked = One | Sequence[One] | NDArray[np.integer]


def by_name(asked: Asked, classes: Sequence[str], attributes: Sequence[str]) -> Sequence[Condition | int | None]:
    """One, or one for each, with names as the numbers they have in a model. Raises OptionError for unknown names."""
    if asked is None or isinstance(asked, Condition | int | np.integer | str | Mapping):
        return [_numbered(asked, classes, attributes)]
    return [_numbered(one, classes, attributes) for one in asked]


def _numbered(asked: One | np.integer, classes: Sequence[str], attributes: Sequence[str]) -> Condition | int | None:
    if asked is None or isinstance(asked, Condition):
        return asked
    if isinstance(asked, str):
        if asked not in classes:
            hint = did_you_mean(asked, classes) or " This model takes no class."
            raise OptionError(f"There is no class '{asked}'.{hint}")
        return list(classes).index(asked)
    if not isinstance(asked, Mapping):
        return int(asked)
    for name in asked:
        if name not in attributes:
            hint = did_you_mean(name, attributes) or " This model takes none."
            raise OptionError(f"This model is asked for no attribute '{name}'.{hint}")
    return Condition(0 if classes else None, tuple(float(asked.get(name, UNKNOWN)) for name in attributes))


def as_condition(asked: Condition | int | None) -> Condition | None:
    return asked if asked is None or isinstance(asked, Condition) else Condition(int(asked))


def default_condition(classes: int, attributes: int) -> Condition | None:
    """The first class, and nothing said of the attributes; None where a model takes neither."""
    if not classes and not attributes:
        return None
    return Condition(0 if classes else None, (UNKNOWN,) * attributes)


def completed(asked: Condition | int | None, classes: int, attributes: int) -> Condition:
    """With a value for every attribute; the default where nothing is asked.

    Raises OptionError for what a model of so many classes and attributes cannot be asked.
    """
    condition = as_condition(asked) or default_condition(classes, attributes) or Condition()
    label, values = condition.label, condition.attributes
    if label is not None and not 0 <= label < classes:
        count = f"this model has {classes}, counted from 0" if classes else "this model takes no class"
        raise OptionError(f"There is no class {label}; {count}.")
    if len(values) not in (0, attributes):
        raise OptionError(f"The condition names {len(values)} attributes; this model takes {attributes}.")
    for value in values:
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise OptionError(f"An attribute of a condition is {value:g}; 1 has it, 0 has it not, 0.5 is unknown.")
    return Condition(label, values or (UNKNOWN,) * attributes)


def each_completed(asked: Asked, count: int, classes: Sequence[str], attributes: Sequence[str]) -> list[Condition]:
    """One complete condition for each of `count` pictures. Raises OptionError, also where there are too few."""
    numbered = by_name(asked, classes, attributes)
    if asked is None or isinstance(asked, Condition | int | np.integer | str | Mapping):
        return [completed(numbered[0], len(classes), len(attributes))] * count
    if len(numbered) != count:
        raise OptionError(f"There are {len(numbered)} conditions for {count} pictures; give one, or one for each.")
    return [completed(one, len(classes), len(attributes)) for one in numbered]


class Described(Protocol):
    """Pictures of which something is known: encodings, a data set, the listing of a folder."""

    @property
    def labels(self) -> NDArray[np.int64] | None: ...
    @property
    def label_names(self) -> tuple[str, ...]: ...
    @property
    def attributes(self) -> FloatArray | None: ...
    @property
    def attribute_names(self) -> tuple[str, ...]: ...


def known_conditions(
    known: Described, indices: Sequence[int] | NDArray[np.int64], classes: Sequence[str], attributes: Sequence[str]
) -> list[Condition]:
    """What a model of these classes and attributes has to be asked for to draw each of some pictures.

    Classes and attributes are found by their names. What is not known of a picture is any class, and 0.5.
    """
    chosen = np.asarray(indices, np.int64)
    labels_B = np.full(len(chosen), -1) if known.labels is None else known.labels[chosen]
    # Where classes have no names, they have the model's numbers.
    number_of = {number: number for number in range(len(classes))}
    if known.label_names:
        number_of = {i: list(classes).index(name) for i, name in enumerate(known.label_names) if name in classes}
    values_BA = np.full((len(chosen), len(attributes)), UNKNOWN, np.float32)
    for a, name in enumerate(attributes):
        if known.attributes is not None and name in known.attribute_names:
            values_BA[:, a] = known.attributes[chosen, known.attribute_names.index(name)]
    values_BA = np.nan_to_num(values_BA, nan=UNKNOWN).clip(0, 1)
    rows = zip(labels_B.tolist(), values_BA.tolist(), strict=True)
    return [Condition(number_of.get(label), tuple(values)) for label, values in rows]


def condition_of_encoding(
    encodings: EncodingSet, index: int, classes: Sequence[str], attributes: Sequence[str]
) -> Condition | None:
    """What is asked for to draw the picture of one encoding; None where the model takes no condition."""
    if not classes and not attributes:
        return None
    return known_conditions(encodings, [index], classes, attributes)[0]
