"""What can be measured of a model: with its own thumbnails, with pictures, with nothing; and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from latentlab.core.condition import Condition
from latentlab.core.directions import DirectionSet
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import DataError, OptionError
from latentlab.core.latent_model import ImageShape, ModelInfo
from latentlab.core.spaces import LatentSpace
from latentlab.measure.encoding import coded_thumbnails
from latentlab.measure.quality import checked_count, checked_features, measured
from latentlab.measure.real_pictures import at_size, given, of_thumbnails

SIDE = 16
ROWS, COLUMNS = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5


def painted(latents: np.ndarray) -> np.ndarray:
    """Float (N, 16, 16, 1): a slope down and a slope across, by the first two numbers."""
    down, across = np.clip(latents[:, :2].T, -2, 2)
    planes = 0.5 + 0.2 * (down[:, None, None] * ROWS + across[:, None, None] * COLUMNS)
    return np.asarray(np.clip(planes, 0, 1)[..., None], np.float32)


def slopes(images: np.ndarray) -> np.ndarray:
    """The two numbers of painted pictures."""
    planes = images[..., 0] / 255 - 0.5
    base = np.stack([ROWS, COLUMNS]).reshape(2, -1)
    return np.asarray(planes.reshape(len(images), -1) @ np.linalg.pinv(base) / 0.2, np.float32)


@dataclass
class Painter:
    """A model that is exact on its own pictures: the least that a measurement must see."""

    encoder: bool = True
    stored: EncodingSet | None = None
    drawable: bool = True
    offset: float = 0.0  # added to every picture
    classes: tuple[str, ...] = ()
    asked: list[Any] = field(default_factory=list)  # of each picture that was decoded
    directions = DirectionSet()

    @property
    def encodings(self) -> EncodingSet | None:
        return self.stored

    @property
    def info(self) -> ModelInfo:
        space = LatentSpace("z", (2,), "normal" if self.drawable else "empirical")
        return ModelInfo(
            "", "fake", "fake", ImageShape(SIDE, SIDE, 1), (space,), self.encoder, self.classes or None, sha256="ab"
        )

    def sample(self, count: int, seed: int = 0, truncation: float = 1.0, *, space: str | None = None) -> np.ndarray:
        return self.info.spaces[0].sample(count, seed, truncation)

    def decode(self, latents: np.ndarray, *, condition: Any = None, **how: Any) -> np.ndarray:
        self.asked += condition if isinstance(condition, list) else [condition] * len(latents)
        return (255 * self.decode_float(latents)).round().astype(np.uint8)

    def decode_float(self, latents: np.ndarray, **_: Any) -> np.ndarray:
        return np.clip(painted(latents) + np.float32(self.offset), 0, 1)

    def encode(self, images: np.ndarray, *, condition: Any = None) -> np.ndarray:
        return slopes(images)


@dataclass
class Nothing:
    """Pictures of which nothing is known."""

    labels: Any = None
    label_names: tuple[str, ...] = ()
    attributes: Any = None
    attribute_names: tuple[str, ...] = ()


def pictures(count: int, seed: int = 1) -> np.ndarray:
    latents = np.random.default_rng(seed).standard_normal((count, 2)).astype(np.float32)
    return (255 * painted(latents)).round().astype(np.uint8)


def with_thumbnails(images: np.ndarray, **parts: Any) -> EncodingSet:
    return EncodingSet(slopes(images), thumbnails=coded_thumbnails(images), **parts)


def real_of(images: np.ndarray, known: Any = None, count: int = 1000) -> Any:
    return given(images, Painter().info.image, known or Nothing(), count)


def test_an_exact_model_measured_with_pictures() -> None:
    told: list[float] = []
    found = measured(Painter(), real_of(pictures(200)), count=100, tell=lambda share, _: told.append(share))
    assert found.kind == "pictures"
    assert found.source == "100 pictures given"
    reconstruction, samples = found.figures["reconstruction"], found.figures["samples"]
    assert reconstruction["mse"] < 1e-4
    assert reconstruction["ssim"] > 0.95
    assert (reconstruction["active_units"], reconstruction["latent_dim"]) == (2, 2)
    assert samples["completeness"] == pytest.approx(samples["completeness_of_real_pictures"], abs=0.2)
    assert samples["feature_space"].endswith("components of the pixels of 100 pictures given")
    # The slopes move an intensity by at most 0.2 x 0.5 per unit, and nothing on the middle lines.
    assert 0.02 < found.figures["continuity"]["change_per_unit"] < 0.1
    assert told == sorted(told)
    assert told[0] >= 0
    assert told[-1] <= 1


def test_an_error_that_is_known_is_found() -> None:
    found = measured(Painter(offset=0.1), real_of(pictures(80)), count=40)
    assert found.figures["reconstruction"]["mse"] == pytest.approx(0.01, rel=0.05)
    assert found.figures["samples"]["frechet_distance"] > found.figures["samples"]["frechet_distance_of_real_pictures"]


def test_thumbnails_stand_in_for_pictures() -> None:
    noisy = np.clip(pictures(80).astype(int) + np.random.default_rng(2).integers(-30, 30, (80, SIDE, SIDE, 1)), 0, 255)
    stored = with_thumbnails(noisy.astype(np.uint8), kl_per_dimension=np.array([1.5, 0.5], np.float32))
    model = Painter(stored=stored)
    real = of_thumbnails(stored, model.info.image, 80)
    assert real is not None
    found = measured(model, real, count=40)
    assert found.kind == "encodings"
    assert found.source.startswith("40 thumbnails of 80 encodings, 16 px")
    assert found.figures["reconstruction"]["kl_nats"] == 2
    assert found.figures["reconstruction"]["mse"] > 0.002
    assert "samples" in found.figures
    assert found.notes == ()


def test_thumbnails_that_are_the_models_own_are_no_measure_of_its_error() -> None:
    stored = with_thumbnails(pictures(80))
    model = Painter(stored=replace(stored, latents=slopes(pictures(80))))
    found = measured(model, of_thumbnails(model.stored, model.info.image, 80), count=40)  # type: ignore[arg-type]
    assert "mse" not in found.figures["reconstruction"]
    assert "its own reconstructions" in found.notes[0]


def test_a_generator_alone_is_measured_alone() -> None:
    draws = with_thumbnails(pictures(60), samples=True)
    model = Painter(encoder=False, stored=draws)
    assert of_thumbnails(draws, model.info.image, 60) is None
    found = measured(model, None, count=50)
    assert set(found.figures) == {"samples", "continuity"}
    assert found.figures["samples"]["drawn"] == 50
    assert found.figures["samples"]["sharpness"] > 0
    assert "need real pictures" in found.notes[0]
    # With pictures it can be compared, although nothing is reconstructed.
    found = measured(model, real_of(pictures(80)), count=40)
    assert "recall" in found.figures["samples"]
    assert "reconstruction" not in found.figures


def test_few_pictures_are_reconstructed_but_not_compared() -> None:
    found = measured(Painter(), real_of(pictures(20)))
    assert found.figures["reconstruction"]["pictures"] == 20
    assert "recall" not in found.figures["samples"]
    assert "20 pictures are too few" in found.notes[0]


def test_draws_that_are_no_pictures_are_left_out() -> None:
    found = measured(Painter(drawable=False), real_of(pictures(80)), count=40)
    assert "samples" not in found.figures
    assert "no pictures" in found.notes[0]
    with pytest.raises(DataError, match="Nothing can be measured"):
        measured(Painter(encoder=False, drawable=False), None)


def test_a_classifier_of_the_labels_is_a_feature_space_of_its_own() -> None:
    images = pictures(120)
    known = Nothing(labels=(slopes(images)[:, 0] > 0).astype(np.int64), label_names=("up", "down"))
    found = measured(Painter(), real_of(images, known), count=60, features="classifier")
    assert found.figures["samples"]["feature_space"] == (
        "128 features of a small classifier of 2 classes of 60 pictures given"
    )
    found = measured(Painter(), real_of(images), count=60, features="classifier")
    assert "no labels" in found.notes[0]


def test_a_conditional_model_is_asked_for_what_the_pictures_are() -> None:
    images = pictures(80)
    known = Nothing(labels=np.arange(80) % 2 + 1, label_names=("none", "left", "right"))
    model = Painter(encoder=False, classes=("left", "right"))
    found = measured(model, real_of(images, known), count=40)
    labels = [condition.label for condition in model.asked if isinstance(condition, Condition)]
    assert set(labels) == {0, 1}
    assert len(labels) == 40
    assert "one condition throughout" in found.notes[-1]
    # Where nothing is known of pictures, and where there are none, of each class as many.
    for real in (real_of(images), None):
        model = Painter(encoder=False, classes=("left", "right"))
        measured(model, real, count=40)
        numbers = [asked for asked in model.asked if isinstance(asked, int)]
        assert numbers == [0, 1] * 20


def test_whoever_listens_can_stop_it() -> None:
    class Stop(Exception):
        pass

    def tell(_share: float, text: str) -> None:
        if text.startswith("drawing"):
            raise Stop

    with pytest.raises(Stop):
        measured(Painter(), real_of(pictures(80)), count=40, tell=tell)


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(OptionError, match="choose 32 to 20,000"):
        checked_count(4)
    with pytest.raises(OptionError, match="no features 'inception'"):
        checked_features("inception")


def test_pictures_are_brought_to_the_models_size_and_channels() -> None:
    colour = np.zeros((2, 20, 20, 3), np.uint8)
    colour[..., 0] = 255
    grey = at_size(colour, ImageShape(SIDE, SIDE, 1))
    assert grey.shape == (2, SIDE, SIDE, 1)
    assert grey[0, 5, 5, 0] == pytest.approx(76, abs=1)  # the luma of red
    assert at_size(grey, ImageShape(SIDE, SIDE, 3)).shape == (2, SIDE, SIDE, 3)
    wide = given(np.zeros((40, 10, 30, 3), np.uint8), ImageShape(SIDE, SIDE, 1), Nothing(), 7)
    assert wide.images.shape == (7, SIDE, SIDE, 1)
