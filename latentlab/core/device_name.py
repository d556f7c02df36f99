"""What can be said about a device from its name, before the seconds that importing torch takes."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from latentlab.core.errors import OptionError

NO_CUDA = "CUDA was asked for, but no CUDA device is there. Use --device auto or --device cpu."
NO_MPS = "MPS was asked for, but this machine has none. Use --device auto or --device cpu."
ROCM = Path("/dev/kfd")  # AMD's driver, which torch calls cuda too


def check_device_name(name: str) -> None:
    """Raises OptionError where a device certainly is not there; `models.device.chosen_device` has the last word."""
    kind, _, index = name.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (index and not index.isdecimal()):
        raise OptionError(f"There is no device '{name}'. Known: auto, cpu, cuda, cuda:0, mps.")
    if kind == "mps" and sys.platform != "darwin":
        raise OptionError(NO_MPS)
    if kind == "cuda" and sys.platform == "linux" and not ROCM.exists() and not _has_nvidia_driver():
        raise OptionError(NO_CUDA)


def _has_nvidia_driver() -> bool:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True
