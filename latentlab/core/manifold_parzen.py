"""Draws around encodings: the density of data that no formula describes, from the data themselves.

Manifold Parzen windows (Vincent and Bengio 2002): every encoding is the centre of a Gaussian with the covariance of its
nearest neighbours, seen from it. A draw moves in the directions in which encodings lie next to each other, so it is
new and still near where the decoder was trained; many draws of one Gaussian for all lie far from that. A density
measured after training is Ghosh et al. 2020 (From Variational to Deterministic Autoencoders), section 4.

Shapes: N encodings, D latent, B draws, K neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

NEIGHBOURS = 10
# In many dimensions neighbours are almost as far as any other encoding, so that a whole step doubles the variance.
BANDWIDTH = 0.7  # docs/benchmarks.md, "Draws around encodings", compares others
# Draws look for neighbours among no more encodings than this, on the thread that asks for them.
POINTS_AT_MOST = 10_000
AT_ONCE = 512


def points_of(latents_ND: FloatArray) -> FloatArray | None:
    """The encodings (N, D) that draws can be made around: finite, evenly thinned. None where they are too few."""
    finite_N = np.isfinite(latents_ND).all(axis=1)
    points_ND = latents_ND if finite_N.all() else latents_ND[finite_N]
    if len(points_ND) <= NEIGHBOURS:
        return None
    if len(points_ND) > POINTS_AT_MOST:
        points_ND = points_ND[np.linspace(0, len(points_ND) - 1, POINTS_AT_MOST).round().astype(np.intp)]
    return np.asarray(points_ND, np.float32)


def drawn_around(points_ND: FloatArray, count: int, seed: int) -> FloatArray:
    """(count, D) float32 draws around more than NEIGHBOURS points; the first of a seed are the same for any count."""
    # A stream each, so that a longer row of draws begins like a shorter one.
    chosen_B = np.random.default_rng((seed, 0)).integers(0, len(points_ND), count)
    weights_BK = np.random.default_rng((seed, 1)).standard_normal((count, NEIGHBOURS), np.float32)
    weights_BK *= np.float32(BANDWIDTH / np.sqrt(NEIGHBOURS))
    squares_N = np.einsum("nd,nd->n", points_ND, points_ND)
    made = [np.empty((0, points_ND.shape[1]), np.float32)]
    for start in range(0, count, AT_ONCE):
        chosen_b, weights_bK = chosen_B[start : start + AT_ONCE], weights_BK[start : start + AT_ONCE]
        centres_bD = points_ND[chosen_b]
        neighbours_bK = _neighbours(points_ND, squares_N, chosen_b)
        away_bKD = points_ND[neighbours_bK] - centres_bD[:, None]
        made.append(centres_bD + np.einsum("bk,bkd->bd", weights_bK, away_bKD))
    return np.concatenate(made)


def _neighbours(points_ND: FloatArray, squares_N: FloatArray, chosen_B: NDArray[np.int64]) -> NDArray[np.intp]:
    """(B, K) the nearest points of chosen ones, without themselves, in the order of the points.

    Not in the order of their distances: those differ in the last bit between processors, and with them the draws.
    """
    distances_BN = squares_N - 2 * points_ND[chosen_B] @ points_ND.T
    distances_BN[np.arange(len(chosen_B)), chosen_B] = np.inf
    return np.sort(np.argpartition(distances_BN, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS], axis=1)
