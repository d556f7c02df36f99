"""The small classifier learns what is there, balances what is rare, and says where to draw the line."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latentlab.core.errors import DataError
from latentlab.measure.classifier import (
    BATCH,
    Augmentation,
    ClassifierNetwork,
    Targets,
    attribute_aucs,
    augmented,
    blurred,
    equal_error_threshold,
    fit_classifier,
)
from latentlab.models.in_parts import FEWEST
from latentlab.models.torch_model import PIXELS_AT_ONCE

PLAIN = Augmentation(shift=False, jitter=False)


def squares(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of 16 px: a bright patch on one of four quarters (class), rarely a stripe (attribute), a level."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (count, 16, 16, 1), dtype=np.uint8)
    classes = rng.integers(0, 4, count)
    stripe = rng.random(count) < 0.1
    level = rng.uniform(0, 1, count)
    for image, quarter, has_stripe, bright in zip(images, classes, stripe, level, strict=True):
        row, column = 8 * (quarter // 2), 8 * (quarter % 2)
        image[row + 2 : row + 6, column + 2 : column + 6] = 120 + 130 * bright
        if has_stripe:
            image[7:9] = 200
    return images, classes.astype(np.int64), np.stack([stripe, level], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def learned() -> tuple[object, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    images, classes, attributes = squares(600, seed=0)
    attributes = attributes.copy()
    attributes[::7, 0] = np.nan
    targets = Targets(classes, 4, attributes, ("stripe", "level"))
    return fit_classifier(images, targets, steps=60, augmentation=PLAIN, width=8), squares(200, seed=1)


def test_classes_attributes_and_quantities(learned: tuple) -> None:
    classifier, (images, classes, attributes) = learned
    said = classifier.predict(images)
    assert (said.labels == classes).mean() > 0.95
    assert said.confidence.min() > 0.25
    aucs = attribute_aucs(said, attributes)
    assert aucs[0] is not None
    assert aucs[0] > 0.97
    assert aucs[1] is None
    assert np.corrcoef(said.attributes_NA[:, 1], attributes[:, 1])[0, 1] > 0.9
    assert said.features_NF.shape == (200, 128)
    assert classifier.space == "128 features of a small classifier of 4 classes and 2 attributes"


def test_predictions_do_not_depend_on_the_batch(learned: tuple) -> None:
    classifier, (images, _, _) = learned
    together, alone = classifier.predict(images[:5]), classifier.predict(images[:1])
    np.testing.assert_allclose(together.attributes_NA[0], alone.attributes_NA[0], rtol=1e-4, atol=1e-5)


def test_training_is_reproducible_and_leaves_the_random_state() -> None:
    images, classes, _ = squares(64, seed=0)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first = fit_classifier(images, Targets(classes, 4), steps=3, width=4).predict(images)
    again = fit_classifier(images, Targets(classes, 4), steps=3, width=4).predict(images)
    assert torch.equal(before, torch.get_rng_state())
    np.testing.assert_array_equal(first.features_NF, again.features_NF)


def test_a_part_of_the_pictures_is_learned_from_where_it_lies() -> None:
    images, classes, _ = squares(64, seed=0)
    rows = np.flatnonzero(np.arange(64) % 3)
    targets = Targets(classes[rows], 4)
    copied = fit_classifier(images[rows], targets, steps=3, width=4).predict(images)
    in_place = fit_classifier(images, targets, rows=rows, steps=3, width=4).predict(images)
    np.testing.assert_array_equal(in_place.features_NF, copied.features_NF)


def test_as_many_pictures_are_looked_at_together_as_their_size_allows() -> None:
    """A batch of pictures of 64 px has the bytes of one of 32 px."""
    looked_at: list[int] = []
    for side in (32, 64):
        images = np.zeros((300, side, side, 1), np.uint8)
        classifier = fit_classifier(images, Targets(np.arange(300) % 2, 2), steps=1, width=1)
        classifier.network.register_forward_hook(lambda _network, given, _out: looked_at.append(given[0].numel()))
        assert len(classifier.predict(images).features_NF) == 300
    assert max(looked_at) <= PIXELS_AT_ONCE
    assert len(looked_at) == 2 + 5


def test_a_batch_is_learned_from_in_parts_that_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.models.in_parts.PIXELS", 0)
    sizes: list[int] = []
    forward = ClassifierNetwork.forward
    monkeypatch.setattr(
        ClassifierNetwork, "forward", lambda network, given: (sizes.append(len(given)), forward(network, given))[1]
    )
    images, classes, _ = squares(300, seed=0)
    classifier = fit_classifier(images, Targets(classes, 4), steps=30, augmentation=PLAIN, width=8)
    assert sizes == [FEWEST] * (30 * BATCH // FEWEST)
    pictures, known, _ = squares(200, seed=1)
    assert (classifier.predict(pictures).labels == known).mean() > 0.95


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(DataError, match="labels or attributes"):
        Targets()
    with pytest.raises(DataError, match="two pictures"):
        fit_classifier(np.zeros((1, 8, 8, 1), np.uint8), Targets(np.zeros(1, np.int64), 1))


def test_the_equal_error_threshold() -> None:
    rng = np.random.default_rng(0)
    has_it = rng.random(4000) < 0.1
    scores = (rng.standard_normal(4000) + 2 * has_it).astype(np.float32)
    threshold = equal_error_threshold(scores, has_it)
    missed, false_alarms = (scores[has_it] <= threshold).mean(), (scores[~has_it] > threshold).mean()
    assert abs(missed - false_alarms) < 0.01
    assert threshold == pytest.approx(1, abs=0.15)
    split = equal_error_threshold(np.array([0, 1, 8, 9], np.float32), np.array([False, False, True, True]))
    assert split == 4.5
    with pytest.raises(DataError):
        equal_error_threshold(scores, np.zeros(4000, bool))


def test_augmentation_keeps_shape_and_range() -> None:
    images = torch.linspace(-1, 1, 4 * 3 * 20 * 20).reshape(4, 3, 20, 20)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        changed = augmented(images, Augmentation(flip=True, blur=True))
    assert changed.shape == images.shape
    assert not torch.equal(changed, images)
    assert torch.equal(augmented(images, PLAIN), images)
    flat = torch.full((1, 3, 20, 20), 0.3)
    torch.testing.assert_close(blurred(flat, 2.0), flat)
