"""The regressor learns from what is drawn of its answers, a few pictures at a time, and in parts that add up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from latentlab.models.dcgan import DCGAN, DCGANArchitecture
from latentlab.models.in_parts import FEWEST
from latentlab.models.inverter import Inverter
from training.data.rows import Rows
from training.inverting import BATCH, REDRAWN, fit_inverter, pixel_error
from training.precision import Precision


def test_the_gradient_is_that_of_all_pictures_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network = DCGAN(DCGANArchitecture(image_size=16, channels=1, latent_dim=3, width=4)).eval().requires_grad_(False)
    codes_BD, real_BCHW = torch.randn(2 * REDRAWN + 3, 3, requires_grad=True), torch.rand(2 * REDRAWN + 3, 1, 16, 16)
    (wanted_BD,) = torch.autograd.grad(F.mse_loss(network.decode(codes_BD), real_BCHW), codes_BD)
    drawn: list[int] = []
    decode = network.decode
    monkeypatch.setattr(network, "decode", lambda given, asked: (drawn.append(len(given)), decode(given, asked))[1])
    error = pixel_error(network, codes_BD, real_BCHW, None, Precision.choose(torch.device("cpu"), "float32"))
    (found_BD,) = torch.autograd.grad(error, codes_BD)
    torch.testing.assert_close(found_BD, wanted_BD, rtol=1e-4, atol=1e-9)
    assert drawn == [REDRAWN, REDRAWN, 3]


def test_a_batch_is_learned_from_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many drawn pictures as real ones in each, and one step for all of them."""
    monkeypatch.setattr("latentlab.models.in_parts.PIXELS", 0)
    torch.manual_seed(0)
    network = DCGAN(DCGANArchitecture(image_size=16, channels=1, latent_dim=3, width=4))
    sizes: list[int] = []
    forward = Inverter.forward
    monkeypatch.setattr(Inverter, "forward", lambda self, given: (sizes.append(len(given)), forward(self, given))[1])
    taken: list[int] = []
    images = Rows.of(np.zeros((20, 16, 16, 1), np.uint8), np.arange(20))
    take = images.take
    monkeypatch.setattr(images, "take", lambda chosen: (taken.append(len(chosen)), take(chosen))[1])
    told: list[int] = []
    precision = Precision.choose(torch.device("cpu"), "float32")
    fit_inverter(network, images, 2, width=4, precision=precision, report=lambda done, *_: told.append(done))
    parts = 2 * BATCH // FEWEST
    assert sizes == [FEWEST] * 2 * parts
    assert taken == [FEWEST // 2] * 2 * parts
    assert told == [1, 2]


def test_gradients_of_parts_add_up_to_that_of_the_batch() -> None:
    precision = Precision.choose(torch.device("cpu"), "float32")
    inputs_BD, wanted_B = torch.randn(8, 3), torch.randn(8, 1)
    moved: list[torch.Tensor] = []
    for parts in (1, 4):
        layer = torch.nn.Linear(3, 1)
        torch.nn.init.ones_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        optimiser = torch.optim.SGD(layer.parameters(), 0.5)
        for given, wanted in zip(inputs_BD.chunk(parts), wanted_B.chunk(parts), strict=True):
            precision.backward(F.mse_loss(layer(given), wanted) / parts)
        precision.move(optimiser, layer, 0.3)
        assert layer.weight.grad is None
        moved.append(layer.weight.detach())
    torch.testing.assert_close(moved[0], moved[1])
    assert not torch.equal(moved[0], torch.ones(1, 3))
