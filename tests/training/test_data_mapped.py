"""Pictures that memory has no room for are mapped: a run over them is the same, and nothing is left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.core.checkpoint_file import read_weights
from latentlab.core.errors import DataError
from training.cli import main
from training.data import Dataset, archive, load, mapped
from training.examples import Examples

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve pictures in two classes, one of them damaged."""
    rng = np.random.default_rng(0)
    for index in range(12):
        place = tmp_path / "pictures" / ("cats" if index % 2 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(place / f"{index:02}.png")
    (tmp_path / "pictures" / "cats" / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    return tmp_path / "pictures"


def test_a_folder_is_read_alike_into_memory_and_into_a_file(folder: Path, tmp_path: Path) -> None:
    kept = load(str(folder), size=16)
    there = load(str(folder), size=16, mapped=True, scratch=tmp_path)
    assert not isinstance(kept.images, np.memmap)
    assert isinstance(there.images, np.memmap)
    assert np.array_equal(kept.images, there.images)
    assert kept.skipped == there.skipped
    assert len(there.skipped) == 1
    assert kept.labels is not None
    assert np.array_equal(kept.labels, np.asarray(there.labels))
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"], "the file has no name that could be left behind"


def test_grey_pictures_have_one_channel_in_a_file_too(tmp_path: Path) -> None:
    for index in range(3):
        Image.new("L", (16, 16), 40 * index).save(tmp_path / f"{index}.png")
    data = load(str(tmp_path), size=16, mapped=True, scratch=tmp_path)
    assert isinstance(data.images, np.memmap)
    assert data.images.shape == (3, 16, 16, 1)
    assert data.images[:, 0, 0, 0].tolist() == [0, 40, 80]


def test_too_little_memory_maps_by_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "free_memory", lambda: 1000)
    assert isinstance(load(str(folder), size=16).images, np.memmap)
    assert not isinstance(load(str(folder), size=16, mapped=False).images, np.memmap)


def test_neither_memory_nor_disk(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mapped.shutil, "disk_usage", lambda _folder: type("Usage", (), {"free": 2000})())
    with pytest.raises(DataError, match=r"13 pictures need .* --image-size or --limit") as said:
        load(str(folder), size=16, mapped=True, scratch=tmp_path)
    assert str(tmp_path) in str(said.value)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_stored_npz_is_mapped_where_it_lies(tmp_path: Path, compressed: bool) -> None:
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), dtype=np.uint8)
    path = tmp_path / "some.npz"
    write: Any = np.savez_compressed if compressed else np.savez
    write(path, images=images, labels=np.arange(9))
    data = load(str(path), mapped=True)
    assert isinstance(data.images, np.memmap) is not compressed
    assert np.array_equal(data.images, images)
    cropped = load(str(path), mapped=True, crop="2,1,4,5", size=None)
    assert np.array_equal(cropped.images, images[:, 1:6, 2:6])
    assert np.array_equal(load(str(path), size=4, mapped=True).images, load(str(path), size=4).images)


def test_a_prepared_folder_holds_what_the_folder_does(folder: Path, tmp_path: Path) -> None:
    data = load(str(folder), size=16, mapped=True, scratch=tmp_path)
    archive.save(tmp_path / "made.npz", data)
    again = load(str(tmp_path / "made.npz"), mapped=True)
    assert np.array_equal(again.images, data.images)
    assert again.label_names == ("cats", "dogs")


def test_batches_of_mapped_pictures(tmp_path: Path) -> None:
    """Also where the next batch was fetched ahead, and where another one is asked for than was fetched."""
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), dtype=np.uint8)
    there = np.memmap(tmp_path / "rows", np.uint8, "w+", shape=images.shape)
    there[:] = images
    rows = np.arange(2, 9)
    kept = Examples.of(Dataset("x", images), rows, CPU)
    read = Examples.of(Dataset("x", there), rows, CPU)
    for chosen, fetched in (([3, 0, 3], [3, 0, 3]), ([1, 2], [5]), ([6], [])):
        read.fetch(np.array(fetched, np.int64))
        batches = [examples.batch(np.array(chosen), CPU).images for examples in (kept, read)]
        assert torch.equal(*batches)
        assert all(batch.is_contiguous(memory_format=torch.channels_last) for batch in batches)
    assert np.array_equal(kept.spread(3).pictures(), read.spread(3).pictures())
    assert len(read.spread(3)) == 3


def test_a_run_over_mapped_pictures_is_the_same_run(folder: Path, tmp_path: Path) -> None:
    command = ["vae", "--data", str(folder), "--image-size", "16", "--latent-dim", "3", "--width", "4"]
    command += ["--epochs", "2", "--batch-size", "4", "--augment", "flip,crop,rotate,colour", "--device", "cpu"]
    command += ["--progress", "none", "--precision", "float32"]
    weights = []
    for name, how in (("kept", "--no-mapped"), ("mapped", "--mapped")):
        assert main([*command, how, "--out", str(tmp_path / name)]) == 0
        weights.append(read_weights(tmp_path / name / "checkpoint.safetensors"))
    assert json.loads((tmp_path / "mapped" / "data.json").read_text())["mapped"] is True
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
