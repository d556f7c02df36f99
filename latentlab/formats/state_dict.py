"""Weights from PyTorch's own files, read so that no code in them can run.

Only `weights_only`: whatever it refuses is refused here, with the names of what the file asked for.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.formats.sniff import Found

# Where training scripts put the weights, the generator's running average first.
WRAPPERS = ("g_ema", "generator", "model_state_dict", "state_dict", "model", "netG")
PREFIXES = ("module.", "_orig_mod.")
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
NAMES_SHOWN = 3


@lru_cache(maxsize=1)  # each reader asks; cleared once the file is open
def read_state_dict(file: Found) -> dict[str, Tensor]:
    """The tensors of a torch file by name, float ones in float32, wrappers and prefixes taken off.

    Raises CheckpointError: code inside, a pickled module, tensors that claim more than the file holds, no weights.
    """
    loaded = _loaded(file)
    state = _unwrapped(loaded)
    if state is None:
        raise CheckpointError(
            f"{displayed(file.path)} is a PyTorch file without weights by name (it holds {_described(loaded)}). "
            "Save them with torch.save(model.state_dict(), …)."
        )
    return {name: _checked(file, name, tensor) for name, tensor in _without_prefix(state).items()}


def _loaded(file: Found) -> Any:
    shown = displayed(file.path)
    try:
        # An open file, not a path: by the path's ending alone torch would take it for a safetensors file.
        with file.path.open("rb") as opened:
            return torch.load(opened, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        names = _forbidden_names(file, error)
        if names:
            raise CheckpointError(
                f"{shown} holds more than weights: it asks for {names}, and loading that can run code. "
                "Save the weights alone: torch.save(model.state_dict(), …)."
            ) from None
        raise CheckpointError(f"{shown} is a damaged PyTorch file. Copy or download it again.") from None
    except (MemoryError, RecursionError):
        raise CheckpointError(f"{shown} does not fit in memory or is nested too deeply; it is not opened.") from None
    except Exception as error:  # noqa: BLE001 - 4,000 mutated files raised eight different classes
        cause = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise CheckpointError(f"{shown} is a damaged PyTorch file ({cause}). Copy or download it again.") from None


def _forbidden_names(file: Found, error: Exception) -> str:
    names: list[str] = []
    if file.kind == "torch zip":
        try:
            with file.path.open("rb") as opened:
                names = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(opened))
        except Exception:  # noqa: BLE001 - the message below names one of them
            names = []
    names = names or re.findall(r"GLOBAL ([\w.]+)", str(error))
    return ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")


def _unwrapped(loaded: Any) -> dict[str, Tensor] | None:
    if not isinstance(loaded, Mapping):
        return None
    for key in WRAPPERS:
        inner = loaded.get(key)
        if isinstance(inner, Mapping) and any(isinstance(value, Tensor) for value in inner.values()):
            return {str(name): value for name, value in inner.items() if isinstance(value, Tensor)}
    state = {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
    return state or None


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _checked(file: Found, name: str, tensor: Tensor) -> Tensor:
    shown = displayed(file.path)
    plain = tensor.layout == torch.strided and not tensor.is_quantized and tensor.device.type == "cpu"
    # 1.5 KB can claim 2^30 elements through a stride of 0.
    if not plain or math.prod(tensor.shape) * tensor.element_size() > file.size:
        raise CheckpointError(
            f"{shown}: the tensor '{name}' {tuple(tensor.shape)} is sparse, quantised, on no device, or claims more "
            "than the file holds. Save plain tensors."
        )
    if tensor.dtype in FLOATS:
        return tensor.float()
    if tensor.dtype == torch.int64 and tensor.ndim == 0:  # the counter of a batch normalisation
        return tensor
    raise CheckpointError(f"{shown}: the tensor '{name}' is {str(tensor.dtype).removeprefix('torch.')}, not float.")


def _described(loaded: Any) -> str:
    if isinstance(loaded, Mapping):
        keys = ", ".join(str(key) for key in list(loaded)[:NAMES_SHOWN])
        return f"a table with the keys {keys or 'none'}"
    return f"a {type(loaded).__name__}"
