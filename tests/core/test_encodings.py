"""What a map shows: principal components, names, labels and thumbnails of the encodings."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from latentlab.core.encodings import EncodingSet, StoredPCA, Thumbnails
from latentlab.core.errors import DataError


def spread(count: int = 200, dim: int = 6) -> np.ndarray:
    return (np.random.default_rng(0).standard_normal((count, dim)) * np.arange(1, dim + 1) + 3).astype(np.float32)


def test_components_are_scikit_learns() -> None:
    latents_ND = spread()
    ours, theirs = StoredPCA.fit(latents_ND), PCA().fit(latents_ND)
    np.testing.assert_allclose(ours.variance, theirs.explained_variance_, rtol=1e-4)
    np.testing.assert_allclose(np.abs(ours.components), np.abs(theirs.components_), atol=1e-4)
    np.testing.assert_allclose(ours.mean, theirs.mean_, atol=1e-5)
    np.testing.assert_allclose(ours.sigma**2, ours.variance, rtol=1e-5)


def test_components_lead_there_and_back() -> None:
    latents_ND = spread()
    pca = StoredPCA.fit(latents_ND)
    np.testing.assert_allclose(pca.inverse_transform(pca.transform(latents_ND)), latents_ND, atol=1e-4)
    np.testing.assert_allclose(pca.components @ pca.components.T, np.eye(6), atol=1e-5)
    few = StoredPCA.fit(latents_ND, 2)
    assert few.transform(latents_ND).shape == (200, 2)


def test_components_do_not_flip() -> None:
    components = StoredPCA.fit(spread()).components
    largest = components[np.arange(len(components)), np.abs(components).argmax(axis=1)]
    assert (largest > 0).all()


@pytest.mark.parametrize(("count", "dim"), [(1, 3), (2, 3), (3, 1), (5, 3000)])
def test_components_of_odd_shapes(count: int, dim: int) -> None:
    latents_ND = spread(count, dim)
    pca = StoredPCA.fit(latents_ND)
    assert np.isfinite(pca.components).all()
    assert (pca.variance >= 0).all()
    back = pca.inverse_transform(pca.transform(latents_ND))
    np.testing.assert_allclose(back, latents_ND, atol=1e-3 * np.abs(latents_ND).max())


def test_components_leave_out_what_is_not_finite() -> None:
    latents_ND = spread()
    sick = np.concatenate([latents_ND, np.full((1, 6), np.nan, np.float32)])
    np.testing.assert_allclose(StoredPCA.fit(sick).mean, StoredPCA.fit(latents_ND).mean, atol=1e-6)
    with pytest.raises(DataError, match="No encoding is finite"):
        StoredPCA.fit(sick[-1:])


def test_stored_components_cost_nothing() -> None:
    pca = StoredPCA.fit(spread())
    stored = EncodingSet(spread(), pca=pca)
    assert stored.principal is pca
    assert stored.has_principal
    bare = EncodingSet(spread())
    assert not bare.has_principal
    np.testing.assert_allclose(bare.principal.components, pca.components)
    assert bare.has_principal


def test_shares_are_of_all_variance_also_where_few_components_are_kept() -> None:
    latents_ND = np.random.default_rng(1).normal(size=(300, 12)).astype(np.float32) * np.linspace(3, 1, 12)
    latents_ND = latents_ND.astype(np.float32)
    expected = PCA(12).fit(latents_ND).explained_variance_ratio_
    few = EncodingSet(latents_ND, pca=StoredPCA.fit(latents_ND, 3))
    assert few.principal_shares == pytest.approx(expected[:3], abs=1e-4)
    assert EncodingSet(latents_ND).principal_shares == pytest.approx(expected, abs=1e-4)
    assert not EncodingSet(np.ones((5, 4), np.float32)).principal_shares.any()


def test_informativeness() -> None:
    latents_ND = spread()
    latents_ND[0, 0] = np.nan
    assert EncodingSet(latents_ND.copy()).informativeness.argmax() == 5
    kl = np.array([9, 1, 1, 1, 1, 1], np.float32)
    assert EncodingSet(latents_ND.copy(), kl_per_dimension=kl).informativeness is kl


def test_words() -> None:
    encodings = EncodingSet(
        spread(4),
        labels=np.array([0, 1, -1, 2]),
        label_names=("cat", "dog"),
        attributes=np.array([[0], [1], [np.nan], [1]], np.float32),
        attribute_names=("Smiling",),
        names=("a.png", "b.png"),
    )
    assert len(encodings) == 4
    assert encodings.dim == 6
    assert [encodings.label_of(index) for index in range(4)] == ["cat", "dog", "", "2"]
    assert [encodings.name_of(index) for index in range(4)] == ["a.png", "b.png", "#2", "#3"]
    np.testing.assert_array_equal(encodings.attribute("Smiling"), [0, 1, np.nan, 1])
    with pytest.raises(DataError, match="'Smilling'"):
        encodings.attribute("Smilling")
    assert EncodingSet(spread(4)).label_of(0) == ""


def test_latents_are_read_only() -> None:
    encodings = EncodingSet(spread(4))
    with pytest.raises(ValueError, match="read-only"):
        encodings.latents[0] = 0


def test_thumbnails() -> None:
    thumbnails = Thumbnails(np.frombuffer(b"onetwothree", np.uint8), np.array([0, 3, 6, 11]))
    assert [thumbnails.coded(index) for index in range(len(thumbnails))] == [b"one", b"two", b"three"]
    assert len(Thumbnails(np.zeros(0, np.uint8), np.zeros(0, np.int64))) == 0
