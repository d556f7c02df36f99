"""The state of a run between two steps, in RUN/resume/: enough to go on bit for bit on the same CPU.

Weights, averaged weights, optimisers, scaler, random states, step, threads and precision. One file, replaced
atomically, read with `weights_only=True`: no code of a stranger's run folder is ever executed.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentlab.core.atomic import atomic_file, atomic_write
from latentlab.core.errors import CheckpointError, OptionError
from training.config import TrainingConfig

STATE = "state.pt"
VERSION = 1
# What may differ between a run and its resumption: how long it goes on, what is stored at its end, what it runs on.
MAY_CHANGE = {
    *("epochs", "half", "encodings", "thumbnail_size", "licence", "recipe"),
    *("device", "devices", "nodes", "threads", "save_every_minutes", "tensorboard"),
}


def note(config: TrainingConfig, out: Path) -> None:
    """RUN/config.json: what whoever watches a run, or goes on with it, reads of it. Raises SaveError."""
    atomic_write(out / "config.json", config.model_dump_json(indent=1).encode())


def save(folder: Path, state: dict[str, Any]) -> None:
    """Raises SaveError; the state saved before is then untouched."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(folder / STATE) as file:
        try:
            torch.save({"version": VERSION, **state}, file)
        except RuntimeError as error:
            if isinstance(error.__context__, OSError):  # torch's writer stumbles over what the disk said
                raise error.__context__ from None
            raise


def load(folder: Path) -> dict[str, Any]:
    """Raises CheckpointError when there is none or it is damaged."""
    path = folder / STATE
    if not path.is_file():
        raise CheckpointError(f"There is no run to resume in {folder.parent}: {path} does not exist.")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        version = state["version"]
    except Exception as error:  # noqa: BLE001 - torch raises eight classes for damaged files
        raise CheckpointError(f"{path} cannot be resumed from ({type(error).__name__}); start the run anew.") from None
    if version != VERSION:
        raise CheckpointError(f"{path} has version {version}; this trainer resumes version {VERSION}.")
    return state


def random_states(device: torch.device) -> dict[str, Any]:
    """Of torch (CPU and this device), numpy and Python, in types that `weights_only` reads."""
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002 - libraries use the global one
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "mps": torch.mps.get_rng_state() if device.type == "mps" else None,
        "python": [version, list(internal), gauss],
        "numpy": [str(name), torch.from_numpy(np.asarray(keys, np.int64)), position, has_gauss, cached],
    }


def restore_random_states(states: dict[str, Any], device: torch.device) -> None:
    torch.set_rng_state(states["torch"])
    if states["cuda"] is not None and device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
    if states.get("mps") is not None and device.type == "mps":
        torch.mps.set_rng_state(states["mps"])
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, position, has_gauss, cached = states["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))  # noqa: NPY002


def check_same(before: TrainingConfig, now: TrainingConfig, out: Path) -> None:
    """Raises OptionError where the run in `out` was begun otherwise; the precision stays the stored one in any case."""
    old, new = before.model_dump(), now.model_dump()
    for name in old:
        if name not in MAY_CHANGE and name != "precision" and old[name] != new[name]:
            raise OptionError(
                f"The run in {out} was begun with {name} = {old[name]!r}; it cannot be resumed with {new[name]!r}. "
                "Leave the option out, or begin a new run in another folder."
            )
