"""Which device a model or a run uses."""

from __future__ import annotations

import torch

from latentlab.core.device_name import NO_CUDA, NO_MPS
from latentlab.core.errors import OptionError


def chosen_device(name: str) -> torch.device:
    """`auto` is cuda, then mps, then cpu. Raises OptionError for a device that is not there."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise OptionError(f"There is no device '{name}'. Known: auto, cpu, cuda, cuda:0, mps.") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise OptionError(NO_CUDA)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise OptionError(NO_MPS)
    if device.type not in ("cpu", "cuda", "mps"):
        raise OptionError(f"The device '{name}' is not supported. Known: auto, cpu, cuda, cuda:0, mps.")
    if device.type == "cuda" and device.index is not None and device.index >= torch.cuda.device_count():
        raise OptionError(f"There is no device '{name}'; this machine has {torch.cuda.device_count()} CUDA devices.")
    return device
