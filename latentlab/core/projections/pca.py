"""PCA: any two principal components as axes; exact both ways.

Shapes: N encodings, M other latents, K components, D latent.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from latentlab.core.encodings import StoredPCA
from latentlab.core.errors import OptionError
from latentlab.core.projections import Inverse
from latentlab.core.projections.neighbours import Places
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray


class PCAProjection:
    """`x` and `y` are component numbers from 1; with `pca` (stored with the encodings) nothing needs to be fitted."""

    layout_: FloatArray
    notes: tuple[str, ...] = ()

    def __init__(self, x: int | str = 1, y: int | str = 2, pca: StoredPCA | None = None) -> None:
        self._numbers = (_number(x), _number(y))
        self._pca = pca
        self._places: Places | None = None

    def fit(self, latents_ND: FloatArray, report: Report | None = None) -> Self:
        """Raises DataError when no encoding is finite, OptionError for a component that does not exist."""
        wanted = max(self._numbers)
        pca = self._pca
        if pca is None or len(pca.mean) != latents_ND.shape[1] or wanted > len(pca.components):
            pca = StoredPCA.fit(latents_ND, max(64, wanted))
        self._axes_2D = np.zeros((2, latents_ND.shape[1]), np.float32)
        for axis, number in enumerate(self._numbers):
            if number <= len(pca.components):
                self._axes_2D[axis] = pca.components[number - 1]
            elif (axis, number) != (1, 2):  # one-dimensional latents still have a map: a line
                raise OptionError(
                    f"There is no principal component {number}; these encodings have {len(pca.components)}."
                )
        self._mean_D = pca.mean
        self.layout_ = self.transform(latents_ND)
        self.notes = left_out(self.layout_)
        return self

    def transform(self, latents_MD: FloatArray) -> FloatArray:
        places_M2 = (np.atleast_2d(latents_MD) - self._mean_D) @ self._axes_2D.T
        places_M2[~np.isfinite(places_M2).all(axis=1)] = np.nan
        return np.asarray(places_M2, np.float32)

    def inverse(self, places_M2: FloatArray, near: FloatArray | None = None) -> Inverse:
        """All other components are those of `near`; of the mean encoding without it."""
        if self._places is None:
            self._places = Places(self.layout_)
        places_M2 = np.atleast_2d(places_M2)
        base_D = self._mean_D if near is None else near
        here_2 = self.transform(base_D)[0]
        axes_2D = self._axes_2D if self._numbers[0] != self._numbers[1] else self._axes_2D / 2
        latents_MD = base_D + (places_M2 - here_2) @ axes_2D
        return self._places.inverse(latents_MD, places_M2, exact=self._numbers[0] != self._numbers[1])

    @property
    def axes(self) -> tuple[str, str]:
        return f"PC {self._numbers[0]}", f"PC {self._numbers[1]}"

    def arrays(self) -> dict[str, Any]:
        return {
            "numbers": self._numbers,
            "mean": self._mean_D,
            "axes": self._axes_2D,
            "layout": self.layout_,
            "notes": self.notes,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], latents_ND: FloatArray) -> Self:  # noqa: ARG003 - same for all
        fitted = cls(*arrays["numbers"])
        fitted._mean_D, fitted._axes_2D = arrays["mean"], arrays["axes"]
        fitted.layout_, fitted.notes = arrays["layout"], tuple(arrays["notes"])
        return fitted


def left_out(layout_N2: FloatArray) -> tuple[str, ...]:
    """A note on encodings that are not finite; none when all have a place."""
    count = int((~np.isfinite(layout_N2).all(axis=1)).sum())
    if not count:
        return ()
    verb = "encoding is" if count == 1 else "encodings are"
    return (f"{count:,} of {len(layout_N2):,} {verb} not finite and left out of the map.",)


def _number(component: int | str) -> int:
    text = str(component).strip()
    if not text.isdecimal() or int(text) < 1:
        raise OptionError(f"'{component}' is no principal component; give a number from 1.")
    return int(text)
