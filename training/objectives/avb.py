"""Adversarial variational Bayes: the KL of a posterior without density, by an adversary (Mescheder et al. 2017).

T(x, z) is trained to tell draws of the encoder from draws of a reference r(z|x); at its best it is
log q(z|x) - log r(z|x), so that KL(q || p) = E_q[T + log r - log p]. With adaptive contrast (section 4) r is the
Gaussian with the mean and variance of q, neither of which carries a gradient; without, it is the prior.
Shapes: B batch, D latent, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Generator, Tensor, nn, optim
from torch.nn import functional as F

from latentlab.models.avb import AVB, DRAWS, Adversary, AVBArchitecture
from latentlab.models.family import Network
from training.objectives.objective import Batch, Known, Losses, adam
from training.objectives.vae import reconstruction_loss
from training.options import AVBOptions
from training.precision import Precision

NOTHING = Known()
NARROWEST = 1e-4  # variance of the reference: a posterior that has collapsed to a point is not divided by nothing


class AVBObjective:
    judged_by: ClassVar[str | None] = None  # its KL is an estimate by a network: no loss of it says what is best

    def __init__(self, architecture: AVBArchitecture, options: AVBOptions, known: Known = NOTHING) -> None:
        self.options = options
        self.avb = AVB(architecture)
        self.network: Network = self.avb
        self.adversary = Adversary(architecture, options.adversary_hidden)
        self.modules: dict[str, nn.Module] = {"network": self.avb, "adversary": self.adversary}
        self.optimisers: dict[str, optim.Optimizer] = {}
        self._logits = self.avb.logits

    def make_optimisers(self) -> None:
        options = self.options
        rates = {"network": options.learning_rate, "adversary": options.adversary_learning_rate}
        for name, rate in rates.items():
            self.optimisers[name] = adam(self.modules[name].parameters(), rate, options.adam_betas)

    def compile(self) -> None:
        self._logits = torch.compile(self.avb.logits)

    def step(self, batch: Batch, step: int, precision: Precision, clip: float | None) -> Losses:
        device, count = batch.images.device, len(batch)
        self.adversary.requires_grad_(False)
        with precision.autocast():
            latents_BD = self.avb.sampled(batch.images, self.avb.noise(count, device))
            logits_BCHW = self._logits(latents_BD)
        reference = self._reference(self.avb, batch.images, precision)
        kl = self._kl(batch.images, latents_BD, reference, precision)
        losses = self._losses(batch.images, logits_BCHW.float(), kl)
        precision.step(losses["loss"], self.optimisers["network"], self.avb, clip)
        self.adversary.requires_grad_(True)
        for _ in range(self.options.adversary_steps):
            losses["adversary"] = self._adversary_step(batch.images, precision, clip)
        return {name: loss.detach() for name, loss in losses.items()}

    def evaluate(self, network: Network, batch: Batch, generator: Generator) -> Losses:
        """The KL is the adversary's estimate, of the network in training."""
        assert isinstance(network, AVB)
        device = batch.images.device
        latents_BD = network.sampled(batch.images, network.noise(len(batch), device, generator))
        precision = Precision(device, "float32")
        reference = self._reference(network, batch.images, precision, generator)
        kl = self._kl(batch.images, latents_BD, reference, precision)
        return self._losses(batch.images, network.logits(latents_BD).float(), kl)

    # --- parts of a step ---------------------------------------------------------------------------------------

    def _losses(self, images_BCHW: Tensor, logits_BCHW: Tensor, kl: Tensor) -> Losses:
        reconstruction = reconstruction_loss(self.options.likelihood, images_BCHW, logits_BCHW)
        errors = torch.sigmoid(logits_BCHW) - images_BCHW.float().add(1).mul(0.5)
        return {
            "loss": reconstruction + kl,
            "reconstruction": reconstruction,
            "kl": kl,
            "mse": errors.square().mean(),
        }

    @torch.no_grad()
    def _reference(
        self, network: AVB, images_BCHW: Tensor, precision: Precision, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (B, D) of r(z|x)."""
        if not self.options.adaptive_contrast:
            shape = (len(images_BCHW), network.architecture.latent_dim)
            return torch.zeros(shape, device=images_BCHW.device), torch.ones(shape, device=images_BCHW.device)
        with precision.autocast():
            noise_SN = network.noise(DRAWS, images_BCHW.device, generator)
            mean_BD, variance_BD = network.moments(images_BCHW, noise_SN)
        return mean_BD, variance_BD.clamp_min(NARROWEST).sqrt()

    def _kl(
        self, images_BCHW: Tensor, latents_BD: Tensor, reference: tuple[Tensor, Tensor], precision: Precision
    ) -> Tensor:
        """E[T + log r - log p], in nats, mean over the batch."""
        mean_BD, std_BD = reference
        normal_BD = (latents_BD - mean_BD) / std_BD
        with precision.autocast():
            ratio_B = self.adversary(images_BCHW, normal_BD)
        log_r_B = -(0.5 * normal_BD.square() + std_BD.log()).sum(1)
        log_p_B = -0.5 * latents_BD.square().sum(1)
        kl: Tensor = (ratio_B + log_r_B - log_p_B).mean()
        return kl

    def _adversary_step(self, images_BCHW: Tensor, precision: Precision, clip: float | None) -> Tensor:
        """Cross-entropy of telling the encoder's draws from the reference's; 1.39 where it cannot."""
        mean_BD, std_BD = self._reference(self.avb, images_BCHW, precision)
        with precision.autocast():
            with torch.no_grad():
                latents_BD = self.avb.sampled(images_BCHW, self.avb.noise(len(images_BCHW), images_BCHW.device))
                encoded_BD = (latents_BD - mean_BD) / std_BD
            features_BF = self.adversary.features(images_BCHW)
            encoded_B = self.adversary.judged(features_BF, encoded_BD)
            drawn_B = self.adversary.judged(features_BF, torch.randn_like(encoded_BD))
        loss = F.softplus(-encoded_B).mean() + F.softplus(drawn_B).mean()
        precision.step(loss, self.optimisers["adversary"], self.adversary, clip)
        return loss
