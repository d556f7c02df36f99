"""Archives of arrays: what is read, and what is refused from the header alone."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from latentlab.core.errors import DataError
from training.data import load

IMAGES = np.random.default_rng(0).integers(0, 255, (6, 12, 12, 3), dtype=np.uint8)


def test_everything_an_archive_can_hold(tmp_path: Path) -> None:
    path = tmp_path / "faces.npz"
    np.savez_compressed(
        path,
        images=IMAGES,
        labels=np.array([0, 1, 1, 0, -1, 2], np.int32),
        attributes=np.arange(12.0).reshape(6, 2),
        attribute_names=np.array(["Größe", "Hat"]),
    )
    data = load(str(path))
    assert np.array_equal(data.images, IMAGES)
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 1, 0, -1, 2]
    assert data.label_names == ("0", "1", "2")
    assert data.attribute_names == ("Größe", "Hat")
    assert data.attributes is not None
    assert data.attributes[5].tolist() == [10, 11]
    assert data.name == "faces"


def test_grey_pictures_fortran_order_and_crops(tmp_path: Path) -> None:
    path = tmp_path / "grey.npz"
    np.savez(path, images=np.asfortranarray(IMAGES[..., 0]))
    data = load(str(path))
    assert np.array_equal(data.images[..., 0], IMAGES[..., 0])
    assert load(str(path), size=8).images.shape == (6, 8, 8, 1)
    assert np.array_equal(load(str(path), crop="1,2,4,4").images[..., 0], IMAGES[:, 2:6, 1:5, 0])


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"labels": np.zeros(6)}, "no array 'images'"),
        ({"images": IMAGES / 255.0}, "float64.*uint8"),
        ({"images": IMAGES[0, 0]}, r"\(N, H, W\)"),
        ({"images": np.zeros((6, 3, 12, 12), np.uint8)}, "channels to the end"),
        ({"images": np.zeros((6, 12, 12, 4), np.uint8)}, "keep 1 or 3"),
        ({"images": IMAGES, "labels": np.zeros(5, np.int64)}, "one for each picture"),
        ({"images": IMAGES, "labels": np.full(6, 0.5)}, "whole numbers"),
        ({"images": IMAGES, "labels": np.array(["a"] * 6)}, "numbers are needed"),
        ({"images": IMAGES, "attributes": np.zeros(6)}, "one for each picture"),
        ({"images": IMAGES[:0]}, "is needed"),
    ],
)
def test_arrays_of_the_wrong_kind(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=said):
        load(str(path))


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("import pathlib; pathlib.Path('trapped').touch()",)


def test_object_arrays_are_refused_and_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trap = np.empty(1, object)
    trap[0] = Trap()
    np.savez("trap.npz", images=trap, allow_pickle=True)
    with pytest.raises(DataError, match="Python objects"):
        load("trap.npz")
    assert not (tmp_path / "trapped").exists()


def member(shape: str, dtype: str = "|u1", content: bytes = b"\0" * 64) -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + content


@pytest.mark.parametrize("shape", ["(1000000, 2000, 2000, 1)", "(-1, 2, 2, 1)", "(2**3,)", "'x'"])
def test_a_false_size_is_refused_from_the_header(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "liar.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", member(shape))
    with pytest.raises(DataError, match=r"liar\.npz"):
        load(str(path))


def test_a_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("images.npy", "w") as file:
        file.write(member("(200, 1000, 1000, 1)", content=b""))
        for _ in range(200):
            file.write(bytes(10**6))
    path.write_bytes(buffer.getvalue())
    assert path.stat().st_size < 300_000
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="claims"):
            load(str(path))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["../outside.npy", "/tmp/outside.npy", "images.npy/../../outside.npy"])
def test_an_archive_writes_nowhere(tmp_path: Path, name: str) -> None:
    """Names that lead out of a folder, and links: members are read by name, nothing is ever unpacked."""
    path = tmp_path / "inside" / "data.npz"
    path.parent.mkdir()
    np.savez(path, images=IMAGES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, member("(64,)"))
        link = zipfile.ZipInfo("link.npy")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    before = sorted(tmp_path.rglob("*"))
    assert np.array_equal(load(str(path)).images, IMAGES)
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_of_ours_unpacks_archives() -> None:
    root = Path(__file__).resolve().parents[2]
    for file in [*(root / "latentlab").rglob("*.py"), *(root / "training").rglob("*.py")]:
        assert not re.search(r"extractall|unpack_archive|tarfile|\.extract\(", file.read_text()), file


def test_damaged_archives(tmp_path: Path) -> None:
    whole = tmp_path / "whole.npz"
    np.savez(whole, images=IMAGES)
    cut = tmp_path / "cut.npz"
    cut.write_bytes(whole.read_bytes()[:-40])
    single = tmp_path / "single.npz"
    np.save(single.with_suffix(".npy"), IMAGES)
    single.write_bytes(single.with_suffix(".npy").read_bytes())
    flipped = bytearray(whole.read_bytes())
    flipped[400] ^= 255
    (tmp_path / "flipped.npz").write_bytes(flipped)
    (tmp_path / "text.npz").write_text("hello")
    for name, said in (
        ("cut.npz", "not a sound"),
        ("single.npz", "np.savez"),
        ("flipped.npz", "flipped"),
        ("text.npz", "sound"),
    ):
        with pytest.raises(DataError, match=said):
            load(str(tmp_path / name))
