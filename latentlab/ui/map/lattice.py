"""The lattice: which places of the visible map are decoded, so that it shows what the space draws where.

Shapes: M places.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from latentlab.core.requests import Decode, Decoded, Lane, RequestFailed
from latentlab.core.spaces import FloatArray
from latentlab.ui.map.geometry import Camera
from latentlab.ui.map.scene import Tiles
from latentlab.ui.pictures import as_qimage
from latentlab.ui.workspace import Workspace

SMALLEST_TILE_PX = 52.0
MOST_TILES = 160  # about half a second of a small decoder
FARTHEST = 4.0  # spacings; where a map has no true inverse, nothing is drawn farther from every encoding
REST_MS = 120  # without a movement, before pictures are asked for


def lattice_places(camera: Camera) -> tuple[FloatArray, float]:
    """(M, 2) centres of square tiles that cover the view, in world units, and their side in logical pixels."""
    side = max(SMALLEST_TILE_PX, math.sqrt(camera.width * camera.height / MOST_TILES))
    columns, rows = max(1, int(camera.width // side)), max(1, int(camera.height // side))
    side = max(camera.width / columns, camera.height / rows)
    columns, rows = math.ceil(camera.width / side - 1e-6), math.ceil(camera.height / side - 1e-6)
    left, top = (camera.width - columns * side) / 2, (camera.height - rows * side) / 2
    places = [
        camera.to_world(left + (column + 0.5) * side, top + (row + 0.5) * side)
        for row in range(rows)
        for column in range(columns)
    ]
    return np.array(places, np.float32), side


class Lattice(QObject):
    """Asks for the pictures of the visible part, a moment after it came to rest, and hands them out as tiles."""

    changed = Signal()  # `tiles` is new

    def __init__(self, workspace: Workspace, consumer: str, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._consumer = consumer
        self._camera: Camera | None = None
        self._asked: tuple[int, FloatArray, Camera, float, NDArray[np.bool_]] | None = None
        self._drawn: tuple[object, ...] = ()
        self._latents_MD: FloatArray = np.zeros((0, 0), np.float32)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._ask)
        self.tiles: Tiles | None = None

    def look(self, camera: Camera) -> None:
        """What is in view, or what the pictures depend on, may have changed."""
        self._camera = camera
        self._rest.start()

    def stop(self) -> None:
        self._rest.stop()
        self._workspace.decoding.withdraw(self._consumer)
        self._asked, self._drawn = None, ()
        if self.tiles is not None:
            self.tiles = None
            self.changed.emit()

    def take(self, reply: Decoded) -> None:
        if self._asked is None or reply.ticket != self._asked[0]:
            return
        _, places_M2, camera, side, near_M = self._asked
        images = iter(reply.images)
        pictures = tuple(as_qimage(next(images)) if near else None for near in near_M.tolist())
        self.tiles = Tiles(places_M2[:, 0], places_M2[:, 1], side / camera.scale_x, side / camera.scale_y, pictures)
        self.changed.emit()

    def give_up(self, reply: RequestFailed) -> None:
        """The window has said why; the next look asks again, also for the same pictures."""
        if self._asked is not None and reply.ticket == self._asked[0]:
            self._asked, self._drawn = None, ()

    def _ask(self) -> None:
        camera, layout, state = self._camera, self._workspace.projecting.layout, self._workspace.state
        if camera is None or layout is None or layout.projection is None:
            return
        places_M2, side = lattice_places(camera)
        inverse = layout.projection.inverse(places_M2, near=state.latent)
        near_M = np.ones(len(places_M2), bool) if inverse.exact else inverse.distance <= FARTHEST
        latents_MD = self._workspace.space.clip(inverse.latents[near_M])
        drawn = (camera, layout.key, state.condition, state.checkpoint)
        if not len(latents_MD) or (drawn == self._drawn and self._alike(latents_MD)):
            return  # the same pictures: a drag within the plane changes none
        self._drawn, self._latents_MD = drawn, latents_MD
        request = Decode(state.checkpoint, latents_MD, state.space, state.condition)
        ticket = self._workspace.decoding.submit(self._consumer, request, Lane.VISIBLE)
        self._asked = (ticket, places_M2, camera, side, near_M)

    def _alike(self, latents_MD: FloatArray) -> bool:
        same_shape = latents_MD.shape == self._latents_MD.shape
        return same_shape and np.allclose(latents_MD, self._latents_MD, atol=1e-3)
