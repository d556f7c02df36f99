"""`latentlab render --before`: pairs of pictures on one sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.core.recipe_png import recipe_in
from tests.cli.test_cli import model_of, pixels, run


def test_render_shows_each_picture_before_its_edit(
    vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, model = tmp_path / "pairs.png", model_of(vae)
    status, _, err = run(
        capsys, "render", vae, "-o", out, "--count", 3, "--columns", 2, "--before", "--attribute", "Smiling=2"
    )
    assert status == 0, err
    latents = model.sample(3)
    before, after = model.decode(latents), model.decode(model.directions["Smiling"].apply(latents, 2))
    white = np.full_like(before[0], 255)
    rows = [[before[0], before[1]], [after[0], after[1]], [before[2], white], [after[2], white]]
    np.testing.assert_array_equal(pixels(out), np.concatenate([np.concatenate(row, axis=1) for row in rows]))
    recipe = recipe_in(out)
    assert recipe is not None
    np.testing.assert_allclose(np.array(recipe.tiles)[[0, 1, 4]], latents, atol=1e-6)
