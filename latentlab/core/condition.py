"""What a conditional model is asked for beside the latent: a class, attributes, or both.

Shapes: N encodings, A attributes the model is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import OptionError

UNKNOWN = 0.5  # between has it (1) and has it not (0)


@dataclass(frozen=True)
class Condition:
    """`label` counts classes from 0, None: any. `attributes` (A,): 1 has it, 0 has it not, 0.5 unknown; empty: all."""

    label: int | None = None
    attributes: tuple[float, ...] = ()


# One for all pictures, or one for each; a number is a class.
Asked = Condition | int | None | Sequence[Condition | int | None]


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


def each_completed(asked: Asked, count: int, classes: int, attributes: int) -> list[Condition]:
    """One complete condition for each of `count` pictures. Raises OptionError, also where there are too few."""
    if asked is None or isinstance(asked, Condition | int | np.integer):
        return [completed(asked, classes, attributes)] * count
    if len(asked) != count:
        raise OptionError(f"There are {len(asked)} conditions for {count} pictures; give one, or one for each.")
    return [completed(one, classes, attributes) for one in asked]


def condition_of_encoding(
    encodings: EncodingSet, index: int, classes: Sequence[str], attributes: Sequence[str]
) -> Condition | None:
    """What a model of these classes and attributes has to be asked for to draw the picture of one encoding.

    What is not known of it is any class, and 0.5. None where the model takes no condition.
    """
    if not classes and not attributes:
        return None
    label = -1 if encodings.labels is None else int(encodings.labels[index])
    values = (
        float(encodings.attribute(name)[index]) if name in encodings.attribute_names else UNKNOWN for name in attributes
    )
    known = tuple(min(1.0, max(0.0, value)) if math.isfinite(value) else UNKNOWN for value in values)
    return Condition(label if 0 <= label < len(classes) else None, known)
