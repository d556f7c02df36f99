"""What is computed again in the backward pass changes no number, and is not kept until then."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from latentlab.models.recomputed import forward_with_less


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    found: list[nn.Module] = []
    for channels_in, channels_out, stride in ((3, 8, 2), (8, 8, 1), (8, 16, 2)):
        found += [nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False), nn.BatchNorm2d(channels_out)]
        found.append(nn.LeakyReLU(0.2, inplace=True))
    return nn.Sequential(*found, nn.Flatten(), nn.Linear(16 * 4 * 4, 5))


def kept_bytes(forward: Callable[[], Tensor]) -> int:
    """Of the different tensors that wait for the backward pass."""
    kept: dict[int, int] = {}

    def keep(value: Tensor) -> Tensor:
        kept[value.data_ptr()] = value.nbytes
        return value

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        forward()
    return sum(kept.values())


def test_gradients_and_running_statistics_are_the_same_bit_for_bit() -> None:
    plain = layers()
    less = copy.deepcopy(plain)
    for step in range(3):
        images = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(step))
        for network, run in ((plain, plain), (less, lambda shown: forward_with_less(less, shown))):
            network.zero_grad()
            torch.autograd.backward(run(images).square().mean())
        for mine, theirs in zip(less.parameters(), plain.parameters(), strict=True):
            assert mine.grad is not None
            assert theirs.grad is not None
            assert torch.equal(mine.grad, theirs.grad)
            with torch.no_grad():
                mine -= 0.1 * mine.grad
                theirs -= 0.1 * theirs.grad
        for name, value in plain.state_dict().items():
            assert torch.equal(less.state_dict()[name], value), name
    less.eval()
    plain.eval()
    assert torch.equal(forward_with_less(less, images), plain(images))


def test_feature_maps_that_can_be_made_again_are_not_kept() -> None:
    """Of two maps for each convolution, one; pictures and weights, which are kept too, are small beside them."""
    images = torch.randn(64, 3, 16, 16)
    network = layers()
    assert kept_bytes(lambda: forward_with_less(network, images)) < 0.65 * kept_bytes(lambda: network(images))
