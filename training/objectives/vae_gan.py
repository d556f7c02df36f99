"""The VAE/GAN: errors are counted in a layer of the discriminator instead of in pixels.

Larsen et al. 2016, "Autoencoding beyond pixels using a learned similarity metric", algorithm 1: the encoder minimises
KL + feature error, the decoder gamma * feature error and being found out, the discriminator its own mistakes.
Shapes: B batch, D latent, L features of a picture, C H W of images in [-1, 1].
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor, nn

from latentlab.core.errors import OptionError
from latentlab.models.alpha_gan import drawn, spread_of
from latentlab.models.family import Network
from latentlab.models.vae import VAE
from latentlab.models.vae_gan import VAEGAN, VAEGANArchitecture
from training.objectives.augmentation import augmented
from training.objectives.encoder_gan import EncoderGAN, as_used, frozen
from training.objectives.gan import generator_loss
from training.objectives.objective import Batch, Known, Losses
from training.objectives.vae import kl_per_dimension, sigma_nll
from training.options import VAEGANOptions
from training.precision import Precision


def feature_nll(errors: Tensor, batch: int, likelihood: str = "unit") -> Tensor:
    """-log p(features of x | z) per picture in nats: Gaussian, around the reconstruction's features (equation 7)."""
    if likelihood == "sigma":
        return sigma_nll(errors, batch)
    return (0.5 * errors.square().sum() + 0.5 * errors.numel() * math.log(2 * math.pi)) / batch


def kl_to_prior(vae: VAE, mean_BD: Tensor, log_variance_BD: Tensor) -> Tensor:
    """KL(q(z|x) || p(z)) in nats, mean over the batch; a prior that was measured is wider in some axes than others."""
    spread = torch.as_tensor(spread_of(vae), device=mean_BD.device)
    return kl_per_dimension(mean_BD / spread, log_variance_BD - 2 * spread.log()).sum(1).mean()


class VAEGANObjective(EncoderGAN):
    def __init__(self, architecture: VAEGANArchitecture, options: VAEGANOptions, known: Known | None = None) -> None:
        vae = VAEGAN(architecture)
        super().__init__(vae, options, known)
        self.options = options
        self.vae: VAE = vae
        self._posterior = vae.posterior
        ends = [n for n, layer in enumerate(self.discriminator.layers) if isinstance(layer, nn.LeakyReLU | nn.SiLU)]
        layer_used = options.feature_layer or max(1, len(ends) - 1)
        if layer_used > len(ends):
            raise OptionError(
                f"feature_layer {layer_used}: the discriminator of pictures of {architecture.image_size} px "
                f"has {len(ends)} such layers."
            )
        self.cut = ends[layer_used - 1] + 1

    def compile(self) -> None:
        self._posterior = torch.compile(self.vae.posterior)
        self._decode = torch.compile(self.gan.decode)

    def features(self, images_BCHW: Tensor) -> Tensor:
        """float32 (B, L): what the discriminator makes of the pictures in its layer `feature_layer`."""
        features: Tensor = self.discriminator.layers[: self.cut](images_BCHW)
        return features.flatten(1).float()

    def step(self, batch: Batch, step: int, precision: Precision, clip: float | None) -> Losses:
        losses: Losses = {}
        latents_BD = self._encoder_step(batch, losses, precision, clip)
        fakes = self._generator_step(batch, latents_BD, losses, precision, clip)
        self.discriminator_step(batch, fakes, step, losses, precision, clip)
        return {name: loss.detach() for name, loss in losses.items()}

    def evaluate(self, network: Network, batch: Batch, generator: Generator) -> Losses:
        assert isinstance(network, VAEGAN)
        mean_BD, log_variance_BD = network.posterior(batch.images)
        made = network.decode(mean_BD)
        losses = {
            "mse": (made - batch.images).mul(0.5).square().mean(),
            "kl": kl_to_prior(network, mean_BD, log_variance_BD),
            "features": self._feature_loss(self.features(batch.images), made),
        }
        self.attribute_loss(mean_BD, batch, losses)
        return losses

    # --- the three steps; that of the discriminator is shared --------------------------------------------------

    def _encoder_step(self, batch: Batch, losses: Losses, precision: Precision, clip: float | None) -> Tensor:
        """Latents (B, D) drawn from the posteriors, without gradient."""
        options = self.options
        with as_used(self.gan.decoder), frozen(self.discriminator):
            with precision.autocast():
                mean_BD, log_variance_BD = self._posterior(batch.images)
                latents_BD = mean_BD + torch.randn_like(mean_BD) * (0.5 * log_variance_BD).exp()
                made = self._decode(latents_BD)
                wanted_BL = self.features(batch.images).detach()
            losses["kl"] = kl_to_prior(self.vae, mean_BD, log_variance_BD)
            told = options.attributes * self.attribute_loss(latents_BD, batch, losses)
            similar = self._similarity(wanted_BL, made, batch, precision)
            losses["e_loss"] = options.beta * losses["kl"] + similar + told
            self.move("encoder", losses["e_loss"], precision, clip)
        return latents_BD.detach()

    def _generator_step(
        self, batch: Batch, latents_BD: Tensor, losses: Losses, precision: Precision, clip: float | None
    ) -> Tensor:
        """The reconstructions and as many samples, (2 B, C, H, W), without gradient."""
        options, count = self.options, len(batch)
        with frozen(self.discriminator):
            with precision.autocast():
                # In one batch, so that batch normalisation treats both alike.
                fakes = self._decode(torch.cat([latents_BD, drawn(self.gan, count, latents_BD.device)]))
                wanted_BL = self.features(batch.images).detach()
                judged = self._judge(augmented(fakes, options.diffaugment)).float()
            made = fakes[:count]
            losses["features"] = self._feature_loss(wanted_BL, made).detach()
            losses["mse"] = (made.detach() - batch.images).mul(0.5).square().mean()
            fooled = generator_loss(judged[:count], options.loss) + generator_loss(judged[count:], options.loss)
            losses["g_fooling"] = fooled
            losses["g_loss"] = options.gamma * self._similarity(wanted_BL, made, batch, precision) + fooled
            losses["g_gradient"] = self.move("generator", losses["g_loss"], precision, clip)
        return fakes.detach()

    def _similarity(self, wanted_BL: Tensor, made: Tensor, batch: Batch, precision: Precision) -> Tensor:
        """In nats per picture: of the features and, where asked, of the pixels."""
        with precision.autocast():
            loss = self._feature_loss(wanted_BL, made)
        if self.options.pixels:
            loss = loss + self.options.pixels * sigma_nll((made - batch.images) * 0.5, len(batch))
        return loss

    def _feature_loss(self, wanted_BL: Tensor, made: Tensor) -> Tensor:
        return feature_nll(self.features(made) - wanted_BL, len(made), self.options.feature_likelihood)
