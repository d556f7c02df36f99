"""Folders as people have them: flat, in classes, with a table; and what is wrong in them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.core.errors import DataError, OptionError
from training.data import load


def save(path: Path, shade: int = 100, size: tuple[int, int] = (24, 16), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = (shade, 20, 200) if mode == "RGB" else shade
    Image.new(mode, size, colour).save(path)


def test_flat(tmp_path: Path) -> None:
    for index in (2, 1, 3):
        save(tmp_path / f"{index}.png", shade=index)
    data = load(str(tmp_path), size=16)
    assert data.images.shape == (3, 16, 16, 3)
    assert data.names == ("1.png", "2.png", "3.png")
    assert data.images[:, 0, 0, 0].tolist() == [1, 2, 3]
    assert data.labels is None
    assert load(str(tmp_path)).images.shape == (3, 64, 64, 3)


def test_grey_pictures_stay_grey_unless_one_is_coloured(tmp_path: Path) -> None:
    save(tmp_path / "a.png", mode="L")
    save(tmp_path / "b.png", mode="L")
    assert load(str(tmp_path), size=8).channels == 1
    save(tmp_path / "c.png")
    assert load(str(tmp_path), size=8).channels == 3


def test_class_folders(tmp_path: Path) -> None:
    save(tmp_path / "cats" / "1.png")
    save(tmp_path / "dogs" / "deep" / "2.jpg")
    save(tmp_path / "dogs" / "3.PNG")
    save(tmp_path / "stray.png")
    (tmp_path / "empty").mkdir()
    data = load(str(tmp_path), size=8)
    assert data.label_names == ("cats", "dogs")
    assert data.labels is not None
    assert dict(zip(data.names, data.labels.tolist(), strict=True)) == {
        "stray.png": -1,
        "cats/1.png": 0,
        "dogs/3.PNG": 1,
        "dogs/deep/2.jpg": 1,
    }


def test_a_table_of_attributes(tmp_path: Path) -> None:
    for name in "abc":
        save(tmp_path / "images" / f"{name}.png")
    (tmp_path / "attributes.csv").write_text(
        "\ufefffile,Glasses,Hat,Age\na.png,1,0,31.5\nb.png,-1,1,\nc.png,-1,0,4\n", encoding="utf-8"
    )
    data = load(str(tmp_path), size=8)
    assert data.attribute_names == ("Glasses", "Hat", "Age")
    assert data.attributes is not None
    np.testing.assert_array_equal(data.attributes, np.array([[1, 0, 31.5], [0, 1, np.nan], [0, 0, 4]], np.float32))
    assert data.names == ("a.png", "b.png", "c.png")
    assert not data.skipped


def test_lines_of_a_table_that_cannot_be_used_are_listed(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png")
    save(tmp_path / "images" / "unnamed.png")
    save(tmp_path / "secret.png")
    (tmp_path / "attributes.csv").write_text(
        "file,X\na.png,1\na.png,1\nmissing.png,1\n../secret.png,1\n/etc/passwd,1\n"
    )
    data = load(str(tmp_path), size=8)
    assert data.names == ("a.png",)
    told = "\n".join(data.skipped)
    assert "a.png: named twice" in told
    assert "missing.png: does not exist" in told
    assert "../secret.png: points outside the folder" in told
    assert "/etc/passwd: points outside the folder" in told
    assert "unnamed.png: has no line" in told


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("file,X\na.png,yes\n", "line 2, column 'X': 'yes' is not a number"),
        ("file,X\na.png,1,2\n", "line 2 has 3 columns"),
        ("file,X,X\na.png,1,2\n", "names that differ"),
        ("file\na.png\n", "first line"),
        ("file,X\nb.png,1\n", "names no picture"),
    ],
)
def test_a_table_that_is_not_understood(tmp_path: Path, table: str, said: str) -> None:
    save(tmp_path / "a.png")
    (tmp_path / "attributes.csv").write_text(table)
    with pytest.raises(DataError, match=said):
        load(str(tmp_path), size=8)


def test_damaged_pictures_are_skipped_counted_and_listed(tmp_path: Path) -> None:
    for index in range(20):
        save(tmp_path / f"good{index:02}.png", shade=index)
    whole = tmp_path / "whole.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(whole)
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:2000])
    (tmp_path / "zero.jpg").write_bytes(b"")
    (tmp_path / "page.png").write_text("<html>not found</html>")
    Image.new("CMYK", (20, 20), (0, 100, 0, 0)).save(tmp_path / "print.jpg")
    Image.new("RGB", (20, 20)).save(tmp_path / "misnamed.png", "JPEG")
    data = load(str(tmp_path), size=8)
    assert len(data) == 23
    assert len(data.skipped) == 3
    assert {"cut.png", "zero.jpg", "page.png"} == {
        name for name in ("cut.png", "zero.jpg", "page.png") if any(name in line for line in data.skipped)
    }
    assert len(data.names) == len(data.images)


def test_among_a_thousand_the_damaged_ones_are_skipped(tmp_path: Path) -> None:
    save(tmp_path / "good.png", size=(8, 8))
    good = (tmp_path / "good.png").read_bytes()
    for index in range(989):
        (tmp_path / f"{index:04}.png").write_bytes(good)
    usable: dict[str, tuple[str, dict[str, object]]] = {
        "print.jpg": ("CMYK", {}),
        "palette.png": ("P", {}),
        "deep.png": ("I;16", {}),
        "clear.png": ("RGBA", {}),
        "moving.gif": ("P", {"save_all": True, "append_images": [Image.new("P", (8, 8), 1)]}),
        "misnamed.png": ("RGB", {"format": "JPEG"}),
    }
    for name, (mode, how) in usable.items():
        Image.new(mode, (8, 8)).save(tmp_path / name, **how)  # type: ignore[arg-type]
    damaged = {
        "cut.png": good[:40],
        "zero.png": b"",
        "text.jpg": b"404 not found",
        "huge.png": good[:16] + (30_000).to_bytes(4, "big") * 2 + good[24:],
    }
    for name, data in damaged.items():
        (tmp_path / name).write_bytes(data)
    data = load(str(tmp_path), size=8)
    assert len(data) == 996
    assert set(usable) <= set(data.names)
    assert len(data.skipped) == len(damaged)
    for name in damaged:
        assert any(name in line for line in data.skipped), name


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_links_in_circles_and_to_nothing(tmp_path: Path) -> None:
    save(tmp_path / "own.png")
    (tmp_path / "circle").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "nothing.png").symlink_to(tmp_path / "gone.png")
    assert load(str(tmp_path), size=8).names == ("own.png",)


def test_a_folder_without_a_usable_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no picture"):
        load(str(tmp_path))
    (tmp_path / "zero.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"can be used.*zero\.png"):
        load(str(tmp_path))


def test_a_crop_that_does_not_fit_skips_small_pictures(tmp_path: Path) -> None:
    save(tmp_path / "large.png", size=(40, 40))
    save(tmp_path / "small.png", size=(10, 10))
    data = load(str(tmp_path), size=8, crop="8,8,24,24")
    assert data.names == ("large.png",)
    assert "does not fit" in data.skipped[0]
    with pytest.raises(OptionError, match="--crop"):
        load(str(tmp_path), crop="half")


def test_the_limit_takes_some_at_random_but_always_the_same(tmp_path: Path) -> None:
    for index in range(12):
        save(tmp_path / f"{index:02}.png")
    some = load(str(tmp_path), size=8, limit=4)
    assert len(some) == 4
    assert some.names == load(str(tmp_path), size=8, limit=4).names
    assert some.names == tuple(sorted(some.names))
    assert some.names != load(str(tmp_path), size=8, limit=4, seed=1).names


@pytest.mark.skipif(os.name == "nt", reason="Windows names are Unicode")
def test_names_that_are_not_utf8_can_be_written(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    save(tmp_path / "ok.png")
    with open(folder + b"/\xff\xfe.png", "wb") as file:
        file.write((tmp_path / "ok.png").read_bytes())
    data = load(str(tmp_path), size=8)
    assert len(data) == 2
    "".join(data.names).encode("utf-8")


def test_a_file_that_is_no_data(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with pytest.raises(DataError, match="neither a folder of pictures nor"):
        load(str(fifo))


def test_pictures_of_a_kind_that_is_not_read_are_listed(tmp_path: Path) -> None:
    save(tmp_path / "cats" / "1.png")
    save(tmp_path / "dogs" / "2.png")
    (tmp_path / "dogs" / "IMG_3.HEIC").write_bytes(b"of a telephone")
    (tmp_path / "IMG_4.heic").write_bytes(b"of a telephone")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._1.png", "notes.txt"):
        (tmp_path / "cats" / name).write_bytes(b"of a system")
    data = load(str(tmp_path), size=8)
    assert data.names == ("cats/1.png", "dogs/2.png")
    assert [line.split(":")[0] for line in data.skipped] == ["IMG_4.heic", "dogs/IMG_3.HEIC"]
    assert "save it as JPEG or PNG" in data.skipped[0]


def test_a_folder_of_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "IMG_4.heic").write_bytes(b"of a telephone")
    with pytest.raises(DataError, match=r"1 is of a kind that is not, such as IMG_4.heic. Save it as JPEG or PNG"):
        load(str(tmp_path))
    (tmp_path / "IMG_5.heic").write_bytes(b"of a telephone")
    with pytest.raises(DataError, match=r"2 are of a kind that is not, such as IMG_4.heic. Save them as JPEG or PNG"):
        load(str(tmp_path))


@pytest.mark.parametrize(("name", "said"), [("me.jpg", "name the folder"), ("faces.zip", "unpack it")])
def test_a_file_that_is_no_archive_of_arrays(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(b"content")
    with pytest.raises(DataError, match=said):
        load(str(tmp_path / name))
