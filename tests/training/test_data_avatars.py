"""The generated faces: deterministic, labelled truly, any size, anti-aliased."""

from __future__ import annotations

import dataclasses

import numpy as np

from training.data import load
from training.data.avatar_drawing import STYLES, draw
from training.data.avatars import ATTRIBUTES, person, traits


def test_the_same_seed_draws_the_same_people() -> None:
    first, again, longer = load("avatars", limit=6), load("avatars", limit=6), load("avatars", limit=9)
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.images, longer.images[:6])
    assert not np.array_equal(first.images, load("avatars", limit=6, seed=1).images)
    assert first.images.shape == (6, 64, 64, 3)


def test_any_size_shows_the_same_person() -> None:
    who = person(0, 3)
    for size in (16, 28, 61):
        assert draw(who, size).shape == (size, size, 3)
    large, small = draw(who, 128).astype(float), draw(who, 32).astype(float)
    shrunk = large.reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 6


def test_edges_are_antialiased() -> None:
    colours = np.unique(draw(person(0, 0), 64).reshape(-1, 3), axis=0)
    assert len(colours) > 200  # flat shapes alone would give a dozen


def test_every_attribute_occurs_both_ways() -> None:
    values = np.array([traits(person(0, index)) for index in range(300)])
    assert values.shape[1] == len(ATTRIBUTES)
    for column, name in zip(values.T, ATTRIBUTES, strict=True):
        if name in ("Skin_Tone", "Head_Turn"):
            assert column.std() > 0.2, name
        else:
            assert 0.02 < column.mean() < 0.8, name
    assert not (values[:, ATTRIBUTES.index("Eyeglasses")] * values[:, ATTRIBUTES.index("Sunglasses")]).any()


def test_what_is_labelled_is_drawn() -> None:
    """Turning one trait on changes the picture where that trait is, and hardly elsewhere."""
    plain = dataclasses.replace(
        person(0, 1), glasses="none", hat="none", beard=False, smile=-0.2, turn=0.0, style="short", hair="brown"
    )
    before = draw(plain, 64).astype(float)

    def rows(**change: object) -> np.ndarray:
        after = draw(dataclasses.replace(plain, **change), 64).astype(float)  # type: ignore[arg-type]
        return np.flatnonzero(np.abs(after - before).mean(axis=(1, 2)) > 2)

    eyes, mouth, forehead = 32, 42, 18
    for change, row in (
        ({"glasses": "clear"}, eyes),
        ({"glasses": "dark"}, eyes),
        ({"smile": 0.9}, mouth),
        ({"beard": True}, mouth + 4),
        ({"hat": "beanie"}, forehead),
        ({"hat": "cap"}, forehead),
        ({"hair": "blond"}, forehead),
    ):
        changed = rows(**change)
        assert row in changed, change
    assert rows(glasses="clear").max() < mouth
    assert rows(hat="cap").max() < eyes
    assert len(rows(skin=1.0 - plain.skin)) > 20
    assert len(rows(turn=0.8)) > 10


def test_turning_left_mirrors_turning_right() -> None:
    who = dataclasses.replace(person(0, 1), style="bald", hat="none", glasses="none", turn=0.7)
    right, left = draw(who, 64).astype(float), draw(dataclasses.replace(who, turn=-0.7), 64).astype(float)
    assert np.abs(right[:, ::-1] - left).mean() < np.abs(right - left).mean() / 3


def test_classes_are_hair_styles() -> None:
    data = load("avatars", limit=40, size=16)
    assert data.label_names == STYLES
    assert len(np.unique(data.labels)) > 3
