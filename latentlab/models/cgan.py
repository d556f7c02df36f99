"""The conditional GAN (Mirza and Osindero 2014) with the DCGAN's layers: a class, attributes, or both are asked for.

The generator is told the condition in every batch normalisation, the discriminator judges picture and condition by a
projection. Side by side with the latent, as in the paper, the condition drowns it: within a class all samples were
alike after a few hundred steps. Shapes: B batch, D latent, K numbers of a condition, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from latentlab.models.adversarial import GeneratorArchitecture, GeneratorNetwork
from latentlab.models.conditioning import Conditional, signed
from latentlab.models.dcgan import Generator, initialise

GAIN_SPREAD = 0.3  # of what a condition adds to gain and shift, at the beginning


class CGANArchitecture(GeneratorArchitecture, Conditional):
    name: Literal["cgan"] = "cgan"


class ConditionalNorm(nn.Module):
    """Batch normalisation with a gain and a shift for each condition (de Vries et al. 2017); (B, C, H, W) as it was."""

    def __init__(self, channels: int, conditions: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.told = nn.Linear(conditions, 2 * channels, bias=False)

    def forward(self, features_BCHW: Tensor, said_BK: Tensor) -> Tensor:
        gain, shift = self.told(said_BK)[:, :, None, None].chunk(2, dim=1)
        told: Tensor = self.norm(features_BCHW) * (1 + gain) + shift
        return told


class ConditionalGenerator(Generator):
    """The generator of the DCGAN, told the condition."""

    def __init__(self, a: CGANArchitecture) -> None:
        super().__init__(a)
        for index, layer in enumerate(self.layers):
            if isinstance(layer, nn.BatchNorm2d):
                self.layers[index] = ConditionalNorm(layer.num_features, a.conditions)

    def told(self, latents_BD: Tensor, said_BK: Tensor) -> Tensor:
        features = latents_BD[:, :, None, None]
        for layer in self.layers:
            features = layer(features, said_BK) if isinstance(layer, ConditionalNorm) else layer(features)
        return features


class CGAN(GeneratorNetwork):
    """`decode` without a condition is of an unknown class with unknown attributes."""

    Parameters = CGANArchitecture
    architecture: CGANArchitecture
    generator: ConditionalGenerator

    def __init__(self, architecture: CGANArchitecture) -> None:
        super().__init__(architecture)
        self.generator = ConditionalGenerator(architecture)
        initialise(self.generator)
        for layer in self.generator.layers:
            if isinstance(layer, ConditionalNorm) and not layer.told.weight.is_meta:
                nn.init.normal_(layer.told.weight, 0.0, GAIN_SPREAD)

    def decode(self, latents_BD: Tensor, condition_BK: Tensor | None = None) -> Tensor:
        said_BK = latents_BD.new_zeros(len(latents_BD), self.architecture.conditions)
        if condition_BK is not None:
            said_BK = signed(condition_BK, self.architecture.classes).to(latents_BD.dtype)
        return self.generator.told(latents_BD, said_BK)
