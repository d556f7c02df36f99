"""The first layer that a latent reaches in any decoder, found by following one; its weights are what SeFa factorises.

Shapes: B batch, D latent, O outputs of the layer, flattened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from latentlab.core.errors import OptionError

AT_ONCE = 256  # latents that are followed together
TOLERANCE = 1e-3  # of the layer's answer, where it is linear
NUMBERS_AT_MOST = 1 << 27  # of the weights: 512 MB

Decode = Callable[[Tensor], Tensor]  # (B, D) to pictures


class _Reached(Exception):
    """Not an error: the first layer was reached, and the rest of the decoder is of no interest."""


@torch.inference_mode()
def first_weights(network: nn.Module, decode: Decode, dim: int, device: torch.device) -> Tensor:
    """(O, D): how each output of the first layer changes with each number of the latent, float32 on the CPU.

    The first layer is the first module with a weight whose answer depends on the latent. Whatever comes before it (axes
    that are turned, a condition beside the latent) is part of the answer as long as the whole is linear. Raises
    OptionError where no such layer is found, or it is not linear in the latent.
    """
    probes_BD = torch.randn(3, dim, generator=torch.Generator().manual_seed(0)).to(device)
    layer = _first_layer(network, decode, probes_BD)
    zero_1O = _answers(layer, decode, torch.zeros(1, dim, device=device))
    outputs = zero_1O.shape[1]
    if outputs * dim > NUMBERS_AT_MOST:
        raise OptionError(f"This model's first layer has {outputs:,} outputs, which is too large to factorise.")
    weights_OD = torch.empty(outputs, dim)
    for start in range(0, dim, AT_ONCE):
        stop = min(start + AT_ONCE, dim)
        units_BD = torch.zeros(stop - start, dim, device=device)
        units_BD[torch.arange(stop - start), torch.arange(start, stop)] = 1
        weights_OD[:, start:stop] = (_answers(layer, decode, units_BD) - zero_1O).T
    told_BO, said_BO = _answers(layer, decode, probes_BD), probes_BD.cpu() @ weights_OD.T + zero_1O
    if not torch.allclose(told_BO, said_BO, atol=TOLERANCE * max(float(told_BO.abs().max()), 1e-12), rtol=0):
        raise OptionError("This model's first layer is not linear in the latent, so its weights give no directions.")
    return weights_OD


def _first_layer(network: nn.Module, decode: Decode, probes_BD: Tensor) -> nn.Module:
    found: list[nn.Module] = []

    def look(module: nn.Module, _inputs: object, made: object) -> None:
        if isinstance(made, Tensor) and len(made) == len(probes_BD) and not torch.equal(made[0], made[1]):
            found.append(module)
            raise _Reached

    layers = [module for module in network.modules() if isinstance(getattr(module, "weight", None), Tensor)]
    with _hooked(layers, look):
        try:
            decode(probes_BD)
        except _Reached:
            return found[0]
    raise OptionError("The layers of this model cannot be looked at, so no directions can be read from its weights.")


def _answers(layer: nn.Module, decode: Decode, latents_BD: Tensor) -> Tensor:
    """(B, O) what the layer makes of latents."""
    made_BO: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, made: Tensor) -> None:
        made_BO.append(made.flatten(1).float().cpu())
        raise _Reached

    with _hooked([layer], keep):
        try:
            decode(latents_BD)
        except _Reached:
            return made_BO[0]
    raise OptionError("This model's first layer answers one latent and not another, so nothing can be read from it.")


@contextmanager
def _hooked(modules: list[nn.Module], hook: Callable[..., None]) -> Iterator[None]:
    try:
        handles = [module.register_forward_hook(hook) for module in modules]
    except RuntimeError:  # a TorchScript program
        raise OptionError(
            "The layers of this model are those of a program, which keeps its weights to itself."
        ) from None
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
