"""Dots in pixels: where they land, who is on top, what is cut at the border, what a million of them add up to."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.ui.map.splat import SHAPES, Codes, Pixels, argb, coverage, density, dot_radius_px, splat, stamps
from latentlab.ui.theme import DARK, LIGHT

RED, BLUE = "#ff0000", "#0000ff"
OPAQUE_RED, OPAQUE_BLUE = 0xFFFF0000, 0xFF0000FF


def drawn(
    x: list[float], y: list[float], codes: list[int], radius: float, shapes: tuple[str, ...] = ("circle", "circle")
) -> Pixels:
    dots = stamps(argb((RED, BLUE)), shapes, radius)
    at: Codes = np.array(codes, np.uint8)
    pixels, margin = splat(40, 30, np.array(x, np.float32), np.array(y, np.float32), at, dots)
    assert pixels.shape == (30 + 2 * margin, 40 + 2 * margin)
    return pixels[margin:-margin, margin:-margin]


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0, 4.0])
def test_a_dot_is_where_its_point_is_and_nowhere_else(radius: float) -> None:
    pixels = drawn([20.5], [10.5], [1], radius)
    assert pixels[10, 20] == OPAQUE_BLUE
    rows, columns = np.nonzero(pixels)
    assert np.hypot(rows - 10, columns - 20).max() <= radius + 1.5
    assert abs(rows.mean() - 10) <= 0.5
    assert abs(columns.mean() - 20) <= 0.5


def test_the_later_dot_is_on_top() -> None:
    assert drawn([20.5, 20.5], [10.5, 10.5], [0, 1], 3.0)[10, 20] == OPAQUE_BLUE
    assert drawn([20.5, 20.5], [10.5, 10.5], [1, 0], 3.0)[10, 20] == OPAQUE_RED


def test_edges_are_soft_and_premultiplied() -> None:
    pixels = drawn([20.5], [10.5], [0], 4.0)
    alpha, red = pixels >> 24, (pixels >> 16) & 255
    assert ((alpha > 0) & (alpha < 255)).any()
    assert (red <= alpha).all()
    area = alpha.sum() / 255
    assert area == pytest.approx(np.pi * 16, rel=0.03)


@pytest.mark.parametrize("radius", [0.5, 3.0])
def test_points_outside_and_nan_are_left_out_and_dots_are_cut_at_the_border(radius: float) -> None:
    far = [-1e9, 1e9, np.nan, np.inf, 20.0]
    assert not drawn(far, [10.0, 10.0, 10.0, 10.0, np.nan], [0] * 5, radius).any()
    corner = drawn([0.2], [0.2], [0], radius)
    assert corner[0, 0] >> 24 == 255
    assert not corner[8:, 8:].any()


def test_a_dot_just_outside_still_reaches_in() -> None:
    for x, y, row, column in ((-1.5, 10.5, 10, 0), (41.5, 10.5, 10, 39), (20.5, -1.5, 0, 20), (20.5, 31.5, 29, 20)):
        pixels = drawn([x], [y], [0], 3.0)
        assert pixels[row, column] >> 24 == 255
        assert np.count_nonzero(pixels) < 15
    assert not drawn([-9.0], [10.5], [0], 3.0).any()


def test_every_shape_is_its_own_and_about_as_large() -> None:
    areas = {}
    for shape in SHAPES:
        cover = coverage(shape, 6.0, 0, 0)
        areas[shape] = float(cover.sum())
        assert all((cover != coverage(other, 6.0, 0, 0)).any() for other in SHAPES if other != shape)
    assert max(areas.values()) < 1.7 * min(areas.values()), areas


def test_shapes_of_different_size_share_one_picture() -> None:
    pixels = drawn([8.5, 28.5], [10.5, 10.5], [0, 1], 4.0, ("plus", "square"))
    assert pixels[10, 8] == OPAQUE_RED
    assert pixels[10, 28] == OPAQUE_BLUE
    assert pixels[7, 26] >> 24 > 128  # a square has corners
    assert pixels[7, 6] == 0  # a plus has none


def test_a_million_points_land_where_they_belong() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-20, 220, (2, 1_000_000)).astype(np.float32)
    codes = rng.integers(0, 2, 1_000_000).astype(np.uint8)
    dots = stamps(argb((RED, BLUE)), ("circle", "circle"), dot_radius_px(1_000_000, 200, 200))
    pixels, margin = splat(200, 200, x, y, codes, dots)
    seen = pixels[margin:-margin, margin:-margin]
    expected = np.zeros((200, 200), np.uint32)
    inside = (x >= 0) & (x < 200) & (y >= 0) & (y < 200)
    expected[y[inside].astype(int), x[inside].astype(int)] = np.array([OPAQUE_RED, OPAQUE_BLUE], np.uint32)[
        codes[inside]
    ]
    assert (seen == expected).all()


def test_dots_shrink_as_they_become_many() -> None:
    radii = [dot_radius_px(n, 1000, 800) for n in (1, 1000, 10_000, 100_000, 1_000_000)]
    assert radii == sorted(radii, reverse=True)
    assert radii[0] == 5
    assert radii[-1] == 0.5


def test_density_is_high_where_points_are_and_nothing_where_none_is() -> None:
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((2, 5000)) * 0.05).astype(np.float32)
    field = density(x + np.float32(0.75), y + np.float32(0.75), (0, 0, 1, 1))
    assert field.shape == (192, 192)
    assert field[192 // 4, 3 * 192 // 4] > 0.7  # the first row is the top
    assert field[:, :40].max() < 0.01
    assert field[150:, :].max() < 0.01
    assert field.min() >= 0
    assert field.max() <= 1
    nothing = density(np.full(3, np.nan, np.float32), np.zeros(3, np.float32), (0, 0, 1, 1))
    assert not nothing.any()


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_class_colours_stand_out_from_the_panel(theme: object) -> None:
    assert theme in (DARK, LIGHT)
    chosen = DARK if theme is DARK else LIGHT
    back = _luminance(chosen.panel)
    for colour in chosen.classes:
        lighter, darker = max(_luminance(colour), back), min(_luminance(colour), back)
        assert (lighter + 0.05) / (darker + 0.05) >= 2, colour


def _luminance(colour: str) -> float:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
