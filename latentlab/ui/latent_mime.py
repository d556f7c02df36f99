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
    """The latents in `mime`; empty where there are none or they belong to another model."""
    if not mime.hasFormat(LATENTS):
        return []
    document = json.loads(bytes(mime.data(LATENTS).data()))
    if document.get("checkpoint") != checkpoint:
        return []
    return [NamedLatent(np.array(d["latent"], np.float32), d["name"]) for d in document["latents"]]
