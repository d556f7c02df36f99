"""What `evaluate` says of a latent space: likelihoods, continuity, and how well a denoising autoencoder repairs.

Shapes: B pictures, D latent, S draws of an encoder, K numbers of a condition, C H W of images in [-1, 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentlab.core.checkpoint_file import Header
from latentlab.measure.encoding import told_of
from latentlab.measure.figures import along_paths, rounded
from latentlab.measure.latent_quality import MSE_LOG_SIGMA, Explained, Likelihood, Proposal, explained
from latentlab.measure.metrics import mse, psnr
from latentlab.models.avb import AVB
from latentlab.models.torch_model import TorchModel
from latentlab.models.vae import VAE, Autoencoder
from training.corruption import Corruption
from training.data import Dataset
from training.data.dataset import Part
from training.sheets import as_bytes, as_inputs

PICTURES = 500  # at most, whose likelihood is estimated
AT_ONCE = 50
FITTED_TO = 2000  # draws of an encoder without density
SIGMA_PICTURES = 1000  # of the training data, whose errors are the likelihood's sigma
DAMAGED = 2000
SMALLEST_SIGMA = 1e-3


@dataclass(frozen=True, eq=False)
class Latents:
    """A network with an encoder that says a distribution, and what it is told of pictures."""

    model: TorchModel
    network: Autoencoder
    generator: torch.Generator

    def proposal(self, images_BCHW: Tensor, asked_BK: Tensor | None) -> Proposal:
        """The posterior; of one without density, a Gaussian fitted to its draws."""
        if isinstance(self.network, AVB):
            noise_SN = self.network.noise(FITTED_TO, images_BCHW.device, self.generator)
            return Proposal.fitted(self.network.samples(images_BCHW, noise_SN))
        assert isinstance(self.network, VAE)
        return Proposal.diagonal(*self.network.posterior(images_BCHW, asked_BK))

    def logits(self, latents_ND: Tensor, asked_BK: Tensor | None) -> Tensor:
        """Of N = k B latents, the pictures within a draw."""
        many = None if asked_BK is None else asked_BK.repeat(len(latents_ND) // len(asked_BK), 1)
        return self.network.logits(latents_ND, many)

    def batches(self, data: Dataset) -> list[tuple[Tensor, Tensor | None]]:
        """(images (B, C, H, W), conditions (B, K) where there are any)."""
        rows = self.model.conditions(told_of(self.model.info, data, len(data)), len(data))
        device = self.model.device
        return [
            (
                as_inputs(data.images[start : start + AT_ONCE]).to(device),
                None if rows is None else rows[start : start + AT_ONCE].to(device),
            )
            for start in range(0, len(data), AT_ONCE)
        ]


@torch.inference_mode()
def of_likelihood(
    model: TorchModel, header: Header, train: Dataset | Part, held_out: Dataset, draws: int, seed: int = 0
) -> dict[str, Any]:
    """ELBO and importance-weighted NLL in nats, in float32; empty where the encoder says no distribution.

    With the family's own likelihood, and with "bce" besides, which compares across families.
    """
    network = model.network
    if not isinstance(network, VAE | AVB):
        return {}
    latents = Latents(model, network, torch.Generator().manual_seed(seed))
    shown = held_out.limited(PICTURES)
    likelihood = _likelihood(latents, header, train)
    figures: dict[str, Any] = {"likelihood": likelihood.kind, "pictures": len(shown), "importance_samples": draws}
    if likelihood.kind == "gaussian":
        figures["sigma"] = rounded(math.exp(likelihood.log_sigma))
    if isinstance(network, AVB):
        figures["proposal"] = f"a Gaussian fitted to {FITTED_TO:,} draws of the encoder, which has no density"
    figures |= _estimated(latents, likelihood, shown, draws)
    if likelihood.kind != "bce":
        figures["bce"] = _estimated(latents, Likelihood("bce"), shown, draws)
    return figures


def of_continuity(model: TorchModel, held_out: Dataset) -> dict[str, float]:
    """Along paths between encodings; empty where they are all the same, and for models that are told a condition."""
    if model.info.takes_condition:
        return {}
    return along_paths(model.decode_float, model.encode(held_out.limited(PICTURES).images))


@torch.inference_mode()
def of_denoising(model: TorchModel, header: Header, held_out: Dataset, seed: int = 0) -> dict[str, Any]:
    """What damage costs, and what is left of it once it is repaired; empty for other families."""
    text = header.training.get("objective", {}).get("corruption")
    if header.family != "dae" or not text:
        return {}
    images = held_out.limited(DAMAGED).images
    generator = torch.Generator().manual_seed(seed)
    damaged = as_bytes(Corruption.parse(str(text)).applied(as_inputs(images), generator))
    repaired = model.decode_float(model.encode(damaged))
    figures: dict[str, Any] = {"corruption": str(text), "pictures": len(images)}
    for name, pictures in (("damaged", damaged), ("repaired", repaired)):
        figures[f"{name}_mse"] = rounded(mse(pictures, images).mean())
        figures[f"{name}_psnr_db"] = rounded(psnr(pictures, images).mean())
    return figures


def _likelihood(latents: Latents, header: Header, train: Dataset | Part) -> Likelihood:
    """As it was trained; the sigma of a sigma-VAE is that of its errors on training data, then held."""
    kind = header.training.get("objective", {}).get("likelihood", "sigma" if header.training else "bce")
    if kind == "mse":
        return Likelihood("gaussian", MSE_LOG_SIGMA)
    if kind != "sigma":
        return Likelihood("bce")
    squares: list[float] = []
    for images_BCHW, asked_BK in latents.batches(train.limited(SIGMA_PICTURES)):
        drawn_BD = latents.proposal(images_BCHW, asked_BK).draw(1, latents.generator)[0]
        errors = torch.tanh(latents.logits(drawn_BD, asked_BK).float() / 2) - images_BCHW
        squares += (0.5 * errors).square().flatten(1).mean(1).tolist()
    return Likelihood("gaussian", math.log(max(SMALLEST_SIGMA, math.sqrt(float(np.mean(squares))))))


def _estimated(latents: Latents, likelihood: Likelihood, data: Dataset, draws: int) -> dict[str, float]:
    std = latents.network.spaces[0].std
    std_D = None if std is None else torch.from_numpy(std).clamp_min(1e-6).to(latents.model.device)
    found: list[Explained] = []
    for images_BCHW, asked_BK in latents.batches(data):
        proposal = latents.proposal(images_BCHW, asked_BK)

        def logits(latents_ND: Tensor, asked_BK: Tensor | None = asked_BK) -> Tensor:
            return latents.logits(latents_ND, asked_BK)

        found.append(explained(logits, likelihood, images_BCHW, proposal, draws, latents.generator, std_D))
    nll = np.concatenate([part.nll_B for part in found])
    figures = {"nll_nats": rounded(nll.mean()), "nll_standard_error": rounded(nll.std() / math.sqrt(len(nll)))}
    if not isinstance(latents.network, AVB):
        elbo = np.concatenate([part.negative_elbo_B for part in found])
        figures = {"negative_elbo_nats": rounded(elbo.mean())} | figures
    figures["effective_draws"] = rounded(np.median(np.concatenate([part.effective_B for part in found])))
    return figures
