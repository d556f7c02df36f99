"""The gaps in an autoencoder's latent space, beside a VAE of the same networks, as figures and as a picture.

Both are trained on MNIST with two latent numbers. Draws are decoded and compared with real pictures in the features of
a classifier: a draw counts where it lies within the manifold of the data (completeness). Draws from N(0, 1), the prior
of a VAE; evenly from the box around the encodings; and from the prior each family's checkpoint ends up with.

    python -m benchmarks.gaps --root DATA [--png FILE.png] [--epochs 5] [--out FILE.json]

Shapes: N pictures or latents, D latent (2), H W of a picture.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.spatial import cKDTree

from benchmarks.figures import arguments, finish, table
from latentlab.core.spaces import FloatArray
from latentlab.measure.classifier import Classifier, fit_classifier, targets_of
from latentlab.measure.latent_quality import box_uniform, completeness, continuity
from latentlab.models.loading import load_native
from latentlab.models.torch_model import TorchModel
from training.config import config_from
from training.data import Dataset, load
from training.loop import train

FAMILIES = ("ae", "vae")
DRAWN = 2000
CLASSIFIER_STEPS, CLASSIFIER_WIDTH = 300, 8
CELLS = 20  # decoded pictures each way
SHOWN = 4000  # encodings scattered
SIDE = 28 * CELLS  # px of a panel
GAP, HEAD = 12, 22
# Ten that can be told apart; digits in order.
COLOURS = (
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75), (227, 119, 194),
    (127, 127, 127), (188, 189, 34), (23, 190, 207),
)  # fmt: skip


def trained(family: str, data: Dataset, epochs: int, out: Path) -> TorchModel:
    """The same networks, the same likelihood, the same steps."""
    config = config_from(
        family=family,
        epochs=epochs,
        evaluate_every=epochs,
        schedule="cosine",
        ema=0.999,
        encodings=0,
        architecture={"network": "mlp", "hidden": 512, "latent_dim": 2},
        objective={"likelihood": "bce", "learning_rate": 2e-3},
    )
    return load_native(train(config, data, out / family), device="cpu")


def judge(data: Dataset) -> Classifier:
    """A small classifier of the digits, whose features are the space that is measured in."""
    targets = targets_of(data)
    assert targets is not None
    return fit_classifier(data.images, targets, steps=CLASSIFIER_STEPS, width=CLASSIFIER_WIDTH)


def judged(model: TorchModel, classifier: Classifier, held_out: Dataset) -> dict[str, float]:
    """Shares of draws that look like data, and how evenly pictures change between encodings."""
    real = held_out.limited(DRAWN)
    latents_ND = model.encode(real.images)
    real_NF = classifier.predict(real.images).features_NF
    draws = {
        "normal": np.random.default_rng(0).standard_normal((DRAWN, 2)).astype(np.float32),
        "box": box_uniform(latents_ND, DRAWN),
        "own": model.sample(DRAWN),
    }
    figures = {
        name: completeness(real_NF, classifier.predict(model.decode(drawn_ND)).features_NF)
        for name, drawn_ND in draws.items()
    }
    empty = {f"empty_{name}": far_from(latents_ND, drawn_ND) for name, drawn_ND in draws.items()}
    rebuilt_NF = classifier.predict(model.decode(latents_ND)).features_NF
    return {
        **figures,
        **empty,
        "reconstructions": completeness(real_NF, rebuilt_NF),
        "steepest": continuity(model.decode_float, latents_ND).steepest,
    }


def far_from(latents_ND: FloatArray, drawn_ND: FloatArray) -> float:
    """Share of draws that are farther from every encoding than 99 % of the encodings are from their nearest."""
    tree = cKDTree(latents_ND)
    reach = np.quantile(np.asarray(tree.query(latents_ND, k=2)[0])[:, 1], 0.99)
    return float(np.mean(np.asarray(tree.query(drawn_ND)[0]) > reach))


def panel(title: str, model: TorchModel, data: Dataset) -> Image.Image:
    """A lattice of decoded pictures over the box around the encodings, and the encodings on top, by digit."""
    shown = data.limited(SHOWN)
    latents_ND = model.encode(shown.images)
    low_D, high_D = np.quantile(latents_ND, [0.002, 0.998], axis=0)
    canvas = Image.new("RGB", (SIDE, SIDE + HEAD), "white")
    canvas.paste(Image.fromarray(_lattice(model, low_D, high_D)).convert("RGB"), (0, HEAD))
    pen = ImageDraw.Draw(canvas)
    pen.text((4, 5), title, fill="black")
    assert shown.labels is not None
    for (x, y), label in zip((latents_ND - low_D) / (high_D - low_D), shown.labels.tolist(), strict=True):
        if 0 <= x < 1 and 0 <= y < 1:
            left, top = x * SIDE, HEAD + (1 - y) * SIDE
            pen.rectangle((left - 1, top - 1, left + 1, top + 1), fill=COLOURS[label])
    return canvas


def _lattice(model: TorchModel, low_D: FloatArray, high_D: FloatArray) -> NDArray[np.uint8]:
    """(H, W) of the pictures at the centres of the cells; y grows upwards."""
    share = (np.arange(CELLS) + 0.5) / CELLS
    across, up = np.meshgrid(low_D[0] + share * (high_D[0] - low_D[0]), high_D[1] - share * (high_D[1] - low_D[1]))
    pictures = model.decode(np.stack([across.ravel(), up.ravel()], axis=1).astype(np.float32))[..., 0]
    height, width = pictures.shape[1:]
    rows = pictures.reshape(CELLS, CELLS, height, width).transpose(0, 2, 1, 3)
    # Dimmed, so that the dots are seen.
    return (rows.reshape(CELLS * height, CELLS * width) * 0.6).astype(np.uint8)


def main() -> None:
    parser = arguments(__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--root", type=Path, metavar="DATA", required=True, help="where MNIST lies")
    parser.add_argument("--png", type=Path, metavar="FILE.png", help="both latent planes side by side")
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    data = load("mnist", root=options.root)
    train_idx, held_out_idx = data.split()
    held_out = data.subset(held_out_idx)
    classifier = judge(data.subset(train_idx))
    with tempfile.TemporaryDirectory() as folder:
        models = {family: trained(family, data, options.epochs, Path(folder)) for family in FAMILIES}
    figures: dict[str, Any] = {family: judged(model, classifier, held_out) for family, model in models.items()}
    names = {
        "normal": "completeness of draws from N(0, 1)",
        "box": "of draws from the box around the encodings",
        "own": "of draws from its own prior",
        "reconstructions": "of reconstructions",
        "empty_normal": "draws from N(0, 1) where no encoding is near",
        "empty_box": "draws from the box where no encoding is near",
        "empty_own": "draws from its own prior where no encoding is near",
        "steepest": "steepest step of a path over its mean",
    }
    rows = [(text, *(figures[family][name] for family in FAMILIES)) for name, text in names.items()]
    print(table(rows, (f"in {classifier.space}", *(family.upper() for family in FAMILIES))))
    if options.png:
        panels = [panel(f"{family.upper()}, two latent numbers", models[family], held_out) for family in FAMILIES]
        both = Image.new("RGB", (2 * SIDE + GAP, SIDE + HEAD), "white")
        for index, drawn in enumerate(panels):
            both.paste(drawn, (index * (SIDE + GAP), 0))
        both.save(options.png)
        print(f"written: {options.png}")
    finish(figures, options.out)


if __name__ == "__main__":
    main()
