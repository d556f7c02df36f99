"""The conditional VAE: the evidence lower bound of pictures given their classes and attributes (Sohn et al. 2015).

Shapes: B batch, K numbers of a condition.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from latentlab.models.conditioning import UNKNOWN
from latentlab.models.cvae import CVAE, CVAEArchitecture
from latentlab.models.vae import VAE
from training.conditions import asked_of
from training.objectives.objective import Batch, Known
from training.objectives.vae import NOTHING, VAEObjective
from training.options import CVAEOptions


class CVAEObjective(VAEObjective):
    network_class: ClassVar[type[VAE]] = CVAE
    options: CVAEOptions

    def __init__(self, architecture: CVAEArchitecture, options: CVAEOptions, known: Known = NOTHING) -> None:
        super().__init__(architecture, options, known)
        self._classes = architecture.classes

    def _asked(self, batch: Batch, *, training: bool) -> Tensor | None:
        asked_BK = asked_of(self.network, len(batch), batch.labels, batch.attributes)
        if asked_BK is None or not training or not self.options.hidden:
            return asked_BK
        return hidden(asked_BK.to(batch.images.device), self._classes, self.options.hidden)


def hidden(asked_BK: Tensor, classes: int, share: float) -> Tensor:
    """The class, and each attribute on its own, is made unknown in that share of the rows, at random.

    Then a network learns what an unknown one means, too (as for guidance without a classifier; Ho and Salimans 2022).
    """
    count, attributes = len(asked_BK), asked_BK.shape[1] - classes
    draws = torch.rand(count, 1 + attributes).to(asked_BK.device) < share
    of_class_BC = asked_BK[:, :classes] * ~draws[:, :1]
    of_attributes_BA = torch.where(draws[:, 1:], torch.full_like(asked_BK[:, classes:], UNKNOWN), asked_BK[:, classes:])
    return torch.cat([of_class_BC, of_attributes_BA], dim=1)
