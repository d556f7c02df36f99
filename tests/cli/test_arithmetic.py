"""`latentlab.calculate`, and --expression of the commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentlab
from latentlab import cli
from latentlab.core.errors import ExpressionError, OptionError


def test_names_stand_for_what_the_model_has(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    encodings, vector = model.encodings, model.directions["Eyeglasses"].vector
    assert encodings is not None
    latents = model.sample(3, seed=8)
    found = latentlab.calculate(model, "current + 1.5*Eyeglasses", {"current": latents[0]})
    assert (found.shape, found.dtype) == ((5,), np.float32)
    np.testing.assert_allclose(found, latents[0] + 1.5 * vector, atol=1e-5)
    np.testing.assert_allclose(latentlab.calculate(model, "all", {"all": latents}), latents.mean(0), atol=1e-6)
    np.testing.assert_array_equal(latentlab.calculate(model, "#7"), encodings.latents[7])
    np.testing.assert_array_equal(latentlab.calculate(model, "sample(4)"), model.sample(1, seed=4)[0])
    smiling = encodings.latents[encodings.attribute("Smiling") > 0.5].mean(0)
    assert encodings.labels is not None
    high = encodings.latents[encodings.labels == 1].mean(0)
    np.testing.assert_allclose(
        latentlab.calculate(model, "mean(group Smiling, group high)"), (smiling + high) / 2, atol=1e-5
    )


def test_mistakes_have_a_place(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    with pytest.raises(ExpressionError, match="Did you mean 'Smiling'") as raised:
        latentlab.calculate(model, "#3 + Smilling")
    assert raised.value.column == 5
    with pytest.raises(OptionError, match=r"'a' must be \(B, 5\)"):
        latentlab.calculate(model, "a", {"a": np.zeros(4)})


def test_commands_draw_expressions(vae: Path, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = latentlab.open_model(vae, device="cpu"), tmp_path / "out.png"
    texts = ("#12 + 1.5*Eyeglasses", "mean(sample(1), sample(2))")
    said = [word for text in texts for word in ("--expression", text)]
    assert cli.main(["render", str(vae), "-o", str(out), "--columns", "2", *said]) == 0
    wanted = model.decode(np.stack([latentlab.calculate(model, text) for text in texts]))
    with Image.open(out) as image:
        np.testing.assert_array_equal(np.asarray(image), np.concatenate(list(wanted), axis=1))
    edited = ["edit", str(vae), "-o", str(out), "--image", str(face), "--expression", "current - Smiling", "--sheet"]
    assert cli.main(edited) == 0
    with Image.open(face) as picture, Image.open(out) as image:
        parts = np.split(np.asarray(image).astype(int), 4, axis=1)
        latent = model.encode(np.asarray(picture))
    before = model.decode(latent)[0].astype(int)
    after = model.decode(model.directions["Smiling"].apply(latent, -1))[0].astype(int)
    for part, expected in zip(parts, (None, before, after, (after - before) // 2 + 128), strict=True):
        assert part.shape == (16, 16, 3)
        assert expected is None or np.array_equal(part, expected)
    capsys.readouterr()
    assert cli.main(["render", str(vae), "-o", str(out), "--expression", "#1 + Smilling"]) == 2
    assert "character 6: There is no picture, group or attribute 'Smilling'" in capsys.readouterr().err
