"""What a run on few pictures begins with where nothing else is said: a teacher's folder of thirty is no MNIST.

With a batch for 60,000 pictures, thirty would give one step an epoch and thirty in all: too few to learn anything. So
the batch follows from their number, the epochs from the steps a network needs, and what a network would learn by heart
is changed at random. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from latentlab.core.picture_archive import declared_count
from latentlab.core.pictures import ENDINGS
from training.config import TrainingConfig
from training.data import SOURCES
from training.flags import as_text, flag

STEPS = 1200  # at least, of a whole run
STEPS_AN_EPOCH = 16
SMALLEST_BATCH, LARGEST_BATCH = 8, 128
MANY = 6_000  # pictures with which the usual batch and epochs give as many steps
FEW = 1_000  # pictures that a network of a million weights learns by heart
LOOKS = 30  # held-out losses and sheets of a whole run, or as many in STEPS of a longer one
AUTOENCODERS = ("ae", "dae", "vae", "avb", "cvae")


def counted(data: str, limit: int | None) -> int | None:
    """About how many pictures `data` has, none of them read; None where that is not known, or MANY and more."""
    found: int | None = None
    if data not in SOURCES and Path(data).is_dir():
        found = _in_folder(Path(data))
    elif data not in SOURCES and Path(data).is_file():
        found = _in_archive(Path(data))
    known = [count for count in (found, limit) if count is not None]
    return min(known) if known and 0 < min(known) < MANY else None


def _in_folder(folder: Path) -> int:
    pictures = (file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS and file.name[0] != ".")
    return sum(1 for _ in islice(pictures, MANY))


def _in_archive(path: Path) -> int | None:
    try:
        return declared_count(path)
    except OSError:  # said when it is read
        return None


def fitted_to(count: int, family: str, usual: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What takes the place of `usual` values for `count` pictures; `said` are the values a person gave."""
    held_out = said.get("held_out", TrainingConfig.model_fields["held_out"].default)
    trained_on = max(1, round(count * (1 - held_out)))
    batch_size = said.get("batch_size", _batch_size(trained_on))
    steps_per_epoch = max(1, trained_on // batch_size)
    epochs = said.get("epochs", max(usual["epochs"], -(-STEPS // steps_per_epoch)))
    evaluate_every = min(-(-epochs // LOOKS), max(1, STEPS // LOOKS // steps_per_epoch))
    found = {"batch_size": batch_size, "epochs": epochs, "evaluate_every": evaluate_every}
    if count < FEW and family in AUTOENCODERS:
        found["augment"] = tuple(dict.fromkeys((*usual.get("augment", ()), "crop", "rotate")))
        found["fit_prior"] = True  # their encodings fill no Gaussian yet: draws from N(0, I) are fog
    return {name: value for name, value in found.items() if name not in said and value != _value(usual, name)}


def _batch_size(trained_on: int) -> int:
    """A power of two, with which an epoch has STEPS_AN_EPOCH where that is possible."""
    share = max(1, trained_on // STEPS_AN_EPOCH)
    return min(LARGEST_BATCH, max(SMALLEST_BATCH, 1 << (share.bit_length() - 1)))


def _value(usual: Mapping[str, Any], name: str) -> Any:
    return usual.get(name, TrainingConfig.model_fields[name].default)


def explained(count: int, chosen: Mapping[str, Any], config: TrainingConfig) -> str:
    """What was chosen of the configuration for `count` pictures, and why; empty where nothing was."""
    held = {name: value for name, value in chosen.items() if getattr(config, name) == value}
    if not held:
        return ""
    flags = " ".join(flag(name) if value is True else f"{flag(name)} {as_text(value)}" for name, value in held.items())
    return f"{count:,} pictures are few, so this run takes {flags}. What you say yourself holds instead."
