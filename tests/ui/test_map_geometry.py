"""The map's geometry as functions: places to pixels and back, picking, lassos."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.ui.map.geometry import (
    Camera,
    PointIndex,
    bounds_of,
    fitted,
    inside_polygon,
    simplified,
    spacing_on_screen,
)
from latentlab.ui.map.lattice import MOST_TILES, SMALLEST_TILE_PX, lattice_places
from latentlab.ui.map.scene import apart

places = st.floats(-50, 50)
scales = st.floats(1, 400)


def cameras() -> st.SearchStrategy[Camera]:
    return st.builds(Camera, places, places, scales, scales, st.integers(50, 3000), st.integers(50, 2000))


@given(cameras(), places, places)
def test_screen_and_world_are_each_others_inverse(camera: Camera, x: float, y: float) -> None:
    assert camera.to_world(*camera.to_screen(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(cameras(), st.floats(-500, 500), st.floats(-500, 500))
def test_panning_moves_the_content_by_the_pixels(camera: Camera, dx: float, dy: float) -> None:
    x, y = camera.to_screen(1.0, 2.0)
    assert camera.panned(dx, dy).to_screen(1.0, 2.0) == pytest.approx((x + dx, y + dy), abs=1e-4)


@given(cameras(), st.floats(0.1, 10), st.floats(0, 400), st.floats(0, 400))
def test_zoom_keeps_the_place_under_the_pointer(camera: Camera, factor: float, x: float, y: float) -> None:
    place = camera.to_world(x, y)
    zoomed = camera.zoomed(factor, x, y)
    assert zoomed.to_screen(*place) == pytest.approx((x, y), abs=1e-4)
    assert zoomed.scale_x == pytest.approx(camera.scale_x * factor)


def test_all_points_at_once_agree_with_one_at_a_time_at_twice_the_density() -> None:
    camera = Camera(1, -2, 30, 45, 640, 480)
    x, y = np.random.default_rng(0).standard_normal((2, 50)).astype(np.float32)
    screen_x, screen_y = camera.all_to_screen(x, y, 2.0)
    for i in range(50):
        assert (screen_x[i] / 2, screen_y[i] / 2) == pytest.approx(camera.to_screen(x[i], y[i]), abs=1e-2)


def test_a_fitted_view_shows_everything_and_is_undistorted_unless_it_is_a_strip() -> None:
    camera = fitted((-2, -1, 2, 1), 800, 600)
    assert camera.scale_x == camera.scale_y
    left, bottom, right, top = camera.visible
    assert left < -2
    assert right > 2
    assert bottom < -1
    assert top > 1
    beside = fitted((-2, -1, 2, 1), 800, 600, beside=50, below=40)
    assert beside.to_screen(2, 0)[0] < 750
    assert beside.to_screen(0, -1)[1] < 560
    (x0, y0), (x1, y1) = beside.to_screen(-2, 1), beside.to_screen(2, -1)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((375, 280))
    strip = fitted((-10, -0.1, 10, 0.1), 800, 600)
    assert strip.scale_y > 10 * strip.scale_x


def test_one_outlier_does_not_shrink_the_map_and_nan_is_ignored() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32)
    y = x.copy()
    x[0], y[0], x[1] = 1e6, 1e6, np.nan
    left, bottom, right, top = bounds_of(x, y)
    assert -1.01 < left < -0.9
    assert 0.9 < right < 1.01
    assert -1.01 < bottom < -0.9
    assert 0.9 < top < 1.01
    nowhere = np.full(3, np.nan, np.float32)
    assert bounds_of(nowhere, nowhere) == (-1, -1, 1, 1)
    one = np.full(1, 5, np.float32)
    assert bounds_of(one, one) == (4, 4, 6, 6)


def test_nearest_agrees_with_comparing_all_and_respects_radius_and_hidden() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 10, (2, 2000)).astype(np.float32)
    x[7] = np.nan
    camera = Camera(5, 5, 60, 40, 600, 400)
    index = PointIndex(x, y)
    screen_x, screen_y = camera.all_to_screen(x, y)
    found_some = 0
    for at_x, at_y in rng.uniform(0, 400, (100, 2)):
        distances = np.hypot(screen_x - at_x, screen_y - at_y)
        wanted = int(np.nanargmin(distances))
        found = index.nearest(camera, at_x, at_y, 8.0)
        assert found == (wanted if distances[wanted] <= 8 else None)
        found_some += found is not None
        if found is not None:
            shown = np.ones(len(x), bool)
            shown[found] = False
            assert index.nearest(camera, at_x, at_y, 8.0, shown) != found
    assert found_some > 20


def test_a_lasso_holds_what_is_inside_and_a_loop_leaves_a_hole() -> None:
    x, y = (part.ravel().astype(np.float32) for part in np.meshgrid(np.arange(10), np.arange(10)))
    square = np.array([[1.5, 1.5], [5.5, 1.5], [5.5, 4.5], [1.5, 4.5]])
    assert sorted((int(x[i]), int(y[i])) for i in inside_polygon(x, y, square)) == [
        (c, r) for c in range(2, 6) for r in range(2, 5)
    ]
    triangle = np.array([[0.0, 9.0], [9.0, 9.0], [0.0, 0.0]])
    inside = inside_polygon(x, y, triangle)
    assert 30 < len(inside) < 60
    assert (y[inside] >= x[inside]).all()
    assert len(inside_polygon(x, y, square[:2])) == 0


def test_an_outline_is_thinned_but_keeps_its_ends() -> None:
    outline = np.random.default_rng(0).random((1000, 2))
    thin = simplified(outline)
    assert len(thin) == 128
    assert (thin[0] == outline[0]).all()
    assert (thin[-1] == outline[-1]).all()
    assert simplified(outline[:50]) is not None
    assert len(simplified(outline[:50])) == 50


def test_spacing_grows_as_fewer_points_are_seen() -> None:
    camera = Camera(width=400, height=400)
    assert spacing_on_screen(100, camera) == 40
    assert spacing_on_screen(0, camera) == 400


def test_squares_that_would_cover_an_earlier_one_are_left_out() -> None:
    assert apart([0, 5, 20, 100], [0, 5, 0, 100], 10) == [0, 2, 3]
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 300, (2, 500))
    kept = apart(x, y, 30)
    for a in kept:
        for b in kept:
            assert a == b or abs(x[a] - x[b]) >= 30 or abs(y[a] - y[b]) >= 30


@pytest.mark.parametrize(("width", "height"), [(640, 480), (300, 900), (3000, 1800), (40, 30)])
def test_the_lattice_covers_the_view(width: int, height: int) -> None:
    camera = Camera(3, -1, 50, 80, width, height)
    at, side = lattice_places(camera)
    assert 1 <= len(at) <= MOST_TILES
    assert side >= min(SMALLEST_TILE_PX, width, height)
    screen = np.array([camera.to_screen(x, y) for x, y in at])
    for axis, length in enumerate((width, height)):
        along = np.unique(screen[:, axis].round(2))
        assert along[0] <= side / 2 + 0.02
        assert along[-1] >= length - side / 2 - 0.02
        assert (along > 0).all()
        assert (along < length).all()
        assert np.diff(along) == pytest.approx(side, abs=0.05)
