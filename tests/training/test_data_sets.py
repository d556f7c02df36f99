"""Named data sets, splits and what a Dataset refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.core.errors import DataError, OptionError
from training.data import SOURCES, Dataset, load


def tiny(count: int = 20, **extra: object) -> Dataset:
    images = np.random.default_rng(0).integers(0, 255, (count, 8, 8, 1), dtype=np.uint8)
    return Dataset("tiny", images, **extra)  # type: ignore[arg-type]


def test_every_source_can_be_loaded_as_code() -> None:
    for entry in SOURCES.values():
        assert callable(entry.load())


def test_digits() -> None:
    data = load("digits")
    assert data.images.shape == (1797, 8, 8, 1)
    assert data.images.max() == 255
    assert np.bincount(data.labels).min() > 170
    assert load("digits", size=16, limit=5).images.shape == (5, 16, 16, 1)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="Did you mean 'avatars'"):
        load("avatar")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "celeba"])
def test_nothing_is_downloaded_unasked(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--root.*--download"):
        load(name, root=tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_mnist_keeps_its_test_set(test_data: Path) -> None:
    data = load("mnist", root=test_data / "data")
    train_idx, held_out_idx = data.split(seed=5, fraction=0.3)
    assert (len(train_idx), len(held_out_idx)) == (60_000, 10_000)
    assert held_out_idx.min() == 60_000
    assert (data.height, data.width, data.channels) == (28, 28, 1)
    some = load("mnist", root=test_data / "data", limit=700)
    assert len(some) == 700
    assert 60 < len(some.split()[1]) < 140


def test_a_split_is_the_same_for_the_same_seed() -> None:
    data = tiny(100)
    train_idx, held_out_idx = data.split(seed=3, fraction=0.2)
    assert len(held_out_idx) == 20
    assert sorted([*train_idx, *held_out_idx]) == list(range(100))
    assert np.array_equal(held_out_idx, data.split(seed=3, fraction=0.2)[1])
    assert not np.array_equal(held_out_idx, data.split(seed=4, fraction=0.2)[1])
    assert len(data.split(fraction=0)[1]) == 0
    with pytest.raises(OptionError, match=r"1\.5"):
        data.split(fraction=1.5)


def test_a_subset_takes_everything_with_it() -> None:
    data = tiny(
        labels=np.arange(20) % 2,
        attributes=np.arange(20, dtype=np.float32)[:, None],
        attribute_names=("number",),
        names=tuple(f"{i}.png" for i in range(20)),
        test_idx=np.array([3, 5, 7]),
    )
    part = data.subset(np.array([5, 6, 7]))
    assert part.names == ("5.png", "6.png", "7.png")
    assert part.attributes is not None
    assert part.attributes[:, 0].tolist() == [5, 6, 7]
    assert part.test_idx is not None
    assert part.test_idx.tolist() == [0, 2]
    assert np.array_equal(part.images, data.images[5:8])


def test_parts_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(DataError, match="20 pictures but 19 labels"):
        tiny(labels=np.zeros(19, np.int64))
    with pytest.raises(DataError, match="a label is 4"):
        tiny(labels=np.full(20, 4), label_names=("a", "b"))
    with pytest.raises(DataError, match="attributes"):
        tiny(attributes=np.zeros((20, 2), np.float32), attribute_names=("one",))
    with pytest.raises(DataError, match="uint8"):
        Dataset("floats", np.zeros((2, 8, 8, 1), np.float32))  # type: ignore[arg-type]


def test_many_classes_and_unicode_are_fine() -> None:
    data = tiny(
        labels=np.arange(20) * 500, label_names=tuple(f"κλάση {i} 🎭" for i in range(10_000)), names=("ü.png",) * 20
    )
    assert data.label_names[9_500].endswith("🎭")


@pytest.mark.parametrize("size", [2, 5000])
def test_sizes_out_of_bounds_are_refused(size: int) -> None:
    with pytest.raises(OptionError, match=str(size)):
        load("digits", size=size)
