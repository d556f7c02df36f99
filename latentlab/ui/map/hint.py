"""What the map says of itself: how to use it, that it is on its way, why there is none."""

from __future__ import annotations

from pathlib import Path

from latentlab.core.latent_model import ModelInfo

HINT = "Drag anywhere: the picture follows.  Wheel: zoom.  Right-drag: pan.  Shift-drag: select."
NOTHING_YET = "The map is being laid out…"


def no_map(info: ModelInfo) -> str:
    """Why there is no map of a model without encodings, and how to get one."""
    if not info.encoder:
        return "This model has no encoder and carries no encodings,\nso there is no map. Its sliders and samples work."
    name = Path(info.path).name or "CHECKPOINT"
    return (
        "This checkpoint carries no encodings, so there is no map yet.\n"
        "A copy that has one is made in a terminal:\n"
        f"latentlab encode {name} --images FOLDER -o MAPPED.safetensors"
    )
