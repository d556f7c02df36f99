"""Images per second of our training loop against the loop that the field's examples are written with.

Both train the same network from the same seed on the same pictures with the same batch, on two threads. The plain side
is a DataLoader with per-image PIL transforms, the faster of 0 and 2 workers, eager float32, as in pytorch/examples. The
first epoch of either side is warm-up and is reported apart; a rate is the median of the other epochs of all seeds.

    python -m benchmarks.training [--mlp-data mnist --root DATA] [--out FILE.json]

Shapes: B batch, C H W of images in [-1, 1], uint8 (N, H, W, C) in memory.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from torchvision import transforms

from benchmarks.figures import arguments, finish, spread, table, verdict
from latentlab.models.family import Network
from latentlab.models.vae import VAE
from training.config import TrainingConfig, config_from
from training.data import Dataset, load
from training.loop import train
from training.losses import evaluated
from training.reports import EpochReport
from training.run import Run

Step = Callable[[Tensor], dict[str, float]]


@dataclass(frozen=True)
class Case:
    title: str
    family: str
    image_size: int
    latent_dim: int
    at_least: float  # times the plain loop
    batch_size: int = 128
    architecture: dict[str, Any] = field(default_factory=dict)
    objective: dict[str, Any] = field(default_factory=dict)
    held_out_loss: bool = True  # whether there is one to compare


CASES = {
    "conv-vae": Case("conv VAE, 64 px", "vae", 64, 64, 4.0, objective={"likelihood": "bce"}),
    "mlp-vae": Case(
        "MLP VAE 784-400-20",
        "vae",
        28,
        20,
        3.5,
        architecture={"network": "mlp", "hidden": 400},
        objective={"likelihood": "bce"},
    ),
    "dcgan": Case("DCGAN, 64 px", "dcgan", 64, 100, 3.0, held_out_loss=False),
}


@dataclass
class Side:
    """What one loop did: seconds of each epoch by seed, and the held-out loss its network reached."""

    images_per_epoch: int = 0
    seconds: list[list[float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        return [self.images_per_epoch / s for epochs in self.seconds for s in epochs[1:]]

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def warm_up_s(self) -> float:
        """What the first epoch took beyond a later one."""
        return statistics.median(epochs[0] for epochs in self.seconds) - self.images_per_epoch / self.rate


class Pictures(TorchDataset[Tensor]):
    """As torchvision's data sets: a PIL image made and transformed for each item."""

    def __init__(self, images: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        self.images = images
        grey = images.shape[3] == 1
        self.transform = transforms.Compose(
            [
                transforms.ToTensor(),
                transforms.Normalize((0.5,) if grey else (0.5,) * 3, (0.5,) if grey else (0.5,) * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        image = self.images[index]
        transformed: Tensor = self.transform(Image.fromarray(image[..., 0] if image.shape[2] == 1 else image))
        return transformed


def plain_vae(config: TrainingConfig, network: VAE) -> Step:
    """pytorch/examples, vae/main.py."""
    options: Any = config.options()
    optimiser = optim.Adam(network.parameters(), options.learning_rate, betas=options.adam_betas)

    def step(images_BCHW: Tensor) -> dict[str, float]:
        optimiser.zero_grad()
        mean_BD, log_variance_BD = network.posterior(images_BCHW)
        latents_BD = mean_BD + torch.randn_like(mean_BD) * torch.exp(0.5 * log_variance_BD)
        targets = (images_BCHW + 1) / 2
        logits = network.logits(latents_BD)
        reconstruction = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
        kl = -0.5 * torch.sum(1 + log_variance_BD - mean_BD.pow(2) - log_variance_BD.exp())
        loss = (reconstruction + kl) / len(images_BCHW)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return {"loss": loss.item()}

    return step


def plain_gan(config: TrainingConfig, generator: Network, discriminator: nn.Module) -> Step:
    """pytorch/examples, dcgan/main.py."""
    options: Any = config.options()
    for_d = optim.Adam(discriminator.parameters(), options.learning_rate, betas=options.adam_betas)
    for_g = optim.Adam(generator.parameters(), options.learning_rate, betas=options.adam_betas)
    criterion = nn.BCEWithLogitsLoss()
    dim = generator.architecture.latent_dim

    def step(images_BCHW: Tensor) -> dict[str, float]:
        batch = len(images_BCHW)
        for_d.zero_grad()
        on_real = discriminator(images_BCHW).flatten()
        loss_real = criterion(on_real, torch.full((batch,), 1.0))
        loss_real.backward()
        fakes = generator(torch.randn(batch, dim))
        loss_fake = criterion(discriminator(fakes.detach()).flatten(), torch.full((batch,), 0.0))
        loss_fake.backward()
        for_d.step()
        for_g.zero_grad()
        loss_g = criterion(discriminator(fakes).flatten(), torch.full((batch,), 1.0))
        loss_g.backward()
        for_g.step()
        return {"loss_d": (loss_real + loss_fake).item(), "loss_g": loss_g.item()}

    return step


def plain_step(config: TrainingConfig, run: Run) -> Step:
    """The same networks as `run` holds, made anew by it: same seed, same weights."""
    network = run.objective.network.to(memory_format=torch.contiguous_format)
    if isinstance(network, VAE):
        return plain_vae(config, network)
    discriminator = next(module for module in run.objective.modules.values() if module is not network)
    return plain_gan(config, network, discriminator.to(memory_format=torch.contiguous_format))


def batches(images: np.ndarray[Any, np.dtype[np.uint8]], config: TrainingConfig, workers: int) -> DataLoader[Tensor]:
    return DataLoader(Pictures(images), config.batch_size, shuffle=True, drop_last=True, num_workers=workers)


def epochs(step: Step, loader: DataLoader[Tensor], count: int) -> Iterator[float]:
    """Seconds of each epoch."""
    for _ in range(count):
        begin = time.perf_counter()
        for images_BCHW in loader:
            step(images_BCHW)
        yield time.perf_counter() - begin


def fresh(config: TrainingConfig, data: Dataset) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        return Run.begun(config, data, Path(folder) / "run")


def faster_workers(config: TrainingConfig, data: Dataset) -> int:
    """0 or 2, by one epoch of each."""
    train_idx, _ = data.split(config.seed, config.held_out)
    seconds = {}
    for workers in (0, 2):
        step = plain_step(config, fresh(config, data))
        (seconds[workers],) = epochs(step, batches(data.images[train_idx], config, workers), 1)
    return min(seconds, key=lambda workers: seconds[workers])


def train_plainly(config: TrainingConfig, data: Dataset, workers: int, side: Side) -> None:
    run = fresh(config, data)
    step = plain_step(config, run)
    train_idx, _ = data.split(config.seed, config.held_out)
    loader = batches(data.images[train_idx], config, workers)
    side.images_per_epoch = len(loader) * config.batch_size
    side.seconds.append(list(epochs(step, loader, config.epochs)))
    side.losses.append(held_out_loss(run, run.objective.network))


def train_ours(config: TrainingConfig, data: Dataset, side: Side) -> None:
    reports: list[EpochReport] = []
    with tempfile.TemporaryDirectory() as folder:
        train(config, data, Path(folder) / "run", on_epoch=reports.append)
    side.images_per_epoch = round(reports[0].images_per_second * reports[0].seconds)
    side.seconds.append([report.seconds for report in reports])
    side.losses.append(reports[-1].held_out.get("loss", float("nan")))


def held_out_loss(run: Run, network: Network) -> float:
    """Judged as `latentlab-train` judges its own: in float32, with the same noise."""
    network.eval()
    return evaluated(run.objective, network, run.held_out, run.config.seed).get("loss", float("nan"))


def measured(case: Case, data: Dataset, epochs: int, seeds: int, threads: int) -> dict[str, Any]:
    plain, ours = Side(), Side()
    workers = -1
    for seed in range(seeds if case.held_out_loss else 1):
        config = config_from(
            family=case.family,
            architecture={"latent_dim": case.latent_dim, **case.architecture},
            objective=case.objective,
            batch_size=case.batch_size,
            epochs=epochs,
            seed=seed,
            threads=threads,
            encodings=0,
        )
        if workers < 0:
            workers = faster_workers(config, data)
        train_plainly(config, data, workers, plain)
        train_ours(config, data, ours)
    return {
        "images": len(data),
        "batch": case.batch_size,
        "epochs": epochs,
        "plain": {"workers": workers, **_side(plain)},
        "ours": _side(ours),
        "ratio": ours.rate / plain.rate,
        "held_out_ratio": statistics.mean(ours.losses) / statistics.mean(plain.losses),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "images_per_second": spread(side.rates),
        "warm_up_s": side.warm_up_s,
        "held_out_loss": side.losses,
    }


def main() -> None:
    parser = arguments("Our training loop against a plain one.")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--data", default="avatars", help="for the 64 px cases (default: avatars)")
    parser.add_argument("--images", type=int, default=4096, help="at most so many of them (default: 4096)")
    parser.add_argument("--mlp-data", default="mnist", help="28 px, one channel (default: mnist)")
    parser.add_argument("--mlp-images", type=int, default=None, help="at most so many of them (default: all)")
    parser.add_argument("--root", type=Path, default=Path("data"), help="where downloaded data sets lie")
    parser.add_argument("--epochs", type=int, default=3, help="the first is warm-up (default: 3)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    if chosen.epochs < 2:
        parser.error("--epochs must be 2 or more: the first is warm-up")
    torch.set_num_threads(chosen.threads)

    figures: dict[str, Any] = {}
    rates, targets = [], []
    for name in chosen.only:
        case = CASES[name]
        of_mlp = name == "mlp-vae"
        data = load(
            chosen.mlp_data if of_mlp else chosen.data,
            size=case.image_size,
            root=chosen.root,
            limit=chosen.mlp_images if of_mlp else chosen.images,
        )
        figures[name] = found = measured(case, data, chosen.epochs, chosen.seeds, chosen.threads)
        plain, ours = found["plain"], found["ours"]
        rates.append(
            [
                case.title,
                plain["images_per_second"]["median"],
                plain["workers"],
                ours["images_per_second"]["median"],
                found["ratio"],
                plain["warm_up_s"],
                ours["warm_up_s"],
            ]
        )
        targets.append(verdict(f"{case.title}: times the plain loop", found["ratio"], case.at_least, at_least=True))
        if case.held_out_loss:
            targets.append(verdict(f"{case.title}: held-out loss, ours / plain", found["held_out_ratio"], 1.01))
        print(f"{case.title}: {found['ratio']:.2f} times", flush=True)
    header = ["", "plain, images/s", "workers", "ours, images/s", "ratio", "plain warm-up, s", "our warm-up, s"]
    print("\n" + table(rates, header) + "\n\n" + table(targets, ["target", "measured", "wanted", "met"]))
    finish({"threads": chosen.threads, "cases": figures}, chosen.out)


if __name__ == "__main__":
    main()
