"""A small convolutional classifier of pictures: of classes, of attributes, or both at once.

Trained on real pictures only. It predicts what a generator's samples show, it judges whether an edit did what it
said, and its features are a named space to measure distances in.

Shapes: N pictures, B batch, P part of it, K classes, A attributes, H W C of pictures (uint8), F features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from latentlab.core.condition import Described
from latentlab.core.errors import DataError
from latentlab.core.fitting import auc
from latentlab.core.spaces import FloatArray
from latentlab.models.in_parts import part_of
from latentlab.models.torch_model import pictures_at_once

Pictures = NDArray[np.uint8]
OnStep = Callable[[int, int], None]  # done, total

FEATURES = 128
DEEPEST = 4  # px; the side at which the pictures are averaged
BATCH = 128
RATE = 2e-3
WEIGHT_DECAY = 1e-2
ENOUGH = 10  # positives, and negatives, that an attribute needs before anyone may predict it
HEAVIEST = 20.0  # the most a rare positive counts
JITTER = 0.15  # of brightness and contrast
SHIFT_SHARE = 1 / 20  # of the side, at random


@dataclass(frozen=True)
class Augmentation:
    """Mirroring is wrong for digits and for whatever has a left and a right."""

    flip: bool = False
    shift: bool = True
    jitter: bool = True
    blur: bool = False  # so that a judge can also look at the soft pictures of a decoder


@dataclass(frozen=True, eq=False)
class Targets:
    """What is known of N pictures. An attribute of 0 and 1 is a yes or no; of other numbers, a quantity."""

    labels: NDArray[np.int64] | None = None  # (N,); -1 unknown
    classes: int = 0
    attributes_NA: FloatArray | None = None  # NaN unknown
    names: tuple[str, ...] = ()  # of the attributes

    def __post_init__(self) -> None:
        if self.labels is None and self.attributes_NA is None:
            raise DataError("A classifier needs labels or attributes to learn from; this data has neither.")

    def rows(self, indices: NDArray[np.int64]) -> Targets:
        return Targets(
            None if self.labels is None else self.labels[indices],
            self.classes,
            None if self.attributes_NA is None else self.attributes_NA[indices],
            self.names,
        )


def targets_of(data: Described) -> Targets | None:
    """What a classifier can learn from; attributes of which nearly all or nearly no picture has it are left out."""
    labels = data.labels if data.labels is not None and len(np.unique(data.labels[data.labels >= 0])) > 1 else None
    chosen = [] if data.attributes is None else [a for a in range(data.attributes.shape[1]) if _learnable(data, a)]
    if labels is None and not chosen:
        return None
    return Targets(
        labels=labels,
        classes=0 if labels is None else max(len(data.label_names), int(labels.max()) + 1),
        attributes_NA=data.attributes[:, chosen] if data.attributes is not None and chosen else None,
        names=tuple(data.attribute_names[a] for a in chosen),
    )


def _learnable(data: Described, a: int) -> bool:
    assert data.attributes is not None
    values = data.attributes[:, a]
    values = values[np.isfinite(values)]
    if not is_yes_no(values):
        return len(values) >= ENOUGH and bool(values.std() > 0)
    positives = int(values.sum())
    return min(positives, len(values) - positives) >= ENOUGH


class ClassifierNetwork(nn.Module):
    """Pictures in [-1, 1] (B, C, H, W) to (features (B, F), class logits (B, K), attribute outputs (B, A))."""

    def __init__(self, image_size: int, channels: int, classes: int, attributes: int, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        size, now = image_size, channels
        wide = width
        while size > DEEPEST:
            layers += [_convolution(now, wide, 2), _convolution(wide, wide, 1)]
            size, now, wide = (size + 1) // 2, wide, min(2 * wide, 8 * width)
        self.layers = nn.Sequential(*layers)
        self.features = nn.Sequential(nn.Flatten(), nn.Linear(now * size * size, FEATURES), nn.ReLU())
        self.outputs = nn.Sequential(nn.Dropout(0.3), nn.Linear(FEATURES, classes + attributes))
        self.class_count = classes

    def forward(self, images_BCHW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features: Tensor = self.features(self.layers(images_BCHW))
        outputs: Tensor = self.outputs(features)
        return features, outputs[:, : self.class_count], outputs[:, self.class_count :]


def _convolution(channels_in: int, channels_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


@dataclass(frozen=True, eq=False)
class Predictions:
    labels: NDArray[np.int64] | None  # (N,)
    confidence: FloatArray | None  # (N,) probability of that label
    attributes_NA: FloatArray  # yes-no attributes as logits; quantities in their own unit
    features_NF: FloatArray

    def without_features(self) -> Predictions:
        """Where many are kept and only what was said is wanted."""
        return replace(self, features_NF=np.zeros((len(self.features_NF), 0), np.float32))

    @classmethod
    def joined(cls, parts: Iterable[Predictions]) -> Predictions:
        """Of the pictures of all parts, at least one, of one classifier."""
        several = list(parts)
        labels = [part.labels for part in several if part.labels is not None]
        confidence = [part.confidence for part in several if part.confidence is not None]
        return cls(
            np.concatenate(labels) if labels else None,
            np.concatenate(confidence) if confidence else None,
            np.concatenate([part.attributes_NA for part in several]),
            np.concatenate([part.features_NF for part in several]),
        )


@dataclass(eq=False)
class Classifier:
    network: ClassifierNetwork
    device: torch.device
    names: tuple[str, ...] = ()
    quantity: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))  # (A,)
    centre: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))  # (A,) of the quantities
    scale: FloatArray = field(default_factory=lambda: np.ones(0, np.float32))

    def predict(self, images: Pictures) -> Predictions:
        """Of uint8 pictures (N, H, W, C) of the size trained on; the same in every batch."""
        at_once = pictures_at_once(images.shape[1])
        starts = range(0, max(len(images), 1), at_once)
        return Predictions.joined(self._said(images[start : start + at_once]) for start in starts)

    @torch.inference_mode()
    def _said(self, batch: Pictures) -> Predictions:
        outputs = self.network.eval()(_scaled(torch.from_numpy(batch).to(self.device)))
        features, logits_NK, attributes = (part.float().cpu() for part in outputs)
        sure = logits_NK.softmax(dim=1).max(dim=1) if logits_NK.shape[1] else None
        return Predictions(
            labels=None if sure is None else sure.indices.numpy(),
            confidence=None if sure is None else sure.values.numpy(),
            attributes_NA=attributes.numpy() * self.scale + self.centre,
            features_NF=features.numpy(),
        )

    @property
    def space(self) -> str:
        """A name for its features."""
        learned = [f"{self.network.class_count} classes"] if self.network.class_count else []
        learned += [f"{len(self.names)} attributes"] if self.names else []
        return f"{FEATURES} features of a small classifier of {' and '.join(learned)}"


def fit_classifier(
    images: Pictures,
    targets: Targets,
    *,
    rows: NDArray[np.int64] | None = None,
    steps: int | None = None,
    augmentation: Augmentation = Augmentation(),
    width: int = 24,
    seed: int = 0,
    device: torch.device | str = "cpu",
    bfloat16: bool = False,
    on_step: OnStep | None = None,
) -> Classifier:
    """Trained on uint8 (N, H, W, C), balanced: of a rare attribute each positive counts for more.

    `rows`: which of the pictures are learned from, all by default; `targets` are of these. They are not copied.
    `steps` of 128 pictures; by default twelve epochs, 300 at least and 3,000 at most. The caller's random state stays
    as it was. Raises DataError when there is nothing to learn from.
    """
    rows = np.arange(len(images)) if rows is None else rows
    if len(rows) < 2:
        raise DataError("A classifier needs at least two pictures.")
    device = torch.device(device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        return _fit(images, rows, targets, steps, augmentation, width, seed, device, bfloat16, on_step)


def _fit(
    images: Pictures,
    rows_N: NDArray[np.int64],
    targets: Targets,
    steps: int | None,
    augmentation: Augmentation,
    width: int,
    seed: int,
    device: torch.device,
    bfloat16: bool,
    on_step: OnStep | None,
) -> Classifier:
    classifier, losses = _made(images, len(rows_N), targets, width, device)
    network = classifier.network
    steps = steps if steps is not None else int(np.clip(12 * len(rows_N) / BATCH, 300, 3000))
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=max(steps, 2), pct_start=0.15)
    rng = np.random.default_rng(seed)
    parts = BATCH // part_of(BATCH, images.shape[1], device)
    network.train()
    for step in range(steps):
        for chosen_P in np.split(rng.integers(0, len(rows_N), BATCH), parts):
            taken = torch.from_numpy(np.take(images, rows_N[chosen_P], axis=0))
            batch = augmented(_scaled(taken.to(device)), augmentation)
            with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
                _, classes, attributes = network(batch)
            loss = losses(classes.float(), attributes.float(), torch.from_numpy(chosen_P).to(device))
            torch.autograd.backward(loss / parts)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        schedule.step()
        if on_step:
            on_step(step + 1, steps)
    network.eval()
    return classifier


class _Losses:
    """Cross-entropy of the classes + binary cross-entropy of the yes-no attributes + squares of the quantities."""

    def __init__(self, targets: Targets, quantity: NDArray[np.bool_], standard_NA: Tensor, device: torch.device):
        self.labels = None if targets.labels is None else torch.from_numpy(targets.labels).to(device)
        self.values_NA = standard_NA.to(device)
        self.quantity = torch.from_numpy(quantity).to(device)
        known = ~self.values_NA.isnan()
        positives = (self.values_NA.nan_to_num() * known).sum(dim=0).clamp_min(1)
        negatives = (known.sum(dim=0) - positives).clamp_min(1)
        self.weight_A = (negatives / positives).clamp(1 / HEAVIEST, HEAVIEST)

    def __call__(self, classes: Tensor, attributes: Tensor, chosen: Tensor) -> Tensor:
        total = attributes.sum() * 0
        if self.labels is not None and classes.shape[1]:
            labels = self.labels[chosen]
            if (labels >= 0).any():
                total = total + F.cross_entropy(classes, labels, ignore_index=-1, label_smoothing=0.05)
        if attributes.shape[1]:
            values = self.values_NA[chosen]
            known = ~values.isnan()
            values = values.nan_to_num()
            yes_no = F.binary_cross_entropy_with_logits(
                attributes, values.clamp(0, 1), pos_weight=self.weight_A, reduction="none"
            )
            squares = F.mse_loss(attributes, values, reduction="none")
            each = torch.where(self.quantity, squares, yes_no) * known
            total = total + each.sum() / known.sum().clamp_min(1)
        return total


def _made(
    images: Pictures, count: int, targets: Targets, width: int, device: torch.device
) -> tuple[Classifier, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    values_NA = targets.attributes_NA if targets.attributes_NA is not None else np.zeros((count, 0), np.float32)
    attributes = values_NA.shape[1]
    quantity = np.array([not is_yes_no(column) for column in values_NA.T], np.bool_)
    centre, scale = np.zeros(attributes, np.float32), np.ones(attributes, np.float32)
    for a in np.flatnonzero(quantity):
        known = values_NA[np.isfinite(values_NA[:, a]), a]
        if len(known):
            centre[a], scale[a] = known.mean(), max(float(known.std()), 1e-6)
    standard = torch.from_numpy(((values_NA - centre) / scale).astype(np.float32))
    standard[torch.isinf(standard)] = torch.nan
    network = ClassifierNetwork(images.shape[1], images.shape[3], targets.classes, attributes, width)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    classifier = Classifier(network, device, targets.names, quantity, centre, scale)
    return classifier, _Losses(targets, quantity, standard, device)


def is_yes_no(values_N: FloatArray) -> bool:
    """Whether an attribute knows only 0 and 1."""
    return bool(np.isin(values_N[np.isfinite(values_N)], (0, 1)).all())


def _scaled(images_NHWC: Tensor) -> Tensor:
    return images_NHWC.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


# --- augmentation ----------------------------------------------------------------------------------------------


def augmented(images: Tensor, how: Augmentation) -> Tensor:
    """Another look at float pictures (B, C, H, W) in [-1, 1]; each picture drawn anew."""
    batch = len(images)
    if how.flip:
        images = torch.where(_coin(images), images.flip(3), images)
    if how.jitter:
        contrast = 1 + JITTER * (2 * _uniform(images) - 1)
        images = images * contrast + 2 * JITTER * (2 * _uniform(images) - 1)
    if how.shift:
        reach = max(1, round(images.shape[-1] * SHIFT_SHARE))
        padded = F.pad(images, (reach,) * 4, mode="replicate")
        row, column = torch.randint(0, 2 * reach + 1, (2,)).tolist()
        images = padded[..., row : row + images.shape[-2], column : column + images.shape[-1]]
    if how.blur:
        sigma = float(torch.rand(()) * 1.6 * images.shape[-1] / 64 + 0.2)
        images = torch.where(_coin(images), blurred(images, sigma), images)
    assert len(images) == batch
    return images


def blurred(images: Tensor, sigma: float) -> Tensor:
    """Convolved with a Gaussian of `sigma` px; edges repeat."""
    reach = max(1, round(3 * sigma))
    places = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    bell = torch.exp(-places.square() / (2 * sigma**2))
    bell = (bell / bell.sum()).repeat(images.shape[1], 1, 1, 1)
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    rows = F.conv2d(padded, bell, groups=images.shape[1])
    return F.conv2d(rows, bell.transpose(2, 3), groups=images.shape[1])


def _coin(images: Tensor) -> Tensor:
    return torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5


def _uniform(images: Tensor) -> Tensor:
    return torch.rand(len(images), 1, 1, 1, device=images.device)


# --- judging ---------------------------------------------------------------------------------------------------


def attribute_aucs(predictions: Predictions, attributes_NA: FloatArray) -> list[float | None]:
    """(A) held-out area under the ROC curve of each yes-no attribute; None for quantities and one-sided ones."""
    found: list[float | None] = []
    for a in range(attributes_NA.shape[1]):
        values = attributes_NA[:, a]
        known = np.isfinite(values)
        sides = np.unique(values[known])
        if not is_yes_no(values) or len(sides) < 2:
            found.append(None)
        else:
            found.append(auc(predictions.attributes_NA[known, a], values[known] == 1))
    return found


def equal_error_threshold(scores_N: FloatArray, has_it: NDArray[np.bool_]) -> float:
    """The score at which as large a share of the positives lies below as of the negatives above.

    Raises DataError where one side is empty.
    """
    if has_it.all() or not has_it.any():
        raise DataError("A threshold needs examples with and without the attribute.")
    places = np.unique(scores_N).astype(np.float64)
    thresholds = np.concatenate([[places[0] - 1], (places[1:] + places[:-1]) / 2, [places[-1] + 1]])
    positives, negatives = np.sort(scores_N[has_it]), np.sort(scores_N[~has_it])
    missed = np.searchsorted(positives, thresholds) / len(positives)
    false_alarms = 1 - np.searchsorted(negatives, thresholds) / len(negatives)
    gap = np.abs(missed - false_alarms)
    best = np.flatnonzero(gap == gap.min())
    return float(thresholds[best[len(best) // 2]])
