"""Directions without labels: components in sigmas, the eigenvectors of the first layer's weights."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latentlab.core.encodings import StoredPCA
from latentlab.core.errors import DataError, OptionError
from latentlab.core.picture_components import picture_components
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.core.unsupervised import principal_components, weight_components


def spread_out(count: int = 500) -> FloatArray:
    draws_ND = np.random.default_rng(0).standard_normal((count, 3)) * np.array([1, 5, 2])
    return draws_ND.astype(np.float32)


def test_principal_components_move_one_sigma_and_say_what_they_explain() -> None:
    first, second, third = principal_components(spread_out(), space="w", checkpoint="abc")
    assert (first.direction.name, second.direction.name) == ("PC 1", "PC 2")
    assert np.linalg.norm(first.direction.vector) == pytest.approx(5, rel=0.1)
    assert np.abs(first.direction.vector).argmax() == 1
    assert (first.direction.space, first.direction.checkpoint, first.direction.examples) == ("w", "abc", 500)
    assert first.share == pytest.approx(25 / 30, abs=0.03)
    assert first.share + second.share + third.share == pytest.approx(1, abs=1e-4)
    assert first.direction.method == f"PCA, {first.share * 100:.0f} % of the variance"


def test_stored_components_say_their_share_of_all_variance() -> None:
    latents_ND = spread_out()
    stored = StoredPCA.fit(latents_ND, 1)
    only = principal_components(latents_ND, pca=stored)
    assert len(only) == 1
    assert only[0].share == pytest.approx(principal_components(latents_ND)[0].share, abs=1e-5)


def test_components_of_every_kind_point_where_their_largest_number_is_positive() -> None:
    """Else the same map would be mirrored when it is fitted anew, and a slider would go the other way."""
    latents_ND, mixing_DF = spread_out(), np.random.default_rng(1).standard_normal((3, 20)).astype(np.float32)
    for turned in (latents_ND, -latents_ND):
        found = [
            *principal_components(turned),
            *picture_components(turned, turned @ mixing_DF, 3),
            *weight_components(turned, 3, LatentSpace("z", (3,))),
        ]
        assert len(found) == 9
        for component in found:
            vector = component.direction.vector
            assert vector[np.abs(vector).argmax()] > 0


def test_what_has_no_components_says_so() -> None:
    with pytest.raises(DataError, match="two latents"):
        principal_components(np.full((5, 3), np.nan, np.float32), pca=StoredPCA.fit(spread_out()))
    with pytest.raises(OptionError, match="5,000 dimensions"):
        principal_components(np.zeros((3, 5000), np.float32))


def test_weights_say_along_what_the_first_layer_answers_most() -> None:
    # Outputs that all look along one diagonal, more or less; their scale says nothing.
    rng = np.random.default_rng(0)
    diagonal = np.array([3, 4, 0, 0], np.float32) / 5
    weights_OD = (diagonal + 0.1 * rng.standard_normal((40, 4))).astype(np.float32)
    weights_OD[0] *= 1000
    weights_OD[1] = 0  # a dead output
    found = weight_components(weights_OD, 3, LatentSpace("z", (4,)), "abc")
    assert len(found) == 3
    first = found[0].direction
    assert (first.name, first.space, first.checkpoint, first.auc) == ("SeFa 1", "z", "abc", None)
    np.testing.assert_allclose(first.vector, diagonal, atol=0.06)
    assert found[0].share > 0.9
    assert [part.share for part in found] == sorted((part.share for part in found), reverse=True)
    gram_KK = np.stack([part.direction.vector for part in found]) @ np.stack([p.direction.vector for p in found]).T
    np.testing.assert_allclose(gram_KK, np.eye(3), atol=1e-5)


def test_strength_1_of_a_weight_direction_is_one_sigma_of_the_prior() -> None:
    weights_OD = np.eye(3, dtype=np.float32)[:1].repeat(5, 0)
    spread = np.array([7, 1, 1], np.float32)
    draws_ND = np.random.default_rng(0).standard_normal((4000, 3)).astype(np.float32) * spread

    def length(space: LatentSpace) -> float:
        return float(np.linalg.norm(weight_components(weights_OD, 1, space)[0].direction.vector))

    assert length(LatentSpace("z", (3,))) == pytest.approx(1)
    assert length(LatentSpace("z", (3,), "uniform")) == pytest.approx(1 / math.sqrt(3))
    assert length(LatentSpace("z", (3,), "empirical", std=spread)) == pytest.approx(7)
    assert length(LatentSpace("w", (3,), "empirical", draws=draws_ND)) == pytest.approx(7, rel=0.05)


@pytest.mark.parametrize("bad", [np.zeros((4, 3)), np.full((4, 3), np.nan)], ids=["zero", "nan"])
def test_weights_that_say_nothing_are_refused(bad: FloatArray) -> None:
    with pytest.raises(DataError, match="say nothing"):
        weight_components(np.asarray(bad, np.float32), 2, LatentSpace("z", (3,)))
