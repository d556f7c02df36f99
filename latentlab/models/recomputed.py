"""Layers whose normalised feature maps are computed again in the backward pass instead of being kept until then.

A convolution, its batch normalisation and its activation leave two maps behind in training: what the convolution gave,
and what the next one read. The second follows from the first at little cost (Chen et al. 2016, section 4.1), and the
results are the same bit for bit. Shapes: B batch, C H W of feature maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def forward_with_less(layers: Iterable[nn.Module], maps_BCHW: Tensor) -> Tensor:
    """`layers` one after another, as nn.Sequential runs them, in about half of its memory where gradients are wanted.

    The activations may work in place. No layer but the convolutions may draw random numbers or keep a state.
    """
    for part in _parts(layers):
        if torch.is_grad_enabled() and isinstance(part[0], nn.BatchNorm2d):
            maps_BCHW = _recomputed(part, part[0], maps_BCHW)
        else:
            maps_BCHW = part(maps_BCHW)
    return maps_BCHW


def _parts(layers: Iterable[nn.Module]) -> list[nn.Sequential]:
    """Each from a normalisation up to the next: what is computed again in it ends where its convolution has read."""
    parts: list[list[nn.Module]] = [[]]
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            parts.append([])
        parts[-1].append(layer)
    return [nn.Sequential(*part) for part in parts if part]


def _recomputed(part: nn.Sequential, norm: nn.BatchNorm2d, maps_BCHW: Tensor) -> Tensor:
    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _seen_before(norm)

    out: Tensor = checkpoint(part, maps_BCHW, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)
    return out


@contextmanager
def _seen_before(norm: nn.BatchNorm2d) -> Iterator[None]:
    """While entered, the running statistics of the normalisation stay as they are."""
    momentum, batches = norm.momentum, norm.num_batches_tracked
    norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        norm.momentum, norm.num_batches_tracked = momentum, batches
