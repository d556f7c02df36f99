"""Data sets that torchvision reads and, when asked, downloads. What they hold out as a test set stays held out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.errors import DataError
from latentlab.core.picture_folder import read_all
from training.data.dataset import Dataset
from training.data.fetching import fetched
from training.data.mapped import room_for
from training.data.source import Request

Labels = np.ndarray[Any, np.dtype[np.int64]]


def load_mnist(request: Request) -> Dataset:
    return _idx(request, "MNIST", "MNIST, LeCun, Cortes, Burges, CC BY-SA 3.0")


def load_fashion_mnist(request: Request) -> Dataset:
    return _idx(request, "FashionMNIST", "Fashion-MNIST, Zalando SE, MIT")


def _idx(request: Request, name: str, licence: str) -> Dataset:
    train, test = (_opened(request, name, train=part) for part in (True, False))
    images = np.concatenate([train.data.numpy(), test.data.numpy()])[..., None]
    labels = np.concatenate([train.targets.numpy(), test.targets.numpy()]).astype(np.int64)
    names = tuple(str(label).split(" - ")[-1] if name == "MNIST" else str(label) for label in train.classes)
    if name == "MNIST":  # torchvision calls them "0 - zero"
        names = tuple(str(digit) for digit in range(10))
    return _with_test(request, images, labels, names, len(train.data), licence)


def load_cifar10(request: Request) -> Dataset:
    train, test = (_opened(request, "CIFAR10", train=part) for part in (True, False))
    images = np.concatenate([train.data, test.data])
    labels = np.concatenate([train.targets, test.targets]).astype(np.int64)
    licence = "CIFAR-10, Krizhevsky 2009; terms not stated"
    return _with_test(request, images, labels, tuple(train.classes), len(train.data), licence, ship=False)


def load_celeba(request: Request) -> Dataset:
    """Pictures are read from torchvision's folder, cropped, resized and skipped as a folder's are."""
    found = _opened(request, "CelebA", split="all", target_type="attr")
    folder = Path(found.root) / found.base_folder / "img_align_celeba"
    chosen = np.arange(len(found.filename))
    if request.limit is not None and request.limit < len(chosen):
        chosen = np.sort(np.random.default_rng(request.seed).permutation(len(chosen))[: request.limit])
    files = [folder / found.filename[index] for index in chosen]
    room = room_for(request.scratch, request.mapped)
    images, usable, skipped = read_all(files, request.size or 64, request.crop, request.report, room)
    if not len(usable):
        raise DataError(f"No picture in {folder} can be used; the first: {skipped[0]}")
    chosen = chosen[usable]
    partition = _celeba_partition(Path(found.root) / found.base_folder, found.filename)
    return Dataset(
        name="celeba",
        images=images,
        attributes=found.attr.numpy()[chosen].astype(np.float32),
        attribute_names=tuple(name for name in found.attr_names if name),
        names=tuple(found.filename[index] for index in chosen),
        licence="CelebA, Liu et al. 2015, non-commercial research only",
        may_ship_thumbnails=False,
        skipped=tuple(skipped),
        test_idx=np.flatnonzero(partition[chosen] == 2).astype(np.int64),
    )


def _celeba_partition(folder: Path, names: list[str]) -> Labels:
    """0 train, 1 validation, 2 test, in the order of `names`."""
    lines = (folder / "list_eval_partition.txt").read_text().split("\n")
    by_name = dict(line.split()[:2] for line in lines if line.strip())
    return np.array([int(by_name[name]) for name in names], np.int64)


def _opened(request: Request, name: str, **options: Any) -> Any:
    from torchvision import datasets

    kind = getattr(datasets, name)
    if request.download:
        fetched(request.data, request.root, lambda root, download: kind(str(root), download=download, **options))
    try:
        return kind(str(request.root), download=False, **options)
    except RuntimeError as error:
        raise DataError(
            f"'{request.data}' is not in {request.root}, or not whole. Say where it is with --root FOLDER, or add "
            "--download."
        ) from error
    except OSError as error:
        raise DataError(f"'{request.data}' in {request.root} cannot be read: {error}.") from error
    except ValueError as error:
        raise DataError(f"The files of '{request.data}' in {request.root} are damaged: {error}.") from error


def _with_test(
    request: Request,
    images: np.ndarray[Any, np.dtype[np.uint8]],
    labels: Labels,
    label_names: tuple[str, ...],
    train_count: int,
    licence: str,
    *,
    ship: bool = True,
) -> Dataset:
    return Dataset(
        name=request.data,
        images=images,
        labels=labels,
        label_names=label_names,
        licence=licence,
        may_ship_thumbnails=ship,
        test_idx=np.arange(train_count, len(images), dtype=np.int64),
    )
