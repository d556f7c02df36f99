"""State: everything that is being looked at and everything a user has changed, in one frozen value.

Undo, save, diff and hand-over are this same value. Its arrays are read-only and compared by identity.
Each part belongs to one panel; a new panel adds one part. Shapes: D latent, K keyframes, H W C pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.core.condition import Condition
from latentlab.core.directions import Direction, DirectionSet, orthogonalised
from latentlab.core.spaces import FloatArray

ONE_CLICK = 2.0  # the strength that one click gives: 1 is the distance of the class means, too little for many faces

NO_STRENGTHS: Mapping[str, float] = MappingProxyType({})
NO_NAMES: Mapping[int, str] = MappingProxyType({})
NOWHERE: Mapping[str, State] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class NamedLatent:
    """A latent with the name it was picked up under."""

    latent: FloatArray  # (D,)
    name: str = ""


@dataclass(frozen=True, eq=False)
class Original:
    """A picture from outside that was encoded or inverted, beside its reconstruction."""

    image: NDArray[np.uint8]  # (H, W, C), as resized for the model
    name: str
    latent: FloatArray  # (D,)
    mse: float  # in [0, 1] intensities
    inverted: bool = False


@dataclass(frozen=True)
class MapView:
    """What the map shows and how. `x`, `y` are component numbers for PCA, attributes or dimensions for a plane."""

    projection: str = "pca"
    x: str = "1"
    y: str = "2"
    colour: str = "class"  # "class", "none", an attribute's name, or "dimension 12"
    hidden: frozenset[str] = frozenset()  # legend entries switched off
    lattice: bool = False


@dataclass(frozen=True, eq=False)
class Group:
    """A selection of encodings by index."""

    name: str
    members: NDArray[np.int64]


@dataclass(frozen=True)
class SliderChoice:
    basis: Literal["dimensions", "components"] = "dimensions"
    locked: frozenset[int] = frozenset()  # dimension i is i, component k is D + k: one numbering for both
    names: Mapping[int, str] = field(default_factory=lambda: NO_NAMES)  # renamed ones, numbered likewise


@dataclass(frozen=True, eq=False)
class Walk:
    keyframes: tuple[NamedLatent, ...] = ()
    interpolation: Literal["linear", "spherical"] = "linear"
    loop: bool = False
    seconds: float = 6.0
    fps: int = 30


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """mean(A) - mean(B) + mean(C); or the typed expression when it is not empty."""

    a: tuple[NamedLatent, ...] = ()
    b: tuple[NamedLatent, ...] = ()
    c: tuple[NamedLatent, ...] = ()
    expression: str = ""


@dataclass(frozen=True, eq=False)
class SampleSheet:
    seed: int = 0
    truncation: float = 1.0
    around: bool | None = None  # encodings or from the prior; None: as is usual in the space
    kept: tuple[NamedLatent, ...] = ()  # bookmarks


Aspect = Literal["picture", "attribute", "samples", "gaps", "figures"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """A second checkpoint beside the open one, and what of the two is looked at."""

    path: str = ""  # of the second checkpoint; empty: none
    checkpoint: str = ""  # its SHA-256
    aspect: Aspect = "picture"
    attribute: str = ""  # one that both have; empty: the first
    strength: float = ONE_CLICK
    end: NamedLatent | None = None  # where the path across the gaps ends; it begins at the current picture


@dataclass(frozen=True, eq=False)
class State:
    """The shown latent is derived: `base` plus the attribute edits. `origin` is what "before" and reset go back to."""

    origin: FloatArray  # (D,) where this work on a picture began
    base: FloatArray  # (D,) the origin as moved by sliders
    checkpoint: str = ""  # SHA-256 of the open model
    space: str = "z"
    name: str = ""  # of the origin: "#1284", "sample 3 of seed 0", "holiday.jpg", "map"
    strengths: Mapping[str, float] = field(
        default_factory=lambda: NO_STRENGTHS
    )  # attribute edits by direction name, in the order made
    locked: frozenset[str] = frozenset()  # attributes that every edit keeps as they are
    directions: DirectionSet = field(default_factory=DirectionSet)
    condition: Condition | None = None  # what a conditional model is asked for
    original: Original | None = None
    view: MapView = field(default_factory=MapView)
    sliders: SliderChoice = field(default_factory=SliderChoice)
    walk: Walk = field(default_factory=Walk)
    arithmetic: Arithmetic = field(default_factory=Arithmetic)
    samples: SampleSheet = field(default_factory=SampleSheet)
    comparison: Comparison = field(default_factory=Comparison)
    groups: tuple[Group, ...] = ()
    elsewhere: Mapping[str, State] = field(default_factory=lambda: NOWHERE)  # what is put aside in other latent spaces

    def __post_init__(self) -> None:
        for array in (self.origin, self.base):
            array.flags.writeable = False

    @cached_property
    def latent(self) -> FloatArray:
        """(D,) the latent whose picture is shown."""
        shown = self.base + self.edit
        shown.flags.writeable = False
        return shown

    @cached_property
    def edit(self) -> FloatArray:
        """(D,) what the attribute edits add to the base."""
        total = np.zeros_like(self.base)
        for name, strength in self.strengths.items():
            if strength and name in self.directions:
                total = total + np.float32(strength) * self.effective(self.directions[name])
        return total.astype(np.float32, copy=False)

    def effective(self, direction: Direction) -> FloatArray:
        """(D,) the vector an edit along `direction` really uses, given the locks."""
        kept = [self.directions[n].vector for n in self.locked if n != direction.name and n in self.directions]
        return orthogonalised(direction.vector, kept) if kept else direction.vector


def at(state: State, latent: FloatArray, name: str, original: Original | None = None) -> State:
    """Work begins anew at `latent` (D,): the edits made on the previous picture do not carry over."""
    place = np.array(latent, np.float32)
    return replace(state, origin=place, base=place, name=name, strengths=NO_STRENGTHS, original=original)


def with_strength(state: State, name: str, strength: float) -> State:
    """One attribute edit set; 0 removes it."""
    strengths = {**state.strengths, name: float(strength)}
    if not strength:
        del strengths[name]
    return replace(state, strengths=MappingProxyType(strengths))


def back_to_origin(state: State) -> State:
    """Every slider and attribute undone at once."""
    return replace(state, base=state.origin, strengths=NO_STRENGTHS)
