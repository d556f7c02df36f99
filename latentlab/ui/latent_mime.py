"""Latents as something one can drag from any panel to any other, with the model and the space they lie in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QMimeData

from latentlab.core.state import NamedLatent

LATENTS = "application/x-latentlab-latents"


@dataclass(frozen=True, eq=False)
class Carried:
    """At least one latent; another window may offer what does not fit its space (`Workspace.fits`)."""

    latents: tuple[NamedLatent, ...]
    space: str


def packed(latents: Sequence[NamedLatent], checkpoint: str, space: str) -> QMimeData:
    document = {
        "checkpoint": checkpoint,
        "space": space,
        "latents": [{"name": item.name, "latent": item.latent.tolist()} for item in latents],
    }
    mime = QMimeData()
    mime.setData(LATENTS, json.dumps(document).encode())
    return mime


def unpacked(mime: QMimeData, checkpoint: str) -> Carried | None:
    """The latents in `mime`; None where there are none, they belong to another model or cannot be read."""
    if not mime.hasFormat(LATENTS):
        return None
    try:
        document = json.loads(bytes(mime.data(LATENTS).data()))
        if document["checkpoint"] != checkpoint:
            return None
        latents = [NamedLatent(np.array(d["latent"], np.float32), str(d["name"])) for d in document["latents"]]
        return Carried(tuple(latents), str(document["space"])) if latents else None
    except (KeyError, TypeError, ValueError):  # another program may offer anything under this name
        return None
