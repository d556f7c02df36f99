"""What GANs with an encoder share: networks updated one after another, and a discriminator that sees reconstructions
and samples as fakes.

Shapes: B batch, F fakes, D latent, C H W of images in [-1, 1].
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import torch
from torch import Tensor, nn, optim
from torch.nn.utils.fusion import fuse_conv_bn_eval

from latentlab.core.errors import OptionError
from latentlab.models.dcgan import Discriminator, initialise
from latentlab.models.family import Network
from latentlab.models.layers import halvings
from latentlab.models.vae import COARSEST, Autoencoder, ConvEncoder
from training.alarms import Alarms
from training.objectives.augmentation import augmented
from training.objectives.beginning import begin_from
from training.objectives.gan import R1_EVERY, discriminator_loss, gradient_penalty, moved, relative_spread
from training.objectives.objective import Batch, Known, Losses, adam
from training.objectives.vae import attribute_loss
from training.options import EncoderGANOptions
from training.precision import Precision

NOTHING = Known()


class EncoderGAN:
    """`moved` names what each step moves; a family adds its networks to it and to `modules`, and its steps."""

    judged_by: ClassVar[str | None] = None  # a lower error is a softer picture: the last epoch is kept

    def __init__(self, network: Autoencoder, options: EncoderGANOptions, known: Known | None) -> None:
        architecture = network.architecture
        self.gan = network
        self.network: Network = network
        if options.start_from:
            begin_from(options.start_from, network)
        if options.discriminator == "encoder":
            self.discriminator: Discriminator | EncoderDiscriminator = EncoderDiscriminator(network)
        else:
            width = options.discriminator_width or architecture.width
            self.discriminator = Discriminator(architecture.image_size, architecture.channels, width)
        self.modules: dict[str, nn.Module] = {"network": network, "discriminator": self.discriminator}
        # Predicts the attributes from the latent; part of the training only, not of the model.
        self.head: nn.Linear | None = None
        if options.attributes and (known or NOTHING).attributes:
            self.head = nn.Linear(architecture.latent_dim, (known or NOTHING).attributes)
            self.modules["head"] = self.head
        self.moved: dict[str, nn.Module] = {
            "encoder": nn.ModuleList([network.encoder, *([self.head] if self.head else [])]),
            "generator": network.decoder,
            "discriminator": self.discriminator,
        }
        self.rates = {
            "encoder": options.encoder_learning_rate or options.learning_rate,
            "generator": options.learning_rate,
            "discriminator": options.discriminator_learning_rate or options.learning_rate,
        }
        self.common = options
        self.alarms = Alarms(
            balance=(1 - options.label_smoothing) / 2,
            stop_after=options.stop_when_balanced,
            remedies=("R1, diffaugment", ""),
        )
        self.optimisers: dict[str, optim.Optimizer] = {}
        self._decode = network.decode
        self._judge: nn.Module = self.discriminator

    def make_optimisers(self) -> None:
        for name, rate in self.rates.items():
            self.optimisers[name] = adam(self.moved[name].parameters(), rate, self.common.adam_betas)

    def attribute_loss(self, codes_BD: Tensor, batch: Batch, losses: Losses) -> Tensor | float:
        """0 where no attributes are predicted; `losses` hears of it otherwise."""
        if self.head is None or batch.attributes is None:
            return 0.0
        losses["attributes"] = attribute_loss(self.head(codes_BD), batch.attributes)
        return losses["attributes"]

    def move(self, name: str, loss: Tensor, precision: Precision, clip: float | None) -> Tensor:
        """One step of a network; the norm of its gradient."""
        return moved(loss, self.optimisers[name], self.moved[name], precision, clip)

    def discriminator_step(
        self, batch: Batch, fakes_FCHW: Tensor, step: int, losses: Losses, precision: Precision, clip: float | None
    ) -> None:
        """The first of the fakes are reconstructions of the batch, the others samples; all count alike."""
        policy, count = self.common.diffaugment, len(batch)
        with precision.autocast():
            real_B = self._judge(augmented(batch.images, policy)).float()
            fake_F = self._judge(augmented(fakes_FCHW, policy)).float()
        losses["d_loss"] = discriminator_loss(real_B, fake_F, self.common.label_smoothing)
        penalised = losses["d_loss"]
        if self.common.r1 and step % R1_EVERY == 0:
            penalty = gradient_penalty(self.discriminator, batch.images)
            penalised = penalised + 0.5 * self.common.r1 * R1_EVERY * penalty
        losses["d_gradient"] = self.move("discriminator", penalised, precision, clip)
        losses["d_real"] = torch.sigmoid(real_B.detach()).mean()
        losses["d_reconstruction"] = torch.sigmoid(fake_F[:count].detach()).mean()
        losses["d_fake"] = torch.sigmoid(fake_F[count:].detach()).mean()
        losses["spread"] = relative_spread(fakes_FCHW[count:], batch.images)


class EncoderDiscriminator(nn.Module):
    """Images (B, C, H, W) to logits (B,): a convolutional encoder's layers, one number at their end.

    Batch normalisation is folded into the convolutions, with its statistics as they are.
    """

    def __init__(self, network: Autoencoder) -> None:
        super().__init__()
        if not isinstance(network.encoder, ConvEncoder) or network.architecture.residual:
            raise OptionError("discriminator encoder: only a convolutional encoder without residual blocks can judge.")
        layers: list[nn.Module] = []
        for layer in copy.deepcopy(network.encoder.layers).eval():
            if isinstance(layer, nn.BatchNorm2d):
                layers[-1] = fuse_conv_bn_eval(layers[-1], layer)  # type: ignore[type-var]
            else:
                layers.append(layer)
        moments = network.encoder.moments
        side = halvings(network.architecture.image_size // network.architecture.patch, COARSEST)[-1]
        layers.append(nn.Conv2d(moments.in_features // side**2, 1, side))
        self.layers = nn.Sequential(*layers).train()
        initialise(self.layers[-1])

    def forward(self, images_BCHW: Tensor) -> Tensor:
        logits: Tensor = self.layers(images_BCHW)
        return logits.flatten()


@contextmanager
def frozen(*modules: nn.Module) -> Iterator[None]:
    """Without gradient on their weights: a third of the backward pass is saved, and nothing is left behind in them."""
    for module in modules:
        module.requires_grad_(False)
    yield
    for module in modules:
        module.requires_grad_(True)


@contextmanager
def as_used(decoder: nn.Module) -> Iterator[None]:
    """With running statistics, which stay as they are, and without gradient on its weights.

    The encoder so learns to serve the decoder as it will be used, and the statistics stay those of reconstructions
    and samples together.
    """
    decoder.eval()
    with frozen(decoder):
        yield
    decoder.train()
