"""The denoising autoencoder: given a damaged picture, asked for the clean one (Vincent et al. 2008).

Shapes: B batch, C H W of images in [-1, 1].
"""

from __future__ import annotations

from typing import ClassVar

from torch import Generator, Tensor

from latentlab.models.ae import AE, DAE, DAEArchitecture
from training.corruption import Corruption
from training.objectives.ae import NOTHING, AEObjective
from training.objectives.objective import Known
from training.options import DAEOptions


class DAEObjective(AEObjective):
    """Held-out losses, too, are those of damaged pictures."""

    network_class: ClassVar[type[AE]] = DAE

    def __init__(self, architecture: DAEArchitecture, options: DAEOptions, known: Known = NOTHING) -> None:
        super().__init__(architecture, options, known)
        self.corruption = Corruption.parse(options.corruption)

    def damaged(self, images_BCHW: Tensor, generator: Generator | None = None) -> Tensor:
        return self.corruption.applied(images_BCHW, generator)

    def _given(self, images_BCHW: Tensor, generator: Generator | None = None) -> Tensor:
        return self.damaged(images_BCHW, generator)
