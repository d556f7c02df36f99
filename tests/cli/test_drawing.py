"""Draws of the commands: truncated in w where a generator has one, from the prior or around encodings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentlab
from latentlab.api.drawing import drawn
from latentlab.cli import main
from latentlab.core.recipe_png import recipe_in
from latentlab.formats import open_checkpoint
from tests.formats.saving import save
from tests.formats.stylegan2_samples import rosinality
from tests.formats.test_foreign import ExampleVAE


def test_a_stylegan_is_truncated_in_w(tmp_path: Path) -> None:
    model = open_checkpoint(rosinality(tmp_path / "a.pt"), device="cpu")
    z = model.sample(3, seed=5)
    latents, space = drawn(model, [(3, 5)], 1.0, None, lambda rows: rows)
    assert space == "z"
    np.testing.assert_array_equal(latents, z)
    w = model.to_space(z, "z", "w")  # type: ignore[attr-defined]
    centre = model.info.space("w").centre
    latents, space = drawn(model, [(1, 5), (2, 6)], 0.25, None, lambda rows: rows)
    assert (space, latents.shape) == ("w", (3, 6))
    np.testing.assert_allclose(latents[0], centre + (w[0] - centre) / 4, atol=1e-5)
    none, _ = drawn(model, [(2, 5)], 0.0, None, lambda rows: rows)
    np.testing.assert_allclose(none, [centre, centre], atol=1e-6)


def test_others_are_truncated_where_they_are_drawn(tmp_path: Path) -> None:
    model = open_checkpoint(save(ExampleVAE().state_dict(), tmp_path / "vae.pth"), device="cpu")
    latents, space = drawn(model, [(4, 2)], 0.5, None, lambda rows: rows + 1)
    assert space == "z"
    np.testing.assert_allclose(latents, model.sample(4, 2, 0.5) + 1)


def test_render_and_walk_of_a_stylegan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(rosinality(tmp_path / "a.pt"))
    for name, more in (("full", ()), ("mean", ("--truncation", "0")), ("quiet", ("--noise", "none"))):
        assert main(["render", path, "-o", str(tmp_path / f"{name}.png"), "--count", "2", *more]) == 0
    full, mean, quiet = (np.asarray(Image.open(tmp_path / f"{n}.png")) for n in ("full", "mean", "quiet"))
    assert not np.array_equal(full, quiet)
    np.testing.assert_array_equal(mean[:, :16], mean[:, 16:])
    assert not np.array_equal(full[:, :16], full[:, 16:])
    recipe = recipe_in(tmp_path / "mean.png")
    assert recipe is not None
    assert (recipe.space, len(recipe.latent)) == ("w", 6)
    walk = ["walk", path, "-o", str(tmp_path / "w.png"), "--strip", "--truncation", "0.5", "--seconds", "1"]
    assert main(walk) == 0
    assert capsys.readouterr().err.count("Warning") == 0


def test_render_draws_around_encodings_or_from_the_prior(
    vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = latentlab.open_model(vae, device="cpu")
    drawn_of: dict[str, list[list[float]]] = {}
    for way, around in (("--around", True), ("--prior", False)):
        out = tmp_path / f"{around}.png"
        assert main(["render", str(vae), "-o", str(out), "--count", "4", way]) == 0
        recipe = recipe_in(out)
        assert recipe is not None
        drawn_of[way] = [list(row) for row in recipe.tiles]
        np.testing.assert_array_equal(np.array(recipe.tiles, np.float32), model.sample(4, around=around))
    assert drawn_of["--around"] != drawn_of["--prior"]
    assert main(["render", "fashion-dcgan", "-o", str(tmp_path / "none.png"), "--around"]) == 2
    assert "no encodings to draw around" in capsys.readouterr().err
