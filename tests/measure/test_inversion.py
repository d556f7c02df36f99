"""Inversion finds a latent of what the generator itself has drawn, reports on the way, and can be stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.core.checkpoint_file import Header, ImageSpec, SpaceSpec, write_checkpoint
from latentlab.core.errors import CheckpointError, DataError, OptionError
from latentlab.core.inversion import Inversion
from latentlab.core.requests import JobCancelled
from latentlab.measure.inversion import invert, run
from latentlab.models.dcgan import DCGAN, DCGANArchitecture
from latentlab.models.inverter import HEADER_KEY, PREFIX, Inverter, InverterArchitecture, load_inverter
from latentlab.models.loading import load_native, weights_of
from latentlab.models.torch_model import TorchModel, model_of


class Notes:
    """A report that remembers, and cancels when told to."""

    def __init__(self, cancel_at: float = float("inf")) -> None:
        self.steps: list[float] = []
        self.pictures: list[np.ndarray] = []
        self.cancel_at = cancel_at

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.steps.append(done)
        if done >= self.cancel_at:
            raise JobCancelled

    def partial(self, value: np.ndarray) -> None:
        self.pictures.append(value)


@pytest.fixture(scope="module")
def generator() -> DCGAN:
    """Untrained, with weights so large that its pictures differ."""
    torch.manual_seed(0)
    network = DCGAN(DCGANArchitecture(image_size=16, channels=1, latent_dim=6, width=8)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.mul_(6)
    return network


@pytest.fixture
def model(generator: DCGAN) -> TorchModel:
    return model_of(generator)


def test_what_was_drawn_is_found_again(model: TorchModel) -> None:
    truth = model.decode(model.sample(1, seed=3))[0]
    notes = Notes()
    found = invert(model, truth, steps=60, report=notes)
    assert found.mse < 0.3 * found.started_mse
    assert found.start == "prior"
    assert found.latent.shape == (6,)
    np.testing.assert_array_equal(found.original, truth)
    np.testing.assert_array_equal(found.reconstruction, model.decode(found.latent)[0])
    assert notes.steps == list(range(1, 61))
    assert len(notes.pictures) == 3
    assert notes.pictures[0].shape == (16, 16, 1)
    assert notes.pictures[0].dtype == np.uint8


def test_pictures_of_any_size_and_colour(model: TorchModel) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    found = invert(model, photo, steps=2)
    assert found.original.shape == (16, 16, 1)
    assert found.mse <= found.started_mse


def test_no_steps_take_the_start(model: TorchModel) -> None:
    found = invert(model, model.decode(model.sample(1))[0], steps=0)
    assert found.mse == found.started_mse


def test_cancelling_stops_at_once(model: TorchModel) -> None:
    notes = Notes(cancel_at=5)
    with pytest.raises(JobCancelled):
        invert(model, model.decode(model.sample(1))[0], steps=1000, report=notes)
    assert notes.steps[-1] == 5


@pytest.mark.parametrize("steps", [-1, 10**9])
def test_wrong_numbers_of_steps(model: TorchModel, steps: int) -> None:
    with pytest.raises(OptionError, match="steps"):
        invert(model, np.zeros((8, 8, 1), np.uint8), steps=steps)
    with pytest.raises(DataError, match="uint8"):
        invert(model, np.zeros((8, 8, 1)), steps=1)  # type: ignore[arg-type]


def checkpoint_with_inverter(folder: Path, generator: DCGAN, **changes: object) -> Path:
    torch.manual_seed(1)
    inverter = Inverter(InverterArchitecture(image_size=16, channels=1, latent_dim=6, width=4))
    header = Header.model_validate(
        {
            "family": "dcgan",
            "architecture": generator.architecture.model_dump(mode="json"),
            "spaces": [SpaceSpec(name="z", shape=[6]).model_dump()],
            "image": ImageSpec(height=16, width=16, channels=1).model_dump(),
            "invertible": True,
            HEADER_KEY: {**inverter.architecture.model_dump(mode="json"), **changes},
        }
    )
    weights = weights_of(generator) | {f"{PREFIX}{name}": value for name, value in weights_of(inverter).items()}
    path = folder / "gan.safetensors"
    write_checkpoint(path, header, weights)
    return path


def test_the_job_uses_the_checkpoints_inverter(tmp_path: Path, generator: DCGAN) -> None:
    path = checkpoint_with_inverter(tmp_path, generator)
    inverter = load_inverter(path)
    assert inverter is not None
    picture = load_native(path).decode(np.zeros((1, 6), np.float32))[0]
    found = run(Notes(), str(path), picture, steps=3, name="holiday.jpg")
    assert isinstance(found, Inversion)
    assert found.start == "regressor"
    assert found.name == "holiday.jpg"


@pytest.mark.parametrize("changes", [{"width": 10**9}, {"image_size": 32}, {"latent_dim": 7}])
def test_an_inverter_that_does_not_fit_is_refused(tmp_path: Path, generator: DCGAN, changes: dict[str, int]) -> None:
    path = checkpoint_with_inverter(tmp_path, generator, **changes)
    with pytest.raises(CheckpointError, match="inverter"):
        load_inverter(path)
    load_native(path)  # the generator itself is sound
