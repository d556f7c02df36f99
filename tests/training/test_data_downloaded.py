"""CIFAR-10 and CelebA as torchvision lays them out, made small by hand; only its check of their hashes is left out."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.core.errors import DataError
from training.data import load

FACES = 6


@pytest.fixture
def cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_arguments: True)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for number, name in enumerate([*(f"data_batch_{index}" for index in range(1, 6)), "test_batch"]):
        data = np.full((4, 3 * 32 * 32), number, np.uint8)
        data[:, :1024] = 200  # the red plane comes first
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": [0, 1, 2, 3]}))
    names = [f"class {index}" for index in range(10)]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": names}))
    return tmp_path


def test_cifar10(cifar: Path) -> None:
    data = load("cifar10", root=cifar)
    assert data.images.shape == (24, 32, 32, 3)
    assert data.images[0, 0, 0].tolist() == [200, 0, 0]
    assert data.label_names[3] == "class 3"
    assert data.split()[1].tolist() == [20, 21, 22, 23], "its test set stays held out"
    assert not data.may_ship_thumbnails


@pytest.fixture
def celeba(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("torchvision.datasets.CelebA._check_integrity", lambda _self: True)
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{index:06}.jpg" for index in range(1, FACES + 1)]
    for index, name in enumerate(names):
        Image.new("RGB", (178, 218), (40 * index, 0, 0)).save(folder / "img_align_celeba" / name)
    (folder / "img_align_celeba" / names[2]).write_bytes(b"no picture")

    def table(name: str, row: str, header: str = "") -> None:
        lines = [f"{FACES}", header] if header else []
        (folder / name).write_text("\n".join([*lines, *(f"{file} {row}" for file in names)]) + "\n")

    table("identity_CelebA.txt", "7")
    table("list_bbox_celeba.txt", "1 2 3 4", "image_id x_1 y_1 width height")
    table("list_landmarks_align_celeba.txt", " ".join("1" * 10), " ".join(f"p{index}" for index in range(10)))
    rows = [f"{file} {1 if index % 2 else -1} -1" for index, file in enumerate(names)]
    (folder / "list_attr_celeba.txt").write_text("\n".join([str(FACES), "Eyeglasses Smiling", *rows]) + "\n")
    partition = [f"{file} {2 if index == 5 else 0}" for index, file in enumerate(names)]
    (folder / "list_eval_partition.txt").write_text("\n".join(partition) + "\n")
    return tmp_path


def test_celeba_with_its_attributes(celeba: Path) -> None:
    data = load("celeba", root=celeba, size=16)
    assert data.images.shape == (FACES - 1, 16, 16, 3)
    assert data.attribute_names == ("Eyeglasses", "Smiling")
    assert data.attributes is not None
    assert data.attributes[:, 0].tolist() == [0, 1, 1, 0, 1], "the damaged picture's line went with it"
    assert "000003.jpg" in data.skipped[0]
    assert [data.names[index] for index in data.split()[1]] == ["000006.jpg"]
    assert not data.may_ship_thumbnails


def test_damaged_tables_are_said(celeba: Path) -> None:
    (celeba / "celeba" / "list_attr_celeba.txt").write_text("2\nEyeglasses\n000001.jpg many\n")
    with pytest.raises(DataError, match=r"'celeba'.*damaged"):
        load("celeba", root=celeba)
