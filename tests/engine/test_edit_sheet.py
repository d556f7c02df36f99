"""The sheet of pictures before and after an edit: where each stands, what the PNG carries, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentlab.core.errors import OptionError, SaveError
from latentlab.core.recipe_png import recipe_in
from latentlab.core.requests import JobCancelled
from latentlab.engine import edit_sheet
from latentlab.formats import open_checkpoint
from tests.cli.conftest import DIM, write_tiny


class Quiet:
    cancelled = False

    def progress(self, done: float, total: float, text: str = "") -> None:
        if self.cancelled and text.startswith("decoding"):
            raise JobCancelled

    def partial(self, value: Any) -> None: ...


@pytest.fixture(scope="module")
def vae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("vae") / "tiny.safetensors")


def test_each_picture_stands_above_its_edit(vae: Path, tmp_path: Path) -> None:
    model = open_checkpoint(vae, device="cpu")
    latents = model.sample(9, seed=1)
    edit = np.full(DIM, 0.7, np.float32)
    made = edit_sheet.run(
        Quiet(), str(vae), latents, edit, str(tmp_path / "s.png"), strengths={"Eyeglasses": 0.7}, device="cpu"
    )
    assert made.pairs == 9
    sheet = np.asarray(Image.open(tmp_path / "s.png"))
    before, after = model.decode(latents), model.decode(latents + edit)
    columns, side = 5, 16  # five pictures beside each other, of 16 px
    assert sheet.shape == (2 * (2 * side + 1) + 6, columns * (side + 1) - 1, 3)
    for index in range(9):
        top, left = index // columns * (2 * side + 7), index % columns * (side + 1)
        np.testing.assert_array_equal(sheet[top : top + side, left : left + side], before[index])
        np.testing.assert_array_equal(sheet[top + side + 1 : top + 2 * side + 1, left : left + side], after[index])
    recipe = recipe_in(tmp_path / "s.png")
    assert recipe is not None
    assert (recipe.checkpoint, recipe.strengths) == (model.info.sha256, {"Eyeglasses": 0.7})
    row_by_row = np.concatenate([latents[:5], latents[:5] + edit, latents[5:], latents[5:] + edit])
    np.testing.assert_allclose(np.array(recipe.tiles, np.float32), row_by_row, rtol=1e-6)


def test_without_an_edit_each_picture_stands_there_once(vae: Path, tmp_path: Path) -> None:
    model = open_checkpoint(vae, device="cpu")
    latents = model.sample(5, seed=1)
    made = edit_sheet.run(Quiet(), str(vae), latents, None, str(tmp_path / "s.png"), device="cpu")
    assert made.pairs == 5
    sheet = np.asarray(Image.open(tmp_path / "s.png"))
    assert sheet.shape == (2 * 17 - 1, 3 * 17 - 1, 3)
    for index, picture in enumerate(model.decode(latents)):
        top, left = index // 3 * 17, index % 3 * 17
        np.testing.assert_array_equal(sheet[top : top + 16, left : left + 16], picture)
    recipe = recipe_in(tmp_path / "s.png")
    assert recipe is not None
    np.testing.assert_allclose(np.array(recipe.tiles, np.float32), latents, rtol=1e-6)


def test_a_cancelled_sheet_leaves_nothing(vae: Path, tmp_path: Path) -> None:
    report = Quiet()
    report.cancelled = True
    with pytest.raises(JobCancelled):
        edit_sheet.run(report, str(vae), np.zeros((3, DIM)), np.zeros(DIM), str(tmp_path / "s.png"), device="cpu")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_is_refused(vae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(count: int, target: Path) -> None:
        latents = np.zeros((count, DIM), np.float32)
        edit_sheet.run(Quiet(), str(vae), latents, np.zeros(DIM, np.float32), str(target), device="cpu")

    with pytest.raises(OptionError, match="no picture"):
        run(0, tmp_path / "s.png")
    with pytest.raises(SaveError):
        run(1, tmp_path / "absent" / "s.png")
    monkeypatch.setattr(edit_sheet, "PIXELS_AT_MOST", 2 * 2 * 16 * 16)
    with pytest.raises(OptionError, match="; 2 of this size fit"):
        run(3, tmp_path / "s.png")
