"""The public Python API: open_model, and what explore makes of any decoder."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import latentlab
from latentlab.api.exploring import explorable, with_draws, with_pictures
from latentlab.app import _first_model
from latentlab.core.bundled import assets_folder
from latentlab.core.direction_file import load_directions, save_directions
from latentlab.core.errors import CheckpointError, DataError, OptionError
from latentlab.core.given import as_pictures


def test_importing_latentlab_imports_nothing_heavy() -> None:
    script = (
        "import sys, latentlab\n"
        "print([m for m in ('torch', 'numpy', 'PySide6', 'typer', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        _ = latentlab.nothing_of_ours


def test_the_example_of_the_documentation(vae: Path) -> None:
    model = latentlab.open_model(str(vae), device="auto")
    z = model.sample(16, seed=0, truncation=0.7)
    assert (z.dtype, z.shape) == (np.float32, (16, 5))
    images = model.decode(z)
    assert (images.dtype, images.shape) == (np.uint8, (16, 16, 16, 3))
    mu = model.encode(images)
    assert (mu.dtype, mu.shape) == (np.float32, (16, 5))
    edited = model.directions["Eyeglasses"].apply(mu, strength=1.5, keep=["Smiling"])
    assert not np.array_equal(model.decode(edited), model.decode(mu))
    floats = model.decode_float(z)
    assert floats.dtype == np.float32
    assert floats.min() >= 0
    assert floats.max() <= 1


def test_a_model_without_encoder_says_so(gan: Path) -> None:
    model = latentlab.open_model(gan)
    with pytest.raises(OptionError, match="no encoder"):
        model.encode(np.zeros((1, 16, 16, 3), np.uint8))


def test_what_cannot_be_opened(tmp_path: Path, vae: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        latentlab.open_model(tmp_path / "absent")
    with pytest.raises(OptionError, match="'warp'"):
        latentlab.open_model(vae, device="warp")


def test_a_bundled_model_opens_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert latentlab.open_model("digits-vae-2d", device="cpu").info.spaces[0].dim == 2
    assert _first_model(Path("digits-vae-2d"))[0] == assets_folder() / "digits-vae-2d.safetensors", "the window too"
    with pytest.raises(CheckpointError, match="Did you mean the bundled model 'digits-vae-2d'"):
        latentlab.open_model("digits-vae2d")
    (tmp_path / "digits-vae-2d").write_text("of one's own")
    with pytest.raises(CheckpointError, match="digits-vae-2d is a text file"):
        latentlab.open_model("digits-vae-2d")


def test_a_misspelt_option_is_said(vae: Path) -> None:
    with pytest.raises(OptionError, match=r"no option 'activaton'\. Did you mean 'activation'"):
        latentlab.open_model(vae, activaton="relu")


def test_what_a_notebook_shows_is_short_and_says_what_it_is(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    assert repr(model) == "<vae 'tiny.safetensors': 16 x 16 x 3 of 5 numbers in z, encoder, 60 encodings, on cpu>"
    assert repr(model.directions) == "DirectionSet(Eyeglasses, Smiling, low, high)"
    assert repr(model.encodings) == (
        "EncodingSet(60 pictures as 5 numbers in z; classes low, high; attributes Eyeglasses, Smiling)"
    )
    shown = repr(model.directions["Eyeglasses"])
    assert shown.startswith("Direction(name='Eyeglasses', space='z', method='balanced means', examples=60, auc=")
    assert "array" not in shown + repr(model.info)
    assert {"open_model", "explore", "invert", "measure_model"} <= set(dir(latentlab))


def test_directions_take_what_models_take(vae: Path) -> None:
    model = latentlab.open_model(vae)
    eyeglasses, latents = model.directions["Eyeglasses"], model.sample(3)
    moved = eyeglasses.apply(latents, 1.5, keep="Smiling")
    np.testing.assert_array_equal(eyeglasses.apply(torch.from_numpy(latents), 1.5, keep=["Smiling"]), moved)
    np.testing.assert_allclose(eyeglasses.apply(latents[0].tolist(), 1.5, keep=["Smiling"]), moved[0], atol=1e-6)
    with pytest.raises(OptionError, match=r"'Eyeglasses' must be \(B, 5\)"):
        eyeglasses.apply(latents[:, :1])
    assert model.directions.get("Hat") is None
    assert model.directions.get("Eyeglasses") is eyeglasses
    with pytest.raises(OptionError, match="whole number"):
        model.weight_directions(1.5)  # type: ignore[arg-type]


def test_what_decode_float_gives_can_be_encoded(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    latents = model.sample(3)
    np.testing.assert_array_equal(model.encode(model.decode_float(latents)), model.encode(model.decode(latents)))


def test_a_model_is_copied_whole(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    latents = model.sample(2)
    images = model.decode(latents)
    for opened in (model, with_pictures(model, images)):  # the second has other encodings around it
        copied = pickle.loads(pickle.dumps(opened))
        np.testing.assert_array_equal(copied.decode(latents), images)
        assert len(copied.encodings) == len(opened.encodings or ())


# --- invert ----------------------------------------------------------------------------------------------------


def test_a_picture_is_searched_for_where_there_is_no_encoder(gan: Path) -> None:
    model = latentlab.open_model(gan, device="cpu")
    image = model.decode(model.sample(1, seed=4))[0]
    found = latentlab.invert(model, image, steps=20)
    assert (found.latent.shape, found.latent.dtype) == ((5,), np.float32)
    np.testing.assert_array_equal(found.original, image)
    np.testing.assert_array_equal(found.reconstruction, model.decode(found.latent)[0])
    assert found.mse <= found.started_mse
    grey = latentlab.invert(model, np.full((30, 20), 0.5), steps=0)
    assert (grey.original.shape, grey.steps) == ((16, 16, 3), 0)
    for given, said in ((np.zeros((2, 16, 16, 3), np.uint8), "one picture at a time"), ("face.png", "not a path")):
        with pytest.raises(DataError, match=said):
            latentlab.invert(model, given)
    with pytest.raises(OptionError, match="not a str"):
        latentlab.invert("faces-vae", image)  # type: ignore[arg-type]


# --- explore ---------------------------------------------------------------------------------------------------


class Convolutional(nn.Module):
    """(B, D, 1, 1) to (B, 3, 8, 8) in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(6, 4, 4), nn.ReLU(), nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.Tanh()
        )

    def forward(self, latents: Tensor) -> Tensor:
        made: Tensor = self.layers(latents)
        return made


class Encoder(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(64, width)

    def forward(self, pictures: Tensor) -> tuple[Tensor, str]:
        return self.layer(pictures.flatten(1)), "whatever else it gives"


def flat_decoder(last: nn.Module) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 64), last)


def test_any_convolutional_decoder_is_understood() -> None:
    decoder = Convolutional()
    model = explorable(decoder)
    assert model.info.image.channels == 3
    assert (model.info.image.height, model.info.spaces[0].dim, model.info.encoder) == (8, 6, False)
    latents = model.sample(3, seed=1)
    with torch.no_grad():
        made = decoder(torch.from_numpy(latents)[..., None, None]).numpy()
    np.testing.assert_allclose(model.decode_float(latents), (made.transpose(0, 2, 3, 1) + 1) / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (nn.Sigmoid(), lambda made: made),
        (nn.Tanh(), lambda made: (made + 1) / 2),
        (nn.Identity(), lambda made: 1 / (1 + np.exp(-made))),
    ],
)
def test_a_flat_decoder_and_its_range(last: nn.Module, expected: Any) -> None:
    decoder = flat_decoder(last)
    with torch.no_grad():
        decoder[2].weight *= 20  # an Identity then leaves [-1, 1]
    model = explorable(decoder)
    assert (model.info.image.height, model.info.image.width, model.info.image.channels) == (8, 8, 1)
    latents = model.sample(3, seed=1)
    with torch.no_grad():
        made = decoder(torch.from_numpy(latents)).numpy().reshape(3, 8, 8, 1)
    np.testing.assert_allclose(model.decode_float(latents), expected(made), atol=1e-5)


@pytest.mark.parametrize("width", [6, 12])
def test_an_encoder_gives_the_map_its_points(width: int) -> None:
    rng = np.random.default_rng(0)
    images = rng.random((20, 8, 8)).astype(np.float32)
    encoder = Encoder(width)
    bare = explorable(flat_decoder(nn.Sigmoid()), encoder=encoder)
    model = with_pictures(bare, images, ["cat", "dog"] * 10, {"bright": images.mean(axis=(1, 2)) > 0.5})
    encodings = model.encodings
    assert encodings is not None
    with torch.no_grad():
        codes = encoder(torch.from_numpy(as_pictures(images)).float().reshape(20, 64) / 255)[0]
    np.testing.assert_allclose(encodings.latents, codes[:, :6].numpy(), atol=1e-5)
    assert encodings.label_names == ("cat", "dog")
    assert encodings.label_of(1) == "dog"
    assert "bright" in model.directions
    assert encodings.thumbnails is not None
    assert len(encodings.thumbnails) == 20


def test_a_plain_function_with_pictures_and_labels() -> None:
    """NumPy inside, a function as the encoder: a map with classes and directions."""
    ways = np.random.default_rng(1).standard_normal((5, 48)).astype(np.float32) / 4

    def rainbow(latents: Tensor) -> np.ndarray:
        made: np.ndarray = 1 / (1 + np.exp(-latents.numpy() @ ways))
        return made.reshape(-1, 3, 4, 4)

    def unmix(pictures: Tensor) -> Tensor:
        logits = torch.logit(pictures.flatten(1).clamp(1e-3, 1 - 1e-3))
        return torch.linalg.lstsq(torch.from_numpy(ways.T), logits.T).solution.T

    latents = np.random.default_rng(2).standard_normal((40, 5)).astype(np.float32)
    images = rainbow(torch.from_numpy(latents)).transpose(0, 2, 3, 1)
    labels = (latents[:, 0] > 0).astype(np.int64)
    model = with_pictures(explorable(rainbow, latent_dim=5, encoder=unmix), images, labels)
    assert (model.info.family, model.info.image.channels, model.info.spaces[0].dim) == ("rainbow", 3, 5)
    np.testing.assert_allclose(model.decode_float(latents), images, atol=1e-5)
    assert model.encodings is not None
    np.testing.assert_allclose(model.encodings.latents, latents, atol=0.1)
    assert model.encodings.label_of(0) == str(labels[0])
    direction = model.directions["1"].vector
    assert abs(direction[0]) > 3 * np.abs(direction[1:]).max()


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("flat", [False, True])
def test_an_encoder_is_asked_how_it_takes_pictures(rows: bool, flat: bool) -> None:
    decoder = flat_decoder(nn.Sigmoid())
    if not flat:
        decoder.append(nn.Unflatten(1, (1, 8, 8)))
    encoder = nn.Linear(64, 6) if rows else nn.Sequential(nn.Conv2d(1, 2, 8), nn.Flatten(), nn.Linear(2, 6))
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8)).astype(np.uint8)
    model = with_pictures(explorable(decoder, encoder=encoder), images)
    assert model.encodings is not None
    pixels = torch.from_numpy(images).float()[:, None] / 255
    with torch.no_grad():
        codes = encoder(pixels.flatten(1) if rows else pixels).numpy()
    np.testing.assert_allclose(model.encodings.latents, codes, atol=1e-5)


def test_without_pictures_draws_are_the_map() -> None:
    model = explorable(flat_decoder(nn.Sigmoid()))
    shown = with_draws(model, count=80)
    assert shown.encodings is not None
    np.testing.assert_array_equal(shown.encodings.latents, model.sample(80, seed=0))
    assert shown.encodings.thumbnails is not None
    assert shown.info is model.info
    assert with_draws(shown) is shown  # it has a map
    assert not shown.directions


def test_an_opened_model_takes_other_pictures(vae: Path) -> None:
    opened = latentlab.open_model(vae)
    images = opened.decode(opened.sample(12))
    model = with_pictures(explorable(opened), images.transpose(0, 3, 1, 2), np.arange(12) % 3)
    assert model.encodings is not None
    assert len(model.encodings) == 12
    said = [{**vars(info), "spaces": [space.name for space in info.spaces]} for info in (model.info, opened.info)]
    assert said[0] == said[1], "all but what is drawn around"
    np.testing.assert_array_equal(model.decode(model.encodings.latents[:2]).shape, (2, 16, 16, 3))
    assert opened.encodings is not None
    assert len(opened.encodings) == 60


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"model": "faces"}, OptionError, "not a str"),
        ({"model": nn.ReLU()}, OptionError, "latent_dim"),
        ({"model": lambda latents: latents}, OptionError, "latent_dim"),
        ({"model": nn.Linear(6, 64), "encoder": "faces"}, OptionError, "not a str"),
        ({"model": nn.Linear(6, 50)}, OptionError, "pictures are"),
        ({"model": nn.Linear(6, 64), "latent_dim": 7}, OptionError, "does not take latents of 7"),
        ({"model": nn.Linear(6, 64), "labels": [1]}, DataError, "give images"),
        ({"model": nn.Linear(6, 64), "images": np.zeros((2, 8, 8), np.uint8)}, OptionError, "no encoder"),
        ({"model": nn.Linear(6, 64), "encoder": Encoder(5), "images": np.zeros((2, 8, 8), np.uint8)}, OptionError, "5"),
        ({"model": nn.Linear(6, 64), "encoder": Encoder(6), "images": np.zeros((2, 8), np.uint8)}, DataError, "(2, 8)"),
        ({"model": nn.Linear(6, 64), "encoder": Encoder(6), "images": np.full((2, 8, 8), 7.0)}, DataError, "between"),
        (
            {"model": nn.Linear(6, 64), "encoder": Encoder(6), "images": np.zeros((0, 8, 8))},
            DataError,
            "no pictures among the images",
        ),
        (
            {
                "model": nn.Linear(6, 64),
                "encoder": Encoder(6),
                "images": np.zeros((2, 8, 8)),
                "attributes": {"Hat": ["yes", "no"]},
            },
            DataError,
            "'Hat' must be numbers",
        ),
        (
            {"model": nn.Linear(6, 64), "encoder": Encoder(6), "images": np.zeros((2, 8, 8)), "labels": [1]},
            DataError,
            "labels of shape (1,)",
        ),
    ],
)
def test_what_cannot_be_explored_is_said(
    arguments: dict[str, Any], error: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before there is a window."""
    monkeypatch.setattr("latentlab.api.exploring.check_display", lambda: None)
    with pytest.raises(error) as raised:
        latentlab.explore(**arguments)
    assert said in str(raised.value)


# --- directions that are made --------------------------------------------------------------------------------------


def test_pictures_with_and_without_make_a_direction(vae: Path) -> None:
    model = latentlab.open_model(vae)
    labelled = set(model.directions)
    encodings = model.encodings
    assert encodings is not None
    bright = np.full((12, 16, 16, 3), 230, np.uint8)
    dark = np.full((14, 16, 16, 3), 20, np.uint8)
    noise = np.random.default_rng(0).integers(0, 20, (26, 16, 16, 3)).astype(np.uint8)
    made = model.direction_from(bright - noise[:12], dark + noise[12:], "bright")
    assert (made.name, made.examples, made.method, made.space) == ("bright", 26, "two sets of pictures", "z")
    assert made.auc == pytest.approx(1.0)
    assert set(model.directions) == {*labelled, "bright"}
    codes = model.encode(dark + noise[12:])
    kept = model.directions["bright"].apply(codes, 1.0, keep=["Smiling"])
    smiling = model.directions["Smiling"].vector
    np.testing.assert_allclose(kept @ smiling, codes @ smiling, atol=1e-4)
    alone = model.direction_from(bright, name="brighter than all")
    assert (alone.examples, alone.method) == (12 + len(encodings), "pictures against the encodings")


def test_components_and_weights_join_the_directions(vae: Path, gan: Path) -> None:
    model = latentlab.open_model(vae)
    assert [direction.name for direction in model.principal_directions(2)] == ["PC 1", "PC 2"]
    assert [direction.name for direction in model.weight_directions(3)] == ["SeFa 1", "SeFa 2", "SeFa 3"]
    assert list(model.directions)[-5:] == ["PC 1", "PC 2", "SeFa 1", "SeFa 2", "SeFa 3"]
    assert [direction.name for direction in model.picture_directions(1, draws=60)] == ["GANSpace 1"]
    assert model.directions["GANSpace 1"].examples == 60
    assert model.directions["SeFa 1"].checkpoint == model.info.sha256
    with pytest.raises(OptionError, match="no latent space 'w'"):
        model.weight_directions(space="w")
    without_encoder = latentlab.open_model(gan)
    assert len(without_encoder.weight_directions(4)) == 4
    with pytest.raises(OptionError, match="no encoder"):
        without_encoder.direction_from(np.zeros((2, 16, 16, 3), np.uint8))


def test_groups_of_latents_make_a_direction_that_is_saved_and_loaded(vae: Path, gan: Path, tmp_path: Path) -> None:
    model = latentlab.open_model(vae)
    latents = model.sample(40, seed=2)
    right = latents[:, 3] > 0
    made = model.direction_between(latents[right], latents[~right], "right")
    assert (made.method, made.examples, made.checkpoint) == ("two groups", 40, model.info.sha256)
    assert abs(made.vector[3]) > 2 * np.abs(np.delete(made.vector, 3)).max()
    save_directions(tmp_path / "all.json", model.directions)
    other = latentlab.open_model(gan)
    other.add_directions(load_directions(tmp_path / "all.json"))
    np.testing.assert_allclose(other.directions["right"].vector, made.vector, rtol=1e-6)
    with pytest.raises(OptionError, match=r"'right' is \(4,\); z here has 5 numbers"):
        other.add_directions([replace(made, vector=made.vector[:4])])
    with pytest.raises(DataError):
        model.direction_between(latents[:0], latents, "none")


def test_any_decoder_has_directions_of_its_weights() -> None:
    decoder = flat_decoder(nn.Tanh())
    model = explorable(decoder)
    (first,) = model.weight_directions(1)  # type: ignore[attr-defined]
    rows = decoder[0].weight.detach().numpy()
    _, _, axes = np.linalg.svd(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    assert abs(float(first.vector @ axes[0])) == pytest.approx(1, abs=1e-5)
