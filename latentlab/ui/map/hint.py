"""What the map says of itself: how to use it, that it is on its way, why there is none."""

from __future__ import annotations

from latentlab.core.latent_model import ModelInfo

HINT = "Drag anywhere: the picture follows.  Wheel: zoom.  Right-drag: pan.  Shift-drag: select."
NOTHING_YET = "The map is being laid out…"


def no_map(info: ModelInfo) -> str:
    """Why there is no map of a model without encodings, and how to get one."""
    if not info.path:
        return "There is no map of this model.\nexplore(…, images=…) makes one of pictures of yours."
    none = "This checkpoint carries no encodings, so there is no map yet."
    if not info.spaces[0].drawable and not info.encoder:
        return f"{none}\nIt has no encoder, and draws from its prior are no pictures. Its sliders work."
    if not info.spaces[0].drawable:
        return f"{none}\nDraws from its prior are no pictures: a folder of yours can be the map."
    if not info.encoder:
        return f"{none}\nThe model has no encoder, but samples that it draws can be the map."
    return f"{none}\nA folder of pictures can be the map, or samples that the model draws."
