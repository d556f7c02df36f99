"""Drawing from priors: seeded, of the right law, truncated towards the mean."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latentlab.core.errors import OptionError
from latentlab.core.spaces import LatentSpace, Prior

PRIORS: list[Prior] = ["normal", "uniform", "empirical"]


def space(prior: Prior) -> LatentSpace:
    if prior == "empirical":
        return LatentSpace("w", (3,), prior, np.array([5, 0, -5], np.float32), np.array([1, 2, 3], np.float32))
    return LatentSpace("z", (3,), prior)


@pytest.mark.parametrize("prior", PRIORS)
def test_same_seed_same_draws(prior: Prior) -> None:
    draws = space(prior).sample(4, seed=7)
    assert draws.shape == (4, 3)
    assert draws.dtype == np.float32
    np.testing.assert_array_equal(draws, space(prior).sample(4, seed=7))
    assert not np.array_equal(draws, space(prior).sample(4, seed=8))
    np.testing.assert_array_equal(draws[:2], space(prior).sample(2, seed=7))


@pytest.mark.parametrize("prior", PRIORS)
def test_law(prior: Prior) -> None:
    draws = space(prior).sample(20_000)
    std = {"normal": [1, 1, 1], "uniform": [3**-0.5] * 3, "empirical": [1, 2, 3]}[prior]
    np.testing.assert_allclose(draws.std(axis=0), std, rtol=0.03)
    np.testing.assert_allclose(draws.mean(axis=0), space(prior).centre, atol=0.08)


@pytest.mark.parametrize("prior", PRIORS)
def test_truncation_scales_towards_the_mean(prior: Prior) -> None:
    full, half, none = (space(prior).sample(5, 1, truncation) for truncation in (1, 0.5, 0))
    centre = space(prior).centre
    np.testing.assert_allclose(half - centre, (full - centre) / 2, atol=1e-6)
    np.testing.assert_allclose(none, np.broadcast_to(centre, none.shape))


def test_spatial_spaces_are_flat_here() -> None:
    spatial = LatentSpace("z", (4, 8, 8), "empirical")
    assert spatial.dim == 256
    assert spatial.sample(2).shape == (2, 256)


def test_clip() -> None:
    far = np.array([-100, 0.5, 100], np.float32)
    np.testing.assert_array_equal(space("uniform").clip(far), [-1, 0.5, 1])
    np.testing.assert_array_equal(space("normal").clip(far), [-6, 0.5, 6])
    np.testing.assert_array_equal(space("empirical").clip(far), far)
    assert space("empirical").bounds == (-math.inf, math.inf)


def test_counts() -> None:
    assert space("normal").sample(0).shape == (0, 3)
    with pytest.raises(OptionError, match="number of samples is -1"):
        space("normal").sample(-1)


def test_draws_of_a_prior_without_a_formula_are_chosen_from_and_truncated() -> None:
    draws = np.random.default_rng(0).normal(4, 2, (50, 3)).astype(np.float32)
    w = LatentSpace("w", (3,), "empirical", draws.mean(axis=0), draws.std(axis=0), draws)
    chosen = w.sample(20, seed=3)
    assert {tuple(row) for row in np.round(chosen, 4)} <= {tuple(row) for row in np.round(draws, 4)}
    assert len(np.unique(chosen, axis=0)) == 20
    np.testing.assert_allclose(w.sample(20, 3, 0.5), (chosen + w.centre) / 2, atol=1e-5)
    assert w.sample(120).shape == (120, 3)
