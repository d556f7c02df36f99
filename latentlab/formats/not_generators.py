"""Networks that take pictures and draw none: told apart by the first and last weights, and refused by name."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from latentlab.formats.chain import square_image

CLASSES_AT_MOST = 22_000  # ImageNet-21k and a margin


def kind_of_network(state: Mapping[str, Tensor]) -> str:
    """ "a classifier of 10 classes, …", "a discriminator, …", or "" where it may be anything else."""
    weights = [value for name, value in state.items() if name.endswith("weight") and value.ndim in (2, 4)]
    if len(weights) < 2:
        return ""
    first, last = weights[0], weights[-1]
    from_picture = first.shape[1] in (1, 3) if first.ndim == 4 else square_image(first.shape[1]) is not None
    narrows = last.shape[0] < last.shape[1]
    if not from_picture or not narrows or last.shape[0] > CLASSES_AT_MOST:
        return ""
    if last.shape[0] == 1:
        return "a discriminator, which judges pictures and draws none. Open the generator that was saved beside it"
    if last.ndim == 2:
        return (
            f"a classifier of {last.shape[0]} classes, or an encoder alone: it draws no pictures. Open a generator or "
            "an autoencoder"
        )
    return ""
