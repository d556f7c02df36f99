"""How typical a latent is, against laws that are known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import OptionError
from latentlab.core.spaces import LatentSpace, Prior
from latentlab.core.typicality import Typicality, chi_square_cdf


@pytest.mark.parametrize("dim", [1, 2, 7, 128, 512, 16_384])
def test_chi_square_law(dim: int) -> None:
    for quantile in (1e-6, 0.01, 0.4, 0.5, 0.9, 0.9999):
        assert chi_square_cdf(float(chi2.ppf(quantile, dim)), dim) == pytest.approx(quantile, abs=1e-9)
    assert chi_square_cdf(0, dim) == 0
    assert chi_square_cdf(1e9, dim) == pytest.approx(1)


def test_chi_square_law_of_very_many_dimensions() -> None:
    assert chi_square_cdf(float(chi2.ppf(0.9, 100_000)), 100_000) == pytest.approx(0.9, abs=1e-5)


@pytest.mark.parametrize("prior", ["normal", "uniform", "empirical"])
@pytest.mark.parametrize("with_encodings", [False, True])
def test_draws_of_the_prior_fill_the_percentiles_evenly(prior: Prior, with_encodings: bool) -> None:
    std = np.array([0.5, 1, 2, 4, 1, 1], np.float32)
    space = LatentSpace("z", (6,), prior, mean=np.full(6, 3, np.float32) if prior == "empirical" else None, std=std)
    if prior != "empirical":
        space = LatentSpace("z", (6,), prior)
    encodings = EncodingSet(space.sample(1500, seed=1)) if with_encodings else None
    typicality = Typicality(space, encodings)
    percentiles = [typicality.percentile(latent) for latent in space.sample(400, seed=2)]
    np.testing.assert_allclose(np.percentile(percentiles, [10, 50, 90]), [10, 50, 90], atol=8)


@pytest.mark.parametrize("prior", ["normal", "uniform", "empirical"])
def test_far_out_and_not_finite(prior: Prior) -> None:
    space = LatentSpace("z", (4,), prior)
    typicality = Typicality(space, EncodingSet(space.sample(100)))
    assert typicality.percentile(np.full(4, 50, np.float32)) > 99.9
    assert typicality.percentile(np.full(4, np.nan, np.float32)) == 100
    with pytest.raises(OptionError, match="not one of 4"):
        typicality.percentile(np.zeros(5, np.float32))


def test_middle_of_a_normal_prior_is_untypical() -> None:
    assert Typicality(LatentSpace("z", (100,))).percentile(np.zeros(100, np.float32)) < 1


def test_nearest_encoding() -> None:
    latents_ND = np.random.default_rng(0).standard_normal((200, 16)).astype(np.float32)
    latents_ND[:3] = np.nan
    typicality = Typicality(LatentSpace("z", (16,)), EncodingSet(latents_ND.copy()))
    shifted = latents_ND[17] + np.float32(0.25) * np.eye(16, dtype=np.float32)[2]
    found = typicality.nearest(shifted)
    assert found is not None
    assert found.index == 17
    assert found.distance == pytest.approx(0.25, rel=1e-4)
    assert found.sigmas == pytest.approx(0.25 / 4, rel=0.1)
    assert typicality.nearest(np.full(16, np.inf, np.float32)) is None


@pytest.mark.parametrize("latents_ND", [np.zeros((0, 4)), np.full((3, 4), np.nan), np.zeros((3, 5))])
def test_without_usable_encodings_there_is_no_nearest(latents_ND: np.ndarray) -> None:
    typicality = Typicality(LatentSpace("z", (4,), "empirical"), EncodingSet(latents_ND.astype(np.float32)))
    assert typicality.nearest(np.zeros(4, np.float32)) is None
    assert 0 <= typicality.percentile(np.ones(4, np.float32)) <= 100


def test_constant_encodings() -> None:
    typicality = Typicality(LatentSpace("z", (3,), "empirical"), EncodingSet(np.ones((5, 3), np.float32)))
    found = typicality.nearest(np.ones(3, np.float32))
    assert found is not None
    assert found.distance == 0
    assert np.isfinite(typicality.percentile(np.zeros(3, np.float32)))
