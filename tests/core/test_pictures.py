"""Pictures of strangers: every kind that is handled, every kind that is refused."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.core import pictures
from latentlab.core.errors import DataError, OptionError
from latentlab.core.pictures import Crop, read_picture, resized

RED = (200, 30, 40)


def red(mode: str = "RGB", size: tuple[int, int] = (20, 10)) -> Image.Image:
    return Image.new("RGB", size, RED).convert(mode)


def png_declaring(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims this size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(30_000, 30_000), (10_000, 10_000), (2**31 - 1, 2)])
def test_a_pixel_bomb_is_refused_by_its_declared_size(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_declaring(*size))
    with pytest.raises(DataError, match=r"bomb\.png .*(megapixels|too many pixels)"):
        read_picture(path)


@pytest.mark.parametrize(("mode", "ending"), [("CMYK", "jpg"), ("P", "png"), ("RGBA", "png"), ("RGB", "gif")])
def test_colour_modes_become_rgb(tmp_path: Path, mode: str, ending: str) -> None:
    path = tmp_path / f"picture.{ending}"
    (red().quantize(4) if mode == "P" else red(mode)).save(path)
    picture = read_picture(path)
    assert picture.shape == (10, 20, 3)
    assert np.abs(picture.astype(int) - RED).max() <= 12  # JPEG and palettes are not exact


def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)).save(path)
    picture = read_picture(path)
    assert picture.shape == (8, 8, 1)
    assert picture[0, 0, 0] == 0
    assert picture[-1, -1, 0] == 255
    assert 120 <= picture[4, 0, 0] <= 135


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(path)
    assert (read_picture(path) == 255).all()


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "moving.gif"
    red().save(path, save_all=True, append_images=[Image.new("RGB", (20, 10), "blue")])
    assert read_picture(path)[0, 0, 0] > 150


def test_a_misnamed_picture_is_read_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "really_a_jpeg.png"
    red().save(path, "JPEG")
    assert read_picture(path).shape == (10, 20, 3)


def test_the_cameras_orientation_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "sideways.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    red().save(path, exif=exif)
    assert read_picture(path).shape == (20, 10, 3)


def test_damaged_files_are_refused_with_their_name(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(buffer, "PNG")
    contents = {
        "empty.png": b"",
        "cut.png": buffer.getvalue()[:3000],
        "text.jpg": b"<html>404</html>",
        "random.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=name):
            read_picture(tmp_path / name)
    with pytest.raises(DataError, match="does not exist"):
        read_picture(tmp_path / "nowhere.png")


def test_a_format_that_is_not_on_the_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "drawing.png"
    red().save(path, "ICO")
    with pytest.raises(DataError, match="not a picture in a known format"):
        read_picture(path)


def test_crops() -> None:
    assert Crop.parse("centre").rectangle(20, 10) == (5, 0, 15, 10)
    assert Crop.parse("none").rectangle(20, 10) == (0, 0, 20, 10)
    assert Crop.parse("2,3,4,5").rectangle(20, 10) == (2, 3, 6, 8)
    assert str(Crop.parse("2, 3, 4, 5")) == "2,3,4,5"
    with pytest.raises(DataError, match="does not fit"):
        Crop.parse("2,3,40,5").rectangle(20, 10)
    for wrong in ("middle", "1,2,3", "1,2,0,4", "-1,0,4,4"):
        with pytest.raises(OptionError):
            Crop.parse(wrong)


def test_resizing_is_antialiased() -> None:
    stripes = np.zeros((64, 64, 1), np.uint8)
    stripes[:, ::2] = 255
    small = resized(stripes, 8)
    assert small.shape == (8, 8, 1)
    assert np.abs(small.astype(int) - 127).max() < 10  # every other pixel would be 0 or 255
    assert resized(stripes, 64) is stripes


def test_reading_crops_resizes_and_sets_channels(tmp_path: Path) -> None:
    half = Image.new("RGB", (20, 10), "white")
    half.paste("black", (0, 0, 5, 10))
    path = tmp_path / "half.png"
    half.save(path)
    picture = read_picture(path, crop=Crop.parse("centre"), size=8, channels=1)
    assert picture.shape == (8, 8, 1)
    assert picture.min() == 255  # the black part lies outside the centred square


def test_large_pictures_with_transparency_are_right(tmp_path: Path) -> None:
    """They are reduced before anything is copied."""
    path = tmp_path / "large.png"
    Image.new("RGBA", (900, 700), (200, 30, 40, 128)).save(path, compress_level=1)
    picture = read_picture(path, crop=Crop(), size=32)
    assert picture.shape == (32, 32, 3)
    assert np.abs(picture.astype(int) - (227, 142, 147)).max() <= 2


def test_a_jpeg_counts_as_large_as_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PIXEL_LIMIT", 10_000)
    red(size=(400, 400)).save(tmp_path / "photo.jpg")
    red(size=(400, 400)).save(tmp_path / "photo.png")
    assert read_picture(tmp_path / "photo.jpg", crop=Crop(), size=16).shape == (16, 16, 3)
    for name, size in (("photo.jpg", None), ("photo.png", 16)):
        with pytest.raises(DataError, match="megapixels"):
            read_picture(tmp_path / name, crop=Crop(), size=size)
