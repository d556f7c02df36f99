"""t-SNE (van der Maaten and Hinton 2008) by openTSNE, or by scikit-learn where that is missing.

Both are imported on use: they cost over a second. Shapes: N encodings, L landmarks, D latent.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from latentlab.core.encodings import StoredPCA
from latentlab.core.errors import OptionError
from latentlab.core.projections.neighbours import NeighbourMap, nearest_rows, trustworthiness, weights
from latentlab.core.projections.pca import PCAProjection, left_out
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray

REDUCED = 50  # components kept for finding neighbours, as the paper does
EARLY = 250  # iterations of early exaggeration
SMALLEST = 5  # encodings below which neighbours say nothing that PCA does not


class LandmarkMap(NeighbourMap):
    """A neighbour map whose method sees at most `landmarks` encodings; the rest are placed by those.

    Too few encodings, or all alike, get a PCA and a note instead.
    """

    def __init__(self, landmarks: int = 20_000, seed: int = 0, spherical: bool = False) -> None:
        super().__init__(spherical)
        if landmarks < SMALLEST:
            raise OptionError(f"{landmarks} landmarks make no map; take {SMALLEST} or more.")
        self.landmarks = landmarks
        self.seed = seed

    def fit(self, latents_ND: FloatArray, report: Report | None = None) -> Self:
        """Raises DataError when no encoding is finite, and whatever `report` raises to cancel."""
        count = len(latents_ND)
        start_N2 = PCAProjection().fit(latents_ND).layout_
        self.notes = left_out(start_N2)
        finite_N = np.flatnonzero(np.isfinite(start_N2).all(axis=1))
        approximate_N = np.zeros(count, bool)
        if reason := self._hopeless(latents_ND[finite_N]):
            self.notes = (*self.notes, f"{reason}, so this is the PCA instead of {self.title}.")
            self._take(latents_ND, start_N2, approximate_N)
            return self
        chosen = finite_N
        if len(finite_N) > self.landmarks:
            rng = np.random.default_rng(self.seed)
            chosen = np.sort(rng.choice(finite_N, self.landmarks, replace=False))
        rows_LD = reduced(latents_ND[chosen])
        layout_N2 = np.full((count, 2), np.nan, np.float32)

        def show(layout_L2: FloatArray) -> None:
            if report is not None:
                partial_N2 = layout_N2.copy()
                partial_N2[chosen] = layout_L2
                report.partial(partial_N2)

        layout_N2[chosen] = self._layout(rows_LD, start_N2[chosen], show, report)
        rest = np.setdiff1d(finite_N, chosen)
        if len(rest):
            approximate_N[rest] = True
            layout_N2[rest] = self._placed(latents_ND[rest], latents_ND[chosen], layout_N2[chosen], report)
            self.notes = (
                *self.notes,
                f"{len(chosen):,} landmarks were laid out, the other {len(rest):,} placed by their nearest landmarks.",
            )
        self._take(latents_ND, layout_N2, approximate_N)
        self.trustworthiness = trustworthiness(latents_ND, layout_N2)
        return self

    def _hopeless(self, rows_ND: FloatArray) -> str:
        if len(rows_ND) < SMALLEST:
            return f"{len(rows_ND)} encodings are too few for neighbourhoods"
        if not np.ptp(rows_ND, axis=0).any():
            return "All encodings are the same"
        return ""

    def _layout(self, rows_LD: FloatArray, start_L2: FloatArray, show: Any, report: Report | None) -> FloatArray:
        raise NotImplementedError

    def _placed(
        self, rest_ND: FloatArray, landmarks_LD: FloatArray, layout_L2: FloatArray, report: Report | None
    ) -> FloatArray:
        placed = np.empty((len(rest_ND), 2), np.float32)
        for begin in range(0, len(rest_ND), 4096):
            part = slice(begin, begin + 4096)
            found_MK, distances_MK = nearest_rows(landmarks_LD, rest_ND[part], self._count(len(landmarks_LD)))
            weights_MK = weights(distances_MK)
            placed[part] = np.einsum("mk,mkd->md", weights_MK, layout_L2[found_MK[:, : weights_MK.shape[1]]])
            if report is not None:
                report.progress(begin, len(rest_ND), f"placing {len(rest_ND):,} by their neighbours")
        return placed


class TSNEProjection(LandmarkMap):
    """The perplexity is how many neighbours count; fewer encodings than three times as many lower it, with a note."""

    title = "t-SNE"

    def __init__(
        self,
        perplexity: float = 30.0,
        iterations: int = 500,
        seed: int = 0,
        landmarks: int = 20_000,
        spherical: bool = False,
    ) -> None:
        super().__init__(landmarks, seed, spherical)
        if not (np.isfinite(perplexity) and perplexity >= 1) or iterations < 1:
            raise OptionError(
                f"t-SNE with perplexity {perplexity:g} and {iterations} iterations cannot run; both must be 1 or more."
            )
        self.perplexity = perplexity
        self.iterations = iterations

    def _layout(self, rows_LD: FloatArray, start_L2: FloatArray, show: Any, report: Report | None) -> FloatArray:
        perplexity = min(self.perplexity, (len(rows_LD) - 1) / 3)
        if perplexity < self.perplexity:
            self.notes = (
                *self.notes,
                f"{len(rows_LD)} encodings allow a perplexity of {perplexity:.3g}, not {self.perplexity:g}.",
            )
        start_L2 = start_L2 / np.float32(max(float(start_L2[:, 0].std()), 1e-12) * 1e4)
        show(start_L2)
        if importlib.util.find_spec("openTSNE") is None:
            return self._by_scikit_learn(rows_LD, start_L2, perplexity, report)
        import openTSNE

        total = EARLY + self.iterations
        if report is not None:
            report.progress(0, total, "finding neighbours")
        phase = {"before": 0, "last": 0}

        def follow(iteration: int, _error: float, embedding: NDArray[np.float64]) -> None:
            # openTSNE counts each of its two phases from the start.
            if iteration < phase["last"]:
                phase["before"] = EARLY
            phase["last"] = iteration
            done = phase["before"] + iteration
            show(np.array(embedding, np.float32))
            if report is not None:
                report.progress(done, total, f"iteration {done} of {total}")

        tsne = openTSNE.TSNE(
            perplexity=perplexity,
            n_iter=self.iterations,
            early_exaggeration_iter=EARLY,
            random_state=self.seed,
            n_jobs=max(1, (os.cpu_count() or 2) - 1),
            callbacks=follow,
            callbacks_every_iters=10,
        )
        return np.array(tsne.fit(rows_LD.astype(np.float64), initialization=start_L2.astype(np.float64)), np.float32)

    def _by_scikit_learn(
        self, rows_LD: FloatArray, start_L2: FloatArray, perplexity: float, report: Report | None
    ) -> FloatArray:
        from sklearn.manifold import TSNE

        self.notes = (*self.notes, "openTSNE is not installed: scikit-learn's t-SNE is slower and shows no steps.")
        if report is not None:
            report.progress(0, 1, "t-SNE by scikit-learn, without intermediate steps")
        tsne = TSNE(
            perplexity=perplexity,
            init=start_L2,
            random_state=self.seed,
            max_iter=EARLY + self.iterations,
        )
        return np.asarray(tsne.fit_transform(rows_LD), np.float32)


def reduced(rows_ND: FloatArray) -> FloatArray:
    """The first components where there are many: quicker neighbours, and less noise in them."""
    if rows_ND.shape[1] <= REDUCED:
        return rows_ND
    return StoredPCA.fit(rows_ND, REDUCED).transform(rows_ND)
