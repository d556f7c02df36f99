"""The lattice: which places of the visible map are decoded, so that it shows what the space draws where.

Shapes: M places.
"""

from __future__ import annotations

import math

import numpy as np

from latentlab.core.spaces import FloatArray
from latentlab.ui.map_geometry import Camera

SMALLEST_TILE_PX = 52.0
MOST_TILES = 160  # about half a second of a small decoder
FARTHEST = 4.0  # spacings; where a map has no true inverse, nothing is drawn farther from every encoding


def lattice_places(camera: Camera) -> tuple[FloatArray, float]:
    """(M, 2) centres of square tiles that fill the view, in world units, and their side in logical pixels."""
    side = max(SMALLEST_TILE_PX, math.sqrt(camera.width * camera.height / MOST_TILES))
    columns, rows = max(1, int(camera.width // side)), max(1, int(camera.height // side))
    side = min(camera.width / columns, camera.height / rows)
    left, top = (camera.width - columns * side) / 2, (camera.height - rows * side) / 2
    places = [
        camera.to_world(left + (column + 0.5) * side, top + (row + 0.5) * side)
        for row in range(rows)
        for column in range(columns)
    ]
    return np.array(places, np.float32), side
