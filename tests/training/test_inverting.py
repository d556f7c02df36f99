"""The regressor learns from what is drawn of its answers, a few pictures at a time."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from latentlab.models.dcgan import DCGAN, DCGANArchitecture
from training.inverting import REDRAWN, pixel_error
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
