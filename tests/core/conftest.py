"""A State in which every part holds something."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from latentlab.core.condition import Condition
from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.spaces import FloatArray
from latentlab.core.state import (
    Arithmetic,
    Comparison,
    Group,
    MapView,
    NamedLatent,
    Original,
    SampleSheet,
    SliderChoice,
    State,
    Walk,
    with_strength,
)

DIM = 4


def latent(seed: int) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)


def named(*seeds: int) -> tuple[NamedLatent, ...]:
    return tuple(NamedLatent(latent(seed), f"sample {seed}") for seed in seeds)


@pytest.fixture
def full_state() -> State:
    directions = DirectionSet(
        Direction(name, latent(seed), "w", "balanced means", 50, auc, seed % 2 == 0, "ab" * 32)
        for seed, name, auc in ((10, "Eyeglasses", 0.9), (11, "Smiling", None), (12, "hair colour ä", 1.0))
    )
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    state = State(
        origin=latent(0),
        base=latent(1),
        checkpoint="ab" * 32,
        space="w",
        name="#1284",
        locked=frozenset({"Smiling"}),
        directions=directions,
        condition=Condition(3, (1.0, 0.5)),
        original=Original(picture, "holiday 🙂.jpg", latent(2), 0.0123, inverted=True),
        view=MapView("plane", "Eyeglasses", "dimension 3", "Smiling", frozenset({"cat", "dog"}), lattice=True),
        sliders=SliderChoice("components", frozenset({1, 6}), MappingProxyType({2: "tilt"})),
        walk=Walk(named(3, 4), "spherical", True, 2.5, 24),
        arithmetic=Arithmetic(named(5), named(6, 7), named(8), "current + Eyeglasses"),
        samples=SampleSheet(7, 0.6, True, named(9)),
        comparison=Comparison("/models/b.safetensors", "cd" * 32, "gaps", "Smiling", 1.5, named(10)[0]),
        groups=(Group("mine", np.array([0, 5, 2], np.int64)), Group("none", np.zeros(0, np.int64))),
        elsewhere=MappingProxyType({"z": State(latent(20), latent(21), "ab" * 32, "z", walk=Walk(named(22)))}),
    )
    state = with_strength(state, "hair colour ä", -0.5)
    return replace(with_strength(state, "Eyeglasses", 1.5))
