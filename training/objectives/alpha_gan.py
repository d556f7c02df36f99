"""The alpha-GAN: lambda * L1 in place of a likelihood, a discriminator of codes in place of the KL.

Rosca et al. 2017, "Variational Approaches for Auto-Encoding Generative Adversarial Networks", algorithm 1: encoder,
generator, discriminator and code discriminator are updated one after another, each by its own loss.
Shapes: B batch, D latent, C H W of images in [-1, 1].
"""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Generator, Tensor

from latentlab.models.alpha_gan import AlphaGAN, AlphaGANArchitecture, CodeDiscriminator, drawn, spread_of
from latentlab.models.family import Network
from training.objectives.augmentation import augmented
from training.objectives.encoder_gan import EncoderGAN, as_used, frozen
from training.objectives.gan import discriminator_loss, generator_loss
from training.objectives.objective import Batch, Known, Losses
from training.options import AlphaGANOptions
from training.precision import Precision


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


class AlphaGANObjective(EncoderGAN):
    def __init__(
        self, architecture: AlphaGANArchitecture, options: AlphaGANOptions, known: Known | None = None
    ) -> None:
        gan = AlphaGAN(architecture)
        super().__init__(gan, options, known)
        self.options = options
        self.code_discriminator = CodeDiscriminator(architecture.latent_dim, options.code_hidden)
        self.modules["code_discriminator"] = self.moved["code_discriminator"] = self.code_discriminator
        self.rates["code_discriminator"] = options.code_learning_rate or options.learning_rate
        self._encode = gan.encode

    def compile(self) -> None:
        self._encode = torch.compile(self.gan.encode)
        self._decode = torch.compile(self.gan.decode)
        self._judge = torch.compile(self.discriminator)  # type: ignore[assignment]

    def step(self, batch: Batch, step: int, precision: Precision, clip: float | None) -> Losses:
        losses: Losses = {}
        begun = step >= self.options.discriminators_first
        if begun and step % self.options.encoder_every == 0:
            codes_BD = self._encoder_step(batch, losses, precision, clip)
        else:
            codes_BD = self._codes(batch, losses)
        with nullcontext() if begun else as_used(self.gan.decoder):
            fakes = self._generator_step(batch, codes_BD, losses, precision, clip, moves=begun)
        self.discriminator_step(batch, fakes, step, losses, precision, clip)
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
        self.attribute_loss(codes_BD, batch, losses)
        return losses

    # --- the four steps; that of the discriminator is shared ---------------------------------------------------------

    def _encoder_step(self, batch: Batch, losses: Losses, precision: Precision, clip: float | None) -> Tensor:
        """The codes (B, D) of the batch, without gradient."""
        options = self.options
        with as_used(self.gan.decoder), frozen(self.code_discriminator):
            with precision.autocast():
                codes_BD = self._encode(batch.images)
                made = self._decode(codes_BD)
            rebuilt = reconstruction_loss(made, batch.images, options.edges)
            judged = adversarial_loss(self.code_discriminator(codes_BD / spread_of(self.gan)), options.loss)
            told = options.attributes * self.attribute_loss(codes_BD, batch, losses)
            self.move("encoder", options.reconstruction * rebuilt + options.code * judged + told, precision, clip)
        return codes_BD.detach()

    @torch.no_grad()
    def _codes(self, batch: Batch, losses: Losses) -> Tensor:
        """The same where the encoder stays as it is."""
        self.gan.encoder.eval()
        codes_BD: Tensor = self._encode(batch.images)
        self.gan.encoder.train()
        self.attribute_loss(codes_BD, batch, losses)
        return codes_BD

    def _generator_step(
        self,
        batch: Batch,
        codes_BD: Tensor,
        losses: Losses,
        precision: Precision,
        clip: float | None,
        *,
        moves: bool = True,
    ) -> Tensor:
        """The reconstructions and as many samples, (2 B, C, H, W), without gradient."""
        options, count = self.options, len(batch)
        with frozen(self.discriminator), torch.set_grad_enabled(moves):
            with precision.autocast():
                # In one batch, so that batch normalisation treats both alike.
                fakes = self._decode(torch.cat([codes_BD, drawn(self.gan, count, codes_BD.device)]))
                judged = self._judge(augmented(fakes, options.diffaugment)).float()
            losses["l1"] = reconstruction_loss(fakes[:count], batch.images)
            rebuilt = reconstruction_loss(fakes[:count], batch.images, options.edges)
            fooled = adversarial_loss(judged[:count], options.loss) + adversarial_loss(judged[count:], options.loss)
            losses["g_fooling"] = fooled
            losses["g_loss"] = options.reconstruction * rebuilt + options.adversarial * fooled
            losses["g_gradient"] = torch.zeros_like(fooled)
            if moves:
                losses["g_gradient"] = self.move("generator", losses["g_loss"], precision, clip)
        return fakes.detach()

    def _code_step(self, codes_BD: Tensor, losses: Losses, precision: Precision, clip: float | None) -> None:
        spread = spread_of(self.gan)
        drawn_B = self.code_discriminator(drawn(self.gan, len(codes_BD), codes_BD.device) / spread)
        codes_B = self.code_discriminator(codes_BD / spread)
        losses["c_loss"] = discriminator_loss(drawn_B, codes_B)
        self.move("code_discriminator", losses["c_loss"], precision, clip)
        losses["c_code"] = torch.sigmoid(codes_B.detach()).mean()
