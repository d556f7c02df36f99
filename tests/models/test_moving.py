"""A model is moved to another device as a torch module is; where that cannot be, it stays where it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from latentlab.api.exploring import explorable, with_pictures
from latentlab.core.errors import Failure, OptionError
from latentlab.models.torch_model import TorchModel, model_of
from tests.models.tiny_networks import tiny_network

ELSEWHERE = "cpu:0"  # another device to torch, which every machine has


def on_cpu() -> TorchModel:
    model = model_of(tiny_network("vae"))
    assert model.device == torch.device("cpu")
    return model


def test_it_is_moved_in_place_and_draws_the_same() -> None:
    model = on_cpu()
    z = model.sample(3)
    before = model.decode(z)
    assert model.to(ELSEWHERE) is model
    assert model.device == torch.device(ELSEWHERE)
    np.testing.assert_array_equal(model.decode(z), before)
    assert model.to(torch.device("cpu")).device == torch.device("cpu")


def test_a_model_with_other_encodings_around_it_keeps_them() -> None:
    inner = on_cpu()
    model: Any = with_pictures(inner, inner.decode(inner.sample(4)))
    assert model.to(ELSEWHERE) is model
    assert inner.device == model.device == torch.device(ELSEWHERE)
    assert len(model.encodings) == 4


def test_a_device_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    model = on_cpu()
    for name, said in (("cuda", "CUDA"), ("warp", "no device 'warp'"), ("meta", "not supported")):
        with pytest.raises(OptionError, match=said):
            model.to(name)
    assert model.device == torch.device("cpu")


def test_a_model_that_torch_cannot_move_says_so() -> None:
    model: Any = explorable(lambda latents: latents.new_zeros(len(latents), 1, 8, 8), latent_dim=3)
    assert model.to("cpu") is model
    with pytest.raises(OptionError, match="no weights that torch could move; it runs on cpu"):
        model.to(ELSEWHERE)


def test_a_device_too_small_leaves_the_model_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    model = on_cpu()
    z = model.sample(2)
    before, placed, to = model.decode(z), [], model.network.to

    def full(device: torch.device, **how: Any) -> Any:
        placed.append(device)
        if device == torch.device(ELSEWHERE):
            raise torch.OutOfMemoryError("out of memory")
        return to(device, **how)

    monkeypatch.setattr(model.network, "to", full)
    with pytest.raises(Failure, match="memory of cpu:0 is too small for this model, which stays on cpu"):
        model.to(ELSEWHERE)
    assert placed == [torch.device(ELSEWHERE), torch.device("cpu")], "what had been moved is moved back"
    assert model.device == torch.device("cpu")
    np.testing.assert_array_equal(model.decode(z), before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_there_and_back_again() -> None:
    model = on_cpu()
    z = model.sample(3)
    before = model.decode(z)
    there = model.to("cuda").decode(z)
    assert model.device.type == next(model.network.parameters()).device.type == "cuda"
    np.testing.assert_allclose(there.astype(int), before, atol=1)
    np.testing.assert_array_equal(model.to("cpu").decode(z), before)
