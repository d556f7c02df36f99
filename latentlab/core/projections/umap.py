"""UMAP (McInnes et al. 2018) where umap-learn is installed; it takes 13 to 20 s to compile itself when cold.

Shapes: N encodings, L landmarks, D latent.
"""

from __future__ import annotations

import importlib.util
from typing import Any, Self

import numpy as np

from latentlab.core.errors import OptionError
from latentlab.core.projections.tsne import LandmarkMap
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray


class UMAPProjection(LandmarkMap):
    """`neighbours` sets what is local, `min_dist` how tightly points may be packed."""

    title = "UMAP"

    def __init__(
        self,
        neighbours: int = 15,
        min_dist: float = 0.1,
        seed: int = 0,
        landmarks: int = 20_000,
        spherical: bool = False,
    ) -> None:
        super().__init__(landmarks, seed, spherical)
        if neighbours < 2 or not 0 <= min_dist <= 1:
            raise OptionError(
                f"UMAP with {neighbours} neighbours and min_dist {min_dist:g} cannot run; take 2 or more, and 0 to 1."
            )
        self.neighbours = neighbours
        self.min_dist = min_dist

    def fit(self, latents_ND: FloatArray, report: Report | None = None) -> Self:
        if importlib.util.find_spec("umap") is None:
            raise OptionError("UMAP is not installed. Run: python -m pip install 'latentlab[maps]'")
        return super().fit(latents_ND, report)

    def _layout(self, rows_LD: FloatArray, start_L2: FloatArray, show: Any, report: Report | None) -> FloatArray:
        if report is not None:
            report.progress(0, 1, "loading UMAP, which compiles itself at first")
        import umap

        neighbours = min(self.neighbours, len(rows_LD) - 1)
        if neighbours < self.neighbours:
            self.notes = (
                *self.notes,
                f"{len(rows_LD)} encodings allow {neighbours} neighbours, not {self.neighbours}.",
            )
        show(start_L2)
        if report is not None:
            report.progress(0, 1, "UMAP, without intermediate steps")
        scale = 10 / max(float(np.abs(start_L2).max()), 1e-12)
        model = umap.UMAP(
            n_neighbors=neighbours, min_dist=self.min_dist, random_state=self.seed, init=start_L2 * scale, n_jobs=1
        )
        return np.asarray(model.fit_transform(rows_LD), np.float32)
