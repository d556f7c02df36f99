"""What is measured of a model beside pictures: the same figures by the same names for the trainer and for the window.

Shapes: N pictures, K draws, M more pictures, D latent, F features, H W C of pictures (uint8).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.core.condition import Described
from latentlab.core.encodings import EncodingSet, StoredPCA
from latentlab.core.latent_model import LatentModel
from latentlab.core.spaces import FloatArray
from latentlab.measure.classifier import Classifier
from latentlab.measure.encoding import encode_pictures, told_of
from latentlab.measure.latent_quality import completeness, continuity
from latentlab.measure.metrics import active_units, frechet_distance, mse, psnr, sharpness, spread, ssim
from latentlab.models.inverter import Inverter
from latentlab.models.torch_model import pictures_at_once

Pictures = NDArray[np.uint8]  # (N, H, W, C)

PIXEL_COMPONENTS = 64
DARKEST = 1e-12  # sharpness that is divided by


# --- where pictures are compared ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class FeatureSpace:
    """A named space; `features` makes (N, F) of pictures. Distances of different spaces do not compare."""

    name: str
    features: Callable[[Pictures], FloatArray]


def pixel_space(pictures: Pictures, of: str) -> FeatureSpace:
    """The principal components of the pixels of pictures; `of` says in words whose they are."""
    basis = StoredPCA.fit(_flat(pictures), PIXEL_COMPONENTS)
    name = f"{len(basis.components)} principal components of the pixels of {of}"
    return FeatureSpace(name, lambda shown: basis.transform(_flat(shown)))


def classifier_space(classifier: Classifier, of: str) -> FeatureSpace:
    """The last layer of a classifier that was trained on real pictures."""
    return FeatureSpace(f"{classifier.space} of {of}", lambda shown: classifier.predict(shown).features_NF)


# --- of reconstructions ------------------------------------------------------------------------------------------


def of_reconstruction(model: LatentModel, images: Pictures, known: Described) -> dict[str, Any]:
    """Pictures of the model's size, encoded and decoded again; `known`: what a conditional model is told of them."""
    told = told_of(model.info, known, len(images))
    encodings = encode_pictures(model, images, condition=told)
    decoded = model.decode_float(encodings.latents, condition=told)
    return of_pairs(decoded, images) | {
        "active_units": active_units(encodings.latents),
        "latent_dim": encodings.dim,
        **of_divergence(encodings),
    }


def of_pairs(decoded: Pictures | FloatArray, images: Pictures) -> dict[str, Any]:
    """Means over pairs of a decoded picture, uint8 or float in [0, 1], and its original."""
    return {
        "pictures": len(images),
        "mse": rounded(mse(decoded, images).mean()),
        "psnr_db": rounded(psnr(decoded, images).mean()),
        "ssim": rounded(ssim(decoded, images).mean()),
        "sharpness_ratio": sharpness_ratio(decoded, images),
    }


def of_divergence(encodings: EncodingSet) -> dict[str, Any]:
    """Nats between posteriors and prior, where the encoder says a variance; else nothing."""
    kl_D = encodings.kl_per_dimension
    if kl_D is None:
        return {}
    return {"kl_nats": rounded(kl_D.sum()), "kl_per_dimension": [rounded(value) for value in kl_D]}


def inversion_error(model: LatentModel, inverter: Inverter, images: Pictures, known: Described) -> float:
    """Mean squared error in [0, 1] intensities of pictures and what the generator draws for the regressor's answer."""
    told = told_of(model.info, known, len(images))
    at_once = pictures_at_once(images.shape[1])
    errors: list[FloatArray] = []
    for start in range(0, len(images), at_once):
        shown = images[start : start + at_once]
        with torch.inference_mode():
            codes = inverter(torch.from_numpy(shown.copy()).permute(0, 3, 1, 2).float().div(127.5).sub(1)).numpy()
        asked = told[start : start + at_once] if isinstance(told, Sequence) else told
        errors.append(mse(model.decode_float(model.info.spaces[0].clip(codes), condition=asked), shown))
    return round(float(np.concatenate(errors).mean()), 6)


# --- of a latent space -------------------------------------------------------------------------------------------


def along_paths(
    decode: Callable[[FloatArray], FloatArray], latents_ND: FloatArray, paths: int = 64
) -> dict[str, float]:
    """Continuity along straight paths between latents; empty where they are all the same.

    `decode` gives float pictures (T, H, W, C) in [0, 1] of the latents (T, D) of one path.
    """
    if len(np.unique(latents_ND, axis=0)) < 2:
        return {}
    return {name: rounded(value) for name, value in asdict(continuity(decode, latents_ND, paths)).items()}


# --- of draws ----------------------------------------------------------------------------------------------------


def of_draws(
    drawn: Pictures, real: Pictures, more: Pictures, space: FeatureSpace, more_are: str = "training_data"
) -> dict[str, Any]:
    """Draws (K, H, W, C) beside real pictures (N, H, W, C), in one feature space; K and N at least 4.

    `more`: other real pictures, whose figures say what a perfect model would have; `more_are` ends their names.
    """
    of_real, of_drawn, of_more = (space.features(part) for part in (real, drawn, more))
    return {
        "drawn": len(drawn),
        "real": len(real),
        "feature_space": space.name,
        "frechet_distance": rounded(frechet_distance(of_real, of_drawn, space.name).value),
        "completeness": rounded(completeness(of_real, of_drawn)),
        f"completeness_of_{more_are}": rounded(completeness(of_real, of_more)),
        f"frechet_distance_of_{more_are}": rounded(frechet_distance(of_real, of_more, space.name).value),
        "sharpness_ratio": sharpness_ratio(drawn, real),
        **{name: rounded(value) for name, value in asdict(spread(of_real, of_drawn)).items()},
    }


def sharpness_ratio(pictures: Pictures | FloatArray, real: Pictures) -> float:
    """1 where pictures are as sharp as real ones."""
    return rounded(sharpness(pictures).mean() / max(float(sharpness(real).mean()), DARKEST))


def rounded(value: Any) -> float:
    """To six digits: what is written of a figure."""
    return float(f"{float(value):.6g}")


def _flat(images: Pictures) -> FloatArray:
    return np.asarray(images.reshape(len(images), -1) / np.float32(255), np.float32)
