"""`latentlab directions` and `--directions`: what is made of folders, components and weights is used by the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentlab
from latentlab import cli
from latentlab.core.direction_file import load_directions
from latentlab.core.recipe_png import recipe_in


def folder(path: Path, level: int) -> str:
    path.mkdir()
    for index in range(6):
        Image.fromarray(np.full((20, 20, 3), level + index, np.uint8)).save(path / f"{index}.png")
    return str(path)


def test_folders_components_and_weights_in_one_file(
    vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bright, dark = folder(tmp_path / "bright", 200), folder(tmp_path / "dark", 20)
    out = tmp_path / "made.json"
    arguments = ["directions", str(vae), "-o", str(out), "--with", bright, "--without", dark, "--principal", "2"]
    assert cli.main([*arguments, "--weights", "3", "--device", "cpu"]) == 0
    made = load_directions(out, dim=5, space="z")
    assert [direction.name for direction in made] == ["bright", "PC 1", "PC 2", "SeFa 1", "SeFa 2", "SeFa 3"]
    assert (made[0].examples, made[0].method) == (12, "two sets of pictures")
    said = capsys.readouterr().err
    assert "bright: two sets of pictures, 12 examples, AUC 1.00" in said
    assert "SeFa 1: SeFa, " in said


def test_components_of_pictures_are_found_by_decoding(vae: Path, tmp_path: Path) -> None:
    out = tmp_path / "made.json"
    assert cli.main(["directions", str(vae), "-o", str(out), "--pictures", "2", "--device", "cpu"]) == 0
    made = load_directions(out, dim=5, space="z")
    assert [(direction.name, direction.examples) for direction in made] == [("GANSpace 1", 1000), ("GANSpace 2", 1000)]
    wanted = latentlab.open_model(vae, device="cpu").picture_directions(2)
    np.testing.assert_allclose(made[0].vector, wanted[0].vector, atol=1e-6)


def test_one_folder_stands_against_the_encodings(vae: Path, tmp_path: Path) -> None:
    out = tmp_path / "made.json"
    bright = folder(tmp_path / "bright", 200)
    assert cli.main(["directions", str(vae), "-o", str(out), "--with", bright, "--name", "Light"]) == 0
    (made,) = load_directions(out)
    assert (made.name, made.examples) == ("Light", 66)


def test_what_was_made_is_an_attribute_of_the_other_commands(
    vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, sheet = tmp_path / "made.json", tmp_path / "sheet.png"
    assert cli.main(["directions", str(vae), "-o", str(out), "--weights", "2"]) == 0
    rendered = ["render", str(vae), "-o", str(sheet), "--count", "2", "--attribute", "SeFa 2=1.5"]
    assert cli.main(rendered) == 2
    assert "no attribute 'SeFa 2'" in capsys.readouterr().err
    assert cli.main([*rendered, "--directions", str(out), "--lock", "Smiling"]) == 0
    recipe = recipe_in(sheet)
    assert recipe is not None
    model = latentlab.open_model(vae)
    model.add_directions(load_directions(out))
    wanted = model.directions["SeFa 2"].apply(model.sample(2), 1.5, keep=["Smiling"])
    np.testing.assert_allclose(np.array(recipe.tiles, np.float32), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Say what of"),
        (["--without", "."], "--without needs --with"),
        (["--weights", "-1"], "--weights is -1"),
        (["--with", "absent"], "absent is not a folder"),
        (["--weights", "2", "--space", "w"], "no latent space 'w'"),
    ],
)
def test_wrong_usage_is_one_line(
    vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert cli.main(["directions", str(vae), "-o", str(tmp_path / "made.json"), *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "made.json").exists()
