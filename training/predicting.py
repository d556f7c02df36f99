"""What a classifier learns from a data set, and what it then says of pictures that no one has labelled.

Shapes: N pictures, A attributes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.core.condition import Described
from latentlab.core.encodings import EncodingSet
from latentlab.core.picture_folder import Progress
from latentlab.core.spaces import FloatArray
from latentlab.measure.classifier import (
    Augmentation,
    Classifier,
    Predictions,
    attribute_aucs,
    equal_error_threshold,
    fit_classifier,
    targets_of,
)
from latentlab.models.torch_model import pictures_at_once
from training.data import Dataset
from training.data.rows import Rows
from training.memory import kept_memory

WORTH_SAYING = 0.7  # held-out AUC below which a prediction is left out


def learned(
    data: Dataset,
    *,
    rows: NDArray[np.int64] | None = None,
    steps: int | None,
    flip: bool,
    seed: int,
    device: torch.device,
    bfloat16: bool,
    report: Progress,
) -> Classifier | None:
    """A classifier of everything `data` tells of its pictures, or of those in `rows`; None where it tells nothing."""
    targets = targets_of(data if rows is None else data.described(rows))
    if targets is None:
        return None
    with kept_memory():
        return fit_classifier(
            data.images,
            targets,
            rows=rows,
            steps=steps,
            augmentation=Augmentation(flip=flip),
            seed=seed,
            device=device,
            bfloat16=bfloat16,
            on_step=lambda done, total: report(done, total, "learning the attributes"),
        )


def predicted(
    encodings: EncodingSet, said: Predictions, classifier: Classifier, data: Dataset, judged: NDArray[np.int64]
) -> tuple[EncodingSet, dict[str, Any]]:
    """The samples with what the classifier said of them; only what it can tell on held-out pictures of the data."""
    batches = Rows.of(data.images, judged).batches(pictures_at_once(data.height))
    known = Predictions.joined(classifier.predict(batch).without_features() for batch in batches)
    held_out = data.described(judged)
    figures: dict[str, Any] = {}
    names_said: set[str] = set()
    labels = None
    if said.labels is not None and known.labels is not None and held_out.labels is not None:
        labels = said.labels.astype(np.int64)
        sure = held_out.labels >= 0
        figures["accuracy"] = round(float((known.labels == held_out.labels)[sure].mean()), 4) if sure.any() else None
        names_said.add("class")
    columns, names = _attributes(classifier, known, said, held_out, figures)
    names_said |= set(names)
    encodings = replace(
        encodings,
        labels=labels,
        label_names=held_out.label_names if labels is not None else (),
        attributes=np.stack(columns, axis=1) if columns else None,
        attribute_names=tuple(names),
        predicted=frozenset(names_said),
    )
    return encodings, {"classifier": figures} if figures else {}


def _attributes(
    classifier: Classifier, known: Predictions, said: Predictions, held_out: Described, figures: dict[str, Any]
) -> tuple[list[FloatArray], list[str]]:
    """Columns and names. A yes-no attribute becomes a probability that is one half at the equal error threshold."""
    columns: list[FloatArray] = []
    names: list[str] = []
    if held_out.attributes is None or not classifier.names:
        return columns, names
    truth_NA = held_out.attributes[:, [held_out.attribute_names.index(name) for name in classifier.names]]
    aucs = attribute_aucs(known, truth_NA)
    for a, name in enumerate(classifier.names):
        truth = truth_NA[:, a]
        finite = np.isfinite(truth)
        if classifier.quantity[a]:
            columns.append(said.attributes_NA[:, a])
            names.append(name)
            continue
        auc = aucs[a]
        if auc is None or auc < WORTH_SAYING:
            continue
        threshold = equal_error_threshold(known.attributes_NA[finite, a], truth[finite] == 1)
        columns.append(np.asarray(1 / (1 + np.exp(threshold - said.attributes_NA[:, a])), np.float32))
        names.append(name)
        figures[name] = round(auc, 4)
    return columns, names
