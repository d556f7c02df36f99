"""Are the pictures of our fast GAN loop as good as those of the plain one? Fréchet distance in a named feature space.

Both loops train the same DCGAN on the same pictures with the same batch, for three seeds; ours as `latentlab-train
dcgan` does. The feature space is that of a classifier of the data's own classes, the same for all. The distance of
real pictures to other real ones stands beside, as what cannot be beaten.

    python -m benchmarks.gan_quality --root DATA [--data mnist] [--out FILE.json]

Shapes: N pictures, H W C of each, F features.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.figures import arguments, finish, table, verdict
from benchmarks.training import batches, epochs, faster_workers, fresh, plain_step
from latentlab.measure.classifier import Classifier
from latentlab.measure.metrics import frechet_distance
from latentlab.models.loading import load_native
from latentlab.models.torch_model import model_of
from training.config import TrainingConfig, config_from
from training.data import Dataset, load
from training.data.source import silent
from training.loop import train
from training.predicting import learned

CLASSIFIER_STEPS = 600
NO_WORSE = 1.0


def drawn_plainly(config: TrainingConfig, data: Dataset, workers: int, count: int) -> NDArray[np.uint8]:
    """(count, H, W, C) from the generator that the plain loop trained."""
    run = fresh(config, data)
    step = plain_step(config, run)
    train_idx, _ = data.split(config.seed, config.held_out)
    for _ in epochs(step, batches(data.images[train_idx], config, workers), config.epochs):
        pass
    model = model_of(run.objective.network.eval())
    return model.decode(model.sample(count, seed=0))


def drawn_by_ours(config: TrainingConfig, data: Dataset, count: int) -> NDArray[np.uint8]:
    with tempfile.TemporaryDirectory() as folder:
        model = load_native(train(config, data, Path(folder) / "run"), "cpu")
    return model.decode(model.sample(count, seed=0))


def judge_of(data: Dataset) -> Classifier:
    judge = learned(
        data,
        steps=CLASSIFIER_STEPS,
        flip=False,
        seed=0,
        device=torch.device("cpu"),
        bfloat16=False,
        report=silent,
    )
    assert judge is not None, "the data has neither classes nor attributes to learn features from"
    return judge


def measured(data: Dataset, chosen: Any) -> dict[str, Any]:
    train_idx, held_out_idx = data.split(0, 0.1)
    judge = judge_of(data.subset(train_idx))
    space = f"{judge.space} of '{data.name}'"
    real_NF = judge.predict(data.subset(held_out_idx).limited(chosen.samples).images).features_NF

    def distance(images: NDArray[np.uint8]) -> float:
        return frechet_distance(real_NF, judge.predict(images).features_NF, space).value

    plain, ours = [], []
    workers = -1
    for seed in range(chosen.seeds):
        config = config_from(
            family="dcgan",
            architecture={"latent_dim": 100, "width": chosen.width},
            batch_size=64,
            epochs=chosen.epochs,
            ema=0.999,
            seed=seed,
            threads=chosen.threads,
            encodings=0,
            evaluate_every=chosen.epochs,
        )
        if workers < 0:
            workers = faster_workers(config, data)
        plain.append(distance(drawn_plainly(config, data, workers, chosen.samples)))
        ours.append(distance(drawn_by_ours(config, data, chosen.samples)))
        print(f"seed {seed}: plain {plain[-1]:.4g}, ours {ours[-1]:.4g}", flush=True)
    others = data.subset(train_idx).limited(chosen.samples, seed=1).images
    return {"space": space, "plain": plain, "ours": ours, "training_data": distance(others), "pictures": len(train_idx)}


def main() -> None:
    parser = arguments("Pictures of our GAN loop beside those of a plain one.")
    parser.add_argument("--data", default="mnist", help="data with classes (default: mnist)")
    parser.add_argument("--images", type=int, default=12_000, help="at most so many of them (default: 12,000)")
    parser.add_argument("--root", type=Path, default=Path("data"), help="where downloaded data sets lie")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--width", type=int, default=16, help="of the generator (default: 16)")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    found = measured(load(chosen.data, root=chosen.root, limit=chosen.images), chosen)
    rows = [[f"seed {seed}", *pair] for seed, pair in enumerate(zip(found["plain"], found["ours"], strict=True))]
    print(f"\nFréchet distance in {found['space']}; training data beside held-out data: {found['training_data']:.4g}\n")
    print(table(rows, ["", "plain", "ours"]))
    ratio = statistics.mean(found["ours"]) / statistics.mean(found["plain"])
    row = verdict("mean distance, ours / plain", ratio, NO_WORSE)
    print("\n" + table([row], ["target", "measured", "wanted", "met"]))
    finish({"threads": chosen.threads, **found, "ratio": ratio}, chosen.out)


if __name__ == "__main__":
    main()
