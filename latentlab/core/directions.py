"""Attribute directions: what one is, how it is applied to latents, and how locks keep others still.

Shapes: N latents, D numbers in each, K directions that are kept.
Fitting them from labels or groups is in `latentlab.core.fitting`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike

from latentlab.core.errors import OptionError, did_you_mean, few
from latentlab.core.given import as_latents
from latentlab.core.spaces import FloatArray

# A direction that is almost inside the span of the kept ones has nothing left of its own to move along.
VANISHED = 1e-6
Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Direction:
    """A named direction in a latent space; strength 1 adds `vector` (D,) once.

    `vector` is as long as the distance between the two class means along it, so that strength 1 takes a
    typical picture without the attribute to a typical one with it.
    """

    name: str
    vector: FloatArray = field(repr=False)
    space: str = "z"
    method: str = ""  # how it was made: "balanced means", "logistic", "two groups", "PCA", "SeFa", …
    examples: int = 0  # how many encodings it rests on
    auc: float | None = None  # how well it separates held-out encodings, 0.5 (chance) to 1
    predicted: bool = False  # the labels came from a classifier, not from people
    checkpoint: str = field(default="", repr=False)  # SHA-256 of the model it was made in
    among: DirectionSet | None = field(default=None, repr=False)

    def apply(self, latents: ArrayLike, strength: float = 1.0, keep: str | Iterable[str] = ()) -> FloatArray:
        """Latents (N, D) or (D,) moved by `strength`, float32; the directions named in `keep` stay as they are.

        Raises OptionError for an unknown name in `keep`, and for latents of another size.
        """
        vector = self.vector
        latents_ND = as_latents(latents, vector.shape, f"Latents for '{self.name}'")
        names = [name for name in ([keep] if isinstance(keep, str) else keep) if name != self.name]
        if names:
            if self.among is None:
                raise OptionError(f"'{self.name}' stands alone, so nothing can be kept; remove keep={names}.")
            vector = orthogonalised(vector, [self.among[name].vector for name in names])
        moved_ND = (latents_ND + np.float32(strength) * vector).astype(np.float32, copy=False)
        return moved_ND[0] if np.ndim(latents) == 1 else moved_ND


NO_ATTRIBUTES = " This checkpoint has none; make some: latentlab directions."


class DirectionSet(Mapping[str, Direction]):
    """The directions of one model by name, in a stable order."""

    def __init__(self, directions: Iterable[Direction] = ()) -> None:
        self._by_name = {d.name: dataclasses.replace(d, among=self) for d in directions}

    def __getitem__(self, name: str) -> Direction:
        try:
            return self._by_name[name]
        except KeyError:
            hint = did_you_mean(str(name), self._by_name) or NO_ATTRIBUTES
            raise OptionError(f"There is no attribute '{name}'.{hint}") from None

    @overload
    def get(self, name: str, /) -> Direction | None: ...
    @overload
    def get(self, name: str, /, default: Direction) -> Direction: ...
    @overload
    def get(self, name: str, /, default: Value) -> Direction | Value: ...
    def get(self, name: str, default: Any = None) -> Any:
        """As a dict does: `default` for a name that is not known, no error."""
        return self._by_name.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"DirectionSet({few(list(self))})"

    def _ipython_key_completions_(self) -> list[str]:
        """What a notebook offers within the brackets."""
        return list(self)

    def with_added(self, direction: Direction) -> DirectionSet:
        """This set and one more; a direction of the same name is replaced in place."""
        return DirectionSet({**self._by_name, direction.name: direction}.values())

    def without(self, name: str) -> DirectionSet:
        return DirectionSet(d for d in self._by_name.values() if d.name != name)


def orthogonalised(vector: FloatArray, kept: Iterable[FloatArray]) -> FloatArray:
    """`vector` (D,) without its part in the span of `kept` (each (D,)); zero when nothing is left.

    The length is not restored: strength 1 then moves less along the original direction, which is honest.
    """
    kept_KD = np.array([k for k in kept if np.linalg.norm(k) > VANISHED], np.float64).reshape(-1, len(vector))
    if not len(kept_KD):
        return vector
    # An orthonormal basis of the span, robust to kept directions that depend on each other.
    _, singular, basis_KD = np.linalg.svd(kept_KD, full_matrices=False)
    basis_KD = basis_KD[singular > singular.max() * 1e-6]
    rest = vector - basis_KD.T @ (basis_KD @ vector)
    if np.linalg.norm(rest) < VANISHED * max(1.0, float(np.linalg.norm(vector))):
        rest = np.zeros_like(rest)
    return np.asarray(rest, np.float32)
