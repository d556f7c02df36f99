"""The evidence lower bound: reconstruction + beta * KL, *summed* over pixels and latents, mean over the batch.

With a mean over pixels the KL would swamp the rest. Intensities are counted in [0, 1],
so that figures compare with the literature's.
Shapes: B batch, D latent, A attributes, C H W of images in [-1, 1].
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn, optim
from torch.nn import functional as F

from latentlab.models.family import Network
from latentlab.models.vae import VAE, AutoencoderArchitecture
from training.objectives.beginning import begin_from
from training.objectives.objective import Batch, Known, Losses, adam
from training.options import VAEOptions
from training.precision import Precision

NOTHING = Known()
LOG_SIGMA_FLOOR = -6.0  # Rybkin et al. 2021: below this the likelihood would blow up on a constant pixel


def kl_per_dimension(mean_BD: Tensor, log_variance_BD: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) in nats, (B, D); closed form of Kingma and Welling 2014, appendix B."""
    return -0.5 * (1 + log_variance_BD - mean_BD.square() - log_variance_BD.exp())


def sigma_nll(errors: Tensor, batch: int) -> Tensor:
    """Gaussian negative log-likelihood per picture with the analytically optimal sigma of the batch, in nats.

    Rybkin et al. 2021 (sigma-VAE), equations 4 to 6, log sigma softly clipped from below.
    """
    mean_square = errors.square().mean()
    log_sigma = LOG_SIGMA_FLOOR + F.softplus(0.5 * mean_square.clamp_min(1e-12).log() - LOG_SIGMA_FLOOR)
    per_pixel = 0.5 * mean_square * (-2 * log_sigma).exp() + log_sigma + 0.5 * math.log(2 * math.pi)
    return errors.numel() / batch * per_pixel


def reconstruction_loss(likelihood: str, images_BCHW: Tensor, logits_BCHW: Tensor) -> Tensor:
    """Of "bce", "mse" or "sigma": nats (or squared intensities) summed over pixels, mean over the batch."""
    targets = images_BCHW.float().add(1).mul(0.5)
    batch = len(targets)
    if likelihood == "bce":
        return F.binary_cross_entropy_with_logits(logits_BCHW, targets, reduction="sum") / batch
    errors = torch.sigmoid(logits_BCHW) - targets
    return errors.square().sum() / batch if likelihood == "mse" else sigma_nll(errors, batch)


def attribute_loss(logits_BA: Tensor, attributes_BA: Tensor) -> Tensor:
    """Binary cross-entropy in nats, summed over the known attributes, mean over the batch."""
    known_BA = attributes_BA.isfinite()
    targets_BA = (attributes_BA > 0).to(logits_BA.dtype)
    nats_BA = F.binary_cross_entropy_with_logits(logits_BA, targets_BA, reduction="none")
    return (nats_BA * known_BA).sum() / len(logits_BA)


class VAEObjective:
    judged_by: ClassVar[str | None] = "loss"
    network_class: ClassVar[type[VAE]] = VAE

    def __init__(self, architecture: AutoencoderArchitecture, options: VAEOptions, known: Known = NOTHING) -> None:
        self.options = options
        self.vae = self.network_class(architecture)
        if options.start_from:
            begin_from(options.start_from, self.vae)
        self.network: Network = self.vae
        self.modules: dict[str, nn.Module] = {"network": self.vae}
        # Predicts the attributes from the latent; part of the training only, not of the model.
        self.head: nn.Linear | None = None
        if options.attributes and known.attributes:
            self.head = nn.Linear(architecture.latent_dim, known.attributes)
            self.modules["head"] = self.head
        self.optimisers: dict[str, optim.Optimizer] = {}
        self._posterior = self.vae.posterior
        self._logits = self.vae.logits

    def make_optimisers(self) -> None:
        parameters = [parameter for module in self.modules.values() for parameter in module.parameters()]
        self.optimisers["network"] = adam(parameters, self.options.learning_rate, self.options.adam_betas)

    def compile(self) -> None:
        self._posterior = torch.compile(self.vae.posterior)
        self._logits = torch.compile(self.vae.logits)

    def step(self, batch: Batch, step: int, precision: Precision, clip: float | None) -> Losses:
        asked_BK = self._asked(batch, training=True)
        with precision.autocast():
            mean_BD, log_variance_BD = self._posterior(batch.images, asked_BK)
            latents_BD = mean_BD + torch.randn_like(mean_BD) * (0.5 * log_variance_BD).exp()
            logits_BCHW = self._logits(latents_BD, asked_BK)
        losses, objective = self._losses(batch.images, logits_BCHW.float(), mean_BD, log_variance_BD, step)
        if self.head is not None and batch.attributes is not None:
            losses["attributes"] = attribute_loss(self.head(latents_BD), batch.attributes)
            objective = objective + self.options.attributes * losses["attributes"]
        precision.step(objective, self.optimisers["network"], self.vae, clip)
        return {name: loss.detach() for name, loss in losses.items()}

    def evaluate(self, network: Network, batch: Batch, generator: Generator) -> Losses:
        assert isinstance(network, VAE)
        asked_BK = self._asked(batch, training=False)
        mean_BD, log_variance_BD = network.posterior(batch.images, asked_BK)
        noise_BD = torch.randn(mean_BD.shape, generator=generator).to(mean_BD.device)
        latents_BD = mean_BD + noise_BD * (0.5 * log_variance_BD).exp()
        logits_BCHW = network.logits(latents_BD, asked_BK).float()
        losses, _ = self._losses(batch.images, logits_BCHW, mean_BD, log_variance_BD, None)
        if self.head is not None and batch.attributes is not None:
            losses["attributes"] = attribute_loss(self.head(latents_BD), batch.attributes)
        return losses

    def _asked(self, batch: Batch, *, training: bool) -> Tensor | None:
        """What a conditional family is told beside the pictures, (B, K)."""
        return None

    def _losses(
        self, images: Tensor, logits: Tensor, mean_BD: Tensor, log_variance_BD: Tensor, step: int | None
    ) -> tuple[Losses, Tensor]:
        """What is reported (`loss` is -ELBO for beta 1) and what is minimised."""
        options = self.options
        targets = images.float().add(1).mul(0.5)
        errors = torch.sigmoid(logits) - targets
        kl_BD = kl_per_dimension(mean_BD, log_variance_BD)
        kl = kl_BD.sum(1).mean()
        batch = len(images)
        reconstruction = reconstruction_loss(options.likelihood, images, logits)
        losses = {
            "loss": reconstruction + options.beta * kl,
            "reconstruction": reconstruction,
            "kl": kl,
            "mse": errors.square().mean(),
        }
        objective = reconstruction + self._paid_for(kl_BD, step)
        if options.edges:
            differences = torch.cat([errors.diff(dim=2).flatten(), errors.diff(dim=3).flatten()])
            objective = objective + options.edges * sigma_nll(differences, batch)
        return losses, objective

    def _paid_for(self, kl_BD: Tensor, step: int | None) -> Tensor:
        """What the KL adds to the objective: beta times it, or its distance from the capacity (Burgess et al. 2018)."""
        options = self.options
        if options.capacity is not None:
            risen = 1.0 if step is None else min(1.0, step / max(1, options.capacity_steps))
            return options.capacity_weight * (kl_BD.sum(1).mean() - risen * options.capacity).abs()
        warm = 1.0 if step is None or not options.kl_warmup_steps else min(1.0, step / options.kl_warmup_steps)
        paid = kl_BD.mean(0).clamp_min(options.free_bits).sum() if options.free_bits else kl_BD.sum(1).mean()
        return warm * options.beta * paid
