"""Weights from PyTorch's own files, read so that no code in them can run.

Only `weights_only`: whatever it refuses is refused here, with the names of what the file asked for.
"""

from __future__ import annotations

import argparse
import math
import pickle
import re
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError, few
from latentlab.core.safetensors_table import read_table
from latentlab.formats.causes import cause_of
from latentlab.formats.sniff import Found
from latentlab.formats.weight_norms import plain_weights

# Where training scripts put the weights, running averages first: they draw the better pictures. Each also with one of
# the suffixes, as in "netG_state_dict".
WRAPPERS = (
    "g_ema", "G_ema", "netG_ema", "generator_ema", "model_ema", "ema_model", "ema", "state_dict_ema", "params_ema",
    "generator", "netG", "gen", "G", "model", "state_dict", "vae", "autoencoder", "decoder", "params", "net", "network",
    "weights", "GAN",
)  # fmt: skip
SUFFIXES = ("", "_state_dict", "_state", "_weights")
NESTED_AT_MOST = 4
PARTS = (("encoder", "decoder"), ("enc", "dec"))  # saved side by side, they are one network
PREFIXES = ("module.", "_orig_mod.")
AVERAGED = "ema_model."  # beside the online model in one state dict
TIMES_THE_FILE = 2  # tied weights are stored once and named twice
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
NAMES_SHOWN = 3
HARMLESS: list[Any] = [argparse.Namespace]  # the options of a training script, which many save beside the weights


@lru_cache(maxsize=1)  # each reader asks; cleared once the file is open
def read_state_dict(file: Found) -> dict[str, Tensor]:
    """The tensors of a torch or safetensors file by name, float ones in float32, wrappers and prefixes taken off.

    Raises CheckpointError: code inside, a pickled module, tensors that claim more than the file holds, no weights.
    """
    if (held := file.weights()) is not None:
        return {name: _as_tensor(file, name, value) for name, value in held.items()}
    loaded = _safetensors(file) if file.kind == "safetensors" else _loaded(file)
    state = _unwrapped(loaded)
    if state is None:
        raise CheckpointError(
            f"{displayed(file.path)} is a PyTorch file without weights by name (it holds {_described(loaded)}). "
            "Save them with torch.save(model.state_dict(), …)."
        )
    state = _without_prefix(state)
    if sum(math.prod(tensor.shape) * tensor.element_size() for tensor in state.values()) > TIMES_THE_FILE * file.size:
        raise CheckpointError(
            f"{displayed(file.path)}: its tensors together claim more than the file holds, so it is damaged or "
            "meant to fill the memory. Save plain tensors."
        )
    return plain_weights({name: _checked(file, name, tensor) for name, tensor in state.items()})


def _loaded(file: Found) -> Any:
    shown = displayed(file.path)
    try:
        # An open file, not a path: by the path's ending alone torch would take it for a safetensors file.
        with file.path.open("rb") as opened, torch.serialization.safe_globals(HARMLESS), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, to its own users; what is wrong is said by the refusal
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
        raise CheckpointError(
            f"{shown} is a damaged PyTorch file ({cause_of(error)}). Copy or download it again."
        ) from None


def _safetensors(file: Found) -> dict[str, Tensor]:
    """The tensors in the order of their numbered layers, which the format does not keep. Raises CheckpointError."""
    names = sorted(read_table(file.path).tensors, key=_natural)
    try:
        with safe_open(file.path, framework="pt") as opened:
            return {name: opened.get_tensor(name) for name in names}
    except Exception as error:  # noqa: BLE001 - the library raises its own classes and several of Python's
        raise CheckpointError(
            f"{displayed(file.path)} is a damaged safetensors file ({cause_of(error)}). Copy or download it again."
        ) from None


def _natural(name: str) -> list[tuple[int, str]]:
    """So that layer 10 goes after layer 9."""
    return [(int(part), "") if part.isdecimal() and len(part) < 9 else (-1, part) for part in name.split(".")]


def _forbidden_names(file: Found, error: Exception) -> str:
    names: list[str] = []
    if file.kind == "torch zip":
        try:
            with file.path.open("rb") as opened:
                names = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(opened))
        except Exception:  # noqa: BLE001 - the message below names one of them
            names = []
    names = names or re.findall(r"GLOBAL ([\w.]+)", str(error))
    return few(names, NAMES_SHOWN)


def _unwrapped(loaded: Any, depth: int = 0) -> dict[str, Tensor] | None:
    """The weights in what a file holds, of wrappers as deep as `NESTED_AT_MOST`; None where there are none."""
    if not isinstance(loaded, Mapping):
        return None
    for names in PARTS:
        parts = {name: _unwrapped(_held(loaded, name), depth + 1) for name in names}
        if all(parts.values()):
            return {f"{part}.{name}": value for part, state in parts.items() for name, value in (state or {}).items()}
    for name in WRAPPERS if depth < NESTED_AT_MOST else ():
        inner = _unwrapped(_held(loaded, name), depth + 1)
        if inner:
            return inner
    state = {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
    averaged = {name.removeprefix(AVERAGED): value for name, value in state.items() if name.startswith(AVERAGED)}
    return averaged or state or _only_weights(loaded)


def _held(loaded: Mapping[Any, Any], name: str) -> Any:
    """What lies under a name, perhaps with one of the suffixes."""
    return next((found for suffix in SUFFIXES if (found := loaded.get(f"{name}{suffix}")) is not None), None)


def _only_weights(loaded: Mapping[Any, Any]) -> dict[str, Tensor] | None:
    """The one table of weights under a name that nobody knows; None where there are several, or none."""
    tables = [
        table
        for value in loaded.values()
        if isinstance(value, Mapping)
        and (table := {str(name): inner for name, inner in value.items() if isinstance(inner, Tensor)})
        and any(name.endswith("weight") for name in table)  # an optimiser's have none
    ]
    return tables[0] if len(tables) == 1 else None


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Wrappers of distributed and compiled modules, in any order; also of single parts, as in "encoder.module."."""
    found = {name: ".".join(part for part in name.split(".") if f"{part}." not in PREFIXES) for name in state}
    return {found[name]: value for name, value in state.items()} if len(set(found.values())) == len(found) else state


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
    raise _no_floats(file, name, str(tensor.dtype).removeprefix("torch."))


def _as_tensor(file: Found, name: str, value: NDArray[np.generic]) -> Tensor:
    if value.dtype not in (np.float16, np.float32, np.float64):
        raise _no_floats(file, name, str(value.dtype))
    return torch.from_numpy(np.array(value, np.float32))


def _no_floats(file: Found, name: str, kind: str) -> CheckpointError:
    return CheckpointError(
        f"{displayed(file.path)}: the tensor '{name}' is {kind}, not float, so it is no weight of a network that is "
        "known. Save the network's weights in float."
    )


def _described(loaded: Any) -> str:
    if isinstance(loaded, Mapping):
        keys = few([str(key) for key in loaded], NAMES_SHOWN)
        return f"a table with the keys {keys}" if keys else "an empty table"
    return f"a {type(loaded).__name__}"
