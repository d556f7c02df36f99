"""A foreign file gets a map: made once, kept beside it, found by the window, the command line and Python."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import latentlab
from latentlab.cli import main
from latentlab.core.checkpoint_file import read_encodings
from latentlab.core.encodings_file import ENDING
from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.latent_model import Images, ImageShape, ModelInfo
from latentlab.core.readings import remember
from latentlab.core.requests import JobCancelled
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.engine.map_making import Made, drawn, run_draws, run_folder
from latentlab.formats.guessing import run as guess
from latentlab.formats.sequential import LIKELY_OF_GAN
from latentlab.measure.inversion import run as invert
from tests.formats.saving import save
from tests.formats.test_foreign import ExampleVAE


class Heard:
    """A Report; `cancel_at` is the call that finds the job cancelled."""

    def __init__(self, cancel_at: int = 10**9) -> None:
        self.shares: list[float] = []
        self.partials: list[Any] = []
        self._cancel_at = cancel_at

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.shares.append(done / total if total else 0.0)
        if len(self.shares) >= self._cancel_at:
            raise JobCancelled

    def partial(self, value: Any) -> None:
        self.partials.append(value)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTLAB_DATA_HOME", str(tmp_path / "data"))
    torch.manual_seed(0)


@pytest.fixture
def vae(tmp_path: Path) -> Path:
    return save(ExampleVAE().state_dict(), tmp_path / "vae.pth")


@pytest.fixture
def mlp(tmp_path: Path) -> Path:
    network = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 64), nn.Tanh())
    return save(network.state_dict(), tmp_path / "G.pth")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """24 pictures with a table: Bright, and Noisy that says nothing."""
    folder, rng = tmp_path / "pictures", np.random.default_rng(3)
    folder.mkdir()
    lines = ["file,Bright,Noisy"]
    for index in range(24):
        bright = index % 2
        noise = rng.integers(0, 60, (12, 10))
        Image.fromarray((noise + 180 * bright).astype(np.uint8)).save(folder / f"{index}.png")
        lines.append(f"{index}.png,{2 * bright - 1},{rng.integers(0, 2)}")
    (folder / "attributes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def test_a_folder_becomes_a_map_that_every_opening_finds(
    vae: Path, pictures: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = Heard()
    made = run_folder(report, str(vae), str(pictures))
    assert isinstance(made, Made)
    assert made.path == f"{vae}{ENDING}"
    assert report.shares[-1] == 1
    assert max(np.diff(report.shares[1:])) < 1  # progress on the way
    assert any("broken.png" in line for line in made.skipped)
    model = latentlab.open_model(vae, device="cpu")
    assert model.encodings is not None
    assert len(model.encodings) == 24
    assert np.array_equal(model.encodings.latents, made.encodings.latents)
    assert model.directions["Bright"].auc == 1.0
    assert main(["info", str(vae)]) == 0
    said = json.loads(capsys.readouterr().out)["encodings"]
    assert said["count"] == 24
    assert said["attributes"][0] == {"name": "Bright", "predicted": False, "positives": 12}
    assert main(["convert", str(vae), str(tmp_path / "native.safetensors")]) == 0
    converted = read_encodings(tmp_path / "native.safetensors")
    assert converted is not None
    assert len(converted) == 24
    assert main(["render", str(vae), "-o", str(tmp_path / "sheet.png"), "--attribute", "Bright=1"]) == 0


def test_class_folders_become_classes(vae: Path, tmp_path: Path) -> None:
    for name in ("cats", "dogs"):
        (tmp_path / "animals" / name).mkdir(parents=True)
        for index in range(3):
            Image.fromarray(np.full((9, 9), 40 * index, np.uint8)).save(tmp_path / "animals" / name / f"{index}.png")
    made = run_folder(Heard(), str(vae), str(tmp_path / "animals"))
    assert made.encodings.label_names == ("cats", "dogs")
    assert latentlab.open_model(vae).encodings.label_of(5) == "dogs"  # type: ignore[union-attr]


def test_draws_of_a_generator_have_their_pictures(mlp: Path) -> None:
    made = run_draws(Heard(), str(mlp), count=70)
    model = latentlab.open_model(mlp, device="cpu")
    found = model.encodings
    assert found is not None
    assert found.samples
    assert np.array_equal(found.latents, model.sample(70, seed=0))
    assert np.array_equal(found.latents, made.encodings.latents)
    assert found.thumbnails is not None
    assert len(found.thumbnails) == 70
    assert found.name_of(7) == "sample 7 of seed 0"


def test_encodings_of_another_reading_or_version_are_not_used(mlp: Path) -> None:
    run_draws(Heard(), str(mlp), count=64)
    remember(mlp, "tanh", "sigmoid")
    model = latentlab.open_model(mlp)
    assert model.encodings is None
    assert "read with activation relu, range tanh" in model.info.warnings[-1]
    run_draws(Heard(), str(mlp), count=64)  # as it is read now
    assert latentlab.open_model(mlp).encodings is not None
    network = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 64), nn.Tanh())
    save(network.state_dict(), mlp)
    again = latentlab.open_model(mlp)
    assert again.encodings is None
    assert "another version of this checkpoint" in again.info.warnings[-1]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_cancelled_job_leaves_nothing(mlp: Path, at: int) -> None:
    before = sorted(mlp.parent.iterdir())
    with pytest.raises(JobCancelled):
        run_draws(Heard(cancel_at=at), str(mlp), count=64)
    assert sorted(mlp.parent.iterdir()) == before


def test_a_file_that_changed_meanwhile_is_refused(mlp: Path) -> None:
    with pytest.raises(CheckpointError, match="has changed since it was opened"):
        run_draws(Heard(), str(mlp), checkpoint="ab" * 32)
    with pytest.raises(OptionError, match="images="):
        run_draws(Heard(), "")


def test_a_generator_cannot_encode_a_folder(mlp: Path, pictures: Path) -> None:
    with pytest.raises(OptionError, match="no encoder"):
        run_folder(Heard(), str(mlp), str(pictures))


def test_a_foreign_generator_inverts_a_picture_as_it_is_read(mlp: Path) -> None:
    """The job of the window: the same reading as on screen."""
    reading = {"activation": "tanh", "range": "sigmoid"}
    model = latentlab.open_model(mlp, device="cpu", **reading)
    latent = model.sample(1, seed=8)
    picture = model.decode(latent)[0]
    how = {"trust": False, "options": reading}
    loader = "latentlab.formats:open_checkpoint"
    found = invert(Heard(), str(mlp), picture, steps=40, loader=loader, how=how)
    assert found.mse < found.started_mse
    assert np.array_equal(found.reconstruction, model.decode(found.latent[None])[0])


def test_every_reading_is_drawn_one_by_one(mlp: Path, vae: Path) -> None:
    report = Heard()
    assert guess(report, str(mlp), count=3) == len(LIKELY_OF_GAN)
    assert [(each.activation, each.range) for each in report.partials] == list(LIKELY_OF_GAN)
    assert report.partials[0].images.shape == (3, 8, 8, 1)
    assert type(report.partials[0]).__module__ == "latentlab.core.readings"  # the window unpickles it without torch
    nothing = Heard()
    assert guess(nothing, str(vae)) == 0
    assert nothing.partials == []


def test_which_spaces_can_be_drawn_from() -> None:
    ones = np.ones(4, np.float32)
    assert LatentSpace("z", (4,)).drawable
    assert LatentSpace("z", (4,), "uniform").drawable
    assert LatentSpace("w", (4,), "empirical", ones, ones, np.ones((9, 4), np.float32)).drawable
    assert LatentSpace("z", (4,), "empirical", std=ones).drawable
    assert not LatentSpace("z", (4,), "empirical").drawable
    assert not LatentSpace("spatial", (1, 2, 2), "empirical", ones, ones).drawable


class ThreeClasses:
    """Draws pictures as bright as the class that is asked for."""

    encodings = None
    info = ModelInfo("", "", "", ImageShape(8, 8, 1), (LatentSpace("z", (4,)),), False, ("a", "b", "c"))

    def sample(self, count: int, seed: int = 0) -> FloatArray:
        return self.info.spaces[0].sample(count, seed)

    def decode(self, latents: FloatArray, *, condition: list[int]) -> Images:
        values = 80 * np.asarray(condition, np.uint8)
        assert len(values) == len(latents)
        return np.broadcast_to(values[:, None, None, None], (len(values), 8, 8, 1)).copy()


def test_draws_of_a_conditional_generator_are_of_each_class_alike() -> None:
    made = drawn(cast(Any, ThreeClasses()), 70, 0, Heard())
    assert made.labels is not None
    assert np.bincount(made.labels).tolist() == [24, 23, 23]
    assert made.label_of(4) == "b"
    assert made.thumbnails is not None
    for index in (3, 4, 68):
        with Image.open(io.BytesIO(made.thumbnails.coded(index))) as shown:
            assert abs(int(np.asarray(shown.convert("L")).mean()) - 80 * (index % 3)) < 4
