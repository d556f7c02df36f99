"""Draws around encodings: near them along the data and not beside it, new, seeded, and nothing that is not finite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import OptionError
from latentlab.core.latent_model import ImageShape, ModelInfo
from latentlab.core.manifold_parzen import NEIGHBOURS, POINTS_AT_MOST, FloatArray, drawn_around, points_of
from latentlab.core.spaces import LatentSpace, Prior


def ring(count: int = 500, seed: int = 0) -> FloatArray:
    """(count, 2) on the unit circle: no Gaussian describes it."""
    angles_N = np.random.default_rng(seed).uniform(0, 2 * np.pi, count)
    return np.stack([np.cos(angles_N), np.sin(angles_N)], axis=1).astype(np.float32)


def info(*spaces: LatentSpace, **said: object) -> ModelInfo:
    return ModelInfo("", "native", "ae", ImageShape(8, 8, 1), spaces, encoder=True, **said)  # type: ignore[arg-type]


def measured(dim: int = 2) -> LatentSpace:
    return LatentSpace("z", (dim,), "empirical", std=np.ones(dim, np.float32))


def test_draws_stay_on_a_ring_that_a_gaussian_fills() -> None:
    points_ND = ring()
    radii_B = np.linalg.norm(drawn_around(points_ND, 1000, 0), axis=1)
    assert np.abs(radii_B - 1).max() < 0.05
    gaussian_ND = LatentSpace("z", (2,), "empirical", std=points_ND.std(axis=0)).sample(1000)
    assert np.quantile(np.linalg.norm(gaussian_ND, axis=1), 0.1) < 0.5


def test_draws_are_new_and_reach_all_around() -> None:
    points_ND = ring()
    drawn_BD = drawn_around(points_ND, 1000, 0)
    nearest_B = np.linalg.norm(drawn_BD[:, None] - points_ND[None], axis=2).min(axis=1)
    assert (nearest_B > 0).mean() > 0.99
    angles_B = np.arctan2(drawn_BD[:, 1], drawn_BD[:, 0])
    assert np.histogram(angles_B, 8, (-np.pi, np.pi))[0].min() > 60


def test_a_seed_is_the_same_draws_however_many_follow() -> None:
    points_ND = ring()
    np.testing.assert_array_equal(drawn_around(points_ND, 700, 3)[:2], drawn_around(points_ND, 2, 3))
    assert not np.array_equal(drawn_around(points_ND, 2, 3), drawn_around(points_ND, 2, 4))
    assert drawn_around(points_ND, 0, 3).shape == (0, 2)


def test_encodings_that_are_all_the_same_are_drawn_again() -> None:
    points_ND = np.ones((40, 3), np.float32)
    np.testing.assert_array_equal(drawn_around(points_ND, 5, 0), np.ones((5, 3)))


def test_points_are_finite_and_not_too_many() -> None:
    latents_ND = ring(POINTS_AT_MOST + 500)
    latents_ND[7] = np.nan
    points_ND = points_of(latents_ND)
    assert points_ND is not None
    assert len(points_ND) == POINTS_AT_MOST
    assert np.isfinite(points_ND).all()
    assert points_of(ring(NEIGHBOURS)) is None
    assert points_of(np.full((50, 2), np.nan, np.float32)) is None


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_a_prior_is_drawn_from_unless_encodings_are_asked_for(prior: Prior) -> None:
    plain = LatentSpace("z", (2,), prior)
    space = plain.drawn_around(ring())
    assert space.can_choose
    np.testing.assert_array_equal(space.sample(3), plain.sample(3))
    drawn_BD = space.sample(200, around=True)
    assert np.quantile(np.abs(np.linalg.norm(drawn_BD, axis=1) - 1), 0.9) < 0.05
    assert np.abs(drawn_BD).max() <= plain.bounds[1]  # no draw leaves the cube of a uniform prior
    with pytest.raises(OptionError, match="no encodings to draw around"):
        plain.sample(3, around=True)


def test_a_measured_prior_is_itself_drawn_from_when_asked() -> None:
    space = measured().drawn_around(ring())
    np.testing.assert_array_equal(space.sample(3, around=False), measured().sample(3))
    assert not LatentSpace("z", (2,), "empirical").drawn_around(ring()).can_choose


@pytest.mark.parametrize(
    "space",
    [
        LatentSpace("z", (2,), "empirical", draws=np.zeros((3, 2), np.float32)),
        LatentSpace("z", (2, 1, 1), "empirical"),
        measured(3),
    ],
)
def test_other_spaces_keep_their_draws(space: LatentSpace) -> None:
    assert space.drawn_around(ring()) is space


def test_a_space_of_which_only_encodings_are_known_can_be_drawn_from() -> None:
    unknown = LatentSpace("z", (2,), "empirical")
    assert not unknown.drawable
    assert unknown.drawn_around(ring()).drawable
    assert not unknown.drawn_around(ring()).drawn_around(None).drawable


def test_truncation_scales_draws_towards_the_mean() -> None:
    space = measured().drawn_around(ring())
    np.testing.assert_allclose(space.sample(5, 1, 0.5), space.sample(5, 1) / 2, rtol=1e-6)


def test_a_model_draws_around_its_encodings_and_no_longer_without_them() -> None:
    encodings = EncodingSet(ring(), "z")
    around = info(measured()).drawn_around(encodings)
    assert not np.array_equal(around.spaces[0].sample(3), measured().sample(3))
    np.testing.assert_array_equal(around.drawn_around(None).spaces[0].sample(3), measured().sample(3))


def test_encodings_that_are_draws_and_conditional_models_change_nothing() -> None:
    encodings = EncodingSet(ring(), "z")
    plain, asked = info(measured()), info(measured(), conditional=("0", "1"))
    assert plain.drawn_around(replace(encodings, samples=True)) is plain
    assert asked.drawn_around(encodings) is asked
