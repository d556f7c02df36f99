"""Latents as something one can drag from any panel to any other."""

from __future__ import annotations

import json

import numpy as np
from PySide6.QtCore import QMimeData

from latentlab.core.state import NamedLatent

LATENTS = "application/x-latentlab-latents"


def packed(latents: list[NamedLatent], checkpoint: str) -> QMimeData:
    document = {
        "checkpoint": checkpoint,
        "latents": [{"name": item.name, "latent": item.latent.tolist()} for item in latents],
    }
    mime = QMimeData()
    mime.setData(LATENTS, json.dumps(document).encode())
    return mime


def unpacked(mime: QMimeData, checkpoint: str) -> list[NamedLatent]:
    """The latents in `mime`; empty where there are none, they belong to another model or cannot be read."""
    if not mime.hasFormat(LATENTS):
        return []
    try:
        document = json.loads(bytes(mime.data(LATENTS).data()))
        if document["checkpoint"] != checkpoint:
            return []
        return [NamedLatent(np.array(d["latent"], np.float32), str(d["name"])) for d in document["latents"]]
    except (KeyError, TypeError, ValueError):  # another program may offer anything under this name
        return []
