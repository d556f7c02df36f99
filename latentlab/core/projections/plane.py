"""Plane: two attribute directions or dimensions as axes.

Shapes: N encodings, M other latents, D latent.
"""

from __future__ import annotations

import re
from typing import Any, Self

import numpy as np

from latentlab.core.directions import DirectionSet
from latentlab.core.errors import DataError, OptionError, did_you_mean
from latentlab.core.projections import Inverse
from latentlab.core.projections.neighbours import Places
from latentlab.core.projections.pca import left_out
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray

# Two axes whose angle is smaller than this span no plane.
ALIKE = 1e-4


class PlaneProjection:
    """`x` and `y` name a direction of `directions`, or "dimension 12" for the twelfth number of the latent.

    A direction's coordinate is counted in its own strength from the mean encoding, a dimension's in latent units.
    """

    layout_: FloatArray
    notes: tuple[str, ...] = ()

    def __init__(self, x: str, y: str, directions: DirectionSet | None = None) -> None:
        self._names = (x, y)
        self._directions = directions if directions is not None else DirectionSet()
        self._places: Places | None = None

    def fit(self, latents_ND: FloatArray, report: Report | None = None) -> Self:
        """Raises OptionError for an axis that does not exist, DataError when no encoding is finite."""
        finite_N = np.isfinite(latents_ND).all(axis=1)
        if not finite_N.any():
            raise DataError("No encoding is finite, so there is no map; encode the pictures again.")
        self._mean_D = latents_ND[finite_N].mean(axis=0)
        axes = [self._axis(name, latents_ND.shape[1]) for name in self._names]
        self._axes_2D = np.stack([axis for axis, _ in axes])
        self._offset_2 = np.array([axis @ self._mean_D if centred else 0 for axis, centred in axes], np.float32)
        self.layout_ = self.transform(latents_ND)
        self.notes = left_out(self.layout_)
        self._invert()
        return self

    def transform(self, latents_MD: FloatArray) -> FloatArray:
        places_M2 = np.atleast_2d(latents_MD) @ self._axes_2D.T - self._offset_2
        places_M2[~np.isfinite(places_M2).all(axis=1)] = np.nan
        return np.asarray(places_M2, np.float32)

    def inverse(self, places_M2: FloatArray, near: FloatArray | None = None) -> Inverse:
        """The latents at these places that are closest to `near`, or to the mean encoding without it."""
        if self._places is None:
            self._places = Places(self.layout_)
        places_M2 = np.atleast_2d(places_M2)
        base_D = self._mean_D if near is None else near
        latents_MD = base_D + (places_M2 - self.transform(base_D)[0]) @ self._back_2D
        return self._places.inverse(latents_MD, places_M2, exact=self._independent)

    @property
    def axes(self) -> tuple[str, str]:
        return self._names

    def arrays(self) -> dict[str, Any]:
        return {
            "names": self._names,
            "mean": self._mean_D,
            "axes": self._axes_2D,
            "offset": self._offset_2,
            "layout": self.layout_,
            "notes": self.notes,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], latents_ND: FloatArray) -> Self:  # noqa: ARG003 - same for all
        fitted = cls(*arrays["names"])
        fitted._mean_D, fitted._axes_2D, fitted._offset_2 = arrays["mean"], arrays["axes"], arrays["offset"]
        fitted.layout_ = arrays["layout"]
        fitted._invert()
        fitted.notes = tuple(arrays["notes"])
        return fitted

    def _axis(self, name: str, dim: int) -> tuple[FloatArray, bool]:
        """(D,) what a latent is multiplied with, and whether the mean encoding is at 0."""
        if name in self._directions:
            vector = self._directions[name].vector
            square = float(vector @ vector)
            if square == 0 or len(vector) != dim:
                raise OptionError(
                    f"'{name}' cannot be an axis: it has {len(vector)} numbers where latents have {dim}, "
                    f"and the length {square**0.5:g}."
                )
            return np.asarray(vector / square, np.float32), True
        match = re.fullmatch(r"dimension (\d+)", name)
        if match is None:
            raise OptionError(f"There is no attribute '{name}' to be an axis.{did_you_mean(name, self._directions)}")
        if not 1 <= int(match[1]) <= dim:
            raise OptionError(f"There is no dimension {match[1]}; these latents have {dim}.")
        axis = np.zeros(dim, np.float32)
        axis[int(match[1]) - 1] = 1
        return axis, False

    def _invert(self) -> None:
        axes_2D = self._axes_2D.astype(np.float64)
        units_2D = axes_2D / np.linalg.norm(axes_2D, axis=1, keepdims=True)
        self._independent = abs(float(units_2D[0] @ units_2D[1])) < 1 - ALIKE
        # Scaled to unit axes first, so that what counts as alike does not hang on their lengths.
        lengths = np.linalg.norm(axes_2D, axis=1)
        self._back_2D = (np.linalg.pinv(units_2D, rcond=ALIKE) / lengths).T.astype(np.float32)
        if not self._independent:
            self.notes = (*self.notes, f"{self._names[0]} and {self._names[1]} point the same way: the map is a line.")
