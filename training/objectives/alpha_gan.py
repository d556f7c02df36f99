"""The alpha-GAN: lambda * L1 in place of a likelihood, a discriminator of codes in place of the KL.

Rosca et al. 2017, "Variational Approaches for Auto-Encoding Generative Adversarial Networks", algorithm 1: encoder,
generator, discriminator and code discriminator are updated one after another, each by its own loss.
Shapes: B batch, D latent, A attributes, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Generator, Tensor, nn, optim

from latentlab.models.alpha_gan import AlphaGAN, AlphaGANArchitecture, CodeDiscriminator, drawn, spread_of
from latentlab.models.dcgan import Discriminator
from latentlab.models.family import Network
from training.objectives.augmentation import augmented
from training.objectives.beginning import begin_from
from training.objectives.gan import discriminator_loss, generator_loss
from training.objectives.objective import Batch, Known, Losses
from training.objectives.vae import attribute_loss
from training.options import AlphaGANOptions
from training.precision import Precision

NOTHING = Known()


def adversarial_loss(logits_B: Tensor, kind: str = "ratio") -> Tensor:
    """What the network that makes the fakes minimises, of the logits its fakes are given.

    "ratio" is the paper's -log D + log(1 - D), which of a logit is just its negative: the density ratio's logarithm.
    """
    return -logits_B.mean() if kind == "ratio" else generator_loss(logits_B, kind)


def reconstruction_loss(made_BCHW: Tensor, images_BCHW: Tensor, edges: float = 0.0) -> Tensor:
    """Mean absolute error; `edges` times that of the differences of neighbouring pixels, both ways, is added."""
    errors = made_BCHW - images_BCHW
    loss = errors.abs().mean()
    if edges:
        loss = loss + edges * 0.5 * (errors.diff(dim=2).abs().mean() + errors.diff(dim=3).abs().mean())
    return loss


class AlphaGANObjective:
    judged_by: ClassVar[str | None] = None  # a lower L1 is a softer picture: the last epoch is kept

    def __init__(
        self, architecture: AlphaGANArchitecture, options: AlphaGANOptions, known: Known | None = None
    ) -> None:
        self.options = options
        self.gan = AlphaGAN(architecture)
        self.network: Network = self.gan
        if options.start_from:
            begin_from(options.start_from, self.gan)
        self.discriminator = Discriminator(
            architecture.image_size, architecture.channels, options.discriminator_width or architecture.width
        )
        self.code_discriminator = CodeDiscriminator(architecture.latent_dim, options.code_hidden)
        self.modules: dict[str, nn.Module] = {
            "network": self.gan,
            "discriminator": self.discriminator,
            "code_discriminator": self.code_discriminator,
        }
        # Predicts the attributes from the latent; part of the training only, not of the model.
        self.head: nn.Linear | None = None
        if options.attributes and (known or NOTHING).attributes:
            self.head = nn.Linear(architecture.latent_dim, (known or NOTHING).attributes)
            self.modules["head"] = self.head
        # What each step moves.
        self.moved: dict[str, nn.Module] = {
            "encoder": nn.ModuleList([self.gan.encoder, *([self.head] if self.head else [])]),
            "generator": self.gan.decoder,
            "discriminator": self.discriminator,
            "code_discriminator": self.code_discriminator,
        }
        self.optimisers: dict[str, optim.Optimizer] = {}
        self._encode = self.gan.encode
        self._decode = self.gan.decode
        self._judge: nn.Module = self.discriminator

    def make_optimisers(self) -> None:
        options = self.options
        rates = {
            "encoder": options.encoder_learning_rate or options.learning_rate,
            "generator": options.learning_rate,
            "discriminator": options.discriminator_learning_rate or options.learning_rate,
            "code_discriminator": options.code_learning_rate or options.learning_rate,
        }
        for name, rate in rates.items():
            parameters = list(self.moved[name].parameters())
            fused = parameters[0].device.type in ("cpu", "cuda")
            self.optimisers[name] = optim.Adam(parameters, rate, betas=options.adam_betas, fused=fused)

    def compile(self) -> None:
        self._encode = torch.compile(self.gan.encode)
        self._decode = torch.compile(self.gan.decode)
        self._judge = torch.compile(self.discriminator)  # type: ignore[assignment]

    def step(self, batch: Batch, step: int, precision: Precision, clip: float | None) -> Losses:
        losses: Losses = {}
        codes_BD = self._encoder_step(batch, losses, precision, clip)
        fakes = self._generator_step(batch, codes_BD, losses, precision, clip)
        self._discriminator_step(batch, fakes, losses, precision, clip)
        self._code_step(codes_BD, losses, precision, clip)
        return {name: loss.detach() for name, loss in losses.items()}

    def evaluate(self, network: Network, batch: Batch, generator: Generator) -> Losses:
        """Held-out errors; `code_ratio` is how far the encodings spread beside the prior, 1 where they fill it."""
        assert isinstance(network, AlphaGAN)
        codes_BD = network.encode(batch.images)
        made = network.decode(codes_BD)
        losses = {
            "l1": reconstruction_loss(made, batch.images),
            "mse": (made - batch.images).mul(0.5).square().mean(),
            "code_ratio": (codes_BD / spread_of(network)).square().mean().sqrt(),
        }
        if self.head is not None and batch.attributes is not None:
            losses["attributes"] = attribute_loss(self.head(codes_BD), batch.attributes)
        return losses

    # --- the four steps ----------------------------------------------------------------------------------------

    def _encoder_step(self, batch: Batch, losses: Losses, precision: Precision, clip: float | None) -> Tensor:
        """The codes (B, D) of the batch, without gradient."""
        options = self.options
        # With the running statistics: the encoder learns to serve the generator as it will be used, and the
        # statistics stay those of reconstructions and samples together.
        self.gan.decoder.eval()
        _freeze(self.gan.decoder, self.code_discriminator)
        with precision.autocast():
            codes_BD = self._encode(batch.images)
            made = self._decode(codes_BD)
        rebuilt = reconstruction_loss(made, batch.images, options.edges)
        judged = adversarial_loss(self.code_discriminator(codes_BD / spread_of(self.gan)), options.loss)
        loss = options.reconstruction * rebuilt + options.code * judged
        if self.head is not None and batch.attributes is not None:
            losses["attributes"] = attribute_loss(self.head(codes_BD), batch.attributes)
            loss = loss + options.attributes * losses["attributes"]
        precision.step(loss, self.optimisers["encoder"], self.moved["encoder"], clip)
        _release(self.gan.decoder, self.code_discriminator)
        self.gan.decoder.train()
        losses["e_loss"] = loss
        return codes_BD.detach()

    def _generator_step(
        self, batch: Batch, codes_BD: Tensor, losses: Losses, precision: Precision, clip: float | None
    ) -> Tensor:
        """The reconstructions and as many samples, (2 B, C, H, W), without gradient."""
        options, count = self.options, len(batch)
        latents = torch.cat([codes_BD, drawn(self.gan, count, codes_BD.device)])
        _freeze(self.discriminator)
        with precision.autocast():
            # In one batch, so that batch normalisation treats both alike.
            fakes = self._decode(latents)
            judged = self._judge(augmented(fakes, options.diffaugment)).float()
        losses["l1"] = reconstruction_loss(fakes[:count], batch.images)
        rebuilt = reconstruction_loss(fakes[:count], batch.images, options.edges)
        fooled = adversarial_loss(judged[:count], options.loss) + adversarial_loss(judged[count:], options.loss)
        losses["g_loss"] = options.reconstruction * rebuilt + options.adversarial * fooled
        precision.step(losses["g_loss"], self.optimisers["generator"], self.gan.decoder, clip)
        _release(self.discriminator)
        return fakes.detach()

    def _discriminator_step(
        self, batch: Batch, fakes: Tensor, losses: Losses, precision: Precision, clip: float | None
    ) -> None:
        options, count = self.options, len(batch)
        with precision.autocast():
            real_B = self._judge(augmented(batch.images, options.diffaugment)).float()
            fake_2B = self._judge(augmented(fakes, options.diffaugment)).float()
        losses["d_loss"] = discriminator_loss(real_B, fake_2B, options.label_smoothing)
        precision.step(losses["d_loss"], self.optimisers["discriminator"], self.discriminator, clip)
        losses["d_real"] = torch.sigmoid(real_B.detach()).mean()
        losses["d_reconstruction"] = torch.sigmoid(fake_2B[:count].detach()).mean()
        losses["d_fake"] = torch.sigmoid(fake_2B[count:].detach()).mean()

    def _code_step(self, codes_BD: Tensor, losses: Losses, precision: Precision, clip: float | None) -> None:
        spread = spread_of(self.gan)
        drawn_B = self.code_discriminator(drawn(self.gan, len(codes_BD), codes_BD.device) / spread)
        codes_B = self.code_discriminator(codes_BD / spread)
        losses["c_loss"] = discriminator_loss(drawn_B, codes_B)
        precision.step(losses["c_loss"], self.optimisers["code_discriminator"], self.code_discriminator, clip)
        losses["c_code"] = torch.sigmoid(codes_B.detach()).mean()


def _freeze(*modules: nn.Module) -> None:
    """Their gradients are not needed: a third of the backward pass, and nothing is left behind in them."""
    for module in modules:
        module.requires_grad_(False)


def _release(*modules: nn.Module) -> None:
    for module in modules:
        module.requires_grad_(True)
