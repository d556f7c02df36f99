"""Reconstruction and nothing else, *summed* over pixels, mean over the batch, as in the VAE's objective.

Shapes: B batch, D latent, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Generator, Tensor, nn, optim
from torch.nn import functional as F

from latentlab.models.ae import AE
from latentlab.models.family import Network
from latentlab.models.vae import AutoencoderArchitecture
from training.objectives.objective import Batch, Known, Losses, adam
from training.options import AEOptions
from training.precision import Precision

NOTHING = Known()
SLOWEST = 0.05  # share of the batch in the running moments of the encodings


class AEObjective:
    judged_by: ClassVar[str | None] = "loss"
    network_class: ClassVar[type[AE]] = AE

    def __init__(self, architecture: AutoencoderArchitecture, options: AEOptions, known: Known = NOTHING) -> None:
        self.options = options
        self.ae = self.network_class(architecture)
        self.network: Network = self.ae
        self.modules: dict[str, nn.Module] = {"network": self.ae}
        self.optimisers: dict[str, optim.Optimizer] = {}
        self._encode = self.ae.encoder
        self._decode = self.ae.decoder

    def make_optimisers(self) -> None:
        options = self.options
        self.optimisers["network"] = adam(self.ae.parameters(), options.learning_rate, options.adam_betas)

    def compile(self) -> None:
        self._encode = torch.compile(self.ae.encoder)  # type: ignore[assignment]
        self._decode = torch.compile(self.ae.decoder)  # type: ignore[assignment]

    def step(self, batch: Batch, step: int, precision: Precision, clip: float | None) -> Losses:
        with precision.autocast():
            codes_BD = self._encode(self._given(batch.images))
            logits_BCHW = self._decode(codes_BD)
        losses = self._losses(batch.images, logits_BCHW.float())
        precision.step(losses["loss"], self.optimisers["network"], self.ae, clip)
        self._follow(codes_BD.detach().float(), step)
        return {name: loss.detach() for name, loss in losses.items()}

    def evaluate(self, network: Network, batch: Batch, generator: Generator) -> Losses:
        assert isinstance(network, AE)
        codes_BD = network.encode(self._given(batch.images, generator))
        return self._losses(batch.images, network.logits(codes_BD).float())

    def _given(self, images_BCHW: Tensor, generator: Generator | None = None) -> Tensor:
        """What the encoder sees in place of the pictures."""
        return images_BCHW

    def _losses(self, images_BCHW: Tensor, logits_BCHW: Tensor) -> Losses:
        targets = images_BCHW.float().add(1).mul(0.5)
        squares = (torch.sigmoid(logits_BCHW) - targets).square()
        batch = len(images_BCHW)
        if self.options.likelihood == "bce":
            loss = F.binary_cross_entropy_with_logits(logits_BCHW, targets, reduction="sum") / batch
        else:
            loss = squares.sum() / batch
        return {"loss": loss, "mse": squares.mean()}

    @torch.no_grad()
    def _follow(self, codes_BD: Tensor, step: int) -> None:
        """Running mean and spread of the encodings, so that draws follow them before training ends, too.

        Neither changes what a picture is decoded to: training uses neither.
        """
        share = max(SLOWEST, 1 / (step + 1))
        self.ae.centre.lerp_(codes_BD.mean(0), share)
        variance_D = (codes_BD - self.ae.centre).square().mean(0)
        self.ae.spread.copy_(self.ae.spread.square().lerp(variance_D, share).sqrt())
