"""The quality of a model as a person asks for it: everything that can be measured, beside real pictures or alone.

Pictures are split in two halves: draws and reconstructions are compared with one, and the other says how a perfect
model would compare, since its pictures are as real. Shapes: N pictures, K draws, D latent, H W C of pictures (uint8).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from latentlab.core.condition import Asked
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import DataError, OptionError
from latentlab.core.latent_model import ImageShape, LatentModel, ModelInfo
from latentlab.core.measurement import Measurement
from latentlab.core.spaces import FloatArray
from latentlab.measure.classifier import fit_classifier, targets_of
from latentlab.measure.encoding import encode_pictures, told_of
from latentlab.measure.figures import (
    FeatureSpace,
    along_paths,
    classifier_space,
    inversion_error,
    of_divergence,
    of_draws,
    of_pairs,
    pixel_space,
    rounded,
    sharpness_ratio,
)
from latentlab.measure.metrics import active_units, psnr, sharpness
from latentlab.measure.real_pictures import RealPictures, at_size
from latentlab.models.inverter import load_inverter

Features = Literal["pixels", "classifier"]
Tell = Callable[[float, str], None]  # the share that is done, what is being done; may raise to stop
Pictures = NDArray[np.uint8]

COUNT, MOST = 1000, 20_000  # pictures, and draws
FEWEST = 16  # pictures of either half, below which nothing is compared
PIECE = 32  # pictures between two looks at the clock and at whether to stop
DRAWING_S = 60.0  # a slow model draws as many as fit
DRAWN_AT_LEAST = 64
PATHS, STEPS, LEAST_PATHS, PATHS_S = 64, 17, 4, 30.0
COMPARED_PX = 64  # larger pictures are compared at this size
SAME_DB = 45.0  # a thumbnail this near to what is decoded for it is no other picture
CLASSIFIER_STEPS = 1000
AROUND_ENCODINGS = (
    "Draws are made around the model's encodings: where those are of the pictures it is measured with, the figures of "
    "draws flatter it."
)


def silent(_share: float, _text: str) -> None:
    """Tells nobody."""


@dataclass(eq=False)
class Measuring:
    """What is known so far of a model that is being measured."""

    model: LatentModel
    tell: Tell
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def decoded(
        self, latents_ND: FloatArray, told: Asked, space: str | None, begin: float, end: float, what: str
    ) -> Pictures:
        """As many as can be decoded in the time there is: at least 64."""
        pieces: list[Pictures] = []
        done, started = 0, time.perf_counter()
        while done < len(latents_ND):
            self.tell(begin + (end - begin) * done / len(latents_ND), f"{what}: {done:,} of {len(latents_ND):,}")
            part = slice(done, done + PIECE)
            asked = told[part] if isinstance(told, Sequence) else told
            pieces.append(self.model.decode(latents_ND[part], space=space, condition=asked))
            done += len(pieces[-1])
            if done >= DRAWN_AT_LEAST and time.perf_counter() - started > DRAWING_S:
                break
        return np.concatenate(pieces)


def checked_features(text: str) -> Features:
    """Raises OptionError for a feature space that there is not."""
    if text not in get_args(Features):
        raise OptionError(f"There are no features '{text}'. Known: {', '.join(get_args(Features))}.")
    return text  # type: ignore[return-value]


def checked_count(count: int) -> int:
    """Raises OptionError for fewer or more pictures than can be compared."""
    if not 2 * FEWEST <= count <= MOST:
        raise OptionError(f"A count of {count:,} pictures cannot be measured on; choose {2 * FEWEST} to {MOST:,}.")
    return count


def measured(
    model: LatentModel,
    real: RealPictures | None,
    *,
    count: int = COUNT,
    features: Features = "pixels",
    seed: int = 0,
    tell: Tell = silent,
) -> Measurement:
    """Everything that can be measured with these pictures, at most `count` of them in each half, or without any.

    Raises DataError where nothing can be, OptionError, and whatever `tell` raises to stop.
    """
    checked_count(count)
    if broken := getattr(model, "broken", ()):
        raise DataError(f"{len(broken)} tensors of this model hold NaN or Inf, so there are no pictures to measure.")
    at_work = Measuring(model, tell)
    judged, more = _halves(real, count, seed)
    latents_ND, space = _latents(at_work, judged, count, seed)
    if judged is not None and latents_ND is not None:
        _reconstructions(at_work, judged, latents_ND, space)
    _inverted(at_work, judged)
    _draws(at_work, judged, more, count, features, seed)
    _continuity(at_work, latents_ND, space, seed)
    if not at_work.figures:
        raise DataError(" ".join(["Nothing can be measured of this model with what it carries.", *at_work.notes]))
    carried = real is None or real.coded
    return Measurement(
        kind="encodings" if carried else "pictures",
        source=f"{len(judged):,} {judged.what}" if judged is not None else "its own draws, without real pictures",
        figures=at_work.figures,
        notes=tuple(at_work.notes),
        measured_at=datetime.now().isoformat(timespec="minutes"),
    )


def _halves(real: RealPictures | None, count: int, seed: int) -> tuple[RealPictures | None, RealPictures | None]:
    """(what is compared with, other pictures of the same kind); at random, since data often come sorted."""
    if real is None:
        return None, None
    order = np.random.default_rng(seed).permutation(len(real))
    if len(real) < 2 * FEWEST:
        return real, None
    half = min(count, len(real) // 2)
    return real.subset(np.sort(order[:half])), real.subset(np.sort(order[half : 2 * half]))


def _latents(
    at_work: Measuring, judged: RealPictures | None, count: int, seed: int
) -> tuple[FloatArray | None, str | None]:
    """(latents of the judged pictures, or else of draws that were stored; the space they lie in)."""
    model = at_work.model
    if judged is None:
        stored = model.encodings
        if stored is None or not len(stored):
            return None, None
        chosen = np.random.default_rng(seed).permutation(len(stored))[:count]
        return stored.latents[np.sort(chosen)], stored.space
    if judged.latents is not None:
        assert model.encodings is not None
        at_work.figures["reconstruction"] = of_encodings(model.encodings)
        return judged.latents, judged.space
    if not model.info.encoder:
        return None, None
    told = told_of(model.info, judged, len(judged))

    def on_batch(done: int, total: int) -> None:
        at_work.tell(0.15 * done / total, f"encoding: {done:,} of {total:,}")

    encodings = encode_pictures(model, judged.images, on_batch, told)
    at_work.figures["reconstruction"] = of_encodings(encodings)
    return encodings.latents, encodings.space


def of_encodings(encodings: EncodingSet) -> dict[str, Any]:
    """What encodings of pictures say by themselves."""
    latents_ND = np.nan_to_num(encodings.latents)
    return {"active_units": active_units(latents_ND), "latent_dim": encodings.dim, **of_divergence(encodings)}


def _reconstructions(at_work: Measuring, judged: RealPictures, latents_ND: FloatArray, space: str | None) -> None:
    """Their error, unless it turns out that the pictures are the model's own."""
    told = told_of(at_work.model.info, judged, len(judged))
    decoded = at_work.decoded(latents_ND, told, space, 0.15, 0.35, "reconstructing")
    originals = judged.images[: len(decoded)]
    at_work.tell(0.35, "comparing reconstructions")
    alike = judged.alike(decoded)
    if judged.coded and float(np.median(psnr(alike, originals))) > SAME_DB:
        at_work.notes.append(
            "The thumbnails of this checkpoint are its own reconstructions, so there is nothing to compare them with. "
            "Measure with pictures for their error; draws are compared with reconstructions here."
        )
        return
    found = of_pairs(judged.sized(decoded), originals)
    if judged.coded:
        found["sharpness_ratio"] = sharpness_ratio(alike, originals)  # coding blurs both alike
    at_work.figures.setdefault("reconstruction", {}).update(found)


def _inverted(at_work: Measuring, judged: RealPictures | None) -> None:
    """Of a generator with a regressor: how far its guesses are."""
    info = at_work.model.info
    if judged is None or info.encoder or info.format != "native" or not info.path:
        return
    inverter = load_inverter(Path(info.path))
    if inverter is not None:
        at_work.tell(0.2, "inverting")
        at_work.figures["inverter"] = {"mse": inversion_error(at_work.model, inverter, judged.images, judged)}


def _draws(
    at_work: Measuring,
    judged: RealPictures | None,
    more: RealPictures | None,
    count: int,
    features: Features,
    seed: int,
) -> None:
    model = at_work.model
    if not model.info.spaces[0].drawable:
        at_work.notes.append("Draws from this model's prior are no pictures, so nothing is said of them.")
        return
    wanted = count if judged is None or more is None else len(judged)
    asked = _asked(model.info, judged, wanted)
    drawn = at_work.decoded(model.sample(wanted, seed=seed), asked, None, 0.4, 0.65, "drawing")
    if judged is None or more is None:
        at_work.figures["samples"] = {"drawn": len(drawn), "sharpness": rounded(sharpness(drawn).mean())}
        at_work.notes.append(
            "Completeness, recall and the Fréchet distance need real pictures: measure with pictures."
            if judged is None
            else f"{len(judged)} pictures are too few to compare draws with; at least {2 * FEWEST} are needed."
        )
        return
    if model.info.spaces[0].is_drawn_around:
        at_work.notes.append(AROUND_ENCODINGS)
    at_work.tell(0.66, "comparing draws with real pictures")
    parts = [_small(part) for part in (judged.alike(drawn), judged.images, more.images)]
    space = _feature_space(at_work, features, more, parts[2], seed)
    at_work.tell(0.84, "comparing draws with real pictures")
    at_work.figures["samples"] = of_draws(parts[0], parts[1], parts[2], space, "real_pictures")


def _asked(info: ModelInfo, judged: RealPictures | None, count: int) -> Asked:
    """What a conditional model is asked for: what the pictures are where that is known, else each class as often."""
    known = judged is not None and (judged.labels is not None or judged.attributes is not None)
    if judged is not None and known and len(judged) == count:
        return told_of(info, judged, count)
    classes = len(info.conditional or ())
    return [index % classes for index in range(count)] if classes else None


def _feature_space(
    at_work: Measuring, features: Features, more: RealPictures, pictures: Pictures, seed: int
) -> FeatureSpace:
    of = f"{len(more):,} {more.of}" + (f" at {COMPARED_PX} px" if more.images.shape[1] > COMPARED_PX else "")
    if features == "classifier":
        targets = targets_of(more)
        if targets is not None:
            steps = min(CLASSIFIER_STEPS, max(20, 10 * len(more) // 128))

            def on_step(done: int, total: int) -> None:
                at_work.tell(0.66 + 0.18 * done / total, "learning the labels")

            device = getattr(at_work.model, "device", "cpu")
            classifier = fit_classifier(pictures, targets, steps=steps, seed=seed, device=device, on_step=on_step)
            return classifier_space(classifier, of)
        at_work.notes.append("These pictures carry no labels to train a classifier on; pixels are compared instead.")
    return pixel_space(pictures, of)


def _small(pictures: Pictures) -> Pictures:
    side = pictures.shape[1]
    return (
        pictures if side <= COMPARED_PX else at_size(pictures, ImageShape(COMPARED_PX, COMPARED_PX, pictures.shape[3]))
    )


def _continuity(at_work: Measuring, latents_ND: FloatArray | None, space: str | None, seed: int) -> None:
    """Along paths between pictures, or between draws where no picture has a latent."""
    model = at_work.model
    if latents_ND is None:
        if not model.info.spaces[0].drawable:
            return
        latents_ND = model.sample(2 * PATHS, seed=seed)
    at_work.tell(0.87, "walking paths")
    began = time.perf_counter()
    model.decode(np.repeat(latents_ND[:1], STEPS, axis=0), space=space)
    path_s = max(time.perf_counter() - began, 1e-6)
    paths = int(np.clip(PATHS_S / path_s, LEAST_PATHS, PATHS))
    done = 0

    def decode(latents_TD: FloatArray) -> FloatArray:
        nonlocal done
        at_work.tell(0.87 + 0.13 * done / paths, f"walking paths: {done} of {paths}")
        done += 1
        return model.decode_float(latents_TD, space=space)

    if found := along_paths(decode, latents_ND, paths):
        at_work.figures["continuity"] = {"paths": paths, **found}
        if model.info.takes_condition:
            at_work.notes.append("Paths were walked with one condition throughout, the first class.")
