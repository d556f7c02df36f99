"""Whether conditional draws are what was asked for, in the eyes of a classifier trained on real pictures only.

Shapes: N draws.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.measure.classifier import Classifier, Predictions, equal_error_threshold
from latentlab.models.torch_model import TorchModel
from training.data import Dataset


def of_conditions(
    model: TorchModel, classifier: Classifier, drawn: NDArray[np.uint8], asked: Dataset, held_out: Dataset
) -> dict[str, Any]:
    """Shares of the draws (N, H, W, C) that the classifier sees as was asked; none for a model without conditions.

    `asked`: pictures of the data, of whose classes and attributes the draws should be. `held_out`: real pictures on
    which the classifier itself is judged, since no draw can be found right more often than it is.
    """
    said, known = classifier.predict(drawn), classifier.predict(held_out.images)
    figures = _of_classes(model.info.conditional or (), said, known, asked, held_out)
    accuracies = {}
    for name in model.info.conditional_attributes:
        if name in classifier.names and name in asked.attribute_names:
            accuracies[name] = _of_attribute(name, classifier.names.index(name), said, known, asked, held_out)
    return figures | ({"attribute_accuracy": accuracies} if accuracies else {})


def _of_classes(
    classes: tuple[str, ...], said: Predictions, known: Predictions, asked: Dataset, held_out: Dataset
) -> dict[str, Any]:
    if not classes or said.labels is None or known.labels is None or asked.labels is None or held_out.labels is None:
        return {}
    # A class of the data that the model does not know was not asked for.
    askable = [label for label, name in enumerate(asked.label_names) if name in classes]
    was_asked = np.isin(asked.labels, askable)
    return {
        "class_accuracy": _share(said.labels == asked.labels, was_asked),
        "class_accuracy_of_held_out_data": _share(known.labels == held_out.labels, held_out.labels >= 0),
        "class_accuracy_by_class": {
            asked.label_names[label]: _share(said.labels == label, asked.labels == label) for label in askable
        },
    }


def _of_attribute(
    name: str, column: int, said: Predictions, known: Predictions, asked: Dataset, held_out: Dataset
) -> float | None:
    """Seen where the classifier's answer is above its equal error threshold on held-out pictures."""
    assert held_out.attributes is not None
    assert asked.attributes is not None
    a = asked.attribute_names.index(name)
    truth, wanted = held_out.attributes[:, a], asked.attributes[:, a]
    finite = np.isfinite(truth)
    if len(np.unique(truth[finite])) < 2:
        return None  # nothing held out to set a threshold by
    threshold = equal_error_threshold(known.attributes_NA[finite, column], truth[finite] == 1)
    return _share((said.attributes_NA[:, column] > threshold) == (wanted == 1), np.isfinite(wanted))


def _share(right_N: NDArray[np.bool_], among_N: NDArray[np.bool_]) -> float | None:
    """None of none."""
    return round(float(right_N[among_N].mean()), 4) if among_N.any() else None
