"""What a map shows: the latents of known pictures with their labels, attributes and thumbnails.

Shapes: N encodings, D numbers in each, A attributes, K stored principal components.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentlab.core.errors import DataError, did_you_mean, few
from latentlab.core.spaces import FloatArray

WIDE = 2048  # dimensions from which a covariance matrix costs more than it says
WIDE_ROWS = 512
SHARE_ROWS = 4096  # the variance of more says the same
NOTHING = 1e-12  # variance of encodings that are all alike


def largest_positive(axes_KD: NDArray[np.floating]) -> NDArray[np.floating]:
    """Axes (K, D), each turned so that its largest number is positive: a fit gives any sign, and maps would flip."""
    largest_K1 = np.take_along_axis(axes_KD, np.abs(axes_KD).argmax(axis=1)[:, None], axis=1)
    return np.where(largest_K1 < 0, -axes_KD, axes_KD)


@dataclass(frozen=True, eq=False)
class StoredPCA:
    """Principal components fitted when the encodings were made, so that the first map needs no library."""

    mean: FloatArray  # (D,)
    components: FloatArray  # (K, D), orthonormal rows, most variance first
    variance: FloatArray  # (K,), in squared latent units

    @property
    def sigma(self) -> FloatArray:
        """(K,) one standard deviation along each component."""
        return np.asarray(np.sqrt(np.maximum(self.variance, 0)), np.float32)

    def transform(self, latents_ND: FloatArray) -> FloatArray:
        """(N, K) coordinates in latent units."""
        return np.asarray((latents_ND - self.mean) @ self.components.T, np.float32)

    def inverse_transform(self, coordinates_NK: FloatArray) -> FloatArray:
        """(N, D); exact within the span of the components that are given."""
        return np.asarray(self.mean + coordinates_NK @ self.components[: coordinates_NK.shape[1]], np.float32)

    @classmethod
    def fit(cls, latents_ND: FloatArray, count: int = 64) -> StoredPCA:
        """Of finite rows only, exact; above WIDE dimensions of WIDE_ROWS evenly chosen rows. N at least 1."""
        rows = latents_ND[np.isfinite(latents_ND).all(axis=1)]
        if not len(rows):
            raise DataError("No encoding is finite, so no principal components exist; encode the pictures again.")
        dim = rows.shape[1]
        if dim > WIDE:
            rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), WIDE_ROWS)).astype(np.int64)]
        mean = rows.mean(axis=0, dtype=np.float64)
        centred = rows - mean
        degrees = max(1, len(rows) - 1)
        if dim > WIDE:
            _, singular, components = np.linalg.svd(centred, full_matrices=False)
            variance = singular**2 / degrees
        else:
            variance, vectors = np.linalg.eigh(centred.T @ centred / degrees)
            variance, components = variance[::-1], vectors.T[::-1]
        variance, components = variance[:count], largest_positive(components[:count])
        return cls(mean.astype(np.float32), components.astype(np.float32), np.maximum(variance, 0).astype(np.float32))


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Coded pictures (WebP, JPEG or PNG) one after the other; `offsets` (N + 1,) say where each begins."""

    data: NDArray[np.uint8] = field(repr=False)
    offsets: NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        return max(0, len(self.offsets) - 1)

    def coded(self, index: int) -> bytes:
        """The bytes of one picture; QImage.fromData and Pillow both read them."""
        return bytes(self.data[int(self.offsets[index]) : int(self.offsets[index + 1])])


@dataclass(frozen=True, eq=False)
class EncodingSet:
    """Immutable; arrays are read-only and compared by identity."""

    latents: FloatArray  # (N, D)
    space: str = "z"
    labels: NDArray[np.int64] | None = None  # (N,), index into label_names; -1 unknown
    label_names: tuple[str, ...] = ()
    attributes: FloatArray | None = None  # (N, A): 1 has it, 0 has it not, NaN unknown; or any number
    attribute_names: tuple[str, ...] = ()
    predicted: frozenset[str] = frozenset()  # attributes that a classifier said, not people; "class" for labels
    names: tuple[str, ...] = ()  # file name or other id of each encoding; empty: its index
    thumbnails: Thumbnails | None = None
    pca: StoredPCA | None = None
    kl_per_dimension: FloatArray | None = None  # (D,) nats, of a VAE
    samples: bool = False  # draws from the prior, not encodings of data (a GAN without an encoder)

    def __post_init__(self) -> None:
        self.latents.flags.writeable = False

    def __len__(self) -> int:
        return len(self.latents)

    def __repr__(self) -> str:
        named = {"classes": self.label_names, "attributes": self.attribute_names}
        told = [f"{noun} {few(names)}" for noun, names in named.items() if names]
        told += ["thumbnails"] if self.thumbnails is not None else []
        made = "draws" if self.samples else "pictures"
        return f"EncodingSet({'; '.join([f'{len(self):,} {made} as {self.dim:,} numbers in {self.space}', *told])})"

    @property
    def dim(self) -> int:
        return int(self.latents.shape[1])

    @cached_property
    def principal(self) -> StoredPCA:
        """The stored components, or fitted now."""
        return self.pca or StoredPCA.fit(self.latents)

    @property
    def has_principal(self) -> bool:
        """Whether `principal` costs nothing: stored, or fitted already."""
        return self.pca is not None or "principal" in self.__dict__

    @cached_property
    def principal_shares(self) -> FloatArray:
        """(K,) of the variance in all dimensions, 0 to 1, that each principal component holds.

        The components that are kept may be fewer than the dimensions. All variance is that of evenly chosen rows where
        there are many.
        """
        variance_K = self.principal.variance
        total = float(variance_K.sum())
        if len(variance_K) < min(self.dim, len(self)):
            rows_ND = self.latents[:: max(1, len(self) // SHARE_ROWS)]
            rows_ND = rows_ND[np.isfinite(rows_ND).all(axis=1)]
            total = max(total, float(rows_ND.var(axis=0, ddof=1).sum()) if len(rows_ND) > 1 else 0.0)
        return np.asarray(variance_K / max(total, NOTHING), np.float32)

    @cached_property
    def informativeness(self) -> FloatArray:
        """(D,) how much each dimension says: its KL for a VAE, else its variance."""
        if self.kl_per_dimension is not None and len(self.kl_per_dimension) == self.dim:
            return self.kl_per_dimension
        return np.asarray(np.nan_to_num(self.latents).var(axis=0), np.float32)

    def attribute(self, name: str) -> FloatArray:
        """(N,) the values of one attribute."""
        if self.attributes is None or name not in self.attribute_names:
            raise DataError(f"The encodings carry no attribute '{name}'.{did_you_mean(name, self.attribute_names)}")
        return self.attributes[:, self.attribute_names.index(name)]

    def name_of(self, index: int) -> str:
        return self.names[index] if index < len(self.names) else f"#{index}"

    def label_of(self, index: int) -> str:
        """The class of one encoding in words; empty where it has none."""
        if self.labels is None or self.labels[index] < 0:
            return ""
        label = int(self.labels[index])
        return self.label_names[label] if label < len(self.label_names) else str(label)
