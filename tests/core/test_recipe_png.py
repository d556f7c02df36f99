"""A PNG carries its recipe and is still an ordinary PNG."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from latentlab.core.errors import DataError
from latentlab.core.recipe import recipe_of
from latentlab.core.recipe_png import png_bytes, recipe_in
from latentlab.core.state import State


@pytest.mark.parametrize("channels", [1, 3])
def test_recipe_and_picture_return(full_state: State, tmp_path: Path, channels: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (6, 5, channels)).astype(np.uint8)
    recipe = recipe_of(full_state, "faces ä.safetensors")
    coded = png_bytes(picture, recipe)
    assert recipe_in(coded) == recipe
    (tmp_path / "a.png").write_bytes(coded)
    assert recipe_in(tmp_path / "a.png") == recipe
    with Image.open(io.BytesIO(coded)) as image:
        np.testing.assert_array_equal(np.asarray(image).reshape(picture.shape), picture)


def test_pictures_without_a_recipe(tmp_path: Path) -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    assert recipe_in(png_bytes(picture)) is None
    Image.fromarray(picture).save(tmp_path / "a.jpg")
    assert recipe_in(tmp_path / "a.jpg") is None
    assert recipe_in(b"") is None
    assert recipe_in(tmp_path / "missing.png") is None


def test_damaged_recipe_is_said() -> None:
    information = PngInfo()
    information.add_text("latentlab", '{"kind": "latentlab recipe"')
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG", pnginfo=information)
    with pytest.raises(DataError, match="damaged"):
        recipe_in(buffer.getvalue())
