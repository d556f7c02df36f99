"""What a conditional network is told beside the latent: a class, attributes, or both, as one row of numbers.

Shapes: B batch, K = classes + attributes numbers of a condition, A attributes.
"""

from __future__ import annotations

from typing import Self

import torch
from pydantic import BaseModel, Field, model_validator
from torch import Tensor
from torch.nn import functional as F

UNKNOWN = 0.5  # between has it (1) and has it not (0)


class Conditional(BaseModel):
    """Parameters that every conditional architecture adds to its own."""

    classes: int = Field(0, ge=0, le=10_000)
    attributes: int = Field(0, ge=0, le=1_000)

    @model_validator(mode="after")
    def _something_to_condition_on(self) -> Self:
        if self.classes + self.attributes < 1:
            raise ValueError("a conditional model needs classes or attributes; the data has neither")
        return self

    @property
    def conditions(self) -> int:
        """K, the numbers of a condition."""
        return self.classes + self.attributes


def condition_rows(
    count: int, classes: int, attributes: int, labels_B: Tensor | None, attributes_BA: Tensor | None
) -> Tensor:
    """float32 (count, K): the class as one-hot, then 1 or 0 for each attribute.

    An unknown class (-1, or no labels) is all zeros; an unknown attribute (NaN, or none given) is 0.5.
    """
    device = next((t.device for t in (labels_B, attributes_BA) if t is not None), torch.device("cpu"))
    one_hot_BC = torch.zeros(count, classes, device=device)
    if classes and labels_B is not None:
        known_B = (labels_B >= 0) & (labels_B < classes)
        one_hot_BC = F.one_hot(labels_B.clamp(0, classes - 1), classes).float() * known_B[:, None]
    asked_BA = torch.full((count, attributes), UNKNOWN, device=device)
    if attributes and attributes_BA is not None:
        asked_BA = attributes_BA.float().nan_to_num(UNKNOWN)
    return torch.cat([one_hot_BC, asked_BA], dim=1)


def signed(condition_BK: Tensor, classes: int) -> Tensor:
    """The rows of a condition with its attributes from -1 (has it not) to 1 (has it): what is unknown is 0."""
    return torch.cat([condition_BK[:, :classes], condition_BK[:, classes:] * 2 - 1], dim=1)
