"""What neighbours say: the nearest encoding to a place, and maps that have no formula but know their neighbours.

Shapes: N encodings, M other latents or places, K neighbours of each, D latent.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from latentlab.core.errors import DataError
from latentlab.core.projections import Inverse
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray

NEIGHBOURS = 8
BRUTE_FORCE = 60_000  # points on a map up to which comparing with all is quicker than building a tree
SPACING_SAMPLE = 256
CHUNK = 4_000_000  # distances held at once


class Places:
    """Points on a map, found by nearness. Rows that are not finite are never found."""

    def __init__(self, layout_N2: FloatArray) -> None:
        self._index_N = np.flatnonzero(np.isfinite(layout_N2).all(axis=1))
        self._points_N2 = layout_N2[self._index_N]
        self._tree: Any = None
        if not len(self._points_N2):
            raise DataError("No encoding has a place on this map, so none can be found; encode the pictures again.")
        if len(self._points_N2) > BRUTE_FORCE:
            from scipy.spatial import cKDTree

            self._tree = cKDTree(self._points_N2)
        self.spacing = self._typical_spacing()

    def __len__(self) -> int:
        return len(self._points_N2)

    def nearest(self, places_M2: FloatArray, count: int = 1) -> tuple[NDArray[np.int64], FloatArray]:
        """(M, K) indices into the layout and distances in the map's units, the nearest first; K is at most N."""
        count = min(count, len(self))
        if self._tree is not None:
            distances, found = self._tree.query(places_M2, k=range(1, count + 1))
            return self._index_N[found], np.asarray(distances, np.float32)
        found, distances = nearest_rows(self._points_N2, places_M2, count)
        return self._index_N[found], distances

    def inverse(self, latents_MD: FloatArray, places_M2: FloatArray, *, exact: bool) -> Inverse:
        """`latents_MD`, found for `places_M2`, with the cue of the nearest point and its distance in spacings."""
        found_M1, distances_M1 = self.nearest(places_M2)
        return Inverse(
            np.asarray(latents_MD, np.float32),
            found_M1[:, 0],
            distances_M1[:, 0] / np.float32(self.spacing),
            exact=exact,
        )

    def _typical_spacing(self) -> float:
        """The median distance from a point to the next that is not on the same spot; 1 where all are."""
        chosen = self._points_N2[np.linspace(0, len(self) - 1, min(len(self), SPACING_SAMPLE)).astype(np.int64)]
        _, distances_MK = self.nearest(chosen, 4)
        apart_M = np.where(distances_MK > 0, distances_MK, np.inf).min(axis=1)
        apart_M = apart_M[np.isfinite(apart_M)]
        return float(np.median(apart_M)) if len(apart_M) else 1.0


def nearest_rows(rows_ND: FloatArray, others_MD: FloatArray, count: int) -> tuple[NDArray[np.int64], FloatArray]:
    """(M, K) indices of the nearest rows and their Euclidean distances, the nearest first; `count` at most N."""
    squares_N = np.einsum("nd,nd->n", rows_ND, rows_ND)
    found_MK = np.empty((len(others_MD), count), np.int64)
    for begin in range(0, len(others_MD), max(1, CHUNK // len(rows_ND))):
        part = slice(begin, begin + max(1, CHUNK // len(rows_ND)))
        scores = squares_N - 2 * (others_MD[part] @ rows_ND.T)
        if count == 1:  # under every event of a drag on a map
            found_MK[part] = scores.argmin(axis=1, keepdims=True)
        elif count < len(rows_ND):
            found_MK[part] = np.argpartition(scores, count - 1, axis=1)[:, :count]
        else:
            found_MK[part] = np.arange(count)
    # The expanded square loses digits; the few that were found are measured exactly.
    distances_MK = np.linalg.norm(rows_ND[found_MK] - others_MD[:, None, :], axis=2).astype(np.float32)
    if count == 1:
        return found_MK, distances_MK
    order = np.argsort(distances_MK, axis=1, kind="stable")
    return np.take_along_axis(found_MK, order, 1), np.take_along_axis(distances_MK, order, 1)


def weights(distances_MK: FloatArray) -> FloatArray:
    """(M, K - 1) weights that sum to 1, of all but the farthest neighbour (Shepard's method as modified by Franke).

    They fall to 0 at the farthest, so that nothing jumps when a neighbour is exchanged for another under a drag, and
    give a neighbour on the very spot everything. With one neighbour: all to it.
    """
    if distances_MK.shape[1] == 1:
        return np.ones_like(distances_MK)
    farthest_M1 = np.maximum(distances_MK[:, -1:], np.finfo(np.float32).tiny)
    near_MK = distances_MK[:, :-1]
    raw = np.square(np.maximum(1 - near_MK / farthest_M1, 1e-6) / np.maximum(near_MK / farthest_M1, 1e-6))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True), np.float32)


class NeighbourMap:
    """The base of maps that have a layout but no formula: transform and inverse by neighbours.

    `spherical` gives averages of latents the average of their lengths; for draws of a normal prior, whose mean is
    shorter than any of them and decodes to nothing typical. `approximate_` (N,) marks encodings that were placed by
    their neighbours instead of by the method.
    """

    title = ""
    layout_: FloatArray
    approximate_: NDArray[np.bool_]

    def __init__(self, spherical: bool = False) -> None:
        self.spherical = spherical
        self.notes: tuple[str, ...] = ()
        self.trustworthiness: float | None = None
        self._places: Places | None = None

    def fit(self, latents_ND: FloatArray, report: Report | None = None) -> Self:
        raise NotImplementedError

    @property
    def axes(self) -> tuple[str, str]:
        return f"{self.title} 1", f"{self.title} 2"

    def transform(self, latents_MD: FloatArray) -> FloatArray:
        found_MK, distances_MK = nearest_rows(self._rows_ND, np.atleast_2d(latents_MD), self._count(len(self._rows_ND)))
        weights_MK = weights(distances_MK)
        places_MK2 = self.layout_[self._index_N[found_MK[:, : weights_MK.shape[1]]]]
        return np.asarray(np.einsum("mk,mkd->md", weights_MK, places_MK2), np.float32)

    def inverse(self, places_M2: FloatArray, near: FloatArray | None = None) -> Inverse:
        """`near` has no say: a neighbours' average determines every dimension."""
        places = self._found_places()
        found_MK, distances_MK = places.nearest(np.atleast_2d(places_M2), self._count(len(places)))
        weights_MK = weights(distances_MK)
        latents_MKD = self._latents_ND[found_MK[:, : weights_MK.shape[1]]]
        latents_MD = np.einsum("mk,mkd->md", weights_MK, latents_MKD)
        if self.spherical:
            wanted_M = (weights_MK * np.linalg.norm(latents_MKD, axis=2)).sum(axis=1)
            latents_MD *= (wanted_M / np.maximum(np.linalg.norm(latents_MD, axis=1), 1e-6))[:, None]
        return Inverse(
            np.asarray(latents_MD, np.float32),
            found_MK[:, 0],
            distances_MK[:, 0] / np.float32(places.spacing),
            exact=False,
        )

    def arrays(self) -> dict[str, Any]:
        return {
            "spherical": self.spherical,
            "layout": self.layout_,
            "approximate": self.approximate_,
            "notes": self.notes,
            "trustworthiness": self.trustworthiness,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], latents_ND: FloatArray) -> Self:
        """The fitted map in another process, without the library that made it."""
        fitted = cls(spherical=arrays["spherical"])
        fitted.notes = tuple(arrays["notes"])
        fitted.trustworthiness = arrays["trustworthiness"]
        fitted._take(latents_ND, arrays["layout"], arrays["approximate"])
        return fitted

    def _take(self, latents_ND: FloatArray, layout_N2: FloatArray, approximate_N: NDArray[np.bool_]) -> None:
        self.layout_, self.approximate_ = layout_N2, approximate_N
        self._latents_ND = latents_ND
        # Neighbours of new latents are sought among those the method itself has placed.
        self._index_N = np.flatnonzero(np.isfinite(layout_N2).all(axis=1) & ~approximate_N)
        self._rows_ND = latents_ND if len(self._index_N) == len(latents_ND) else latents_ND[self._index_N]
        if len(layout_N2) > BRUTE_FORCE:
            self._places = Places(layout_N2)

    def _found_places(self) -> Places:
        if self._places is None:
            self._places = Places(self.layout_)
        return self._places

    @staticmethod
    def _count(available: int) -> int:
        return min(NEIGHBOURS + 1, available)


def trustworthiness(
    latents_ND: FloatArray, layout_N2: FloatArray, neighbours: int = 12, sample: int = 2000
) -> float | None:
    """How far neighbours on the map are neighbours in truth, 1 is best (Venna and Kaski 2001).

    Of at most `sample` evenly chosen rows with a place, for it compares each with each; None below 3 x neighbours.
    """
    index_N = np.flatnonzero(np.isfinite(layout_N2).all(axis=1) & np.isfinite(latents_ND).all(axis=1))
    index_N = index_N[np.linspace(0, len(index_N) - 1, min(len(index_N), sample)).astype(np.int64)]
    n = len(index_N)
    if n < 3 * neighbours:
        return None
    rows_ND, places_N2 = latents_ND[index_N].astype(np.float64), layout_N2[index_N].astype(np.float64)
    true_NN, seen_NN = _squared_distances(rows_ND), _squared_distances(places_N2)
    ranks_NN = np.empty((n, n), np.int32)
    np.put_along_axis(ranks_NN, np.argsort(true_NN, axis=1), np.arange(1, n + 1, dtype=np.int32)[None, :], axis=1)
    seen_NK = np.argpartition(seen_NN, neighbours, axis=1)[:, :neighbours]
    intruders = np.maximum(np.take_along_axis(ranks_NN, seen_NK, 1) - neighbours, 0).sum()
    return float(1 - 2 / (n * neighbours * (2 * n - 3 * neighbours - 1)) * intruders)


def _squared_distances(rows_ND: NDArray[np.float64]) -> NDArray[np.float64]:
    squares_N = (rows_ND**2).sum(axis=1)
    distances_NN: NDArray[np.float64] = squares_N[:, None] + squares_N - 2 * rows_ND @ rows_ND.T
    np.fill_diagonal(distances_NN, np.inf)
    return distances_NN
