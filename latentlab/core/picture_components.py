"""Directions of what changes in the pictures: GANSpace (Härkönen et al. 2020) with the picture as its layer.

Draws are decoded, the principal components of their pictures found, and the latents regressed on them (section 3.2).
Any model that can be decoded has them: neither labels nor encodings nor weights are needed.

Shapes: N draws, D latent, F numbers of a small picture, K components, H W C of a picture.
"""

from __future__ import annotations

import math

import numpy as np

from latentlab.core.condition import Asked
from latentlab.core.decoding_in_time import slices_in_time
from latentlab.core.directions import Direction
from latentlab.core.encodings import EncodingSet, largest_positive
from latentlab.core.errors import DataError, OptionError
from latentlab.core.latent_model import Images, LatentModel
from latentlab.core.requests import Report
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.core.unsupervised import NO_LENGTH, Component, percent

GANSPACE = "GANSpace"
DRAWS = 1000
FEWEST = 50  # draws: fewer say nothing of a hundred numbers
PIECE = 32  # pictures decoded between two reports
SMALL_PX = 32  # pictures are averaged down to about this: components are of what is large, and memory is bounded


def components_of_pictures(
    model: LatentModel, count: int = 10, space: str = "", *, condition: Asked = None, draws: int = DRAWS, seed: int = 0,
    seconds: float = math.inf, report: Report | None = None,
) -> list[Component]:  # fmt: skip
    """`count` components of the pictures of `draws` latents of a space, with one `condition` for all.

    The latents are drawn from the prior; where draws are no pictures, the model's encodings are taken. A slow model
    decodes as many as fit in `seconds`, at least 50. Raises OptionError where there are neither draws nor encodings,
    DataError where the pictures are all alike, and what `report` cancels with.
    """
    where = model.info.space(space)
    if draws < FEWEST:
        raise OptionError(f"{draws} draws say too little of pictures; take {FEWEST} or more.")
    latents_ND = _latents(model, where, draws, seed)
    small: list[FloatArray] = []
    done = 0
    for part, wanted in slices_in_time(len(latents_ND), PIECE, FEWEST, seconds):
        if report is not None:
            report.progress(part.start, wanted, f"decoding draws: {part.start:,} of {wanted:,}")
        small.append(averaged(model.decode(latents_ND[part], space=where.name, condition=condition)))
        done = part.stop
    if report is not None:
        report.progress(done, done, "finding components")
    return picture_components(latents_ND[:done], np.concatenate(small), count, where.name, model.info.sha256)


def picture_components(
    latents_ND: FloatArray, pictures_NF: FloatArray, count: int, space: str = "z", checkpoint: str = ""
) -> list[Component]:
    """Along which latents (N, D) the first components of their pictures (N, F) change; the largest share first.

    At most D. Strength 1 is one standard deviation of these latents along the direction. Raises DataError for pictures
    that are all alike.
    """
    centred_NF = pictures_NF - pictures_NF.mean(axis=0)
    # As many rows as draws, far fewer than numbers in a picture: their products say as much as the covariance.
    values_N, vectors_NN = np.linalg.eigh((centred_NF @ centred_NF.T).astype(np.float64))
    values_N, scores_NN = np.maximum(values_N[::-1], 0), vectors_NN[:, ::-1]
    total = float(values_N.sum())
    if not total > NO_LENGTH:
        raise DataError("The pictures of all draws are alike, so they have no components.")
    steps_ND = latents_ND - latents_ND.mean(axis=0)
    found: list[Component] = []
    for k in range(min(count, latents_ND.shape[1], int(np.count_nonzero(values_N > NO_LENGTH * total)))):
        axis_D = scores_NN[:, k] @ steps_ND  # least squares: the scores are orthogonal and of length 1
        length = float(np.linalg.norm(axis_D))
        if length <= NO_LENGTH:
            continue
        axis_D = largest_positive(axis_D[None] / length)[0]
        share = float(values_N[k]) / total
        found.append(
            Component(
                Direction(
                    f"{GANSPACE} {len(found) + 1}",
                    np.asarray(axis_D * (steps_ND @ axis_D).std(), np.float32),
                    space,
                    f"{GANSPACE}, {percent(share)} of the pictures' variance",
                    examples=len(latents_ND),
                    checkpoint=checkpoint,
                ),
                share,
            )
        )
    return found


def averaged(images: Images) -> FloatArray:
    """Pictures (B, H, W, C) as float32 (B, F) in [0, 1], averaged over squares so that about 32 px are left."""
    count, height, width, channels = images.shape
    side = max(1, max(height, width) // SMALL_PX)
    rows, columns = height // side, width // side
    squares = images[:, : rows * side, : columns * side].reshape(count, rows, side, columns, side, channels)
    return np.asarray(squares.mean(axis=(2, 4), dtype=np.float32).reshape(count, -1) / 255, np.float32)


def _latents(model: LatentModel, space: LatentSpace, draws: int, seed: int) -> FloatArray:
    if space.drawable:
        return model.sample(draws, seed, space=space.name)
    encodings: EncodingSet | None = model.encodings
    if encodings is None or encodings.space != space.name or len(encodings) < FEWEST:
        raise OptionError(
            f"Draws of {space.name} are no pictures here, and there are no encodings to decode instead. "
            "Encode a folder of pictures first."
        )
    chosen_N = np.random.default_rng(seed).permutation(len(encodings))[:draws]
    return encodings.latents[np.sort(chosen_N)]
