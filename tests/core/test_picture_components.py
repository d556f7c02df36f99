"""Directions of what changes in the pictures: found again where they are known, and refused where there are none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import DataError, OptionError
from latentlab.core.latent_model import LatentModel
from latentlab.core.picture_components import averaged, components_of_pictures, picture_components
from latentlab.core.requests import JobCancelled
from latentlab.core.spaces import FloatArray, LatentSpace

DIM, SIDE = 6, 8


class Painter:
    """Latent 2 paints the left half bright, latent 4 the right half, less so; the others change nothing."""

    def __init__(self, space: LatentSpace | None = None, encodings: Any = None) -> None:
        self.info = SimpleNamespace(sha256="abc", space=lambda _name: space or LatentSpace("z", (DIM,)))
        self.encodings = encodings
        self.asked: list[tuple[str, object, int]] = []

    def sample(self, count: int, seed: int = 0, truncation: float = 1.0, *, space: str | None = None) -> FloatArray:
        return np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)

    def decode(self, latents: FloatArray, *, space: str | None = None, condition: object = None) -> Any:
        self.asked.append((str(space), condition, len(latents)))
        images = np.full((len(latents), SIDE, SIDE, 1), 128.0)
        images[:, :, : SIDE // 2] += 30 * latents[:, 2, None, None, None]
        images[:, :, SIDE // 2 :] += 10 * latents[:, 4, None, None, None]
        return np.clip(images, 0, 255).astype(np.uint8)


def components(model: Painter, count: int = 10, **how: Any) -> Any:
    return components_of_pictures(cast(LatentModel, model), count, **how)


def test_what_paints_most_comes_first_one_sigma_long() -> None:
    painter = Painter()
    first, second, *_ = components(painter, draws=400, condition=3)
    assert (first.direction.name, second.direction.name) == ("GANSpace 1", "GANSpace 2")
    np.testing.assert_allclose(first.direction.vector, np.eye(DIM)[2], atol=0.12)
    np.testing.assert_allclose(second.direction.vector, np.eye(DIM)[4], atol=0.12)
    assert first.share == pytest.approx(0.9, abs=0.03)
    assert first.direction.method == f"GANSpace, {first.share * 100:.0f} % of the pictures' variance"
    assert (first.direction.space, first.direction.checkpoint, first.direction.examples) == ("z", "abc", 400)
    assert {(space, condition) for space, condition, _ in painter.asked} == {("z", 3)}
    assert sum(count for _, _, count in painter.asked) == 400


def test_as_many_as_are_asked_for_and_the_same_for_a_seed() -> None:
    once, again = components(Painter(), 1, draws=60, seed=5), components(Painter(), 1, draws=60, seed=5)
    assert len(once) == 1
    assert len(components(Painter(), 100, draws=60)) <= DIM, "more would be sums of the others"
    np.testing.assert_array_equal(once[0].direction.vector, again[0].direction.vector)


def test_a_slow_model_decodes_no_more_than_fits() -> None:
    slow = Painter()
    assert components(slow, draws=1000, seconds=0.0)[0].direction.examples == 50
    assert sum(count for _, _, count in slow.asked) == 50


def test_where_draws_are_no_pictures_encodings_are_decoded() -> None:
    spatial = LatentSpace("z", (DIM,), "empirical")
    assert not spatial.drawable
    encodings = EncodingSet(Painter().sample(80), "z")
    assert components(Painter(spatial, encodings), draws=60)[0].direction.examples == 60
    assert components(Painter(spatial, encodings), draws=600)[0].direction.examples == 80
    with pytest.raises(OptionError, match="Encode a folder"):
        components(Painter(spatial))


def test_it_can_be_cancelled_between_two_pieces() -> None:
    class Report:
        def progress(self, done: float, total: float, text: str = "") -> None:
            if done > 32:
                raise JobCancelled

        def partial(self, value: Any) -> None: ...

    painter = Painter()
    with pytest.raises(JobCancelled):
        components(painter, draws=400, report=Report())
    assert sum(count for _, _, count in painter.asked) == 64


def test_pictures_that_say_nothing_are_refused() -> None:
    latents_ND = Painter().sample(60)
    with pytest.raises(DataError, match="alike"):
        picture_components(latents_ND, np.full((60, 12), 0.3, np.float32), 3)
    with pytest.raises(OptionError, match="49 draws"):
        components(Painter(), draws=49)


@pytest.mark.parametrize(("shape", "numbers"), [((28, 28, 1), 784), ((64, 64, 3), 3072), ((130, 70, 3), 32 * 17 * 3)])
def test_pictures_are_averaged_to_about_32_px(shape: tuple[int, int, int], numbers: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, *shape)).astype(np.uint8)
    small = averaged(images)
    assert small.shape == (3, numbers)
    if shape[0] == 64:
        np.testing.assert_allclose(small[1, :3], images[1, :2, :2].mean(axis=(0, 1)) / 255, rtol=1e-5)
