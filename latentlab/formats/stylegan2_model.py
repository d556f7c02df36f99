"""A StyleGAN2 generator as a model of two spaces: z, which is drawn, and w, in which truncation works.

Shapes: N draws, B batch, Z and W latents, K numbers of a class.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.latent_model import ImageShape, LatentModel, ModelInfo
from latentlab.core.spaces import LatentSpace
from latentlab.formats.reading import Options
from latentlab.formats.sniff import Found
from latentlab.formats.stylegan2_network import Generator, Plan
from latentlab.formats.weights_model import NUMBERS_AT_MOST, content_hash, filled
from latentlab.models.family import Network
from latentlab.models.torch_model import TorchModel

MEASURED = 4096  # draws of z that say where w lies
KEPT = 2048  # of them, to draw from
SIDES = (8, 2048)
CLASSES_AT_MOST = 10_000


class StyleGAN2(Network):
    def __init__(self, generator: Generator, noisy: bool, mean_W: Tensor | None) -> None:
        nn.Module.__init__(self)  # there is no architecture to validate
        self.generator = generator
        self.noisy = noisy
        self._mean_W = mean_W

    @cached_property
    def spaces(self) -> tuple[LatentSpace, ...]:
        """z is normal; w is where it is mapped to, of which the file may state the mean."""
        plan = self.generator.plan
        z = LatentSpace("z", (plan.z_dim,))
        with torch.inference_mode():
            classes = None
            if plan.embedded:
                drawn = torch.randint(plan.classes, (MEASURED,), generator=torch.Generator().manual_seed(0))
                classes = nn.functional.one_hot(drawn, plan.classes).float()
            w_NW = self.generator.mapping(torch.from_numpy(z.sample(MEASURED)), classes).nan_to_num().numpy()
        mean = w_NW.mean(axis=0) if self._mean_W is None else self._mean_W.nan_to_num().numpy()
        return z, LatentSpace("w", (plan.w_dim,), "empirical", mean, w_NW.std(axis=0), w_NW[:KEPT].copy())

    def decode(self, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        return self.decode_from("z", latents_BD, condition_BK)

    def decode_from(self, space: str, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        w_BW = latents_BD if space == "w" else self.generator.mapping(latents_BD, self._told(condition_BK))
        made: Tensor = self.generator(w_BW, self.noisy)
        return made

    def to_space(
        self, from_space: str, to_space: str, latents_BD: Tensor, condition_BK: Tensor | None = None
    ) -> Tensor:
        if (from_space, to_space) != ("z", "w"):
            raise OptionError(f"Latents of {from_space} cannot be brought to {to_space}; only those of z to w.")
        made: Tensor = self.generator.mapping(latents_BD, self._told(condition_BK))
        return made

    def first_weights(self, space: str) -> Tensor:
        """Of w: the affine layers of every convolution and of the last picture, one below another (O, W).

        As SeFa takes them (Shen and Zhou 2021, section 3.1). z is brought to one length before any layer.
        """
        if space != "w":
            raise OptionError(
                "z of a StyleGAN is brought to one length first, so that weights say nothing of it; switch to "
                "the space w."
            )
        hearing: list[nn.Module] = [*self.generator.layers, self.generator.pictures[-1]]
        return torch.cat([layer.get_submodule("affine").get_parameter("weight").float() for layer in hearing]).cpu()

    def _told(self, condition_BK: Tensor | None) -> Tensor | None:
        return condition_BK if self.generator.plan.embedded else None


def stylegan2_model(
    file: Found,
    options: Options,
    *,
    title: str,
    plan: Plan,
    state: Mapping[str, Tensor],
    mean_W: Tensor | None = None,
    training: Mapping[str, Any] | None = None,
) -> LatentModel:
    """The model of weights under our own names. Raises CheckpointError where one does not fit the others."""
    check(plan)
    generator = filled(lambda: Generator(plan), state, file)
    assert isinstance(generator, Generator)
    if mean_W is not None and mean_W.shape != (plan.w_dim,):
        raise ValueError(f"its mean of w has the shape {tuple(mean_W.shape)}")
    network = StyleGAN2(generator, options.noise, mean_W)
    classes = tuple(str(label) for label in range(plan.classes)) if plan.embedded else None
    info = ModelInfo(
        path=str(file.path),
        format=title,
        family="stylegan2",
        image=ImageShape(plan.side, plan.side, plan.pictures),
        spaces=network.spaces,
        encoder=False,
        conditional=classes,
        invertible=True,
        training=dict(training or {}),
        licence="not stated in the file",
        sha256=content_hash(file),
        mappings=(("z", "w"),),
    )
    return TorchModel(network, info, device=options.device)


def check(plan: Plan) -> None:
    """Raises ValueError or CheckpointError for what no generator is, before anything is built."""
    if plan.pictures not in (1, 3) or not SIDES[0] <= plan.side <= SIDES[1] or len(plan.channels) % 2:
        raise ValueError(f"it draws {plan.pictures} channels of {plan.side} px")
    if not 0 <= plan.classes <= CLASSES_AT_MOST or not 2 <= plan.taps <= 16:
        raise ValueError(f"it states {plan.classes} classes and a filter of {plan.taps} taps")
    largest = max(
        max(pair) * (4 * 2 ** ((index + 1) // 2)) ** 2
        for index, pair in enumerate(zip(plan.channels, plan.channels[1:], strict=False))
    )
    if largest > NUMBERS_AT_MOST:
        raise CheckpointError(f"One picture asks for {largest:,} numbers at once; at most {NUMBERS_AT_MOST:,} fit.")


def fixed_noise(index: int) -> Tensor:
    """For a file without any: what was drawn anew for each picture is drawn once here, the same everywhere."""
    side = 4 * 2 ** ((index + 1) // 2)
    return torch.from_numpy(np.random.default_rng(index).standard_normal((side, side)).astype(np.float32))
