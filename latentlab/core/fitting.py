"""Fitting attribute directions from labels or from two groups, and judging them on encodings they have not seen.

Shapes: N latents, D numbers in each, A attributes fitted together, K directions.
Only numpy on the way that start-up takes; scikit-learn is imported for the method "logistic" alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.core.directions import Direction, DirectionSet, orthogonalised
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import DataError, OptionError, did_you_mean
from latentlab.core.spaces import FloatArray

Method = Literal["balanced", "means", "logistic"]
METHODS: dict[Method, str] = {"balanced": "balanced means", "means": "plain means", "logistic": "logistic regression"}

RIDGE = 1e-3  # of the attributes' variance: enough for attributes that always come together
HELD_OUT = 0.3  # share of the encodings that the AUC is measured on
ENOUGH = 10  # of either kind on either side of one split; fewer are judged by five-fold cross-validation
CLASS_LIMIT = 100  # one-vs-rest directions of more classes would help nobody
NO_LENGTH = 1e-9

Floats = NDArray[np.floating]
Coefficients = Callable[[FloatArray, FloatArray], Floats]  # latents_ND, values_NA -> (A, D)


@dataclass(frozen=True, eq=False)
class Fit:
    """Directions fitted together; entries without a way to tell the two groups apart have length 0."""

    vectors_AD: FloatArray
    examples: tuple[int, ...]
    aucs: tuple[float | None, ...]


def fit_direction(
    latents_ND: FloatArray,
    has_it: FloatArray,
    name: str = "",
    *,
    others_NA: FloatArray | None = None,
    method: Method = "balanced",
    space: str = "z",
    checkpoint: str = "",
    predicted: bool = False,
    seed: int = 0,
) -> Direction:
    """The direction that gives a latent the attribute `has_it` (N,): 1 has it, 0 or -1 has it not, NaN unknown.

    Any other numbers are split at their median. "balanced" keeps out what `others_NA` explain (N, A, same coding);
    "means" is the plain difference of the two class means; "logistic" the normal of a logistic regression with class
    weights (InterFaceGAN, Shen et al. 2020). The AUC is of held-out latents under a refit on the rest. Raises
    DataError when one of the two groups is empty.
    """
    latents_ND, values_NA = _finite_rows(latents_ND, has_it, others_NA)
    if reason := _unfit(values_NA[:, 0]):
        raise DataError(f"No direction can be fitted for '{name}': {reason}.")
    fit = _fit(latents_ND, values_NA, method, seed, wanted=1)
    if not np.any(fit.vectors_AD[0]):
        raise DataError(f"No direction can be fitted for '{name}': both groups have the same mean latent.")
    return Direction(
        name=name,
        vector=fit.vectors_AD[0],
        space=space,
        method=METHODS[method],
        examples=fit.examples[0],
        auc=fit.aucs[0],
        predicted=predicted,
        checkpoint=checkpoint,
    )


def fit_from_groups(
    latents_A_ND: FloatArray,
    latents_B_ND: FloatArray,
    name: str = "",
    *,
    method: Method = "means",
    space: str = "z",
    checkpoint: str = "",
    seed: int = 0,
) -> Direction:
    """The direction from group B (has it not) to group A (has it). Raises DataError when one is empty."""
    latents_ND = np.concatenate([np.atleast_2d(latents_A_ND), np.atleast_2d(latents_B_ND)]).astype(np.float32)
    has_it = np.zeros(len(latents_ND), np.float32)
    has_it[: len(np.atleast_2d(latents_A_ND))] = 1
    fitted = fit_direction(latents_ND, has_it, name, method=method, space=space, checkpoint=checkpoint, seed=seed)
    by = "" if method == "means" else f", {METHODS[method]}"
    return dataclasses.replace(fitted, method=f"two groups{by}")


def fit_directions(
    encodings: EncodingSet, *, method: Method = "balanced", checkpoint: str = "", seed: int = 0
) -> DirectionSet:
    """A direction for every attribute and, one against the rest, every class of the encodings.

    Attributes that all or no encodings have, and those known of none, are left out.
    """
    directions: list[Direction] = []
    for names, values_NA, predicted in _targets(encodings):
        latents_ND, values_NA = _finite_rows(encodings.latents, values_NA[:, 0], values_NA[:, 1:])
        fit = _fit(latents_ND, values_NA, method, seed, wanted=len(names))
        taken = {direction.name for direction in directions}
        directions += [
            Direction(
                name=name if name not in taken else f"class {name}",
                vector=fit.vectors_AD[a],
                space=encodings.space,
                method=METHODS[method],
                examples=fit.examples[a],
                auc=fit.aucs[a],
                predicted=predicted[a],
                checkpoint=checkpoint,
            )
            for a, name in enumerate(names)
            if np.any(fit.vectors_AD[a])
        ]
    return DirectionSet(directions)


def direction_names(encodings: EncodingSet) -> list[str]:
    """The names that `fit_directions` will give, without fitting."""
    known: list[str] = []
    for names, values_NA, _ in _targets(encodings):
        fit = [name for a, name in enumerate(names) if not _unfit(values_NA[:, a])]
        known += [f"class {name}" if name in known else name for name in fit]
    return known


def cosine_table(directions: DirectionSet) -> FloatArray:
    """(K, K) cosines between the directions in the set's order; 0 where one has no length."""
    if not directions:
        return np.zeros((0, 0), np.float32)
    vectors_KD = np.stack([d.vector for d in directions.values()]).astype(np.float64)
    lengths_K1 = np.linalg.norm(vectors_KD, axis=1, keepdims=True)
    units_KD = np.divide(vectors_KD, lengths_K1, out=np.zeros_like(vectors_KD), where=lengths_K1 > 0)
    cosines_KK: FloatArray = np.clip(units_KD @ units_KD.T, -1, 1).astype(np.float32)
    return cosines_KK


def leak(direction: Direction, locked: Iterable[str], encodings: EncodingSet | None = None) -> dict[str, float]:
    """How much strength 1 of `direction`, given the locks, still changes the other attributes of its set.

    In units of each attribute's own strength: 0.2 for Smiling is what Smiling at 0.2 would do. Seen through the
    linear discriminant of each attribute, since what a lock projects out is not all that one sees change; without
    encodings, through the plain angle. The first call for encodings takes a while (0.2 s for 10,000 of 512).
    """
    if direction.among is None:
        return {}
    among = direction.among
    kept = [among[name].vector for name in locked if name != direction.name and name in among]
    moved_D = orthogonalised(direction.vector, kept).astype(np.float64)
    leaks = {}
    for name, other in among.items():
        if name == direction.name:
            continue
        sees_D = other.vector.astype(np.float64)
        if encodings is not None and encodings.dim == len(moved_D):
            sees_D = _precision(encodings) @ sees_D
        own = float(sees_D @ other.vector)
        leaks[name] = float(sees_D @ moved_D) / own if abs(own) > NO_LENGTH else 0.0
    return leaks


def auc(scores_N: Floats, has_it: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often one that has it scores higher than one that has it not; ties count half."""
    without = np.sort(scores_N[~has_it])
    with_it = scores_N[has_it]
    below = np.searchsorted(without, with_it, "left") + np.searchsorted(without, with_it, "right")
    return float(below.mean() / 2 / len(without))


# --- the targets -----------------------------------------------------------------------------------------------


def _targets(encodings: EncodingSet) -> list[tuple[list[str], FloatArray, list[bool]]]:
    """Sets of attributes to be balanced against each other: names, values (N, A), predicted or not."""
    targets = []
    if encodings.attributes is not None and encodings.attribute_names:
        names = list(encodings.attribute_names)
        targets.append((names, encodings.attributes, [name in encodings.predicted for name in names]))
    if encodings.labels is not None:
        classes = np.unique(encodings.labels[encodings.labels >= 0])
        if 2 <= len(classes) <= CLASS_LIMIT:
            known = encodings.labels >= 0
            one_hot_NA = (encodings.labels[:, None] == classes).astype(np.float32)
            one_hot_NA[~known] = np.nan
            names = [
                encodings.label_names[c] if c < len(encodings.label_names) else f"class {c}" for c in classes.tolist()
            ]
            targets.append((names, one_hot_NA, ["class" in encodings.predicted] * len(names)))
    return targets


def _unfit(values_N: FloatArray) -> str:
    groups = _groups(values_N[:, None])[:, 0]
    positives, negatives = int((groups == 1).sum()), int((groups == 0).sum())
    if positives and negatives:
        return ""
    if not positives and not negatives:
        return "no encoding says whether it has it"
    return f"all {positives:,} encodings have it" if positives else f"none of {negatives:,} encodings has it"


def _groups(values_NA: FloatArray) -> NDArray[np.int8]:
    """(N, A): 1 has it, 0 has it not, -1 unknown."""
    known_NA = np.isfinite(values_NA)
    groups_NA = np.full(values_NA.shape, -1, np.int8)
    for a in range(values_NA.shape[1]):
        known = values_NA[known_NA[:, a], a]
        if len(known):
            groups_NA[known_NA[:, a], a] = known > _threshold(known)
    return groups_NA


def _threshold(known: FloatArray) -> float:
    """Between the two codes of a yes-no attribute, 0.5 for probabilities, the median for any other number."""
    lowest, highest = float(known.min()), float(known.max())
    if lowest >= 0 and highest <= 1 and (lowest < 0.5 < highest or lowest == highest):
        return 0.5
    if lowest == -1 and highest <= 1 and bool(np.isin(known, (-1, 0, 1)).all()):
        return 0.0
    median = float(np.median(known))
    return median if median < highest else float(np.nextafter(highest, lowest))


def _finite_rows(
    latents_ND: FloatArray, has_it: FloatArray, others_NA: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """The latents without NaN, and all values side by side, the wanted attribute first."""
    latents_ND = np.asarray(latents_ND, np.float32)
    values_NA = np.asarray(has_it, np.float32)[:, None]
    if others_NA is not None:
        values_NA = np.concatenate([values_NA, np.asarray(others_NA, np.float32)], axis=1)
    if latents_ND.ndim != 2 or len(latents_ND) != len(values_NA):
        raise DataError(
            f"{len(values_NA):,} labels do not fit latents of shape {latents_ND.shape}; one each is needed."
        )
    finite_N = np.isfinite(latents_ND).all(axis=1)
    return (latents_ND, values_NA) if finite_N.all() else (latents_ND[finite_N], values_NA[finite_N])


# --- the fit ---------------------------------------------------------------------------------------------------


def _fit(latents_ND: FloatArray, values_NA: FloatArray, method: Method, seed: int, wanted: int) -> Fit:
    """The first `wanted` attributes; the others only balance."""
    coefficients = _method(method)
    groups_NA = _groups(values_NA[:, :wanted])
    if method != "balanced":
        values_NA = values_NA[:, :wanted]
    vectors_AD = _with_length(coefficients(latents_ND, values_NA)[:wanted], latents_ND, groups_NA)
    train_N = np.random.default_rng(seed).random(len(latents_ND)) >= HELD_OUT
    trained_AD: Floats = coefficients(latents_ND[train_N], values_NA[train_N])[:wanted]
    scores_NA = latents_ND[~train_N] @ trained_AD.T.astype(np.float32)
    aucs: list[float | None] = []
    for a in range(wanted):
        held_out = groups_NA[~train_N, a]
        counts = [int((part == kind).sum()) for part in (groups_NA[train_N, a], held_out) for kind in (0, 1)]
        if min(counts) >= ENOUGH:
            known = held_out >= 0
            aucs.append(auc(scores_NA[known, a], held_out[known] == 1))
        else:
            order = [a, *(b for b in range(values_NA.shape[1]) if b != a and method == "balanced")]
            aucs.append(_cross_validated(latents_ND, values_NA[:, order], groups_NA[:, a], coefficients, seed))
    return Fit(vectors_AD, tuple(int((groups_NA[:, a] >= 0).sum()) for a in range(wanted)), tuple(aucs))


def _cross_validated(
    latents_ND: FloatArray, values_NA: FloatArray, groups_N: NDArray[np.int8], coefficients: Coefficients, seed: int
) -> float | None:
    """The mean AUC over up to five folds that hold both kinds each; None when one kind has fewer than two."""
    rng = np.random.default_rng(seed)
    with_it, without = (rng.permutation(np.flatnonzero(groups_N == kind)) for kind in (1, 0))
    folds = min(5, len(with_it), len(without))
    if folds < 2:
        return None
    found = []
    for fold in range(folds):
        held_out = np.concatenate([with_it[fold::folds], without[fold::folds]])
        train_N = groups_N >= 0
        train_N[held_out] = False
        trained_D = coefficients(latents_ND[train_N], values_NA[train_N])[0]
        found.append(auc(latents_ND[held_out] @ trained_D, groups_N[held_out] == 1))
    return float(np.mean(found))


def _method(method: str) -> Coefficients:
    known: dict[str, Coefficients] = {"balanced": _balanced, "means": _means, "logistic": _logistic}
    if method not in known:
        raise OptionError(f"There is no fitting method '{method}'.{did_you_mean(method, known)}")
    return known[method]


def _balanced(latents_ND: FloatArray, values_NA: FloatArray) -> Floats:
    """Ridge regression of the latents on all attributes at once: what each adds while the others stay."""
    return _regressed(latents_ND, _standardised(values_NA))


def _standardised(values_NA: FloatArray) -> FloatArray:
    """Columns of mean 0 and variance 1; what is unknown counts as the mean, so that it says nothing."""
    known_NA = np.isfinite(values_NA)
    counts_A = np.maximum(known_NA.sum(axis=0), 1)
    means_A = np.where(known_NA, values_NA, 0.0).sum(axis=0) / counts_A
    centred_NA = np.where(known_NA, values_NA - means_A, 0.0)
    scale_A = np.sqrt(np.maximum((centred_NA**2).sum(axis=0) / counts_A, NO_LENGTH))
    return np.asarray(centred_NA / scale_A, np.float32)


def _regressed(latents_ND: FloatArray, standard_NA: FloatArray) -> Floats:
    gram_AA = (standard_NA.T @ standard_NA).astype(np.float64)
    gram_AA += RIDGE * len(latents_ND) * np.eye(len(gram_AA))
    return np.linalg.solve(gram_AA, (standard_NA.T @ latents_ND).astype(np.float64))


def _means(latents_ND: FloatArray, values_NA: FloatArray) -> Floats:
    """The plain difference of the two class means, which drags along whatever is correlated."""
    return _mean_difference(latents_ND, _groups(values_NA))


def _logistic(latents_ND: FloatArray, values_NA: FloatArray) -> Floats:
    """The normal of the boundary between the first attribute's two classes; zeros for all others."""
    from sklearn.linear_model import LogisticRegression

    groups_NA = _groups(values_NA)
    normals_AD = np.zeros((values_NA.shape[1], latents_ND.shape[1]))
    scale_D = np.maximum(latents_ND.std(axis=0, dtype=np.float64), NO_LENGTH)
    for a in range(values_NA.shape[1]):
        known = groups_NA[:, a] >= 0
        if len(np.unique(groups_NA[known, a])) == 2:
            model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=500)
            model.fit(latents_ND[known] / scale_D, groups_NA[known, a])
            normals_AD[a] = model.coef_[0] / scale_D
    return normals_AD


def _with_length(coefficients_AD: Floats, latents_ND: FloatArray, groups_NA: NDArray[np.int8]) -> FloatArray:
    """Each as long as its class means are apart along it; zero where one class is empty."""
    lengths_A1 = np.linalg.norm(coefficients_AD, axis=1, keepdims=True)
    units_AD = np.divide(coefficients_AD, lengths_A1, out=np.zeros_like(coefficients_AD), where=lengths_A1 > NO_LENGTH)
    apart_AD = _mean_difference(latents_ND, groups_NA)
    vectors_AD: FloatArray = (units_AD * np.abs((apart_AD * units_AD).sum(axis=1, keepdims=True))).astype(np.float32)
    return vectors_AD


def _mean_difference(latents_ND: FloatArray, groups_NA: NDArray[np.int8]) -> Floats:
    """(A, D): mean of those that have it - mean of those that have it not; zeros where one group is empty."""
    with_NA, without_NA = (groups_NA == 1).astype(np.float32), (groups_NA == 0).astype(np.float32)
    counts_with, counts_without = with_NA.sum(axis=0), without_NA.sum(axis=0)
    both = (counts_with > 0) & (counts_without > 0)
    weights_NA = (with_NA / np.maximum(counts_with, 1) - without_NA / np.maximum(counts_without, 1)) * both
    difference_AD: FloatArray = weights_NA.T @ latents_ND
    return difference_AD


@lru_cache(maxsize=2)
def _precision(encodings: EncodingSet) -> NDArray[np.float64]:
    """(D, D) inverse covariance of what the attributes and classes leave unexplained, as a discriminant needs it.

    A hundredth of the mean variance is added to each dimension: one in which nothing varies sees nothing.
    """
    finite_N = np.isfinite(encodings.latents).all(axis=1)
    rest_ND = encodings.latents[finite_N]
    rest_ND = rest_ND - rest_ND.mean(axis=0)
    if targets := _targets(encodings):
        standard_NA = _standardised(np.concatenate([values_NA for _, values_NA, _ in targets], axis=1)[finite_N])
        rest_ND -= standard_NA @ _regressed(rest_ND, standard_NA).astype(np.float32)
    covariance_DD = (rest_ND.T @ rest_ND).astype(np.float64) / max(len(rest_ND), 1)
    ridge = max(float(np.trace(covariance_DD)) / encodings.dim, NO_LENGTH) * 0.01
    return np.linalg.inv(covariance_DD + ridge * np.eye(encodings.dim))
