"""Latent spaces: how a point in one is drawn, truncated and kept in bounds.

Shapes: N points, D numbers in a flattened latent. Latents are float32 and travel flat (N, D); a spatial
space (C, H, W) is flattened in C order and the model that owns it restores the shape.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from latentlab.core.errors import OptionError
from latentlab.core.given import as_count
from latentlab.core.manifold_parzen import drawn_around, points_of

FloatArray = NDArray[np.float32]
Prior = Literal["normal", "uniform", "empirical"]

UNIFORM_BOUND = 1.0  # the uniform prior is U(-1, 1), as in the first GAN papers
NORMAL_BOUND = 6.0  # sigmas; beyond it a normal prior has no mass worth a slider


def sample_name(seed: int, index: int | None = None, truncation: float = 1.0) -> str:
    """ "sample 3 of seed 0", with its truncation where there is one: it is another picture than without.

    `index` None: the only draw of its seed.
    """
    which = "sample" if index is None else f"sample {index}"
    return f"{which} of seed {seed}" + ("" if truncation == 1 else f", truncation {truncation:.2g}")


@dataclass(frozen=True, eq=False)
class LatentSpace:
    """One space of a model. `mean` and `std` (D,) describe an empirical prior (w of StyleGAN, a spatial code).

    `draws` (K, D), where there are any, are draws of an empirical prior that no formula gives; others are drawn from
    among them. `around` (N, D) are encodings that draws can be made around.
    """

    name: str
    shape: tuple[int, ...]
    prior: Prior = "normal"
    mean: FloatArray | None = field(default=None, repr=False)
    std: FloatArray | None = field(default=None, repr=False)
    draws: FloatArray | None = field(default=None, repr=False)
    around: FloatArray | None = field(default=None, repr=False)

    @property
    def dim(self) -> int:
        return math.prod(self.shape)

    def sample(self, count: int, seed: int = 0, truncation: float = 1.0, around: bool | None = None) -> FloatArray:
        """(count, D) draws, the same for the same seed on every device.

        `around`: whether they are made around encodings (core/manifold_parzen.py) or from the prior, which is by its
        mean and deviations where it was measured; None: as `drawn_around` says. Truncation psi scales towards the
        prior's mean (1 is none); Karras et al. 2019, section B. Raises OptionError where no encodings are known.
        """
        count = as_count(count, "The number of samples")
        rng = np.random.default_rng(as_count(seed, "The seed"))
        if not math.isfinite(truncation):
            raise OptionError(f"The truncation is {truncation}; 1 is none, and 0 is the prior's mean.")
        if self.draws is not None:
            chosen_N = rng.choice(len(self.draws), count, replace=count > len(self.draws))
            return self.truncated(self.draws[chosen_N], truncation)
        if self.draws_around(around):
            if self.around is None:
                raise OptionError(f"There are no encodings to draw around in the space {self.name}; encode pictures.")
            return self.clip(self.truncated(drawn_around(self.around, count, seed), truncation))
        if self.prior == "uniform":
            draws_ND = rng.uniform(-UNIFORM_BOUND, UNIFORM_BOUND, (count, self.dim))
        else:
            draws_ND = rng.standard_normal((count, self.dim))
        draws_ND = draws_ND.astype(np.float32)
        if self.prior == "empirical" and self.std is not None:
            draws_ND *= self.std
        return np.asarray(self.centre + np.float32(truncation) * draws_ND, np.float32)

    def truncated(self, latents_ND: FloatArray, truncation: float) -> FloatArray:
        """Latents (N, D) scaled towards the prior's mean by psi; 1 leaves them as they are."""
        if truncation == 1:
            return latents_ND
        return np.asarray(self.centre + np.float32(truncation) * (latents_ND - self.centre), np.float32)

    def drawn_around(self, latents_ND: FloatArray | None) -> Self:
        """The same space with encodings (N, D) that draws can be made around, where they are enough.

        A space that keeps draws of its own stays as it is, as does a spatial code: neighbours in it are no neighbours
        in every place.
        """
        fits = self.draws is None and len(self.shape) == 1
        if not fits or (latents_ND is not None and latents_ND.shape[1:] != self.shape):
            return self
        return replace(self, around=None if latents_ND is None else points_of(latents_ND))

    @property
    def is_drawn_around(self) -> bool:
        """Whether draws are made around encodings unless a person says otherwise: where the prior was measured."""
        return self.prior == "empirical" and self.around is not None

    def draws_around(self, asked: bool | None) -> bool:
        """Whether draws are made around encodings, where a person asked for that, for the prior, or for neither."""
        return self.is_drawn_around if asked is None else asked

    @property
    def can_choose(self) -> bool:
        """Whether draws around encodings and draws from the prior both decode to pictures."""
        return self.around is not None and (self.prior != "empirical" or self.std is not None)

    @property
    def drawable(self) -> bool:
        """Whether draws decode to pictures.

        Those of a spatial code do not: it has an order in space that no draw has. Nor do those of a space of which
        nothing is known but that encodings lie in it, as long as there are none.
        """
        known = self.std is not None and len(self.shape) == 1
        return self.prior != "empirical" or self.draws is not None or self.around is not None or known

    @property
    def centre(self) -> FloatArray:
        """(D,) the prior's mean."""
        return self.mean if self.mean is not None else np.zeros(self.dim, np.float32)

    @property
    def bounds(self) -> tuple[float, float]:
        """The range outside of which the prior has no mass worth showing; infinite for an empirical prior."""
        if self.prior == "uniform":
            return -UNIFORM_BOUND, UNIFORM_BOUND
        if self.prior == "normal":
            return -NORMAL_BOUND, NORMAL_BOUND
        return -math.inf, math.inf

    def clip(self, latents_ND: FloatArray) -> FloatArray:
        return np.clip(latents_ND, *self.bounds).astype(np.float32, copy=False)
