"""Generator against discriminator: non-saturating or minimax (Goodfellow et al. 2014), with the practice that lasted.

Real and fake pictures go through the discriminator in batches of their own. Shapes: B batch, C H W in [-1, 1].
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Generator, Tensor, nn, optim
from torch.nn import functional as F

from latentlab.models.dcgan import DCGAN, DCGANArchitecture, Discriminator
from latentlab.models.family import Network
from training.objectives.augmentation import augmented
from training.objectives.objective import Batch, Known, Losses
from training.options import GANOptions
from training.precision import Precision

R1_EVERY = 16  # steps; lazy regularisation, Karras et al. 2020


def discriminator_loss(real_B: Tensor, fake_B: Tensor, smoothing: float = 0.0) -> Tensor:
    """Binary cross-entropy of the logits of real and fake pictures; real ones are worth 1 - `smoothing`."""
    return (
        F.binary_cross_entropy_with_logits(real_B, torch.full_like(real_B, 1 - smoothing)) + F.softplus(fake_B).mean()
    )


def generator_loss(fake_B: Tensor, kind: str = "non-saturating") -> Tensor:
    """-log D(G(z)), or log(1 - D(G(z))) for "minimax", of logits."""
    return F.softplus(-fake_B).mean() if kind == "non-saturating" else -F.softplus(fake_B).mean()


def gradient_penalty(discriminator: nn.Module, images_BCHW: Tensor) -> Tensor:
    """Mean squared norm of the gradient on real pictures (R1; Mescheder et al. 2018), in float32."""
    images = images_BCHW.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


class GANObjective:
    judged_by: ClassVar[str | None] = None

    def __init__(self, architecture: DCGANArchitecture, options: GANOptions, known: Known | None = None) -> None:
        self.options = options
        self.gan = DCGAN(architecture)
        self.network: Network = self.gan
        self.discriminator = Discriminator(
            architecture.image_size,
            architecture.channels,
            options.discriminator_width or architecture.width,
            spectral=options.spectral_norm,
        )
        self.modules: dict[str, nn.Module] = {"network": self.gan, "discriminator": self.discriminator}
        self.optimisers: dict[str, optim.Optimizer] = {}
        self._generate = self.gan.decode
        self._judge: nn.Module = self.discriminator

    def make_optimisers(self) -> None:
        options = self.options
        rates = {
            "network": options.learning_rate,
            "discriminator": options.discriminator_learning_rate or options.learning_rate,
        }
        for name, rate in rates.items():
            parameters = list(self.modules[name].parameters())
            fused = parameters[0].device.type in ("cpu", "cuda")
            self.optimisers[name] = optim.Adam(parameters, rate, betas=options.adam_betas, fused=fused)

    def compile(self) -> None:
        self._generate = torch.compile(self.gan.decode)
        self._judge = torch.compile(self.discriminator)  # type: ignore[assignment]

    def step(self, batch: Batch, step: int, precision: Precision, clip: float | None) -> Losses:
        options = self.options
        for _ in range(options.discriminator_steps):
            with precision.autocast():
                fakes = self._generate(self.gan.draw(len(batch), batch.images.device))
                real_B = self._judge(augmented(batch.images, options.diffaugment)).float()
                fake_B = self._judge(augmented(fakes.detach(), options.diffaugment)).float()
            loss = discriminator_loss(real_B, fake_B, options.label_smoothing)
            penalised = loss
            if options.r1 and step % R1_EVERY == 0:
                penalty = gradient_penalty(self.discriminator, batch.images)
                penalised = loss + 0.5 * options.r1 * R1_EVERY * penalty
            precision.step(penalised, self.optimisers["discriminator"], self.discriminator, clip)
        # The gradient on the discriminator's weights is not needed here: a third of the backward pass.
        self.discriminator.requires_grad_(False)
        with precision.autocast():
            judged_B = self._judge(augmented(fakes, options.diffaugment)).float()
        g_loss = generator_loss(judged_B, options.loss)
        precision.step(g_loss, self.optimisers["network"], self.gan, clip)
        self.discriminator.requires_grad_(True)
        return {
            "d_loss": loss.detach(),
            "g_loss": g_loss.detach(),
            "d_real": torch.sigmoid(real_B.detach()).mean(),
            "d_fake": torch.sigmoid(fake_B.detach()).mean(),
        }

    def evaluate(self, network: Network, batch: Batch, generator: Generator) -> Losses:
        """A generator has no held-out loss; `latentlab.measure` compares its pictures with the data's."""
        return {}
