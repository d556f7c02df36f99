"""How tests write the files that people have: one state dict in the many coats it comes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

State = Mapping[str, Tensor]

COATS: dict[str, Callable[[State], object]] = {
    "plain": dict,
    "module.": lambda state: {f"module.{name}": value for name, value in state.items()},
    "_orig_mod.": lambda state: {f"_orig_mod.{name}": value for name, value in state.items()},
    "module._orig_mod.": lambda state: {f"module._orig_mod.{name}": value for name, value in state.items()},
    "_orig_mod.module.": lambda state: {f"_orig_mod.module.{name}": value for name, value in state.items()},
    "state_dict": lambda state: {"state_dict": dict(state), "epoch": 3},
    "model": lambda state: {"model": dict(state), "optimizer": {"lr": 0.1, "state": {}}},
    "model_state_dict": lambda state: {"model_state_dict": dict(state), "loss": 0.5},
    "generator": lambda state: {"generator": dict(state)},
    "netG": lambda state: {"netG": dict(state), "netD": {"main.0.weight": torch.zeros(2, 2)}},
    "nested": lambda state: {"checkpoint": 1, "state_dict": {"model": dict(state)}},
    "ema": lambda state: {"model": {k: torch.zeros_like(v) for k, v in state.items()}, "model_ema": dict(state)},
    "netG_state_dict": lambda state: {"netG_state_dict": dict(state), "netD_state_dict": {"a.weight": torch.zeros(2)}},
    "a name nobody knows": lambda state: {"best so far": dict(state), "optimizer": {"state": {0: {"step": 1}}}},
    "g_ema": lambda state: {"g": {k: torch.zeros_like(v) for k, v in state.items()}, "g_ema": dict(state)},
}


def save(state: State, path: Path, coat: str = "plain", *, legacy: bool = False) -> Path:
    torch.save(COATS[coat](state), path, _use_new_zipfile_serialization=not legacy)
    return path


def unsettle(network: nn.Module) -> nn.Module:
    """Running statistics that matter, in eval mode: a reader that forgets them is found out."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
    return network.eval()
