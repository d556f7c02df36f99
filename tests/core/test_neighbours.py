"""Neighbours on a map and in the latent space: found alike by tree and by comparison, averaged without jumps."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from latentlab.core.projections.neighbours import Places, trustworthiness, weights
from latentlab.core.projections.pca import PCAProjection
from latentlab.core.projections.tsne import TSNEProjection
from latentlab.core.spaces import FloatArray


def clusters(count: int, dim: int = 6) -> FloatArray:
    rng = np.random.default_rng(0)
    centres = 8 * rng.standard_normal((4, dim))
    return (centres[np.arange(count) % 4] + rng.standard_normal((count, dim))).astype(np.float32)


def test_window_takes_a_map_up_without_heavy_libraries() -> None:
    program = """
import sys
import numpy as np
from latentlab.core.projections.job import from_arrays
latents = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)
arrays = {"kind": "tsne", "spherical": False, "layout": latents[:, :2].copy(), "approximate": np.zeros(300, bool),
          "notes": (), "trustworthiness": 0.9}
projection = from_arrays(arrays, latents)
projection.inverse(projection.transform(latents[:1]))
heavy = {"sklearn", "scipy", "openTSNE", "torch", "PySide6"} & {name.split(".")[0] for name in sys.modules}
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_tree_and_comparison_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    points, places = np.random.default_rng(0).standard_normal((2, 500, 2)).astype(np.float32)
    points[7] = np.nan
    compared = Places(points).nearest(places, 5)
    monkeypatch.setattr("latentlab.core.projections.neighbours.BRUTE_FORCE", 10)
    searched = Places(points).nearest(places, 5)
    np.testing.assert_array_equal(compared[0], searched[0])
    np.testing.assert_allclose(compared[1], searched[1], rtol=1e-4)


def test_nothing_jumps_along_a_drag() -> None:
    """Weights fade out before a neighbour is exchanged: small steps on the map are small steps in the latent."""
    latents_ND = clusters(300)
    projection = TSNEProjection(perplexity=10, iterations=20).fit(latents_ND)
    line = np.linspace(projection.layout_.min(axis=0), projection.layout_.max(axis=0), 4000).astype(np.float32)
    steps = np.linalg.norm(np.diff(projection.inverse(line).latents, axis=0), axis=1)
    assert steps.max() < 0.1 * np.linalg.norm(np.ptp(latents_ND, axis=0))


def test_weights() -> None:
    np.testing.assert_allclose(weights(np.array([[0, 1, 2]], np.float32)), [[1, 0]], atol=1e-5)
    np.testing.assert_allclose(weights(np.array([[1, 1, 2]], np.float32)), [[0.5, 0.5]])
    np.testing.assert_allclose(weights(np.array([[3]], np.float32)), [[1]])
    assert np.isfinite(weights(np.zeros((1, 4), np.float32))).all()


def test_trustworthiness_is_scikit_learns() -> None:
    latents_ND = clusters(150)
    layout = PCAProjection().fit(latents_ND).layout_
    expected = sklearn_trustworthiness(latents_ND, layout, n_neighbors=12)
    assert trustworthiness(latents_ND, layout) == pytest.approx(expected, abs=1e-6)
    assert trustworthiness(latents_ND[:20], layout[:20]) is None
    sampled = trustworthiness(latents_ND, layout, sample=100)
    assert sampled == pytest.approx(expected, abs=0.05)
