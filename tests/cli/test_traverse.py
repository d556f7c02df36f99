"""`latentlab.traverse` and `latentlab traverse`: one thing changes, everything else is held still."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentlab
from latentlab import cli
from latentlab.core.errors import OptionError
from latentlab.core.recipe_png import recipe_in


def test_each_row_changes_one_thing(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    encodings = model.encodings
    assert encodings is not None
    start = model.sample(1, seed=3)[0]
    made = latentlab.traverse(model, start, ["dimension 2", "component 1", "Smiling"], reach=2, columns=5)
    assert made.latents.shape == (3, 5, 5)
    np.testing.assert_allclose(made.amounts, [-2, -1, 0, 1, 2])
    np.testing.assert_array_equal(made.latents[:, 2], np.stack([start] * 3))
    moved = made.latents - start
    sigma = encodings.latents[:, 1].std()
    np.testing.assert_allclose(moved[0, :, 1], made.amounts * sigma, rtol=1e-4, atol=1e-6)
    assert not moved[0][:, [0, 2, 3, 4]].any()
    pca = encodings.principal
    np.testing.assert_allclose(moved[1, 4], 2 * pca.sigma[0] * pca.components[0], atol=1e-5)
    np.testing.assert_allclose(moved[2, 3], model.directions["Smiling"].vector, atol=1e-5)


def test_the_most_informative_come_first(vae: Path, gan: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    assert model.encodings is not None
    order = np.argsort(-model.encodings.informativeness)
    assert latentlab.traverse(model, rows=3).names == tuple(f"dimension {number + 1}" for number in order[:3])
    assert latentlab.traverse(model, rows=2, basis="components").names == ("component 1", "component 2")
    np.testing.assert_array_equal(latentlab.traverse(model, seed=4).latents[0, 4], model.sample(1, seed=4)[0])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"along": ["dimension 6"]}, "dimensions go from 1 to 5"),
        ({"along": ["component 0"]}, "components go from 1 to 5"),
        ({"along": ["Smilling"]}, "Did you mean 'Smiling'"),
        ({"reach": 0}, "reach is 0"),
        ({"columns": 1}, "2 or more"),
        ({"basis": "axes"}, "no basis 'axes'"),
        ({"latent": np.zeros(4)}, r"must be \(B, 5\)"),
    ],
)
def test_what_cannot_be_traversed_is_said(vae: Path, options: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        latentlab.traverse(latentlab.open_model(vae, device="cpu"), **options)  # type: ignore[arg-type]


def test_the_command_draws_the_sheet_and_names_its_rows(
    vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "t.png"
    ways = ["--along", "Smiling", "--along", "dimension 1"]
    assert cli.main(["traverse", str(vae), "-o", str(out), "--columns", "3", "--seed", "2", *ways]) == 0
    assert capsys.readouterr().err == "row 1: Smiling\nrow 2: dimension 1\n"
    model = latentlab.open_model(vae, device="cpu")
    made = latentlab.traverse(model, along=["Smiling", "dimension 1"], columns=3, seed=2)
    images = model.decode(made.latents.reshape(-1, 5)).reshape(2, 3, 16, 16, 3)
    with Image.open(out) as image:
        np.testing.assert_array_equal(np.asarray(image), np.concatenate([np.concatenate(row, 1) for row in images]))
    recipe = recipe_in(out)
    assert recipe is not None
    np.testing.assert_allclose(recipe.tiles, made.latents.reshape(-1, 5), atol=1e-6)
    assert cli.main(["traverse", str(vae), "-o", str(out), "--basis", "axes"]) == 2
    assert "--basis is axes" in capsys.readouterr().err
