"""Folders that stand for a checkpoint: a run of latentlab-train, or a model as another library saves it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import ENDING
from latentlab.core.errors import CheckpointError

CHECKPOINT_IN_RUN = f"checkpoint{ENDING}"
# What describes the weights beside it, whose folder that is, and what the weights are called there.
ENDINGS = (".safetensors", ".pt", ".pth", ".ckpt", ".pkl", ".onnx", ".pt2")
NAMED_AT_MOST = 4
MODEL_FOLDERS = {
    "model_config.json": ("a pythae", ("model.pt",)),
    "specs.json": ("a disentangling-vae", ("model.pt",)),
    "config.json": (
        "a diffusers",
        ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors"),
    ),
    "decoder.onnx": ("an ONNX", ("decoder.onnx",)),
}


def patterns(endings: Iterable[str] = ENDINGS) -> str:
    """ "*.safetensors *.pt": what a dialog shows of a folder."""
    return " ".join(f"*{ending}" for ending in endings)


def model_name(path: Path) -> str:
    """What people call the model in a file: where all runs or models have one file name, its folder's."""
    alike = {CHECKPOINT_IN_RUN, *(name for _, names in MODEL_FOLDERS.values() for name in names)}
    return (path.name in alike and path.absolute().parent.name) or path.stem


def weights_in(folder: Path) -> Path:
    """The file of weights in a run or model folder. Raises CheckpointError where there is none."""
    if (folder / CHECKPOINT_IN_RUN).is_file():
        return folder / CHECKPOINT_IN_RUN
    for description, (kind, names) in MODEL_FOLDERS.items():
        if (folder / description).is_file():
            inside = next((folder / name for name in names if (folder / name).is_file()), None)
            if inside is None:
                raise CheckpointError(
                    f"{displayed(folder)} is {kind} model folder without {' or '.join(names)} in it. "
                    "Copy or download the whole folder again."
                )
            return inside
    try:
        alone = sorted(path for path in folder.iterdir() if _may_be_weights(path.name) and path.is_file())
    except OSError as error:
        raise CheckpointError(f"{displayed(folder)} cannot be read: {error.strerror}. Check its permissions.") from None
    if len(alone) == 1:
        return alone[0]
    if alone:
        listed = ", ".join(path.name for path in alone[:NAMED_AT_MOST]) + (", …" if len(alone) > NAMED_AT_MOST else "")
        raise CheckpointError(
            f"{displayed(folder)} is a folder of {len(alone)} files that may be the checkpoint ({displayed(listed)}). "
            "Name the one to open."
        )
    raise CheckpointError(
        f"{displayed(folder)} is a folder that holds no {CHECKPOINT_IN_RUN}, so it is no run of latentlab-train, and "
        "no other file that may be a checkpoint. Name the checkpoint itself."
    )


def holds_checkpoint(folder: Path) -> bool:
    """Whether a folder is one of a run or a model, so that it can be opened."""
    try:
        weights_in(folder)
    except CheckpointError:
        return False
    return True


def _may_be_weights(name: str) -> bool:
    """By the name alone; what is in it is looked at when it is opened. What we keep beside a file is no model."""
    return name.lower().endswith(ENDINGS) and not name.endswith(f".encodings{ENDING}")
