"""One contract for every projection, and what each promises of its own."""

from __future__ import annotations

import importlib.util
import pickle
from typing import Any

import numpy as np
import pytest

from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.encodings import StoredPCA
from latentlab.core.errors import DataError, OptionError
from latentlab.core.projections import Projection
from latentlab.core.projections.job import from_arrays, run
from latentlab.core.projections.neighbours import nearest_rows
from latentlab.core.projections.pca import PCAProjection
from latentlab.core.projections.plane import PlaneProjection
from latentlab.core.projections.tsne import TSNEProjection
from latentlab.core.registry import PROJECTIONS
from latentlab.core.requests import JobCancelled
from latentlab.core.spaces import FloatArray

DIM = 6


class Notebook:
    """A Report that remembers, and cancels when told to."""

    def __init__(self, cancel_after: int | None = None) -> None:
        self.steps: list[tuple[float, float, str]] = []
        self.partials: list[FloatArray] = []
        self._left = cancel_after

    def _count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise JobCancelled

    def progress(self, done: float, total: float, text: str = "") -> None:
        self._count()
        self.steps.append((done, total, text))

    def partial(self, value: Any) -> None:
        self._count()
        self.partials.append(value)


def clusters(count: int = 120, dim: int = DIM) -> FloatArray:
    rng = np.random.default_rng(0)
    centres = 8 * rng.standard_normal((4, dim))
    return (centres[np.arange(count) % 4] + rng.standard_normal((count, dim))).astype(np.float32)


DIRECTIONS = DirectionSet(
    [
        Direction("Eyeglasses", np.arange(1, DIM + 1, dtype=np.float32)),
        Direction("Smiling", np.eye(DIM)[2].astype("f4")),
    ]
)
PARAMETERS: dict[str, dict[str, Any]] = {  # of those that need some, or are quicker with them
    "pca": {"x": 1, "y": 3},
    "plane": {"x": "Eyeglasses", "y": "dimension 2", "directions": DIRECTIONS},
    "tsne": {"perplexity": 10, "iterations": 50},
}
AVAILABLE = [kind for kind in PROJECTIONS if kind != "umap" or importlib.util.find_spec("umap")]


@pytest.fixture(scope="module", params=AVAILABLE)
def fitted(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any], Projection, FloatArray]:
    latents_ND = clusters()
    arrays = pickle.loads(pickle.dumps(run(Notebook(), request.param, latents_ND, PARAMETERS.get(request.param))))
    return request.param, arrays, from_arrays(arrays, latents_ND), latents_ND


def test_parameters_here_are_of_projections_that_exist() -> None:
    assert set(PARAMETERS) <= set(PROJECTIONS)


def test_layout(fitted: tuple[str, dict[str, Any], Projection, FloatArray]) -> None:
    _, _, projection, latents_ND = fitted
    assert projection.layout_.shape == (len(latents_ND), 2)
    assert projection.layout_.dtype == np.float32
    assert np.isfinite(projection.layout_).all()
    assert len(projection.axes) == 2
    assert projection.notes == ()


def test_same_seed_same_layout(fitted: tuple[str, dict[str, Any], Projection, FloatArray]) -> None:
    kind, _, projection, latents_ND = fitted
    again = run(Notebook(), kind, latents_ND, PARAMETERS.get(kind))
    np.testing.assert_allclose(again["layout"], projection.layout_, atol=1e-4)


def test_known_latents_are_placed_where_they_are(fitted: tuple[str, dict[str, Any], Projection, FloatArray]) -> None:
    _, _, projection, latents_ND = fitted
    np.testing.assert_allclose(projection.transform(latents_ND[:5]), projection.layout_[:5], atol=1e-3)
    assert projection.transform(latents_ND[0]).shape == (1, 2)


def test_place_of_an_encoding_leads_back_to_it(fitted: tuple[str, dict[str, Any], Projection, FloatArray]) -> None:
    kind, _, projection, latents_ND = fitted
    found = projection.inverse(projection.layout_[7:9], near=latents_ND[7])
    assert found.latents.shape == (2, DIM)
    assert found.latents.dtype == np.float32
    np.testing.assert_array_equal(found.nearest, [7, 8])
    np.testing.assert_allclose(found.distance, 0, atol=1e-3)
    np.testing.assert_allclose(found.latents[0], latents_ND[7], atol=1e-3)
    assert found.exact == (kind in ("pca", "plane"))


def test_inverse_then_transform_stays_near(fitted: tuple[str, dict[str, Any], Projection, FloatArray]) -> None:
    kind, _, projection, _ = fitted
    places = projection.layout_[:40:5] * 0.98
    back = projection.transform(projection.inverse(places).latents)
    extent = float(np.ptp(projection.layout_, axis=0).max())
    assert np.abs(back - places).max() < (1e-4 if kind in ("pca", "plane") else 0.15) * extent


def test_distance_is_in_spacings_and_grows_outside(
    fitted: tuple[str, dict[str, Any], Projection, FloatArray],
) -> None:
    _, _, projection, _ = fitted
    far = np.array([[1e4, 1e4]], np.float32)
    assert projection.inverse(far).distance[0] > 100
    assert np.isfinite(projection.inverse(far).latents).all()


# --- PCA -------------------------------------------------------------------------------------------------------


def test_pca_keeps_the_other_components_of_near() -> None:
    latents_ND = clusters()
    pca = StoredPCA.fit(latents_ND)
    projection = PCAProjection("2", "4", pca).fit(latents_ND)
    np.testing.assert_allclose(projection.layout_, pca.transform(latents_ND)[:, [1, 3]], atol=1e-4)
    place = np.array([[1.5, -2]], np.float32)
    moved = projection.inverse(place, near=latents_ND[3]).latents
    before, after = pca.transform(latents_ND[3:4])[0], pca.transform(moved)[0]
    np.testing.assert_allclose(after[[1, 3]], place[0], atol=1e-4)
    np.testing.assert_allclose(np.delete(after, [1, 3]), np.delete(before, [1, 3]), atol=1e-4)
    assert projection.axes == ("PC 2", "PC 4")


def test_pca_of_one_dimension_is_a_line() -> None:
    latents_ND = np.arange(5, dtype=np.float32)[:, None]
    projection = PCAProjection().fit(latents_ND)
    np.testing.assert_allclose(np.abs(projection.layout_[:, 0]), [2, 1, 0, 1, 2], atol=1e-6)
    assert not projection.layout_[:, 1].any()
    place = np.array([[projection.layout_[4, 0], 77]], np.float32)
    np.testing.assert_allclose(projection.inverse(place).latents, [[4]], atol=1e-5)


def test_pca_components_that_do_not_exist() -> None:
    with pytest.raises(OptionError, match=r"no principal component 9; these encodings have 6"):
        PCAProjection(1, 9).fit(clusters())
    for wrong in ("0", "x", "-1", ""):
        with pytest.raises(OptionError, match="a number from 1"):
            PCAProjection(wrong, 2)


# --- plane -----------------------------------------------------------------------------------------------------


def test_plane_counts_attributes_in_their_strength_and_dimensions_in_their_number() -> None:
    latents_ND = clusters()
    projection = PlaneProjection("Eyeglasses", "dimension 3", DIRECTIONS).fit(latents_ND)
    np.testing.assert_allclose(projection.layout_[:, 1], latents_ND[:, 2], atol=1e-5)
    np.testing.assert_allclose(projection.transform(latents_ND.mean(axis=0))[0, 0], 0, atol=1e-4)
    vector = DIRECTIONS["Eyeglasses"].vector
    stronger = projection.transform(latents_ND[:1] + 2 * vector)[0, 0]
    np.testing.assert_allclose(stronger - projection.layout_[0, 0], 2, atol=1e-4)


def test_plane_moves_as_little_as_it_can() -> None:
    latents_ND = clusters()
    projection = PlaneProjection("Eyeglasses", "Smiling", DIRECTIONS).fit(latents_ND)
    place = np.array([[0.5, -1]], np.float32)
    moved = projection.inverse(place, near=latents_ND[0]).latents
    np.testing.assert_allclose(projection.transform(moved), place, atol=1e-4)
    step = moved[0] - latents_ND[0]
    spanned = np.stack([DIRECTIONS["Eyeglasses"].vector, DIRECTIONS["Smiling"].vector]).T
    rest = step - spanned @ np.linalg.lstsq(spanned, step, rcond=None)[0]
    np.testing.assert_allclose(rest, 0, atol=1e-3)


def test_plane_of_one_axis_twice_is_said_to_be_a_line() -> None:
    projection = PlaneProjection("Smiling", "dimension 3", DIRECTIONS).fit(clusters())
    assert "the map is a line" in projection.notes[0]
    found = projection.inverse(np.array([[1, 5]], np.float32))
    assert not found.exact
    assert np.isfinite(found.latents).all()


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ("Smilling", "Did you mean 'Smiling'"),
        ("dimension 7", "these latents have 6"),
        ("dimension 0", "no dimension 0"),
    ],
)
def test_plane_axes_that_do_not_exist(axis: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        PlaneProjection("Eyeglasses", axis, DIRECTIONS).fit(clusters())


def test_plane_axes_without_length_or_of_another_model() -> None:
    odd = DirectionSet([Direction("none", np.zeros(DIM, np.float32)), Direction("long", np.ones(9, np.float32))])
    for axis in odd:
        with pytest.raises(OptionError, match=f"'{axis}' cannot be an axis"):
            PlaneProjection(axis, "dimension 1", odd).fit(clusters())


# --- t-SNE -----------------------------------------------------------------------------------------------------


def test_tsne_shows_itself_settling() -> None:
    notebook = Notebook()
    latents_ND = clusters()
    latents_ND[5, 0] = np.nan
    arrays = run(notebook, "tsne", latents_ND, PARAMETERS["tsne"])
    assert len(notebook.partials) >= 10
    for partial in notebook.partials:
        assert partial.shape == (len(latents_ND), 2)
        assert np.isnan(partial[5]).all()
    done = [step[0] for step in notebook.steps]
    assert done == sorted(done)
    assert notebook.steps[-1][:2] == (300, 300)
    assert "iteration 300 of 300" in notebook.steps[-1][2]
    assert arrays["notes"] == ("1 of 120 encoding is not finite and left out of the map.",)
    assert arrays["trustworthiness"] > 0.9


@pytest.mark.parametrize("calls", [0, 1, 20])
def test_tsne_is_cancelled_by_the_report(calls: int) -> None:
    with pytest.raises(JobCancelled):
        run(Notebook(cancel_after=calls), "tsne", clusters(), PARAMETERS["tsne"])


def test_tsne_separates_clusters() -> None:
    latents_ND = clusters()
    layout = TSNEProjection(perplexity=10, iterations=100).fit(latents_ND).layout_
    found, _ = nearest_rows(layout, layout, 2)
    assert (found[:, 1] % 4 == np.arange(len(layout)) % 4).all()


def test_tsne_landmarks_place_the_rest() -> None:
    latents_ND = clusters(200)
    projection = TSNEProjection(perplexity=10, iterations=50, landmarks=80).fit(latents_ND, Notebook())
    assert projection.approximate_.sum() == 120
    assert "80 landmarks" in projection.notes[0]
    assert np.isfinite(projection.layout_).all()
    near, _ = nearest_rows(projection.layout_[~projection.approximate_], projection.layout_[projection.approximate_], 1)
    kinds = np.arange(200) % 4
    assert (kinds[~projection.approximate_][near[:, 0]] == kinds[projection.approximate_]).mean() > 0.95


def test_tsne_lowers_the_perplexity_of_few() -> None:
    projection = TSNEProjection(iterations=20).fit(clusters(16))
    assert projection.notes == ("16 encodings allow a perplexity of 5, not 30.",)
    assert np.isfinite(projection.layout_).all()


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_too_few_encodings_get_a_pca_and_a_note(count: int) -> None:
    latents_ND = clusters(count)
    projection = TSNEProjection().fit(latents_ND)
    np.testing.assert_allclose(projection.layout_, PCAProjection().fit(latents_ND).layout_)
    assert f"{count} encodings are too few" in projection.notes[0]
    assert projection.transform(latents_ND[:1]).shape == (1, 2)
    np.testing.assert_allclose(projection.inverse(projection.layout_[:1]).latents, latents_ND[:1], atol=1e-4)


def test_sick_encodings() -> None:
    same = np.ones((30, DIM), np.float32)
    assert "All encodings are the same" in TSNEProjection().fit(same).notes[0]
    duplicates = np.repeat(clusters(20), 3, axis=0)
    duplicates[:, 2] = 7
    projection = TSNEProjection(perplexity=5, iterations=20).fit(duplicates)
    assert np.isfinite(projection.layout_).all()
    assert np.isfinite(projection.inverse(projection.layout_[:3]).latents).all()
    for kind in ("pca", "plane", "tsne"):
        with pytest.raises(DataError, match="No encoding is finite"):
            run(Notebook(), kind, np.full((4, DIM), np.nan, np.float32), PARAMETERS[kind])
        with pytest.raises(DataError, match="No encoding is finite"):
            run(Notebook(), kind, np.zeros((0, DIM), np.float32), PARAMETERS[kind])


@pytest.mark.parametrize("kind", ["pca", "plane", "tsne"])
def test_encodings_that_are_not_finite_have_no_place(kind: str) -> None:
    latents_ND = clusters()
    latents_ND[[3, 50], 1] = (np.nan, np.inf)
    arrays = run(Notebook(), kind, latents_ND, PARAMETERS[kind])
    projection = from_arrays(arrays, latents_ND)
    assert np.flatnonzero(np.isnan(projection.layout_).any(axis=1)).tolist() == [3, 50]
    assert "2 of 120 encodings are not finite" in projection.notes[0]
    found = projection.inverse(projection.layout_[[4, 51]])
    np.testing.assert_array_equal(found.nearest, [4, 51])
    assert np.isfinite(found.latents).all()


@pytest.mark.parametrize(
    "wrong", [{"perplexity": 0}, {"perplexity": float("nan")}, {"iterations": 0}, {"landmarks": 1}]
)
def test_tsne_options(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        TSNEProjection(**wrong)


def test_tsne_by_scikit_learn_where_opentsne_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "openTSNE" else find_spec(name, *rest)
    )
    projection = TSNEProjection(perplexity=5, iterations=10).fit(clusters(40), Notebook())
    assert "openTSNE is not installed" in projection.notes[0]
    assert np.isfinite(projection.layout_).all()


def test_spherical_averages_keep_their_length() -> None:
    latents_ND = np.random.default_rng(0).standard_normal((100, 32)).astype(np.float32)
    plain = TSNEProjection(perplexity=10, iterations=10).fit(latents_ND)
    round_ = type(plain).from_arrays({**plain.arrays(), "spherical": True}, latents_ND)
    places = (plain.layout_[::2] + plain.layout_[1::2]) / 2
    typical = np.linalg.norm(latents_ND, axis=1).mean()
    assert np.linalg.norm(plain.inverse(places).latents, axis=1).mean() < 0.85 * typical
    assert np.linalg.norm(round_.inverse(places).latents, axis=1).mean() == pytest.approx(typical, rel=0.05)


def test_umap_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None)
    with pytest.raises(OptionError, match=r"pip install 'latentlab\[maps\]'"):
        run(Notebook(), "umap", clusters(), {})


def test_unknown_kind() -> None:
    with pytest.raises(OptionError, match=r"'tsnee'.*Did you mean 'tsne'"):
        run(Notebook(), "tsnee", clusters(), {})
