"""The first picture is a typical one, without the attribute a newcomer will add."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.condition import Condition
from latentlab.core.encodings import EncodingSet
from latentlab.core.first_state import first_encoding, first_state
from latentlab.core.latent_model import ImageShape, ModelInfo
from latentlab.core.spaces import LatentSpace


def info(encoder: bool, conditional: tuple[str, ...] | None = None) -> ModelInfo:
    space = LatentSpace("z", (3,))
    return ModelInfo("a", "native", "vae", ImageShape(8, 8, 1), (space,), encoder, conditional, sha256="ab")


def encodings() -> EncodingSet:
    latents_ND = np.random.default_rng(0).standard_normal((100, 3)).astype(np.float32)
    latents_ND[:10] = np.nan
    glasses = (np.arange(100) % 2).astype(np.float32)[:, None]
    return EncodingSet(latents_ND, attributes=glasses, attribute_names=("Eyeglasses",))


def test_at_a_finite_encoding_without_glasses() -> None:
    known = encodings()
    index = first_encoding(known)
    assert index is not None
    assert index >= 10
    assert index % 2 == 0
    state = first_state(info(encoder=True), known)
    np.testing.assert_array_equal(state.latent, known.latents[index])
    assert (state.name, state.checkpoint, state.condition) == (f"#{index}", "ab", None)
    assert state.walk.interpolation == "linear"


@pytest.mark.parametrize("known", [None, EncodingSet(np.full((2, 3), np.nan, np.float32))])
def test_at_a_draw_where_nothing_is_encoded(known: EncodingSet | None) -> None:
    state = first_state(info(encoder=False, conditional=("cat", "dog")), known)
    assert np.isfinite(state.latent).all()
    assert state.condition == Condition(0)
    assert state.walk.interpolation == "spherical"


def test_everybody_wears_glasses() -> None:
    known = encodings()
    all_of_them = EncodingSet(known.latents, attributes=np.ones((100, 1), np.float32), attribute_names=("Eyeglasses",))
    assert first_encoding(all_of_them) is not None


def test_a_first_draw_is_called_what_it_is() -> None:
    """It is truncated, so it is not what the samples panel draws as sample 0 of seed 0."""
    state = first_state(info(encoder=False), None)
    assert state.name == "sample 0 of seed 0, truncation 0.7"
    np.testing.assert_array_equal(state.latent, LatentSpace("z", (3,)).sample(1, seed=0, truncation=0.7)[0])
