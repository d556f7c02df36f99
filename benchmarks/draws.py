"""What draws of a measured prior look like: by one Gaussian, and around encodings with steps of several lengths.

The encodings are those of the training pictures; draws are compared with held-out ones, at 64 px where they are larger.
A draw is new where it lies as far from every encoding as a held-out picture does: draws that copied the data would be
perfect otherwise.

    python -m benchmarks.draws --data DATA/cartoon-faces [--model FILE.safetensors] [--sheet FILE.png]

Shapes: N encodings, B draws, D latent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.figures import arguments, finish, table
from benchmarks.shrinking import shrunk
from latentlab.core import manifold_parzen
from latentlab.core.bundled import bundled_models
from latentlab.core.checkpoint_file import read_header
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.measure.encoding import encode_pictures
from latentlab.measure.figures import classifier_space, of_draws
from latentlab.models.loading import load_native
from latentlab.models.torch_model import TorchModel
from training.data import Dataset, load
from training.predicting import learned

DRAWS = 2000
TRUNCATED = 0.8
BANDWIDTHS = (0.5, 0.7, 1.0)
CLASSIFIER_STEPS = 180
SHOWN = 16
KEPT = ("frechet_distance", "sharpness_ratio", "precision", "recall", "coverage")
BUNDLED = ("faces-vae", "faces-vae-128", "faces-alpha-gan")


def ways(space: LatentSpace, encodings_ND: FloatArray, count: int) -> Iterator[tuple[str, FloatArray]]:
    """(what it is called, draws (B, D)) of every way of drawing."""
    alone = replace(space, around=None)
    yield "one Gaussian", alone.sample(count)
    yield f"the same, truncated to {TRUNCATED}", alone.sample(count, truncation=TRUNCATED)
    around, usual = space.drawn_around(encodings_ND), manifold_parzen.BANDWIDTH
    for bandwidth in BANDWIDTHS:
        manifold_parzen.BANDWIDTH = bandwidth
        drawn_BD = around.sample(count)
        manifold_parzen.BANDWIDTH = usual
        yield f"around encodings, steps of {bandwidth}" + (" (as it is)" if bandwidth == usual else ""), drawn_BD
    yield f"around encodings, truncated to {TRUNCATED}", around.sample(count, truncation=TRUNCATED)


def nearest(points_BD: FloatArray, encodings_ND: FloatArray) -> float:
    """The median distance from points to the nearest encoding."""
    distances_BN = torch.cdist(torch.tensor(points_BD), torch.tensor(encodings_ND))
    return float(distances_BN.min(dim=1).values.median())


def of_model(
    model: TorchModel, train: Dataset, held_out: Dataset, rows: list[np.ndarray[Any, Any]]
) -> list[list[object]]:
    real, unseen = shrunk(train.images), shrunk(held_out.images)
    classifier = learned(
        replace(train, images=real),
        steps=CLASSIFIER_STEPS,
        flip=False,
        seed=0,
        device=model.device,
        bfloat16=False,
        report=lambda *_: None,
    )
    if classifier is None:
        sys.exit(f"'{train.name}' has no labels, so no classifier gives features to measure in.")
    features = classifier_space(classifier, f"'{train.name}'")
    known_ND = encode_pictures(model, train.images).latents
    unseen_ND = encode_pictures(model, held_out.images).latents
    found: list[list[object]] = []
    for name, drawn_BD in [
        *ways(model.info.spaces[0], known_ND, DRAWS),
        ("encodings of training pictures", known_ND[:DRAWS]),
    ]:
        figures = of_draws(shrunk(model.decode(drawn_BD)), unseen, real, features)
        found.append([name, *(float(figures[kept]) for kept in KEPT), nearest(drawn_BD, known_ND)])
        rows.append(np.concatenate(list(shrunk(model.decode(drawn_BD[:SHOWN]))), axis=1))
    found.append(["held-out pictures", *("",) * len(KEPT), nearest(unseen_ND, known_ND)])
    return found


def main() -> None:
    parser = arguments("Draws of a measured prior by one Gaussian and around encodings.")
    parser.add_argument("--data", required=True, help="what the models were trained on")
    parser.add_argument("--crop", default="centre")
    parser.add_argument("--model", type=Path, action="append", help="default: the bundled faces")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="also draw a row of pictures for every way")
    chosen = parser.parse_args()
    documents: dict[str, Any] = {}
    sheet: list[np.ndarray[Any, Any]] = []
    for path in chosen.model or [path for path in bundled_models() if path.stem in BUNDLED]:
        header, model = read_header(path), load_native(path, device="cpu")
        if model.info.spaces[0].around is None:
            parser.error(f"{path} has no measured prior with encodings")
        data = load(chosen.data, size=header.image.height, crop=chosen.crop)
        share = float(header.training.get("held_out", 0.1))
        train_idx, held_out_idx = data.split(int(header.training.get("seed", 0)), share)
        found = of_model(model, data.subset(train_idx), data.subset(held_out_idx), sheet)
        columns = ["drawn", *KEPT, "distance to the nearest encoding"]
        print(f"\n{path.stem}\n\n{table(found, columns)}", flush=True)
        documents[path.stem] = [dict(zip(columns, row, strict=True)) for row in found]
    if chosen.sheet is not None:
        Image.fromarray(np.concatenate(sheet).squeeze()).save(chosen.sheet)
    finish(documents, chosen.out)


if __name__ == "__main__":
    main()
