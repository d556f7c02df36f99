"""Directions: the balanced one does not drag along what is correlated, and every figure is held out."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from latentlab.core import fitting
from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import DataError, OptionError
from latentlab.core.spaces import FloatArray


def correlated(count: int = 2000, dim: int = 32, effect: float = 0.5) -> tuple[EncodingSet, FloatArray]:
    """Encodings whose second attribute mostly comes with the first, and what each attribute adds in truth (A, D)."""
    rng = np.random.default_rng(0)
    attributes_NA = (rng.random((count, 3)) < (0.3, 0.5, 0.5)).astype(np.float32)
    attributes_NA[:, 1] = np.where(rng.random(count) < 0.8, attributes_NA[:, 0], attributes_NA[:, 1])
    orthonormal = np.linalg.qr(rng.standard_normal((dim, 3)))[0].T
    truth_AD = (effect * np.sqrt(dim) * orthonormal).astype(np.float32)
    latents_ND = rng.standard_normal((count, dim)).astype(np.float32) + attributes_NA @ truth_AD
    names = ("Eyeglasses", "Beard", "Smiling")
    return EncodingSet(latents_ND, attributes=attributes_NA, attribute_names=names), truth_AD


def cosine(a: FloatArray, b: FloatArray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_balanced_finds_the_own_effect_where_the_plain_difference_does_not() -> None:
    encodings, truth_AD = correlated()
    balanced = fitting.fit_directions(encodings)["Eyeglasses"]
    plain = fitting.fit_directions(encodings, method="means")["Eyeglasses"]
    assert cosine(balanced.vector, truth_AD[0]) > 0.97
    assert cosine(plain.vector, truth_AD[0]) < 0.85
    assert (balanced.method, plain.method) == ("balanced means", "plain means")


@pytest.mark.parametrize("method", list(fitting.METHODS))
def test_length_is_the_distance_of_the_class_means_along_it(method: fitting.Method) -> None:
    encodings, _ = correlated()
    direction = fitting.fit_directions(encodings, method=method)["Smiling"]
    has_it = encodings.attribute("Smiling") == 1
    length = float(np.linalg.norm(direction.vector))
    apart = encodings.latents[has_it].mean(axis=0) - encodings.latents[~has_it].mean(axis=0)
    assert length == pytest.approx(float(apart @ direction.vector) / length, rel=1e-3)
    assert direction.examples == len(encodings)
    assert direction.auc is not None
    assert 0.8 < direction.auc < 1


def test_single_direction_is_the_one_of_the_set() -> None:
    encodings, _ = correlated()
    alone = fitting.fit_direction(
        encodings.latents,
        encodings.attribute("Beard"),
        "Beard",
        others_NA=np.delete(encodings.attributes, 1, axis=1),  # type: ignore[arg-type]
        space="w",
        checkpoint="abc",
        predicted=True,
    )
    together = fitting.fit_directions(encodings)["Beard"]
    np.testing.assert_allclose(alone.vector, together.vector, atol=1e-4)
    assert alone.auc == pytest.approx(together.auc, abs=1e-6)
    assert (alone.space, alone.checkpoint, alone.predicted) == ("w", "abc", True)


def test_the_names_are_known_before_the_fit() -> None:
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((60, 3)).astype(np.float32)
    attributes = np.stack([latents[:, 0] > 0, np.ones(60), latents[:, 1] > 0], axis=1).astype(np.float32)
    encodings = EncodingSet(
        latents,
        labels=(latents[:, 2] > 0).astype(np.int64),
        label_names=("low", "Hat"),
        attributes=attributes,
        attribute_names=("Hat", "All", "Smiling"),
    )
    assert fitting.direction_names(encodings) == list(fitting.fit_directions(encodings))
    assert fitting.direction_names(encodings) == ["Hat", "Smiling", "low", "class Hat"]


def test_auc_is_held_out() -> None:
    """In more dimensions than examples anything separates the training part; labels drawn by chance must not."""
    rng = np.random.default_rng(1)
    latents_ND = rng.standard_normal((300, 400)).astype(np.float32)
    has_it = (rng.random(300) < 0.5).astype(np.float32)
    direction = fitting.fit_direction(latents_ND, has_it, "chance")
    assert direction.auc is not None
    assert abs(direction.auc - 0.5) < 0.15
    assert fitting.auc(latents_ND @ direction.vector, has_it == 1) > 0.9


def test_same_seed_same_figures() -> None:
    encodings, _ = correlated(400)
    figures = [fitting.fit_directions(encodings, seed=seed)["Beard"].auc for seed in (3, 3, 4)]
    assert figures[0] == figures[1] != figures[2]


def test_auc_counts_ties_half() -> None:
    scores = np.array([0, 1, 1, 2], np.float32)
    assert fitting.auc(scores, np.array([False, False, True, True])) == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert fitting.auc(np.zeros(4, np.float32), np.array([True, False, True, False])) == 0.5


def test_few_examples_are_cross_validated() -> None:
    encodings, _ = correlated(effect=3)
    latents_ND, has_it = encodings.latents[:200], np.zeros(200, np.float32)
    positives = np.flatnonzero(encodings.attribute("Smiling")[:200])[:4]
    has_it[np.flatnonzero(encodings.attribute("Smiling")[:200])] = np.nan
    has_it[positives] = 1
    direction = fitting.fit_direction(latents_ND, has_it, "Smiling")
    assert direction.auc is not None
    assert direction.auc > 0.9
    assert direction.examples == int(np.isfinite(has_it).sum())


@pytest.mark.parametrize("codes", [(0, 1), (-1, 1), (0.1, 0.9), (20, 70)])
def test_codings(codes: tuple[float, float]) -> None:
    encodings, truth_AD = correlated()
    values = np.where(encodings.attribute("Smiling") == 1, codes[1], codes[0]).astype(np.float32)
    direction = fitting.fit_direction(encodings.latents, values, "Smiling")
    assert cosine(direction.vector, truth_AD[2]) > 0.97
    assert direction.auc is not None
    assert direction.auc > 0.8


def test_unknown_values_and_latents_that_are_not_finite_are_left_out() -> None:
    encodings, truth_AD = correlated()
    latents_ND, attributes_NA = encodings.latents.copy(), encodings.attributes.copy()  # type: ignore[union-attr]
    latents_ND[5, 3] = np.nan
    attributes_NA[10:500, 0] = np.nan
    holes = EncodingSet(latents_ND, attributes=attributes_NA, attribute_names=encodings.attribute_names)
    directions = fitting.fit_directions(holes)
    assert directions["Eyeglasses"].examples == len(encodings) - 491
    assert directions["Smiling"].examples == len(encodings) - 1
    assert cosine(directions["Eyeglasses"].vector, truth_AD[0]) > 0.93
    assert all(np.isfinite(d.vector).all() for d in directions.values())


def test_attributes_that_all_or_none_have_are_left_out_and_refused_with_a_reason() -> None:
    encodings, _ = correlated(50)
    attributes_NA = encodings.attributes.copy()  # type: ignore[union-attr]
    attributes_NA[:, 0], attributes_NA[:, 1] = 1, np.nan
    constant = EncodingSet(encodings.latents, attributes=attributes_NA, attribute_names=encodings.attribute_names)
    assert list(fitting.fit_directions(constant)) == ["Smiling"]
    for name, reason in (("Eyeglasses", "all 50 encodings have it"), ("Beard", "no encoding says")):
        with pytest.raises(DataError, match=f"'{name}': {reason}"):
            fitting.fit_direction(constant.latents, constant.attribute(name), name)


def test_classes_stand_one_against_the_rest() -> None:
    rng = np.random.default_rng(0)
    centres = 2 * rng.standard_normal((4, 8)).astype(np.float32)
    labels = rng.integers(-1, 4, 500)
    latents_ND = rng.standard_normal((500, 8)).astype(np.float32) + np.where(labels[:, None] >= 0, centres[labels], 0)
    encodings = EncodingSet(
        latents_ND.astype(np.float32), labels=labels, label_names=("cat", "dog", "cow"), predicted=frozenset({"class"})
    )
    directions = fitting.fit_directions(encodings)
    assert list(directions) == ["cat", "dog", "cow", "class 3"]
    assert all(d.predicted and d.auc is not None and d.auc > 0.9 for d in directions.values())
    assert directions["dog"].examples == int((labels >= 0).sum())
    many = EncodingSet(latents_ND.astype(np.float32), labels=np.arange(500))
    assert len(fitting.fit_directions(many)) == 0


def test_class_with_the_name_of_an_attribute_keeps_both() -> None:
    encodings, _ = correlated(200)
    labels = (np.arange(200) % 2).astype(np.int64)
    both = EncodingSet(
        encodings.latents,
        labels=labels,
        label_names=("Beard", "none"),
        attributes=encodings.attributes,
        attribute_names=encodings.attribute_names,
    )
    assert {"Beard", "class Beard", "none"} < set(fitting.fit_directions(both))


def test_groups() -> None:
    rng = np.random.default_rng(0)
    shift = np.array([3, 0, 0, 0], np.float32)
    a_ND, b_ND = (
        rng.standard_normal((40, 4)).astype(np.float32) + shift,
        rng.standard_normal((30, 4)).astype(np.float32),
    )
    direction = fitting.fit_from_groups(a_ND, b_ND, "lassoed")
    np.testing.assert_allclose(direction.vector, a_ND.mean(axis=0) - b_ND.mean(axis=0), atol=1e-5)
    assert direction.method == "two groups"
    assert direction.examples == 70
    assert direction.auc is not None
    assert direction.auc > 0.9
    assert fitting.fit_from_groups(a_ND, b_ND, method="logistic").method == "two groups, logistic regression"


def test_tiny_and_empty_groups() -> None:
    one, other = np.ones((1, 3), np.float32), np.zeros((1, 3), np.float32)
    direction = fitting.fit_from_groups(one, other)
    np.testing.assert_allclose(direction.vector, 1)
    assert direction.auc is None
    with pytest.raises(DataError, match="none of 1 encodings has it"):
        fitting.fit_from_groups(one[:0], other, "empty")
    with pytest.raises(DataError, match="same mean"):
        fitting.fit_from_groups(one, one, "same")


def test_mistakes_are_named() -> None:
    with pytest.raises(DataError, match="3 labels do not fit"):
        fitting.fit_direction(np.zeros((4, 2), np.float32), np.zeros(3, np.float32))
    with pytest.raises(OptionError, match=r"'mean'.*Did you mean 'means'"):
        fitting.fit_direction(np.eye(2, dtype=np.float32), np.arange(2, dtype=np.float32), method="mean")  # type: ignore[arg-type]


def test_cosine_table() -> None:
    vectors = {"x": [1, 0], "y": [0, 2], "xy": [3, 3], "none": [0, 0]}
    table = fitting.cosine_table(DirectionSet(Direction(n, np.array(v, np.float32)) for n, v in vectors.items()))
    np.testing.assert_allclose(table[2, :2], np.sqrt(0.5), rtol=1e-6)
    assert table[0, 1] == 0
    assert (table[3] == 0).all()
    assert fitting.cosine_table(DirectionSet()).shape == (0, 0)


def test_leak_tells_what_is_dragged_along() -> None:
    encodings, _ = correlated()
    balanced, plain = (fitting.fit_directions(encodings, method=m)["Eyeglasses"] for m in ("balanced", "means"))
    assert abs(fitting.leak(balanced, (), encodings)["Beard"]) < 0.15
    dragged = fitting.leak(plain, (), encodings)["Beard"]
    assert dragged > 0.5
    assert abs(fitting.leak(plain, ["Beard"], encodings)["Beard"]) < dragged / 2
    assert set(fitting.leak(plain, (), encodings)) == {"Beard", "Smiling"}
    # Without encodings: the plain angle, of which a lock leaves nothing.
    assert fitting.leak(plain, ["Beard"])["Beard"] == pytest.approx(0, abs=1e-5)
    assert fitting.leak(Direction("alone", np.ones(3, np.float32)), ()) == {}


def test_start_up_path_is_quick_and_needs_numpy_alone() -> None:
    program = """
import sys, time
import numpy as np
from latentlab.core.encodings import EncodingSet
from latentlab.core.fitting import fit_directions
from latentlab.core.projections.pca import PCAProjection
rng = np.random.default_rng(0)
latents = rng.standard_normal((2565, 128)).astype(np.float32)
encodings = EncodingSet(latents, attributes=(rng.random((2565, 9)) < 0.3).astype(np.float32),
                        attribute_names=tuple("abcdefghi"))
started = time.process_time()
assert len(fit_directions(encodings)) == 9
print(time.process_time() - started)
PCAProjection(pca=encodings.principal).fit(latents).transform(latents[:1])
heavy = {"sklearn", "scipy", "openTSNE", "torch", "PySide6"} & {name.split(".")[0] for name in sys.modules}
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.1


def test_many_attributes_stay_quick() -> None:
    """One shared split: forty attributes must not cost forty fits."""
    rng = np.random.default_rng(0)
    latents_ND = rng.standard_normal((2000, 64)).astype(np.float32)

    def took(count: int) -> float:
        names = tuple(str(number) for number in range(count))
        encodings = EncodingSet(
            latents_ND, attributes=(rng.random((2000, count)) < 0.4).astype(np.float32), attribute_names=names
        )
        started = time.process_time()
        fitting.fit_directions(encodings)
        return time.process_time() - started

    took(1)
    assert took(40) < 0.5
