"""Weights that were saved before they were normalised, as the plain weights that the layers use.

Spectral norm (Miyato et al. 2018) and weight norm (Salimans, Kingma 2016), each in the two spellings PyTorch has had.
Sources: torch.nn.utils.spectral_norm, torch.nn.utils.parametrizations. Shapes: a weight W (R, C, …) is seen as a matrix
with its normalised dimension first; u is as long as that, v as the rest.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

SPECTRAL: tuple[tuple[str, ...], ...] = (
    ("weight_orig", "weight_u", "weight_v"),
    ("parametrizations.weight.original", "parametrizations.weight.0._u", "parametrizations.weight.0._v"),
)
WEIGHT_NORM: tuple[tuple[str, ...], ...] = (
    ("weight_g", "weight_v"),
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
)


def plain_weights(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state dict with every normalised layer's `weight` in the place of what it is computed from."""
    for names in SPECTRAL:
        state = _replaced(state, names, _spectral)
    for names in WEIGHT_NORM:
        state = _replaced(state, names, _weight_norm)
    return state


def _replaced(state: dict[str, Tensor], names: tuple[str, ...], weight_of: Callable[..., Tensor]) -> dict[str, Tensor]:
    out: dict[str, Tensor] = {}
    used: set[str] = set()
    for name, value in state.items():
        layer = name.removesuffix(names[0])
        parts = [state.get(layer + part) for part in names]
        if not name.endswith(names[0]) or (layer and not layer.endswith(".")) or any(part is None for part in parts):
            out[name] = value
            continue
        out[f"{layer}weight"] = weight_of(*parts)
        used.update(layer + part for part in names)
    return {name: value for name, value in out.items() if name not in used}


def _spectral(weight: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """W / sigma with sigma = u W v, the estimate that evaluation uses. Raises ValueError for shapes that do not fit."""
    fitting = [
        matrix
        for dim in range(min(2, weight.ndim))
        if tuple((matrix := weight.movedim(dim, 0).flatten(1)).shape) == (u.numel(), v.numel())
    ]
    if not fitting:
        raise ValueError(f"the spectral norm of a weight {tuple(weight.shape)} does not fit it")
    # A transposed convolution is normalised along its second dimension. Where both fit, u is about W v / |W v|.
    estimates = [matrix @ v.flatten() for matrix in fitting]
    agreement = [float(torch.nn.functional.cosine_similarity(made, u.flatten(), dim=0)) for made in estimates]
    sigma = torch.dot(u.flatten(), estimates[agreement.index(max(agreement))])
    return weight / sigma


def _weight_norm(gain: Tensor, direction: Tensor) -> Tensor:
    if gain.ndim != direction.ndim:
        raise ValueError(f"the norm {tuple(gain.shape)} of a weight {tuple(direction.shape)} does not fit it")
    kept = [dim for dim in range(gain.ndim) if gain.shape[dim] != 1]
    reduced = [dim for dim in range(direction.ndim) if dim not in kept]
    norms: Tensor = torch.linalg.vector_norm(direction, dim=reduced, keepdim=True)
    return direction * (gain / norms)
