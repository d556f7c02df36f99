"""The first layer a latent reaches, in every family and in decoders of other people."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_networks import TINY, tiny_network
from torch import Tensor, nn

from latentlab.core.errors import OptionError
from latentlab.core.latent_model import ImageShape
from latentlab.core.unsupervised import first_weights_of
from latentlab.formats.any_module import ModuleNetwork
from latentlab.models.torch_model import model_of


def network_around(decoder: nn.Module, dim: int) -> ModuleNetwork:
    return ModuleNetwork(decoder.eval(), (dim,), ImageShape(4, 4, 1), "tanh")


@pytest.mark.parametrize("kind", TINY)
def test_every_family_names_its_first_layer(kind: str) -> None:
    model = model_of(tiny_network(kind))
    weights_OD = first_weights_of(model, "z")
    assert weights_OD.shape[1] == model.info.spaces[0].dim
    assert np.isfinite(weights_OD).all()
    assert np.abs(weights_OD).max() > 0


def test_the_weights_of_a_transposed_convolution_are_read_as_they_stand() -> None:
    network = tiny_network("dcgan")
    first = network.generator.layers[0]  # type: ignore[union-attr,index]
    stored = first.weight.detach().numpy()  # (D, C, 4, 4)
    np.testing.assert_allclose(network.first_weights("z").numpy(), stored.reshape(len(stored), -1).T, atol=1e-6)


def test_turned_axes_are_part_of_the_answer() -> None:
    network = tiny_network("vae empirical")
    with torch.random.fork_rng():
        torch.manual_seed(1)
        axes = torch.linalg.qr(torch.randn(4, 4))[0]
    network.axes = axes
    network.centre = torch.tensor([1.0, -2.0, 3.0, 0.5])
    expected = network.decoder.project.weight.detach() @ axes  # type: ignore[union-attr]
    np.testing.assert_allclose(network.first_weights("z").numpy(), expected.numpy(), atol=1e-5)


def test_a_layer_that_hears_the_class_alone_is_not_the_first() -> None:
    class Told(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.of_class, self.of_latent, self.last = nn.Linear(3, 2), nn.Linear(5, 7), nn.Linear(9, 16)

        def forward(self, latents: Tensor, told: Tensor) -> Tensor:
            heard = self.of_class(told)
            return torch.tanh(self.last(torch.cat([heard, torch.relu(self.of_latent(latents))], dim=1)))

    told = Told()
    network = ModuleNetwork(told.eval(), (5,), ImageShape(4, 4, 1), "tanh", classes=("a", "b", "c"))
    np.testing.assert_allclose(network.first_weights("z").numpy(), told.of_latent.weight.detach().numpy(), atol=1e-6)


def test_what_is_not_linear_says_so() -> None:
    class Normalised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(5, 16)

        def forward(self, latents: Tensor) -> Tensor:
            made: Tensor = self.layer(latents / latents.norm(dim=1, keepdim=True).clamp_min(1e-8))
            return made

    with pytest.raises(OptionError, match="not linear in the latent"):
        network_around(Normalised(), 5).first_weights("z")


def test_what_has_no_layers_says_so() -> None:
    class Bare(nn.Module):
        def forward(self, latents: Tensor) -> Tensor:
            return latents.repeat(1, 4)

    with pytest.raises(OptionError, match="cannot be looked at"):
        network_around(Bare(), 4).first_weights("z")


def test_no_hook_stays_behind() -> None:
    network = tiny_network("gan")
    network.first_weights("z")
    assert not any(module._forward_hooks for module in network.modules())
