"""What a conditional network is told of the data: which classes, which attributes, and the rows of numbers themselves.

Shapes: B pictures, K numbers of a condition, A attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from latentlab.core.errors import DataError, OptionError
from latentlab.measure.classifier import is_yes_no
from latentlab.models.conditioning import Conditional, condition_rows
from latentlab.models.family import Architecture, Network, architecture_from, family_class
from training.data import Dataset


@dataclass(frozen=True)
class Told:
    """The classes and attributes of the data that the network is told, in the order of its inputs."""

    classes: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()

    def of(self, data: Dataset) -> Dataset:
        """The data with these attributes only."""
        if not self.attributes or data.attributes is None:
            return data
        columns = [data.attribute_names.index(name) for name in self.attributes]
        return replace(data, attributes=data.attributes[:, columns], attribute_names=self.attributes)


def planned(family: str, asked: Mapping[str, Any], data: Dataset) -> tuple[Architecture, Told | None]:
    """The architecture for pictures of `data`, and what a conditional one is told of them.

    Raises CheckpointError for one that cannot be built, OptionError for a shape that is not the pictures'; else as
    `told_of`.
    """
    told = told_of(data, family_class(family), asked)
    counts = {} if told is None else {"classes": len(told.classes), "attributes": len(told.attributes)}
    shape = {"image_size": data.height, "channels": data.channels}
    for name, value in shape.items():
        if asked.get(name, value) != value:
            raise OptionError(
                f"The option 'architecture.{name}' cannot be {asked[name]!r}: the pictures have {value}, and it "
                "follows from them. Leave it out; --image-size resizes the pictures."
            )
    network_class, architecture = architecture_from({"name": family, **shape, **asked, **counts})
    network_class.on_meta(architecture)  # refuses what is too large
    return architecture, told


def told_of(data: Dataset, network_class: type[Network], asked: Mapping[str, Any]) -> Told | None:
    """Everything a conditional network can be told of `data`; None for a network that takes no condition.

    `asked`: the architecture's options; `classes` or `attributes` 0 leave these out. Quantities and attributes that
    all pictures have, or none, are left out too. Raises DataError where nothing is left, OptionError.
    """
    if not issubclass(network_class.Parameters, Conditional):
        return None
    present = 0 if data.labels is None else len(np.unique(data.labels[data.labels >= 0]))
    classes = data.label_names if present > 1 else ()
    told = Told(classes, tuple(name for a, name in enumerate(data.attribute_names) if _varies(data, a)))
    if not told.classes and not told.attributes:
        found = "one class" if present else "no classes"
        raise DataError(
            f"'{data.name}' has {found} and no attribute that some pictures have and others have not. A conditional "
            "model needs two classes or an attribute: put pictures into class folders, or add attributes.csv."
        )
    for part in ("classes", "attributes"):
        names, wanted = getattr(told, part), asked.get(part)
        if wanted == 0:
            told = replace(told, **{part: ()})
        elif wanted is not None and wanted != len(names):
            raise OptionError(f"'{data.name}' has {len(names)} {part} to ask for, not {wanted}; 0 leaves them out.")
    if not told.classes and not told.attributes:
        raise OptionError(f"Classes and attributes of '{data.name}' are both left out; a conditional model needs some.")
    return told


def asked_of(network: Network, count: int, labels_B: Tensor | None, attributes_BA: Tensor | None) -> Tensor | None:
    """float32 (B, K): what `network` is asked for to draw pictures of these labels; None where it takes nothing."""
    a = network.architecture
    if not isinstance(a, Conditional):
        return None
    return condition_rows(count, a.classes, a.attributes, labels_B, attributes_BA)


def _varies(data: Dataset, a: int) -> bool:
    """Whether attribute `a` is one that some pictures have and others have not."""
    assert data.attributes is not None
    values = data.attributes[:, a]
    values = values[np.isfinite(values)]
    return bool(len(values)) and is_yes_no(values) and 0 < values.sum() < len(values)
