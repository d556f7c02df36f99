"""What torch says when a device's memory is full or the device is gone, known by name: torch may not be there."""

from __future__ import annotations

NO_MEMORY_ON_CPU = "DefaultCPUAllocator"


class DeviceLostError(Exception):
    """The device answers no more, and will not within this process: only another process can use it again."""


def memory_is_full(error: BaseException) -> bool:
    return bool({"MemoryError", "OutOfMemoryError"} & _names(error)) or NO_MEMORY_ON_CPU in str(error)


def device_is_lost(error: BaseException) -> bool:
    """A fault of CUDA itself, after which every call of the process fails."""
    return not memory_is_full(error) and ("AcceleratorError" in _names(error) or "CUDA error" in str(error))


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}
