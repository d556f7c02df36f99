"""Pictures are changed one by one, stay pictures, and follow from torch's random numbers."""

from __future__ import annotations

import pytest
import torch

from training.augmenting import AUGMENTATIONS, augmented
from training.config import Augmentation, config_from


def pictures(count: int = 16) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.rand(1, 3, 32, 32).mul(2).sub(1).expand(count, -1, -1, -1).contiguous()


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_picture_is_changed_in_its_own_way(name: Augmentation) -> None:
    torch.manual_seed(0)
    changed = augmented(pictures(), (name,))
    assert changed.shape == (16, 3, 32, 32)
    assert changed.abs().max() <= 1
    assert len({tuple(image.flatten().tolist()) for image in changed}) > 1
    torch.manual_seed(0)
    assert torch.equal(changed, augmented(pictures(), (name,)))


def test_a_crop_moves_by_whole_pixels_and_repeats_the_edge() -> None:
    ramp = torch.arange(32.0)[None, None, None].expand(64, 1, 32, 32).div(16).sub(1)
    torch.manual_seed(0)
    moved = augmented(ramp, ("crop",))
    shifts = ((moved[:, 0, 16, 16] - ramp[:, 0, 16, 16]) * 16).round()
    assert set(shifts.int().tolist()) == {-2, -1, 0, 1, 2}
    assert moved.min() >= ramp.min()


def test_a_turn_is_small_and_keeps_the_middle() -> None:
    images = torch.zeros(8, 1, 33, 33)
    images[:, :, 14:19, 14:19] = 1
    torch.manual_seed(0)
    turned = augmented(images, ("rotate",))
    assert torch.allclose(turned[:, 0, 16, 16], torch.ones(8))
    assert (turned - images).abs().mean() < 0.02


def test_no_change_asked_for_is_none() -> None:
    images = pictures()
    assert augmented(images, ()) is images


def test_runs_that_said_flip_are_understood() -> None:
    assert config_from(family="vae", flip=True).augment == ("flip",)
    assert config_from(family="vae", flip=False).augment == ()
