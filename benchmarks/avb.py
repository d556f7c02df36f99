"""Adversarial variational Bayes beside a VAE with the same decoder: four points and MNIST.

Four pictures of four pixels, one of them white, and two latent numbers: posteriors that may take any shape tile the
prior, Gaussians cannot (Mescheder et al. 2017, section 6). There -log p(x) is summed over a grid, not estimated.
On MNIST both sides are judged by one estimator: importance sampling from a Gaussian that is fitted to draws of the
encoder, for AVB has no density of its own.

    python -m benchmarks.avb [--root DATA] [--png FILE.png] [--epochs 20] [--limit N] [--out FILE.json]

Shapes: B pictures, N latents, D latent, S draws.
"""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks.figures import arguments, finish, table
from latentlab.core.checkpoint_file import read_header, read_weights
from latentlab.measure.latent_quality import Explained, Likelihood, Proposal, explained
from latentlab.models.avb import AVB, AVBArchitecture
from latentlab.models.loading import network_from
from latentlab.models.vae import VAE, Autoencoder, VAEArchitecture
from training.config import config_from
from training.data import Dataset, load
from training.examples import Examples
from training.loop import train
from training.objectives.avb import AVBObjective
from training.objectives.objective import Batch, Objective
from training.objectives.vae import VAEObjective
from training.options import AVBOptions, VAEOptions
from training.precision import Precision

POINTS = 4
GRID, REACH = 200, 5.0  # places each way, standard deviations of the prior
COPIES = 16  # of each point in a batch
DOTS = 1500  # draws of each posterior in the figure
SIDE, EDGE = 360, 3.2  # px of a panel, and the latent at its edge
COLOURS = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167))  # Okabe and Ito: told apart by everyone
JUDGED, DRAWS, FITTED_TO = 300, 2000, 2000  # MNIST: pictures, importance samples, draws a proposal is fitted to
MLP = {"network": "mlp", "hidden": 400, "latent_dim": 8}
FAMILIES = ("vae", "avb")


@dataclass(frozen=True, eq=False)
class Tiled:
    """What came of the four points."""

    nll: float  # exact, mean over the points; log 4 = 1.386 is the least
    own: float  # share of the draws that decode to the point they were drawn for
    shares: tuple[float, ...]  # of the prior, by the point it most probably decodes to
    spread: float  # standard deviation of all draws together; the prior's is 1
    draws_PSD: Tensor  # of each point's posterior


def points() -> Tensor:
    """(4, 1, 2, 2) in [-1, 1]"""
    return (2 * torch.diag(torch.ones(POINTS)) - 1).view(POINTS, 1, 2, 2)


def toy(family: str, steps: int, learning_rate: float = 2e-3, seed: int = 0) -> Tiled:
    """Trains on the four points; both families have the same decoder and the same learning rate."""
    torch.manual_seed(seed)
    objective = _toy_objective(family, learning_rate)
    objective.make_optimisers()
    batch = Batch(points().repeat(COPIES, 1, 1, 1))
    precision = Precision(torch.device("cpu"), "float32")
    for step in range(steps):
        objective.step(batch, step, precision, None)
    network = objective.network.eval()
    assert isinstance(network, Autoencoder)
    return _tiled(network, seed)


def _toy_objective(family: str, learning_rate: float) -> Objective:
    # Without validation: pictures of two pixels a side are too small for anything else.
    size: dict[str, Any] = {
        "image_size": 2, "channels": 1, "latent_dim": 2, "network": "mlp", "hidden": 64, "prior": "normal", "patch": 1,
    }  # fmt: skip
    if family == "vae":
        options = VAEOptions(likelihood="bce", learning_rate=learning_rate)
        return VAEObjective(VAEArchitecture.model_construct(None, **size), options)
    noisy: dict[str, Any] = {"noise_dim": 4, "responses": 8, "noise_hidden": 64}
    return AVBObjective(
        AVBArchitecture.model_construct(None, **size, **noisy),
        AVBOptions(
            likelihood="bce",
            adversary_hidden=64,
            learning_rate=learning_rate,
            adversary_learning_rate=2 * learning_rate,
        ),
    )


@torch.inference_mode()
def _tiled(network: Autoencoder, seed: int) -> Tiled:
    places = torch.linspace(-REACH, REACH, GRID)
    latents_ND = torch.stack(torch.meshgrid(places, places, indexing="ij"), dim=-1).view(-1, 2)
    log_mass_N = -0.5 * latents_ND.square().sum(1)
    log_mass_N = log_mass_N - log_mass_N.logsumexp(0)
    log_NP = log_of_points(network, latents_ND)
    shares_P = torch.zeros(POINTS).index_add(0, log_NP.argmax(1), log_mass_N.exp())
    draws_PSD = drawn(network, points(), DOTS, torch.Generator().manual_seed(seed)).transpose(0, 1)
    own = [float((log_of_points(network, draws_PSD[p]).argmax(1) == p).float().mean()) for p in range(POINTS)]
    return Tiled(
        nll=float(-(log_NP + log_mass_N[:, None]).logsumexp(0).mean()),
        own=float(np.mean(own)),
        shares=tuple(shares_P.tolist()),
        spread=float(draws_PSD.flatten(0, 1).std()),
        draws_PSD=draws_PSD.clone(),
    )


def log_of_points(network: Autoencoder, latents_ND: Tensor) -> Tensor:
    """log p(x|z) of every point, (N, 4)."""
    logits = network.logits(latents_ND)
    likelihood = Likelihood("bce")
    targets = points().add(1).mul(0.5)
    return torch.stack([likelihood.log(logits, target.expand_as(logits)) for target in targets], dim=1)


@torch.inference_mode()
def drawn(network: Autoencoder, images_BCHW: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draws (count, B, D) of what the encoder says of each picture."""
    if isinstance(network, AVB):
        return network.samples(images_BCHW, network.noise(count, images_BCHW.device, generator))
    assert isinstance(network, VAE)
    return Proposal.diagonal(*network.posterior(images_BCHW)).draw(count, generator)


def picture(sides: dict[str, Tiled]) -> Image.Image:
    """A panel for each family: draws of the four posteriors, and circles at one and two sigmas of the prior."""
    canvas = Image.new("RGB", (SIDE * len(sides), SIDE + 24), "white")
    pen = ImageDraw.Draw(canvas)
    for index, (title, tiled) in enumerate(sides.items()):
        left = index * SIDE
        for sigma in (1, 2):
            radius = sigma / EDGE * SIDE / 2
            centre = (left + SIDE / 2, 24 + SIDE / 2)
            box = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
            pen.ellipse(box, outline=(190, 190, 190))
        for colour, dots_SD in zip(COLOURS, tiled.draws_PSD.tolist(), strict=True):
            for x, y in dots_SD:
                if max(abs(x), abs(y)) < EDGE:
                    pen.point((left + (x / EDGE + 1) * SIDE / 2, 24 + (y / EDGE + 1) * SIDE / 2), fill=colour)
        pen.text((left + 8, 6), f"{title}: -log p(x) {tiled.nll:.3f} nats", fill="black")
    return canvas


def on_mnist(family: str, data: Dataset, epochs: int, out: Path) -> Explained:
    """Trains one side; both are judged in the same way, on the same pictures."""
    objective: dict[str, Any] = {"likelihood": "bce", "learning_rate": 1e-3}
    if family == "avb":
        objective |= {"adversary_learning_rate": 1e-3, "adversary_hidden": 256}
    config = config_from(
        family=family,
        epochs=epochs,
        evaluate_every=epochs,
        ema=0.999,
        schedule="cosine",
        encodings=0,
        architecture=MLP,
        objective=objective,
    )
    path = train(config, data, out / family)
    network = network_from(path, read_header(path), read_weights(path))
    assert isinstance(network, Autoencoder)
    _, held_out = data.split(config.seed, config.held_out)
    shown = held_out[np.linspace(0, len(held_out) - 1, JUDGED).astype(np.int64)]
    images_BCHW = Examples.of(data, shown, torch.device("cpu")).batch(np.arange(len(shown)), torch.device("cpu")).images
    return judged(network.eval(), images_BCHW)


def judged(network: Autoencoder, images_BCHW: Tensor, seed: int = 0) -> Explained:
    """The estimator of both sides."""
    generator = torch.Generator().manual_seed(seed)
    proposal = Proposal.fitted(drawn(network, images_BCHW, FITTED_TO, generator))
    return explained(network.logits, Likelihood("bce"), images_BCHW, proposal, DRAWS, generator)


def four_points(steps: int, png: Path | None) -> dict[str, Any]:
    sides = {family: toy(family, steps) for family in FAMILIES}
    header = ("four points", "-log p(x), nats (least 1.386)", "draws that decode to their own", "std of all draws")
    print(table([(family.upper(), t.nll, t.own, t.spread) for family, t in sides.items()], header))
    if png:
        picture({family.upper(): tiled for family, tiled in sides.items()}).save(png)
        print(f"written: {png}")
    return {f: {"nll": t.nll, "own": t.own, "shares": t.shares, "spread": t.spread} for f, t in sides.items()}


def mnist(root: Path, epochs: int, limit: int | None) -> dict[str, Any]:
    data = load("mnist", root=root, limit=limit)
    with tempfile.TemporaryDirectory() as folder:
        found = {family: on_mnist(family, data, epochs, Path(folder)) for family in FAMILIES}
    figures = {
        family: {"nll": float(side.nll_B.mean()), "effective_draws": float(np.median(side.effective_B))}
        for family, side in found.items()
    }
    header = ("MNIST, decoder 8-400-784", "-log p(x), nats", f"effective draws of {DRAWS:,}")
    print(table([(family.upper(), *row.values()) for family, row in figures.items()], header))
    # Of the same pictures: how hard each of them is falls out of the difference.
    gained_B = found["vae"].nll_B - found["avb"].nll_B
    gained = {"mean": float(gained_B.mean()), "standard_error": float(gained_B.std() / math.sqrt(len(gained_B)))}
    print(f"AVB below the VAE by {gained['mean']:.2f} nats, standard error {gained['standard_error']:.2f}")
    return {**figures, "gained": gained}


def main() -> None:
    parser = arguments(__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--part", choices=("both", "points", "mnist"), default="both")
    parser.add_argument("--root", type=Path, metavar="DATA", help="where MNIST lies; without it, only the four points")
    parser.add_argument("--png", type=Path, metavar="FILE.png", help="a figure of the four posteriors")
    parser.add_argument("--steps", type=int, default=4000, help="for the four points")
    parser.add_argument("--epochs", type=int, default=20, help="on MNIST (default: 20)")
    parser.add_argument("--limit", type=int, help="at most so many pictures of MNIST")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    if options.part != "mnist":
        figures["four_points"] = four_points(options.steps, options.png)
    if options.part != "points" and options.root:
        figures["mnist"] = mnist(options.root, options.epochs, options.limit)
    finish(figures, options.out)


if __name__ == "__main__":
    main()
