"""Two models beside each other: what is asked of both, what is said of a picture, whose figures compare."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from latentlab.core.comparing import (
    beside_another,
    condition_beside,
    each_class_in_turn,
    in_short,
    in_words,
    shared_attributes,
    sharpness,
    squared_error,
    steps_along,
)
from latentlab.core.comparing_figures import Figured, FigureRow, better_of, figure_rows, why_not_comparable
from latentlab.core.condition import UNKNOWN, Condition
from latentlab.core.figure_text import NONE
from latentlab.core.figures import table_of
from latentlab.core.latent_model import ImageShape, ModelInfo
from latentlab.core.measurement import Measurement
from latentlab.core.spaces import LatentSpace
from latentlab.core.state import Comparison, NamedLatent


def info(name: str, **parts: Any) -> ModelInfo:
    plain = ModelInfo(f"/m/{name}.safetensors", "native", "vae", ImageShape(8, 8, 3), (LatentSpace("z", (4,)),), True)
    return replace(plain, sha256=name, **parts)


def row(rows: list[FigureRow], title: str) -> FigureRow:
    return next(row for row in rows if row.title == title)


# --- which stands where


def test_the_second_stays_when_another_model_is_opened_beside_it() -> None:
    latent = NamedLatent(np.zeros(4, np.float32), "end")
    before = Comparison("/m/b.safetensors", "b", "gaps", end=latent)
    kept = beside_another(before, info("c"), info("a"))
    assert (kept.path, kept.checkpoint, kept.aspect) == ("/m/b.safetensors", "b", "gaps")
    assert kept.end is None, "a latent of the model before"


def test_opening_the_second_makes_the_first_the_second() -> None:
    swapped = beside_another(Comparison("/m/b.safetensors", "b"), info("b"), info("a"))
    assert (swapped.path, swapped.checkpoint) == ("/m/a.safetensors", "a")
    assert beside_another(Comparison(), info("b"), info("a")).path == ""


# --- what is asked of both


def test_attributes_that_both_have_are_in_the_order_of_the_first() -> None:
    assert shared_attributes(["Young", "Bald", "Smiling"], ["Smiling", "Young", "Hat"]) == ["Young", "Smiling"]


def test_the_second_is_asked_for_the_class_of_the_first_by_its_name() -> None:
    first = info("a", conditional=("cat", "dog"))
    second = info("b", conditional=("dog", "horse", "cat"))
    asked = condition_beside(Condition(1), "", first, second)
    assert asked == Condition(0)
    assert condition_beside(None, "cat", info("a"), second) == Condition(2), "of the picture, where it is known"
    assert condition_beside(None, "", info("a"), second) == Condition(0)
    assert condition_beside(Condition(1), "dog", first, info("b")) is None


def test_attributes_are_asked_for_by_name_and_others_left_open() -> None:
    first = info("a", conditional_attributes=("Smiling", "Young"))
    second = info("b", conditional_attributes=("Hat", "Smiling"))
    asked = condition_beside(Condition(None, (1.0, 0.0)), "", first, second)
    assert asked == Condition(None, (UNKNOWN, 1.0))


def test_draws_of_a_conditional_model_are_of_each_class_in_turn() -> None:
    digits = info("b", conditional=("0", "1", "2"))
    labels = [asked.label for asked in each_class_in_turn(Condition(0), digits, 5) if asked is not None]
    assert labels == [0, 1, 2, 0, 1]
    assert each_class_in_turn(None, info("a"), 2) == [None, None]


# --- of pictures


def test_the_error_is_in_intensities_and_blur_is_less_sharp() -> None:
    black, white = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
    assert squared_error(black, white) == pytest.approx(1.0)
    board = np.indices((8, 8)).sum(axis=0) % 2 * 255
    sharp = np.repeat(board[..., None], 3, 2).astype(np.uint8)
    blurred = (127 + (sharp.astype(np.float32) - 127) / 4).astype(np.uint8)
    assert sharpness(black) == 0
    assert 0 < sharpness(blurred) < sharpness(sharp) / 4
    assert sharpness(np.zeros((2, 2, 1), np.uint8)) == 0
    large = np.zeros((600, 700, 1), np.uint8)
    large[172:428, 222:478] = np.tile(board[..., None], (32, 32, 1))
    large_sharp = np.tile(board[..., None], (75, 88, 1)).astype(np.uint8)
    assert sharpness(large) == pytest.approx(sharpness(large_sharp), rel=1e-3), "the middle of a large picture"


def test_a_jump_along_a_path_is_a_hole_and_an_even_path_has_none() -> None:
    even = np.arange(0, 200, 20, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    assert steps_along(even).largest == pytest.approx(1.0)
    assert not steps_along(even).hole
    jumping = np.concatenate([np.zeros((5, 4, 4, 1), np.uint8), np.full((5, 4, 4, 1), 200, np.uint8)])
    steps = steps_along(jumping)
    assert (steps.at, steps.hole) == (4, True)
    assert steps.largest == pytest.approx(9.0)
    assert steps_along(np.zeros((3, 4, 4, 1), np.uint8)).largest == 1.0
    wide = np.repeat(np.repeat(jumping, 64, 1), 128, 2)
    assert steps_along(wide).largest == pytest.approx(9.0)


# --- figures


def rows_of(first: ModelInfo, second: ModelInfo) -> list[FigureRow]:
    return figure_rows(Figured(first, table_of(first)), Figured(second, table_of(second)))


def test_the_better_figure_is_marked_by_what_it_means_and_a_missing_one_is_a_dash() -> None:
    trained = {"data": "faces", "epochs": 3}
    first = info(
        "a", training=trained, figures={"held_out": {"mse": 0.01, "kl": 30.0}, "reconstruction": {"ssim": 0.8}}
    )
    second = info("b", training={"data": "faces"}, figures={"held_out": {"mse": 0.02}, "reconstruction": {"ssim": 0.9}})
    rows = rows_of(first, second)
    assert row(rows, "Mean squared error ↓").better == "first"
    assert row(rows, "Similarity (SSIM) ↑").better == "second"
    kl = row(rows, "KL divergence")
    assert (kl.first, kl.second, kl.better) == ("30 nats", NONE, "")
    epochs = row(rows, "Epochs")
    assert (epochs.first, epochs.second) == ("3", NONE)
    headings = [found.title for found in rows if found.heading]
    assert headings == ["Reconstruction", "Latent space"]


def test_figures_of_different_data_or_feature_spaces_are_not_marked() -> None:
    figures = {"samples": {"frechet_distance": 3.0, "feature_space": "pixels"}}
    worse = {"samples": {"frechet_distance": 9.0, "feature_space": "pixels"}}
    other = {"samples": {"frechet_distance": 9.0, "feature_space": "a classifier"}}
    here, there = {"data": "faces"}, {"data": "digits"}
    title = "Fréchet distance ↓"
    first = info("a", training=here, figures=figures)
    assert row(rows_of(first, info("b", training=here, figures=worse)), title).better == "first"
    elsewhere = row(rows_of(first, info("b", training=here, figures=other)), title)
    assert elsewhere.better == ""
    assert "different feature spaces" in elsewhere.tip
    strange = row(rows_of(first, info("b", training=there, figures=worse)), title)
    assert strange.better == ""
    assert "different data" in strange.tip
    assert why_not_comparable(info("a"), info("b"))


def test_figures_of_pictures_of_another_size_are_not_marked() -> None:
    """A large picture has details to get wrong that a small one does not show."""
    trained = {"data": "faces"}
    small = info("a", training=trained, figures={"held_out": {"mse": 0.004}})
    large = replace(info("b", training=trained, figures={"held_out": {"mse": 0.007}}), image=ImageShape(128, 128, 3))
    found = row(rows_of(small, large), "Mean squared error ↓")
    assert (found.first, found.second, found.better) == ("0.00400", "0.00700", "")
    assert f"{small.image.width} × {small.image.height} and 128 × 128" in found.tip


def test_figures_measured_in_the_same_way_are_preferred_and_others_do_not_compare() -> None:
    stored = {"reconstruction": {"mse": 0.5}}
    measured = Measurement(kind="pictures", source="a folder", figures={"reconstruction": {"mse": 0.2}})
    trained = {"data": "faces"}
    first, second = info("a", training=trained, figures=stored), info("b", training=trained, figures=stored)
    both = [Figured(one, table_of(one, measurements=(measured,))) for one in (first, second)]
    assert row(figure_rows(*both), "Mean squared error ↓").first == "0.200"
    bare = info("b", training=trained)
    mixed = row(
        figure_rows(Figured(first, table_of(first)), Figured(bare, table_of(bare, measurements=(measured,)))),
        "Mean squared error ↓",
    )
    assert (mixed.first, mixed.second, mixed.better) == ("0.500", "0.200", "")
    assert "stored here, pictures there" in mixed.tip


def test_better_is_the_nearer_to_one_where_that_is_best() -> None:
    assert better_of("one", 0.6, 1.2) == "second"
    assert better_of("lower", 0.6, 1.2) == "first"
    assert better_of("higher", 2, 2) == ""
    assert better_of("", 1, 2) == ""


def test_losses_that_one_model_alone_has_are_left_out() -> None:
    first = info("a", figures={"train": {"g_loss": 1.0}, "held_out": {"l1": 0.1, "attributes": 2.0}})
    second = info("b", figures={"held_out": {"l1": 0.2}})
    titles = [found.title for found in rows_of(first, second)]
    assert "Mean absolute error" in titles
    assert "Generator" not in titles
    assert "Attributes" not in titles


def test_a_model_in_short_and_in_words() -> None:
    assert in_short(info("a"), 11_000_000) == "vae · 4-D · 11 MB"
    assert in_words(info("a"), "Variational autoencoder", 731_000_000) == (
        "Variational autoencoder, 4 dimensions, 731 MB in memory"
    )
