"""`latentlab.compare`: two models beside each other, from Python."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import latentlab
from latentlab.core.errors import DataError, OptionError
from tests.cli.conftest import write_tiny


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("larger") / "larger.safetensors", size=32)


def test_the_same_pictures_go_through_both(vae: Path, larger: Path) -> None:
    first, second = (latentlab.open_model(path, device="cpu") for path in (vae, larger))
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 30, 3)).astype(np.uint8)
    both = latentlab.compare(first, second, images, attributes={"Smiling": 1.5}, keep="Eyeglasses", count=2)
    for model, one, size in ((first, both.first, 16), (second, both.second, 32)):
        found = one.reconstructed
        assert found is not None
        assert found.originals.shape == found.images.shape == (2, size, size, 3)
        latents = model.encode(images)
        np.testing.assert_array_equal(found.latents, latents)
        np.testing.assert_array_equal(found.images, model.decode(latents))
        error = np.mean(np.square((found.images - found.originals.astype(float)) / 255), axis=(1, 2, 3))
        np.testing.assert_allclose(found.mse, error, rtol=1e-4)
        moved = model.directions["Smiling"].apply(latents, 1.5, keep=["Eyeglasses"])
        assert found.edited is not None
        np.testing.assert_array_equal(found.edited, model.decode(moved))
        assert one.path.shape == (32, size, size, 3)
        np.testing.assert_array_equal(one.path[[0, -1]], found.images)
        assert one.steps is not None
        assert one.steps.changes.shape == (31,)
    assert both.attributes == ("Eyeglasses", "Smiling", "low", "high")


def test_without_pictures_it_is_samples_of_one_seed(vae: Path, gan: Path) -> None:
    first, second = (latentlab.open_model(path, device="cpu") for path in (vae, gan))
    both = latentlab.compare(first, second, count=3, seed=5, truncation=0.5)
    for model, one in ((first, both.first), (second, both.second)):
        np.testing.assert_array_equal(one.latents, model.sample(3, 5, 0.5))
        np.testing.assert_array_equal(one.samples, model.decode(one.latents))
        assert one.reconstructed is None
        np.testing.assert_array_equal(one.path[[0, -1]], one.samples[:2])


def test_what_is_not_asked_for_is_not_drawn(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    both = latentlab.compare(model, model, np.zeros((1, 16, 16, 3), np.uint8), count=0, path=0)
    assert (len(both.first.samples), len(both.first.path), both.first.steps) == (0, 0, None)
    assert both.first.reconstructed is not None
    assert np.isnan(both.first.reconstructed.sharpness[0]), "of one colour"
    assert both.document()["first"]["jumps"] is None


def test_a_model_without_encoder_searches(vae: Path, gan: Path) -> None:
    first, second = (latentlab.open_model(path, device="cpu") for path in (vae, gan))
    image = second.decode(second.sample(1, seed=2))[0]
    found = latentlab.compare(first, second, image, steps=5, count=2).second.reconstructed
    assert found is not None
    np.testing.assert_array_equal(found.originals[0], image)
    np.testing.assert_array_equal(found.images, second.decode(found.latents))


def test_figures_are_plain_numbers_and_of_the_same_data_compare() -> None:
    """Of the bundled models; that of the sharper one's card: less error, less sharpness."""
    plain, sharp = (latentlab.open_model(name, device="cpu") for name in ("faces-vae", "faces-alpha-gan"))
    both = latentlab.compare(plain, sharp, count=2)
    figures = {pair.kind.path: pair for pair in both.figures}
    error = figures["reconstruction.mse"]
    assert (round(error.first or 0, 4), round(error.second or 0, 4), error.better) == (0.0042, 0.0047, "first")
    document = json.loads(json.dumps(both.document()))
    assert error.document() in document["figures"]
    assert document["first"]["name"] == "faces-vae.safetensors"
    assert document["second"]["jumps"] is False
    assert "faces-alpha-gan.safetensors" in str(both).splitlines()[0]
    assert "0.00416 *" in str(both)
    assert repr(both) == f"<faces-vae.safetensors beside faces-alpha-gan.safetensors: {len(both.figures)} figures>"


def test_a_class_is_asked_of_both_by_its_name(vae: Path) -> None:
    plain, digits = latentlab.open_model(vae, device="cpu"), latentlab.open_model("digits-cgan", device="cpu")
    for pair in ((plain, digits), (digits, plain)):
        both = latentlab.compare(*pair, condition="7", count=2)
        asked = both.first if pair[0] is digits else both.second
        assert asked.condition is not None
        assert asked.condition.label == 7
        np.testing.assert_array_equal(asked.samples, digits.decode(digits.sample(2), condition=7))
        turns = latentlab.compare(*pair, count=3)
        shown = turns.first if pair[0] is digits else turns.second
        np.testing.assert_array_equal(shown.samples, digits.decode(digits.sample(3), condition=[0, 1, 2]))


def test_what_cannot_be_compared_is_said(vae: Path, gan: Path) -> None:
    first, second = (latentlab.open_model(path, device="cpu") for path in (vae, gan))
    with pytest.raises(OptionError, match=r"no attribute 'Smilling'; both need it\. Did you mean 'Smiling'"):
        latentlab.compare(first, second, attributes={"Smilling": 1})
    with pytest.raises(OptionError, match="2 or more"):
        latentlab.compare(first, second, count=1)
    with pytest.raises(OptionError, match="asked for 1"):
        latentlab.compare(first, second, path=1)
    with pytest.raises(OptionError, match="no class"):
        latentlab.compare(first, second, condition="cat")
    with pytest.raises(OptionError, match="not a str"):
        latentlab.compare(first, "second")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no pictures"):
        latentlab.compare(first, second, np.zeros((0, 8, 8, 3), np.uint8))
