"""What people hand over in Python becomes our arrays, or is refused in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.core.errors import BadInput, DataError, OptionError
from latentlab.core.given import as_count, as_latents, as_pictures

PICTURES = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    "given",
    [
        PICTURES,
        PICTURES.tolist(),
        list(PICTURES),
        PICTURES.astype(np.int64),
        PICTURES.transpose(0, 3, 1, 2),
        (PICTURES / 255).astype(np.float32),
        torch.from_numpy(PICTURES),
        (torch.from_numpy(PICTURES).float() / 255).permute(0, 3, 1, 2).requires_grad_(),
        [torch.from_numpy(picture) for picture in PICTURES],
        [Image.fromarray(picture) for picture in PICTURES],
    ],
    ids=["uint8", "list", "list of arrays", "int64", "channels first", "float", "tensor", "gradient", "tensors", "PIL"],
)
def test_pictures_in_every_form_are_the_same(given: Any) -> None:
    np.testing.assert_array_equal(as_pictures(given), PICTURES)


def test_one_picture_and_grey_ones() -> None:
    assert as_pictures(PICTURES) is not None
    assert as_pictures(PICTURES[0]).shape == (1, 4, 5, 3)
    assert as_pictures(PICTURES[..., 0]).shape == (2, 4, 5, 1)
    assert as_pictures(Image.fromarray(PICTURES[0])).shape == (1, 4, 5, 3)
    assert as_pictures(Image.fromarray(PICTURES[0]).convert("L")).shape == (1, 4, 5, 1)
    palette = Image.fromarray(PICTURES[0]).convert("P")
    np.testing.assert_array_equal(as_pictures(palette)[0], np.asarray(palette.convert("RGB")))
    assert as_pictures(np.zeros((0, 4, 5, 3), np.uint8)).shape == (0, 4, 5, 3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("face.png", "not a path"),
        (None, r"these are \(\)"),
        (np.zeros((2, 4, 5, 7), np.uint8), r"\(2, 4, 5, 7\)"),
        (np.zeros((2, 4), np.uint8), r"\(2, 4\)"),
        (PICTURES / 127.5 - 1, "float64 from -1 to"),
        (PICTURES.astype(np.int64) * 2, "int64 from 0 to"),
        (np.full((1, 4, 5, 3), np.nan), "NaN"),
        (PICTURES > 9, "bool"),
        ([PICTURES[0], PICTURES[0][:2]], "one array of numbers"),
    ],
)
def test_what_are_no_pictures(given: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        as_pictures(given)


def test_latents_in_every_form_are_the_same() -> None:
    latents = np.arange(8, dtype=np.float32).reshape(2, 4)
    for given in (latents, latents.tolist(), latents.astype(np.float64), torch.from_numpy(latents).requires_grad_()):
        made = as_latents(given, (4,))
        assert made.dtype == np.float32
        np.testing.assert_array_equal(made, latents)
    np.testing.assert_array_equal(as_latents(latents[:, :, None, None], (4,)), latents)
    np.testing.assert_array_equal(as_latents(latents[0], (4,)), latents[:1])
    np.testing.assert_array_equal(as_latents(latents.reshape(2, 1, 2, 2), (1, 2, 2)), latents)
    np.testing.assert_array_equal(as_latents(latents[0].reshape(1, 2, 2), (1, 2, 2)), latents[:1])
    assert as_latents(np.zeros((0, 4)), (4,)).shape == (0, 4)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((2, 5)), r"\(B, 4\) or \(4,\); these are \(2, 5\)"),
        (np.zeros((1, 2, 4)), r"\(1, 2, 4\)"),
        (np.zeros((2, 1)), r"\(2, 1\)"),
        ("abcd", "real numbers"),
        (None, "real numbers"),
        (np.zeros((2, 4), complex), "complex128"),
        ([[1, 2], [3]], "one array"),
    ],
)
def test_what_are_no_latents(given: Any, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        as_latents(given, (4,))


def test_counts_are_whole_numbers() -> None:
    assert as_count(np.int64(3), "The count") == 3
    for given in (1.5, "3", None, -1, 11):
        with pytest.raises(BadInput, match=r"The count is .*it must be"):
            as_count(given, "The count", 10)
