"""Parts of a batch are halves of halves, small enough and large enough."""

from __future__ import annotations

import pytest
import torch

from latentlab.models.in_parts import FEWEST, PIXELS, part_of

CPU = torch.device("cpu")


@pytest.mark.parametrize(("size", "part"), [(8, 128), (28, 128), (32, 128), (48, 32), (64, 32), (256, 32)])
def test_a_part_has_few_pixels_but_never_too_few_pictures(size: int, part: int) -> None:
    assert part_of(128, size, CPU) == part
    assert part == FEWEST or part * size**2 <= PIXELS


def test_parts_are_of_one_size() -> None:
    assert part_of(4 * 37, 1024, CPU) == 37
    assert part_of(50, 1024, CPU) == 50


def test_a_graphics_card_takes_more_at_once() -> None:
    assert part_of(128, 64, torch.device("cuda")) == 128
    assert part_of(128, 512, torch.device("cuda")) == FEWEST
