"""How a denoising autoencoder's pictures are damaged: `gaussian:0.3` or `mask:0.25`. No torch until it is done.

Shapes: B batch, C H W of images in [-1, 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab.core.errors import did_you_mean

if TYPE_CHECKING:
    from torch import Generator, Tensor

KINDS = ("gaussian", "mask")
FORM = "write gaussian:0.3 (standard deviation of the noise) or mask:0.25 (share of the pixels made black)"
LOUDEST = 2.0  # standard deviation, of intensities in [0, 1]: beyond it nothing of a picture is left
BLACK = -1.0


@dataclass(frozen=True)
class Corruption:
    """`amount`: the standard deviation of the noise, of intensities in [0, 1]; or the share of pixels made black."""

    kind: str
    amount: float

    @classmethod
    def parse(cls, text: str) -> Corruption:
        """Raises ValueError that says what is wrong and how it is written."""
        kind, separator, said = text.strip().partition(":")
        if kind not in KINDS:
            raise ValueError(f"there is no corruption '{kind}'.{did_you_mean(kind, KINDS)} {FORM[0].upper()}{FORM[1:]}")
        try:
            amount = float(said)
        except ValueError:
            missing = "no amount is given" if not separator or not said.strip() else f"'{said}' is not a number"
            raise ValueError(f"{missing}; {FORM}") from None
        most = LOUDEST if kind == "gaussian" else 1.0
        if not math.isfinite(amount) or not 0 < amount <= most or (kind == "mask" and amount == most):
            bound = f"above 0 and at most {most:g}" if kind == "gaussian" else "above 0 and below 1"
            raise ValueError(f"the amount is {said.strip()}; for {kind} it must be {bound}")
        return cls(kind, amount)

    def __str__(self) -> str:
        return f"{self.kind}:{self.amount:g}"

    def applied(self, images_BCHW: Tensor, generator: Generator | None = None) -> Tensor:
        """Damaged pictures in [-1, 1], the same shape; with a generator (of the CPU), the same on every device.

        Noise is clipped to what a picture can hold, so that what is shown and saved is what the network was given.
        A masked pixel loses all its channels.
        """
        import torch

        source = images_BCHW.device if generator is None else generator.device
        if self.kind == "gaussian":
            noise = torch.randn(images_BCHW.shape, generator=generator, device=source).to(images_BCHW.device)
            return (images_BCHW + 2 * self.amount * noise).clamp(-1, 1)  # [-1, 1] is twice as wide as [0, 1]
        count, _, height, width = images_BCHW.shape
        kept = torch.rand(count, 1, height, width, generator=generator, device=source) >= self.amount
        return images_BCHW.where(kept.to(images_BCHW.device), BLACK)
