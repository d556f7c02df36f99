"""`latentlab walk`: films between draws, pictures, expressions, and the walk of a session."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.core.paths import walk_latents
from latentlab.core.project_file import save
from latentlab.core.recipe_png import recipe_in
from latentlab.core.state import NamedLatent, State, Walk
from tests.cli.test_cli import model_of, pixels, refused, run


def test_walk_writes_every_kind(vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("av")
    timing = ["--seconds", 0.4, "--fps", 10, "--seeds", "1,2"]
    for name, more in (("w.gif", ["--loop"]), ("w.mp4", ["--spherical"]), ("w.png", ["--strip"]), ("frames", [])):
        status, _, err = run(capsys, "walk", vae, "-o", tmp_path / name, *timing, *more)
        assert status == 0, err
    with Image.open(tmp_path / "w.gif") as film:
        assert film.n_frames == 4
    assert len(list((tmp_path / "frames").glob("frame_*.png"))) == 4
    model = model_of(vae)
    first = pixels(tmp_path / "frames" / "frame_00000.png")
    np.testing.assert_array_equal(first, model.decode(model.sample(1, seed=1))[0])


def test_a_walk_goes_through_pictures_and_expressions(
    vae: Path, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, model = tmp_path / "w.png", model_of(vae)
    ends = ["--image", face, "--expression", "#3 + Smiling", "--expression", "sample(2)"]
    status, _, err = run(capsys, "walk", vae, "-o", out, *ends)
    assert status == 0, err
    with Image.open(face) as picture:
        first = model.encode(np.asarray(picture))
    recipe = recipe_in(out)
    assert recipe is not None
    np.testing.assert_allclose(recipe.tiles[0], first[0], atol=1e-5)
    np.testing.assert_allclose(recipe.tiles[-1], model.sample(1, seed=2)[0], atol=1e-5)
    assert "2 keyframes or more" in refused(capsys, "walk", vae, "-o", out, "--image", face)


def test_the_walk_of_a_session_is_that_of_the_window(
    vae: Path, gan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, saved, out = model_of(vae), tmp_path / "work.latentlab", tmp_path / "w.gif"
    latents = model.sample(3, seed=9)
    walked = Walk(tuple(NamedLatent(latent) for latent in latents), "spherical", True, 0.5, 10)
    state = State(latents[0], latents[0], checkpoint=model.info.sha256, walk=walked)
    save(saved, state, vae)
    status, _, err = run(capsys, "walk", vae, "-o", out, "--session", saved)
    assert status == 0, err
    with Image.open(out) as film:
        assert film.n_frames == 5, "half a second at ten pictures a second"
    status, _, err = run(capsys, "walk", vae, "-o", tmp_path / "frames", "--session", saved, "--fps", 12)
    assert status == 0, err
    frames = sorted((tmp_path / "frames").iterdir())
    wanted = model.decode(walk_latents(latents, 6, "spherical", loop=True))
    np.testing.assert_array_equal([pixels(path) for path in frames], wanted)
    assert "another model" in refused(capsys, "walk", gan, "-o", out, "--session", saved)
    save(saved, replace(state, walk=Walk()), vae)
    assert "no keyframes" in refused(capsys, "walk", vae, "-o", out, "--session", saved)
