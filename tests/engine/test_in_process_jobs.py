"""A picture that is dropped on a model of this process is inverted here, with progress and cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from latentlab.api.exploring import explorable, with_draws
from latentlab.core.inversion import Inversion
from latentlab.core.requests import Cancelled, Done, JobFailed, JobMessage, Partial, Progress
from latentlab.engine.in_process_jobs import COMPONENTS, INVERSION, InProcessJobs

WAIT_S = 30.0


class Said:
    """Messages of a job; `wait` for the last."""

    def __init__(self) -> None:
        self.messages: list[JobMessage] = []
        self.ended = threading.Event()
        self.begun = threading.Event()

    def __call__(self, message: JobMessage) -> None:
        self.messages.append(message)
        if isinstance(message, Progress):
            self.begun.set()
        if isinstance(message, Done | JobFailed | Cancelled):
            self.ended.set()

    def last(self) -> JobMessage:
        assert self.ended.wait(WAIT_S)
        return self.messages[-1]


class OtherJobs:
    def __init__(self) -> None:
        self.started: list[str] = []
        self.closed = False

    def start(self, function: str, arguments: dict[str, Any], on_message: Callable[[JobMessage], None]) -> Any:
        self.started.append(function)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def decoder() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 64), nn.Sigmoid())


def order(picture: Any, path: str = "") -> dict[str, Any]:
    return {"path": path, "image": picture, "condition": None, "name": "face.png", "loader": "x", "how": {}}


def test_the_latent_of_a_picture_is_found_in_this_process(decoder: nn.Module) -> None:
    model = with_draws(explorable(decoder), count=8)
    assert model.info.invertible
    jobs, said = InProcessJobs(model, OtherJobs()), Said()
    wanted = model.decode(model.sample(1, seed=5))
    job = jobs.start(INVERSION, order(wanted[0]), said)
    found = said.last()
    assert isinstance(found, Done)
    assert isinstance(found.value, Inversion)
    assert found.value.mse < 1e-4
    assert found.value.name == "face.png"
    np.testing.assert_allclose(model.decode(found.value.latent[None]).astype(int), wanted.astype(int), atol=12)
    assert any(isinstance(message, Partial) for message in said.messages)
    assert not job.running


def test_it_can_be_cancelled_and_ends_with_the_window(decoder: nn.Module) -> None:
    model, others = explorable(decoder), OtherJobs()
    jobs, first, second = InProcessJobs(model, others), Said(), Said()
    picture = np.full((8, 8, 1), 90, np.uint8)
    jobs.start(INVERSION, order(picture), first).cancel()
    assert isinstance(first.last(), Cancelled)
    jobs.start(INVERSION, order(picture), second)
    assert second.begun.wait(WAIT_S)
    jobs.close()
    assert isinstance(second.last(), Cancelled | Done)
    assert others.closed


def test_components_of_pictures_are_found_in_this_process(decoder: nn.Module) -> None:
    model, said = explorable(decoder), Said()
    asked = {"path": "", "space": "z", "condition": None, "checkpoint": "abc", "device": "auto", "options": {}}
    InProcessJobs(model, OtherJobs()).start(COMPONENTS, asked, said)
    found = said.last()
    assert isinstance(found, Done)
    assert found.value[0].direction.name == "GANSpace 1"
    assert found.value[0].direction.vector.shape == (4,)


def test_other_jobs_and_other_models_go_to_processes(decoder: nn.Module) -> None:
    others = OtherJobs()
    jobs = InProcessJobs(explorable(decoder), others)
    jobs.start("latentlab.engine.exporting:run", {}, Said())
    jobs.start(INVERSION, order(np.zeros((8, 8, 1), np.uint8), path="faces.safetensors"), Said())
    assert others.started == ["latentlab.engine.exporting:run", INVERSION]


def test_what_is_wrong_is_said(decoder: nn.Module) -> None:
    said = Said()
    InProcessJobs(explorable(decoder), OtherJobs()).start(INVERSION, order(np.zeros((8, 8), np.uint8)), said)
    failed = said.last()
    assert isinstance(failed, JobFailed)
    assert "must be uint8 (H, W, C)" in failed.message


def test_a_decoder_without_gradients_is_known_not_to_be_invertible(decoder: nn.Module) -> None:
    def through_numpy(latents: torch.Tensor) -> np.ndarray[Any, Any]:
        return np.tile(1 / (1 + np.exp(-latents.numpy()[:, :1])), (1, 64))

    @torch.no_grad()
    def taped_off(latents: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = decoder(latents)
        return made

    def of_operations(latents: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(latents[:, :1]).expand(-1, 64)

    assert not explorable(through_numpy, latent_dim=4).info.invertible
    assert not explorable(taped_off, latent_dim=4).info.invertible
    assert explorable(of_operations, latent_dim=4).info.invertible
