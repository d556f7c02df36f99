"""Generator against discriminator: non-saturating or minimax (Goodfellow et al. 2014), with the practice that lasted.

Real and fake pictures go through the discriminator in batches of their own. Shapes: B batch, C H W in [-1, 1], K
numbers of a condition.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn, optim
from torch.nn import functional as F

from latentlab.models.adversarial import GeneratorNetwork
from latentlab.models.cgan import CGAN, CGANArchitecture
from latentlab.models.conditioning import condition_rows, signed
from latentlab.models.dcgan import DCGAN, DCGANArchitecture, Discriminator
from latentlab.models.family import Network
from latentlab.models.gan import GAN, DenseDiscriminator, GANArchitecture
from training.alarms import Alarms
from training.objectives.augmentation import augmented
from training.objectives.objective import Batch, Known, Losses, adam
from training.options import DenseGANOptions, GANOptions
from training.precision import Precision

R1_EVERY = 16  # steps; lazy regularisation, Karras et al. 2020


def discriminator_loss(
    real_B: Tensor, fake_B: Tensor, smoothing: float = 0.0, soft: float = 0.0, flips: float = 0.0
) -> Tensor:
    """Binary cross-entropy of the logits of real and fake pictures; real ones are worth 1 - `smoothing`.

    `soft` and `flips` are those of `labels_like`.
    """
    real = F.binary_cross_entropy_with_logits(real_B, labels_like(real_B, 1 - smoothing, soft, flips))
    return real + F.binary_cross_entropy_with_logits(fake_B, labels_like(fake_B, 0.0, soft, flips))


def labels_like(logits_B: Tensor, value: float, soft: float = 0.0, flips: float = 0.0) -> Tensor:
    """(B,) labels of `value`, each drawn from up to `soft` nearer to one half; with probability `flips` the other's."""
    labels_B = torch.full_like(logits_B, value)
    if soft:
        labels_B += math.copysign(soft, 0.5 - value) * torch.rand_like(labels_B)
    if flips:
        labels_B = torch.where(torch.rand_like(labels_B) < flips, 1 - labels_B, labels_B)
    return labels_B


def generator_loss(fake_B: Tensor, kind: str = "non-saturating") -> Tensor:
    """-log D(G(z)), or log(1 - D(G(z))) for "minimax", of logits."""
    return F.softplus(-fake_B).mean() if kind == "non-saturating" else -F.softplus(fake_B).mean()


def gradient_penalty(discriminator: nn.Module, images_BCHW: Tensor, condition_BK: Tensor | None = None) -> Tensor:
    """Mean squared norm of the gradient on real pictures (R1; Mescheder et al. 2018), in float32."""
    images = images_BCHW.detach().requires_grad_(True)
    judged_B = discriminator(images) if condition_BK is None else discriminator(images, condition_BK)
    (gradient,) = torch.autograd.grad(judged_B.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def noise_level(options: GANOptions, step: int) -> float:
    """Standard deviation of the instance noise (Sonderby et al. 2017) at `step`: it falls linearly to nothing."""
    return options.instance_noise * max(0.0, 1 - step / options.instance_noise_steps)


def moved(
    loss: Tensor, optimiser: optim.Optimizer, network: nn.Module, precision: Precision, clip: float | None
) -> Tensor:
    """One step of a network's optimiser; the norm of its gradient."""
    # No limit is a limit that nothing exceeds: the norm is then told and nothing is changed.
    norm = precision.step(loss, optimiser, network, math.inf if clip is None else clip)
    assert norm is not None
    # float16 overflows now and then; such a step is skipped, and is no news.
    return norm.detach().nan_to_num(0, 0, 0) if precision.scaler else norm.detach()


class AdversarialObjective:
    """One step of each network a batch. What a family brings is its two networks, and what they are asked."""

    judged_by: ClassVar[str | None] = None

    def __init__(self, gan: GeneratorNetwork, discriminator: nn.Module, options: GANOptions) -> None:
        self.options = options
        self.gan = gan
        self.network: Network = gan
        self.discriminator = discriminator
        self.modules: dict[str, nn.Module] = {"network": gan, "discriminator": discriminator}
        self.optimisers: dict[str, optim.Optimizer] = {}
        # With labels in the middle, a discriminator that cannot tell says what lies in their middle.
        self.alarms = Alarms(balance=(1 - options.label_smoothing) / 2, stop_after=options.stop_when_balanced)
        self._generate = gan.decode
        self._judge: nn.Module = discriminator

    def make_optimisers(self) -> None:
        options = self.options
        rates = {
            "network": options.learning_rate,
            "discriminator": options.discriminator_learning_rate or options.learning_rate,
        }
        for name, rate in rates.items():
            self.optimisers[name] = adam(self.modules[name].parameters(), rate, options.adam_betas)

    def compile(self) -> None:
        self._generate = torch.compile(self.gan.decode)
        self._judge = torch.compile(self.discriminator)  # type: ignore[assignment]

    def asked(self, batch: Batch) -> Tensor | None:
        """(B, K) the condition of each picture of the batch, which is asked of the fakes too; None: nothing is."""
        return None

    def said(self, condition_BK: Tensor | None) -> Tensor | None:
        """The same as the discriminator hears it."""
        return condition_BK

    def step(self, batch: Batch, step: int, precision: Precision, clip: float | None) -> Losses:
        options, turns = self.options, self.options.discriminator_steps
        asked = self.asked(batch)
        heard = self.said(asked)
        for turn in range(turns):
            with precision.autocast():
                # Only the last fakes teach the generator.
                with torch.set_grad_enabled(turn == turns - 1):
                    fakes = self._generate(self.gan.draw(len(batch), batch.images.device), asked)
                real_B = self._judged(batch.images, heard, step)
                fake_B = self._judged(fakes.detach(), heard, step)
            loss = discriminator_loss(real_B, fake_B, options.label_smoothing, options.soft_labels, options.label_flips)
            penalised = loss
            if options.r1 and step % R1_EVERY == 0:
                penalty = gradient_penalty(self.discriminator, batch.images, heard)
                penalised = loss + 0.5 * options.r1 * R1_EVERY * penalty
            d_gradient = moved(penalised, self.optimisers["discriminator"], self.discriminator, precision, clip)
        # The gradient on the discriminator's weights is not needed here: a third of the backward pass.
        self.discriminator.requires_grad_(False)
        with precision.autocast():
            judged_B = self._judged(fakes, heard, step)
        g_loss = generator_loss(judged_B, options.loss)
        g_gradient = moved(g_loss, self.optimisers["network"], self.gan, precision, clip)
        self.discriminator.requires_grad_(True)
        return {
            "d_loss": loss.detach(),
            "g_loss": g_loss.detach(),
            "d_real": torch.sigmoid(real_B.detach()).mean(),
            "d_fake": torch.sigmoid(fake_B.detach()).mean(),
            "d_gradient": d_gradient,
            "g_gradient": g_gradient,
            "spread": relative_spread(fakes.detach(), batch.images),
        }

    def evaluate(self, network: Network, batch: Batch, generator: Generator) -> Losses:
        """A generator has no held-out loss; `latentlab.measure` compares its pictures with the data's."""
        return {}

    def _judged(self, images_BCHW: Tensor, heard_BK: Tensor | None, step: int) -> Tensor:
        """(B,) logits of the pictures as the discriminator gets to see them, in float32."""
        seen = augmented(images_BCHW, self.options.diffaugment)
        if level := noise_level(self.options, step):
            seen = seen + level * torch.randn_like(seen)
        logits_B: Tensor = self._judge(seen) if heard_BK is None else self._judge(seen, heard_BK)
        return logits_B.float()


@torch.no_grad()
def relative_spread(fakes_BCHW: Tensor, real_BCHW: Tensor) -> Tensor:
    """How much the samples of a batch differ from each other, beside the data's: mean standard deviation of a pixel."""
    return _deviation(fakes_BCHW.float()) / _deviation(real_BCHW).clamp_min(1e-6)


def _deviation(images_BCHW: Tensor) -> Tensor:
    # Not `std(0)`, which takes twice as long on a CPU.
    return (images_BCHW - images_BCHW.mean(0)).square().mean(0).sqrt().mean()


class GANObjective(AdversarialObjective):
    """Of the deep convolutional GAN."""

    def __init__(self, architecture: DCGANArchitecture, options: GANOptions, known: Known | None = None) -> None:
        a = architecture
        width, spectral = options.discriminator_width or a.width, options.spectral_norm
        super().__init__(DCGAN(a), Discriminator(a.image_size, a.channels, width, spectral=spectral), options)


class DenseGANObjective(AdversarialObjective):
    """Of the fully connected GAN."""

    def __init__(self, architecture: GANArchitecture, options: DenseGANOptions, known: Known | None = None) -> None:
        judge = DenseDiscriminator(architecture, spectral=options.spectral_norm, dropout=options.dropout)
        super().__init__(GAN(architecture), judge, options)


class CGANObjective(AdversarialObjective):
    """Of the conditional GAN: fakes are asked for what the real pictures of the batch show."""

    def __init__(self, architecture: CGANArchitecture, options: GANOptions, known: Known | None = None) -> None:
        a = architecture
        self.architecture = a
        judge = Discriminator(
            a.image_size,
            a.channels,
            options.discriminator_width or a.width,
            spectral=options.spectral_norm,
            conditions=a.conditions,
        )
        super().__init__(CGAN(a), judge, options)

    def asked(self, batch: Batch) -> Tensor | None:
        a = self.architecture
        return condition_rows(len(batch), a.classes, a.attributes, batch.labels, batch.attributes)

    def said(self, condition_BK: Tensor | None) -> Tensor | None:
        return None if condition_BK is None else signed(condition_BK, self.architecture.classes)
