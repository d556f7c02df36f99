"""What the trainer and the window measure: known answers, and figures that do not depend on who asks."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.encodings import EncodingSet
from latentlab.measure.figures import along_paths, of_divergence, of_draws, of_pairs, pixel_space, sharpness_ratio

RNG = np.random.default_rng(0)


def noise(count: int, low: int = 0, high: int = 256) -> np.ndarray:
    return RNG.integers(low, high, (count, 8, 8, 1), dtype=np.uint8)


def test_pairs_that_are_the_same_have_no_error() -> None:
    pictures = noise(5)
    found = of_pairs(pictures, pictures)
    assert found == {"pictures": 5, "mse": 0.0, "psnr_db": 100.0, "ssim": 1.0, "sharpness_ratio": 1.0}
    darker = of_pairs(np.zeros_like(pictures), np.full_like(pictures, 51))
    assert darker["mse"] == pytest.approx(0.04)
    assert darker["psnr_db"] == pytest.approx(-10 * np.log10(0.04), abs=1e-3)


def test_draws_as_good_as_pictures_score_as_pictures_do() -> None:
    real, more, drawn = noise(200), noise(200), noise(200)
    space = pixel_space(more, "noise")
    assert space.name == "64 principal components of the pixels of noise"
    found = of_draws(drawn, real, more, space, "real_pictures")
    assert found["feature_space"] == space.name
    assert (found["drawn"], found["real"]) == (200, 200)
    assert found["completeness"] == found["precision"]
    assert found["completeness"] == pytest.approx(found["completeness_of_real_pictures"], abs=0.15)
    assert found["sharpness_ratio"] == pytest.approx(1, abs=0.1)
    collapsed = of_draws(np.repeat(noise(1), 200, axis=0), real, more, space, "real_pictures")
    assert collapsed["recall"] < 0.1 < found["recall"]
    assert collapsed["frechet_distance"] > 2 * found["frechet_distance"]


def test_blur_lowers_sharpness() -> None:
    pictures = noise(20)
    blurred = ((pictures[:, :-1].astype(int) + pictures[:, 1:]) // 2).astype(np.uint8)
    assert sharpness_ratio(blurred, pictures) < 0.9


def test_continuity_of_a_ramp_is_its_slope() -> None:
    """Pictures as bright as the first number: an intensity changes by 0.1 per unit along it, evenly."""

    def decode(latents_TD: np.ndarray) -> np.ndarray:
        return np.broadcast_to(0.5 + 0.1 * latents_TD[:, :1, None, None], (len(latents_TD), 8, 8, 1))

    latents = np.linspace(-2, 2, 30, dtype=np.float32)[:, None]
    found = along_paths(decode, latents)
    assert found["change_per_unit"] == pytest.approx(0.1, rel=1e-3)
    assert found["steepest"] == pytest.approx(1, abs=1e-2)
    assert along_paths(decode, np.zeros((5, 1), np.float32)) == {}


def test_divergence_is_said_where_the_encoder_says_a_variance() -> None:
    latents = RNG.standard_normal((10, 3)).astype(np.float32)
    kl = np.array([1.0, 0.5, 0.25], np.float32)
    assert of_divergence(EncodingSet(latents, kl_per_dimension=kl)) == {
        "kl_nats": 1.75,
        "kl_per_dimension": [1.0, 0.5, 0.25],
    }
    assert of_divergence(EncodingSet(latents)) == {}
