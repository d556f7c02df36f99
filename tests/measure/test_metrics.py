"""Figures of merit against cases whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.errors import DataError
from latentlab.measure.metrics import (
    active_units,
    frechet_distance,
    kl_per_dimension,
    mse,
    psnr,
    sharpness,
    spread,
    ssim,
)

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (4, 24, 24, 3), dtype=np.uint8)


def test_mse_and_psnr() -> None:
    black, grey = np.zeros((2, 8, 8, 1), np.uint8), np.full((2, 8, 8, 1), 51, np.uint8)
    np.testing.assert_allclose(mse(black, grey), 0.04, rtol=1e-5)
    np.testing.assert_allclose(psnr(black, grey), -10 * np.log10(0.04), rtol=1e-5)
    assert (psnr(grey, grey) == 100).all()
    np.testing.assert_allclose(mse(black, grey.astype(np.float32) / 255), 0.04, rtol=1e-5)


def test_ssim_knows_equal_noisy_and_inverted() -> None:
    smooth = np.stack([np.add.outer(np.arange(24), np.arange(24)) * 5] * 3, axis=-1)[None].astype(np.uint8)
    noisy = np.clip(smooth.astype(int) + RNG.integers(-40, 40, smooth.shape), 0, 255).astype(np.uint8)
    assert ssim(smooth, smooth)[0] == pytest.approx(1, abs=1e-5)
    assert ssim(smooth, 255 - smooth)[0] < 0 < ssim(smooth, noisy)[0] < 0.9
    assert ssim(PICTURES[:, :6, :6], PICTURES[:, :6, :6]).shape == (4,)
    with pytest.raises(DataError):
        ssim(smooth, noisy[:, :8])


def test_ssim_of_constants_follows_the_formula() -> None:
    """Without variance only the luminance term is left: Wang et al. 2004, equation 6."""
    a, b = np.full((1, 16, 16, 1), 0.25, np.float32), np.full((1, 16, 16, 1), 0.75, np.float32)
    c1 = 0.01**2
    assert ssim(a, b)[0] == pytest.approx((2 * 0.25 * 0.75 + c1) / (0.25**2 + 0.75**2 + c1), rel=1e-4)


def test_sharpness_falls_with_blur() -> None:
    blurred = (PICTURES[:, :-1].astype(int) + PICTURES[:, 1:]) // 2
    assert (sharpness(blurred.astype(np.uint8)) < sharpness(PICTURES)).all()
    assert sharpness(np.full((1, 8, 8, 1), 9, np.uint8))[0] == 0


def test_kl_and_active_units() -> None:
    mean = np.stack([RNG.standard_normal(500), np.zeros(500)], axis=1).astype(np.float32)
    log_variance = np.zeros_like(mean)
    kl = kl_per_dimension(mean, log_variance)
    assert kl[0] == pytest.approx(0.5 * np.square(mean[:, 0]).mean(), rel=1e-4)
    assert kl[1] == 0
    assert active_units(mean) == 1


def test_frechet_distance_of_gaussians() -> None:
    """Shifted by 3 and twice as wide in one dimension: 9 + (2 - 1)^2."""
    a = RNG.standard_normal((50_000, 2)).astype(np.float32)
    b = RNG.standard_normal((50_000, 2)).astype(np.float32) * np.array([2, 1], np.float32) + np.array([0, 3])
    found = frechet_distance(a, b.astype(np.float32), "plain numbers")
    assert found.value == pytest.approx(10, rel=0.03)
    assert "plain numbers" in str(found)
    assert frechet_distance(a, a, "plain numbers").value == pytest.approx(0, abs=1e-6)
    with pytest.raises(DataError, match="name"):
        frechet_distance(a, a, "")
    with pytest.raises(DataError, match="two"):
        frechet_distance(a[:1], a, "plain numbers")


def test_precision_and_recall() -> None:
    real = RNG.standard_normal((400, 3)).astype(np.float32)
    same = RNG.standard_normal((400, 3)).astype(np.float32)
    collapsed = np.repeat(real[:1], 400, axis=0) + RNG.normal(0, 1e-3, (400, 3)).astype(np.float32)
    far = same + 100
    good, poor, wrong = spread(real, same), spread(real, collapsed), spread(real, far)
    assert min(good.precision, good.recall, good.coverage) > 0.8
    assert poor.precision > 0.9
    assert poor.recall < 0.1
    assert poor.coverage < 0.1
    assert (wrong.precision, wrong.recall, wrong.density, wrong.coverage) == (0, 0, 0, 0)
    with pytest.raises(DataError, match="more than 3"):
        spread(real[:3], same)
